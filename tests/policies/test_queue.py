from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import CROWN, NOW, PHONE, POLICY, case, contact_rules, instants, patient, procedure

from treatment_agent.domain.patients import Contact, Flag, PatientStatus, Permission
from treatment_agent.domain.private import EmailAddress
from treatment_agent.domain.treatment import Case, Family, ProcedureStatus
from treatment_agent.errors import NaiveDatetimeError
from treatment_agent.policies.practice import BookingTemplate, PracticePolicy, Scope
from treatment_agent.policies.queue import assess

CHILD = date(2012, 1, 1)
MAIL = EmailAddress("ana@example.com")
MOTHER = Contact(first_name="Eva", mobile=PHONE)


def scoped(**changes: object) -> PracticePolicy:
    return POLICY.model_copy(update={"scope": Scope.model_validate(changes)})


def old(days: int) -> Case:
    day = date(2026, 11, 25) - timedelta(days=days)
    return case(CROWN.model_copy(update={"diagnosed_on": day}), visit_on=day)


def flagged(flag: Flag) -> Case:
    return case(who=patient(flags=frozenset({flag})))


class TestEligibility:
    def test_takes_an_open_crown_of_a_consenting_patient(self) -> None:
        found = assess(case(), POLICY, NOW)

        assert (found.eligible, found.skip_rule) == (True, None)

    @pytest.mark.parametrize(
        ("rule", "blocked"),
        [
            ("queue.deceased", case(who=patient(status=PatientStatus.DECEASED))),
            ("queue.inactive", case(who=patient(status=PatientStatus.INACTIVE))),
            ("queue.inactive", case(who=patient(status=PatientStatus.PROSPECTIVE))),
            ("queue.do-not-contact", flagged(Flag.DO_NOT_CONTACT)),
            ("queue.other-visit", case(next_visit_at=NOW + timedelta(days=1))),
            ("queue.already-booked", case(CROWN, procedure("p2", "D2740", "3", status=ProcedureStatus.SCHEDULED))),
            ("queue.declined", case(procedure("p1", "D2740", status=ProcedureStatus.DECLINED))),
            ("queue.no-open-procedures", case(procedure("p1", "D2740", status=ProcedureStatus.COMPLETED))),
            ("queue.no-open-procedures", case(procedure("p1", "D2740", status=ProcedureStatus.REFERRED))),
            ("queue.protected", flagged(Flag.PROTECTED)),
            ("queue.complaint", flagged(Flag.OPEN_COMPLAINT)),
            ("queue.complaint", flagged(Flag.PAYMENT_DISPUTE)),
            ("queue.medical-alert", flagged(Flag.MEDICAL_ALERT)),
            ("queue.balance", flagged(Flag.BALANCE_DUE)),
            ("queue.preauthorization", flagged(Flag.PENDING_PREAUTHORIZATION)),
            ("queue.staff-first-family", case(CROWN, procedure("p2", "D9230"))),
            ("queue.staff-first-family", case(CROWN, procedure("p2", "D7953", "3"))),
            ("queue.dental-order", case(CROWN, procedure("p2", "D3330", "#30"))),
            ("queue.dental-order", case(procedure("p1", "D6740", "18-20"), procedure("p2", "D7140", "19"))),
            ("queue.dental-order", case(CROWN, procedure("p2", "D7140", ""))),
            ("queue.waiting", case(procedure("p1", "D2740", plan_priority=" Wait "))),
            ("queue.not-in-scope", case(procedure("p1", "D5110"))),
            ("queue.high-value", case(procedure("p1", "D2740", fee_cents=500_001))),
            ("queue.no-date", case(procedure("p1", "D2740", diagnosed_on=None), visit_on=None)),
            ("queue.too-old", old(366)),
            ("queue.confirm-first", old(181)),
            ("queue.minor-without-guardian", case(who=patient(born_on=CHILD))),
            ("queue.no-contact", case(who=patient(mobile=None))),
            ("queue.no-contact", case(who=patient(born_on=CHILD, guardian=Contact(first_name="Eva")))),
            ("queue.no-consent", case(who=patient(sms=Permission.UNKNOWN))),
            ("queue.no-consent", case(who=patient(sms=Permission.NO))),
            ("queue.no-consent", case(who=patient(mobile=None, email=MAIL))),
            ("queue.no-consent", case(who=patient(sms=Permission.NO, emailing=Permission.YES))),
            ("queue.staff-recent", case(last_staff_contact_at=NOW - timedelta(days=6))),
        ],
    )
    def test_skips_with_its_reason(self, rule: str, blocked: Case) -> None:
        found = assess(blocked, POLICY, NOW)

        assert (found.eligible, found.skip_rule) == (False, rule)

    @pytest.mark.parametrize(
        "allowed",
        [
            case(next_visit_at=NOW - timedelta(days=1)),
            case(CROWN, procedure("p2", "D2740", "3", status=ProcedureStatus.DECLINED)),
            case(CROWN, procedure("p2", "D2740", "3", status=ProcedureStatus.COMPLETED)),
            case(CROWN, procedure("p2", "D3330", "14")),
            case(CROWN, procedure("p2", "D3330", "30", status=ProcedureStatus.COMPLETED)),
            case(CROWN, procedure("p2", "D2392", "3", plan_priority="wait")),
            case(CROWN, procedure("p2", "D5110", "")),
            case(procedure("p1", "D2740", fee_cents=500_000)),
            old(180),
            case(who=patient(born_on=CHILD, guardian=MOTHER)),
            case(who=patient(born_on=date(2008, 11, 25))),
            case(who=patient(born_on=None)),
            case(last_staff_contact_at=NOW - timedelta(days=7)),
            case(who=patient(mobile=None, email=MAIL, emailing=Permission.YES)),
            case(who=patient(sms=Permission.NO, email=MAIL, emailing=Permission.YES)),
        ],
    )
    def test_takes_what_only_looks_like_a_reason(self, allowed: Case) -> None:
        assert assess(allowed, POLICY, NOW).skip_rule is None

    @pytest.mark.parametrize(
        ("policy", "rule"),
        [
            (scoped(families=(Family.BRIDGE,)), "queue.not-in-scope"),
            (scoped(provider_ids=("kim",)), "queue.not-in-scope"),
            (scoped(provider_ids=("lee",)), None),
            (scoped(youngest_days=2), "queue.not-in-scope"),
            (scoped(youngest_days=1), None),
            (scoped(staff_first_above_cents=100_000), "queue.high-value"),
            (scoped(staff_first_above_cents=None), None),
            (POLICY.model_copy(update={"templates": ()}), "queue.not-in-scope"),
        ],
    )
    def test_keeps_the_scope_of_a_pilot(self, policy: PracticePolicy, rule: str | None) -> None:
        assert assess(case(), policy, NOW).skip_rule == rule

    def test_needs_no_recorded_yes_when_the_office_says_so_but_keeps_a_no(self) -> None:
        policy = contact_rules(require_consent=False)

        assert assess(case(who=patient(sms=Permission.UNKNOWN)), policy, NOW).eligible
        assert assess(case(who=patient(sms=Permission.NO)), policy, NOW).skip_rule == "queue.no-consent"

    def test_names_the_gravest_reason_first(self) -> None:
        both = case(who=patient(status=PatientStatus.DECEASED, sms=Permission.NO))

        assert assess(both, POLICY, NOW).skip_rule == "queue.deceased"

    def test_leaves_a_case_it_cannot_read_to_staff(self) -> None:
        broken = case().model_copy(update={"procedures": (None,)})

        assert assess(broken, POLICY, NOW).skip_rule == "queue.unreadable"

    def test_refuses_a_naive_instant(self) -> None:
        with pytest.raises(NaiveDatetimeError):
            assess(case(), POLICY, NOW.replace(tzinfo=None))


