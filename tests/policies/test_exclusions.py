"""Eligibility: what an office may ask for beside the scope, and the order in which teeth are treated."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import CROWN, NOW, POLICY, case, patient, procedure
from pydantic import SecretStr

from treatment_agent.domain.patients import Flag, PatientStatus, Permission
from treatment_agent.domain.treatment import Case, CaseKind, Family, Procedure, ProcedureStatus
from treatment_agent.policies.booking import plan_visit
from treatment_agent.policies.eligibility import Eligibility, RequiredField
from treatment_agent.policies.practice import PracticePolicy, Scope
from treatment_agent.policies.queue import assess, reasons

TOMORROW = NOW + timedelta(days=1)
RETAINERS = (procedure("b1", "D6740", "18"), procedure("b2", "D6740", "20"))
PONTIC = procedure("b3", "D6245", "19")


def asking(**changes: object) -> PracticePolicy:
    return POLICY.model_copy(update={"eligibility": Eligibility.model_validate(changes)})


def rule(some: Case, policy: PracticePolicy = POLICY) -> str | None:
    return assess(some, policy, NOW).skip_rule


class TestRequiredFields:
    @pytest.mark.parametrize(
        ("field", "without", "complete"),
        [
            ("born_on", case(who=patient(born_on=None)), case()),
            ("last_name", case(), case(who=patient(last_name=SecretStr("Sample")))),
            ("email", case(), case(who=patient(email="ana@example.com"))),
            ("household_id", case(), case(who=patient(household_id="h1"))),
            ("state", case(), case(who=patient(state="IL"))),
            ("visit_on", case(visit_on=None), case()),
            ("provider_id", case(provider_id=""), case()),
            ("procedure_provider_id", case(), case(procedure("p1", "D2740", provider_id="lee"))),
            ("diagnosed_on", case(procedure("p1", "D2740", diagnosed_on=None)), case()),
            ("tooth", case(procedure("p1", "D2740", " ")), case()),
            ("fee", case(procedure("p1", "D2740", fee_cents=0)), case()),
            ("synced_at", case(), case(synced_at=NOW)),
        ],
    )
    def test_leave_a_case_without_one_to_staff(self, field: str, without: Case, complete: Case) -> None:
        policy = asking(required=(field,))

        assert rule(without) is None
        assert rule(without, policy) == "queue.required-field"
        assert reasons(without, policy, NOW) == (("queue.required-field", f"lacks {field}"),)
        assert rule(complete, policy) is None

    def test_are_asked_only_of_what_is_followed_up(self) -> None:
        beside = case(CROWN, procedure("p2", "D5110", ""))

        assert rule(beside, asking(required=("tooth",))) is None

    def test_cover_every_field(self) -> None:
        assert reasons(case(), asking(required=tuple(RequiredField)), NOW)[0][1].startswith("lacks ")


class TestOtherVisits:
    @pytest.mark.parametrize(
        ("visit", "expected"),
        [
            ({}, "queue.other-visit"),
            ({"next_visit_provider_id": "lee"}, "queue.other-visit"),
            ({"next_visit_provider_id": "kim", "next_visit_teeth": "30"}, "queue.other-visit"),
            ({"next_visit_teeth": "#30, 31"}, "queue.other-visit"),
            ({"next_visit_provider_id": "kim"}, None),
            ({"next_visit_provider_id": "kim", "next_visit_teeth": "3"}, None),
        ],
    )
    def test_count_by_provider_and_tooth_where_the_office_says_so(
        self, visit: dict[str, str], expected: str | None
    ) -> None:
        some = case(next_visit_at=TOMORROW, **visit)

        assert rule(some, asking(any_visit_counts=False)) == expected
        assert rule(some) == "queue.other-visit"

    def test_that_are_over_do_not_count(self) -> None:
        assert rule(case(next_visit_at=NOW)) is None

    def test_are_for_staff_to_look_at(self) -> None:
        assert assess(case(next_visit_at=TOMORROW), POLICY, NOW).staff_looks
        assert not assess(case(who=patient(status=PatientStatus.DECEASED)), POLICY, NOW).staff_looks


class TestStaleData:
    @pytest.mark.parametrize(("hours", "expected"), [(71, None), (72, "queue.stale-data")])
    def test_is_not_acted_on(self, hours: int, expected: str | None) -> None:
        assert rule(case(synced_at=NOW - timedelta(hours=hours))) == expected

    def test_is_not_judged_where_nobody_knows_or_asks(self) -> None:
        old = case(synced_at=NOW - timedelta(days=400))

        assert rule(case(synced_at=None)) is None
        assert rule(old, asking(stale_after_hours=None)) is None


class TestPreference:
    def test_for_letters_is_kept_by_staff(self) -> None:
        some = case(who=patient(flags=frozenset({Flag.PREFERS_OTHER_WAY}), sms=Permission.NO))

        assert rule(some) == "queue.preference"
        assert [r for r, _ in reasons(some, POLICY, NOW)] == ["queue.preference", "queue.no-consent"]


class TestConfirmedDiagnosis:
    @pytest.mark.parametrize(
        ("confirmed_on", "expected"),
        [
            (None, "queue.confirm-first"),
            (date(2026, 11, 20), None),
            (date(2026, 5, 29), None),
            (date(2026, 5, 28), "queue.confirm-first"),
            (date(2026, 11, 26), "queue.confirm-first"),
        ],
    )
    def test_counts_for_as_long_as_a_fresh_one(self, confirmed_on: date | None, expected: str | None) -> None:
        old = case(procedure("p1", "D2740", diagnosed_on=date(2026, 3, 1)), confirmed_on=confirmed_on)

        assert rule(old) == expected


class TestBridge:
    def test_is_one_unit(self) -> None:
        other = procedure("b9", "D6740", "3-5")
        visit = plan_visit(case(*RETAINERS, PONTIC, other), POLICY)

        assert visit is not None
        assert visit.family is Family.BRIDGE
        assert visit.procedure_ids == ("b1", "b2", "b3")

    def test_does_not_reach_from_the_upper_to_the_lower_arch(self) -> None:
        visit = plan_visit(case(procedure("b1", "D6740", "16"), procedure("b2", "D6740", "17")), POLICY)

        assert visit is not None
        assert visit.procedure_ids == ("b1",)

    @pytest.mark.parametrize("status", [ProcedureStatus.DECLINED, ProcedureStatus.REFERRED])
    def test_of_which_part_was_declined_is_for_staff(self, status: ProcedureStatus) -> None:
        split = case(*RETAINERS, PONTIC.model_copy(update={"status": status}))

        assert rule(split) == "queue.bridge-split"

    @pytest.mark.parametrize("put_off", [{"plan_priority": "Wait"}, {"provider_id": "kim"}])
    def test_of_which_part_is_put_off_or_out_of_scope_is_for_staff(self, put_off: dict[str, str]) -> None:
        mine = [p.model_copy(update={"provider_id": "lee"}) for p in RETAINERS]
        pilot = POLICY.model_copy(update={"scope": Scope(provider_ids=("lee",))})
        split = case(*mine, PONTIC.model_copy(update={"provider_id": "lee"} | put_off))

        assert rule(split, pilot) == "queue.bridge-split"

    def test_that_replaces_an_old_one_is_followed_up(self) -> None:
        old = [p.model_copy(update={"id": f"old-{p.id}", "status": ProcedureStatus.COMPLETED}) for p in RETAINERS]

        assert rule(case(*old, *RETAINERS, PONTIC)) is None

    def test_is_not_split_by_another_one(self) -> None:
        other = procedure("b9", "D6740", "3-5", status=ProcedureStatus.DECLINED)

        assert rule(case(*RETAINERS, PONTIC, other)) is None


class TestReasons:
    def test_are_all_named_the_weightiest_first(self) -> None:
        some = case(
            procedure("p1", "D2740", diagnosed_on=date(2026, 3, 1)),
            who=patient(flags=frozenset({Flag.BALANCE_DUE}), sms=Permission.NO),
            next_visit_at=TOMORROW,
            synced_at=NOW - timedelta(days=4),
        )

        found = reasons(some, POLICY, NOW)

        assert found == (
            ("queue.stale-data", "read 2026-11-21 10:00"),
            ("queue.other-visit", "on 2026-11-26"),
            ("queue.balance", ""),
            ("queue.confirm-first", "diagnosed 269 days ago"),
            ("queue.no-consent", ""),
        )
        assert assess(some, POLICY, NOW).skip_rule == found[0][0]

    def test_are_none_for_an_eligible_case(self) -> None:
        assert reasons(case(), POLICY, NOW) == ()

    def test_of_a_broken_case_are_that_it_is_broken(self) -> None:
        broken = case().model_copy(update={"procedures": (None,)})

        assert reasons(broken, POLICY, NOW) == (("queue.unreadable", ""),)


_MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_PROCEDURE = st.builds(
    lambda number, digits, tooth, fee, status, day, priority: procedure(
        f"p{number}", f"D{digits:04d}", tooth, fee_cents=fee, status=status, diagnosed_on=day, plan_priority=priority
    ),
    st.integers(0, 9),
    st.integers(0, 9999) | st.sampled_from([2740, 6740, 6245, 3330, 7140, 2950]),
    st.text(max_size=8) | st.sampled_from(["30", "#3", "18-20", "3,4", "99-1", "A", "\u0663-\u0665"]),
    st.integers(0, 10**12),
    st.sampled_from(ProcedureStatus),
    st.none() | st.dates(),
    st.text(max_size=6) | st.just("wait"),
)
_PERSON = st.fixed_dictionaries(
    {},
    optional={
        "born_on": st.none() | st.dates(),
        "status": st.sampled_from(PatientStatus),
        "mobile": st.none(),
        "sms": st.sampled_from(Permission),
        "flags": st.frozensets(st.sampled_from(Flag)),
        "missed_visits": st.integers(0, 10**6),
        "benefits_end_month": st.integers(1, 12),
    },
)
_CASE = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(CaseKind),
        "provider_id": st.text(max_size=4),
        "visit_on": st.none() | st.dates(),
        "next_visit_at": _MOMENTS,
        "next_visit_provider_id": st.sampled_from(["", "lee", "kim"]),
        "next_visit_teeth": st.text(max_size=6),
        "confirmed_on": st.dates(),
        "last_staff_contact_at": _MOMENTS,
        "synced_at": _MOMENTS,
    },
)
_POLICY = st.builds(
    lambda required, any_visit, hours: asking(required=required, any_visit_counts=any_visit, stale_after_hours=hours),
    st.lists(st.sampled_from(RequiredField), unique=True).map(tuple),
    st.booleans(),
    st.none() | st.integers(1, 10_000),
)


class TestEligibilityNeverRaises:
    @given(
        procedures=st.lists(_PROCEDURE, min_size=1, max_size=5),
        person=_PERSON,
        about=_CASE,
        policy=_POLICY,
        now=_MOMENTS,
    )
    def test_property_every_case_gets_an_answer_and_every_no_a_reason(
        self,
        procedures: list[Procedure],
        person: dict[str, object],
        about: dict[str, object],
        policy: PracticePolicy,
        now: datetime,
    ) -> None:
        some = case(*procedures, who=patient(**person), **about)

        found, why_not = assess(some, policy, now), reasons(some, policy, now)

        assert found.eligible == (why_not == ())
        assert found.skip_rule == (why_not[0][0] if why_not else None)
        assert found.skip_rule != "queue.unreadable"
        assert found.score == sum(p.points for p in found.points)

    @given(
        broken=st.fixed_dictionaries(
            {},
            optional={
                "procedures": st.sampled_from([None, (None,), "x", 3]),
                "patient": st.sampled_from([None, "Ana", 3]),
                "next_visit_at": st.sampled_from([None, "tomorrow", datetime(2026, 1, 1)]),  # noqa: DTZ001
                "synced_at": st.sampled_from(["yesterday", 3]),
            },
        )
    )
    def test_property_a_value_that_slipped_past_the_boundary_raises_nothing(self, broken: dict[str, object]) -> None:
        found = assess(case().model_copy(update=broken), POLICY, NOW)

        assert found.eligible == (found.skip_rule is None)