class _Loyalty:
    id = "priority.loyalty"

    def points(self, case: Case, today: date) -> int:
        return 7


class _Broken:
    id = "priority.broken"

    def points(self, case: Case, today: date) -> int:
        raise RuntimeError("Ana +13125550117")


class _Nonsense:
    id = "priority.nonsense"

    def points(self, case: Case, today: date) -> int:
        return "many"  # type: ignore[return-value]


class TestScore:
    def test_is_the_sum_of_its_points(self) -> None:
        found = assess(case(procedure("p1", "D2740", plan_priority="1")), POLICY, NOW)

        assert {p.factor: p.points for p in found.points} == {
            "priority.age": 30,
            "priority.value": 6,
            "priority.benefit-year-end": 20,
            "priority.plan": 15,
        }
        assert found.score == 71
        assert all(p.why for p in found.points)

    @pytest.mark.parametrize(("days", "points"), [(0, 30), (14, 30), (15, 29), (21, 29), (22, 28), (360, 0)])
    def test_lets_age_fade_by_the_week(self, days: int, points: int) -> None:
        found = {p.factor: p.points for p in assess(old(days), POLICY, NOW).points}

        assert found["priority.age"] == points

    def test_caps_the_value(self) -> None:
        found = {p.factor: p.points for p in assess(case(procedure("p", "D2740", fee_cents=10**7)), POLICY, NOW).points}

        assert found["priority.value"] == 25

    def test_counts_the_benefit_year_only_near_its_end(self) -> None:
        spring = datetime(2026, 4, 1, 12, tzinfo=UTC)

        assert "priority.benefit-year-end" not in {p.factor for p in assess(case(), POLICY, spring).points}

    def test_adds_a_product_teams_factor(self) -> None:
        policy = POLICY.model_copy(update={"priority_factors": (_Loyalty(),)})

        assert assess(case(), policy, NOW).score == assess(case(), POLICY, NOW).score + 7

    @pytest.mark.parametrize("factor", [_Broken(), _Nonsense()])
    def test_survives_a_broken_factor_without_repeating_its_words(self, factor: object) -> None:
        policy = POLICY.model_copy(update={"priority_factors": (factor, _Loyalty())})

        found = assess(case(), policy, NOW)

        assert found.eligible
        assert [p.points for p in found.points][-2:] == [0, 7]
        assert "Ana" not in repr(found)


_PROCEDURES = st.builds(
    lambda number, code, tooth, fee, status, day, priority: procedure(
        f"p{number}", code, tooth, fee_cents=fee, status=status, diagnosed_on=day, plan_priority=priority
    ),
    st.integers(0, 99),
    st.sampled_from(["D2740", "D2950", "D6240", "D3330", "D7140", "D9222", "D0120", "D9999", "D2392"]),
    st.text(max_size=6),
    st.integers(0, 10**9),
    st.sampled_from(ProcedureStatus),
    st.none() | st.dates(),
    st.text(max_size=6),
)
_PATIENTS = st.builds(
    lambda born_on, status, mobile, sms, flags, zone, state: patient(
        born_on=born_on, status=status, mobile=mobile, sms=sms, flags=flags, zone=zone, state=state
    ),
    st.none() | st.dates(),
    st.sampled_from(PatientStatus),
    st.none() | st.just(PHONE),
    st.sampled_from(Permission),
    st.frozensets(st.sampled_from(Flag)),
    st.none() | st.text(max_size=5),
    st.none() | st.text(max_size=3),
)
_AWARE = instants(1990, 2199)


class TestProperties:
    @given(
        procedures=st.lists(_PROCEDURES, min_size=1, max_size=4),
        who=_PATIENTS,
        visit_on=st.none() | st.dates(),
        spoke_at=st.none() | _AWARE,
        next_at=st.none() | _AWARE,
        now=_AWARE,
    )
    def test_property_always_answers_and_explains(
        self,
        procedures: list[object],
        who: object,
        visit_on: date | None,
        spoke_at: datetime | None,
        next_at: datetime | None,
        now: datetime,
    ) -> None:
        some = case(
            *procedures,  # type: ignore[arg-type]
            who=who,  # type: ignore[arg-type]
            visit_on=visit_on,
            last_staff_contact_at=spoke_at,
            next_visit_at=next_at,
        )

        found = assess(some, POLICY, now)

        assert found.eligible == (found.skip_rule is None)
        assert found.skip_rule != "queue.unreadable"
        assert found.score == sum(p.points for p in found.points)

    @given(flags=st.frozensets(st.sampled_from(Flag)), more=st.sampled_from(Flag))
    def test_property_another_flag_never_makes_eligible(self, flags: frozenset[Flag], more: Flag) -> None:
        fewer = assess(case(who=patient(flags=flags)), POLICY, NOW)
        stricter = assess(case(who=patient(flags=flags | {more})), POLICY, NOW)

        assert fewer.eligible or not stricter.eligible
        assert not stricter.eligible


class TestTemplates:
    def test_are_needed_only_for_the_main_family(self) -> None:
        policy = POLICY.model_copy(update={"templates": (BookingTemplate(family=Family.CROWN, minutes=90),)})

        assert assess(case(CROWN, procedure("p2", "D2392", "3")), policy, NOW).eligible
