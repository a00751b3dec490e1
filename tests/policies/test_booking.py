from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from policy_samples import CHICAGO, CROWN, NOW, POLICY, SLOTS, case, conversation, procedure, slot

from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.scheduling import ApprovedBooking, Booking, BookingStatus, Slot, VisitPlan, Window
from treatment_agent.domain.treatment import Case, Family, ProcedureStatus
from treatment_agent.errors import NotPermitted
from treatment_agent.policies.booking import approve, plan_visit, slot_request
from treatment_agent.policies.practice import BookingTemplate, PracticePolicy, Scope

VISIT = VisitPlan(Family.CROWN, ("p1",), 90, ("lee",))
BOOKED = Booking("old", SLOTS[1], BookingStatus.CONFIRMED, ("p1",), "appointment-9")


def templates(*some: BookingTemplate) -> PracticePolicy:
    return POLICY.model_copy(update={"templates": some})


class TestPlanVisit:
    def test_plans_the_crown_with_its_own_dentist(self) -> None:
        assert plan_visit(case(), POLICY) == VISIT

    def test_takes_the_longest_family_first(self) -> None:
        some = case(procedure("f", "D2392", "3"), procedure("b", "D6240", "19"), CROWN)

        assert plan_visit(some, POLICY) == VisitPlan(Family.BRIDGE, ("b",), 120, ("lee",))

    def test_books_a_bridge_as_one_unit(self) -> None:
        span = case(procedure("r1", "D6740", "18"), procedure("x", "D6240", "19"), procedure("r2", "D6740", "20"))

        visit = plan_visit(span, POLICY)

        assert visit is not None
        assert (visit.procedure_ids, visit.minutes) == (("r1", "x", "r2"), 120)

    def test_lets_a_build_up_ride_with_the_crown_of_its_tooth_only(self) -> None:
        some = case(procedure("u", "D2950", "#30"), CROWN, procedure("v", "D2950", "14"))

        visit = plan_visit(some, POLICY)

        assert visit is not None
        assert visit.procedure_ids == ("p1", "u")
        assert visit.minutes == 90

    def test_plans_a_build_up_alone(self) -> None:
        visit = plan_visit(case(procedure("u", "D2950")), POLICY)

        assert visit is not None
        assert (visit.family, visit.minutes) == (Family.BUILD_UP, 60)

    @pytest.mark.parametrize(
        ("some", "policy"),
        [
            (case(procedure("p1", "D2740", status=ProcedureStatus.SCHEDULED)), POLICY),
            (case(procedure("p1", "D2740", plan_priority="watch")), POLICY),
            (case(), templates()),
            (case(), POLICY.model_copy(update={"scope": Scope(families=(Family.FILLING,))})),
        ],
    )
    def test_plans_nothing_out_of_scope(self, some: Case, policy: PracticePolicy) -> None:
        assert plan_visit(some, policy) is None

    @pytest.mark.parametrize(
        ("allowed", "provider", "expected"),
        [(("kim",), "lee", ("kim",)), (("kim", "lee"), "lee", ("lee",)), ((), "lee", ("lee",)), ((), "gone", ())],
    )
    def test_keeps_to_the_templates_providers(
        self, allowed: tuple[str, ...], provider: str, expected: tuple[str, ...]
    ) -> None:
        policy = templates(BookingTemplate(family=Family.CROWN, minutes=90, provider_ids=allowed))

        visit = plan_visit(case(provider_id=provider), policy)

        assert visit is not None
        assert visit.provider_ids == expected


class TestSlotRequest:
    def test_leaves_time_to_answer_when_we_propose(self) -> None:
        request = slot_request(VISIT, POLICY, NOW)

        assert request.earliest == NOW.astimezone(UTC) + timedelta(hours=36)
        assert request.latest == NOW.astimezone(UTC) + timedelta(days=42)
        assert (request.windows, request.exclude, request.limit) == ((), (), 2)

    def test_keeps_only_the_lead_time_when_the_patient_named_windows(self) -> None:
        window = Window(NOW, NOW + timedelta(days=2))

        request = slot_request(VISIT, POLICY, NOW, windows=(window,), exclude=("s1",), limit=1)

        assert request.earliest == NOW + timedelta(hours=24)
        assert request.windows == (Window(NOW + timedelta(hours=24), NOW + timedelta(days=2)),)
        assert (request.exclude, request.limit) == (("s1",), 1)

    def test_never_widens_windows_that_cannot_be_met(self) -> None:
        today = Window(NOW, NOW + timedelta(hours=2))

        assert slot_request(VISIT, POLICY, NOW, windows=(today,)).windows == (today,)

    def test_counts_real_hours_over_a_clock_change(self) -> None:
        before = datetime(2026, 10, 31, 12, tzinfo=CHICAGO)

        request = slot_request(VISIT, POLICY, before, windows=(Window(before, before + timedelta(days=9)),))

        assert request.earliest.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=24)


def permit(
    chosen: Slot = SLOTS[0],
    *,
    visit: VisitPlan = VISIT,
    talk: Conversation | None = None,
    some: Case | None = None,
    now: datetime = NOW,
    replaces: str | None = None,
    policy: PracticePolicy = POLICY,
) -> ApprovedBooking:
    return approve(
        key="k",
        slot=chosen,
        visit=visit,
        conversation=talk or conversation(offers=(chosen,)),
        case=some or case(),
        policy=policy,
        now=now,
        replaces=replaces,
    )


class TestApprove:
    def test_permits_an_offered_slot(self) -> None:
        assert permit() == ApprovedBooking("k", "case-1", "ana", SLOTS[0], VISIT, None)

    @pytest.mark.parametrize(
        ("rule", "arguments"),
        [
            ("booking.held", {"talk": conversation(handoff_id="h")}),
            ("booking.wrong-case", {"talk": conversation(case_id="case-2")}),
            ("booking.wrong-case", {"talk": conversation(patient_id="bob")}),
            ("booking.slot-not-offered", {"talk": conversation(offers=(SLOTS[1],))}),
            ("booking.slot-not-offered", {"chosen": slot(1, minutes=120), "talk": conversation()}),
            ("booking.past", {"now": SLOTS[0].start}),
            ("booking.too-soon", {"now": SLOTS[0].start - timedelta(hours=24) + timedelta(seconds=1)}),
            ("booking.wrong-family-or-length", {"chosen": slot(1, minutes=89)}),
            ("booking.wrong-family-or-length", {"chosen": replace(SLOTS[0], family=Family.BRIDGE)}),
            ("booking.wrong-family-or-length", {"chosen": replace(SLOTS[0], provider_id="kim")}),
            ("booking.wrong-family-or-length", {"visit": replace(VISIT, minutes=30)}),
            ("booking.wrong-family-or-length", {"policy": templates()}),
            ("booking.duplicate", {"talk": conversation(booking=BOOKED)}),
            ("booking.duplicate", {"talk": conversation(booking=replace(BOOKED, status=BookingStatus.REQUESTED))}),
            ("booking.not-ours", {"talk": conversation(booking=BOOKED), "replaces": "appointment-1"}),
            ("booking.not-ours", {"replaces": "appointment-9"}),
            ("booking.procedure-gone", {"some": case(procedure("p1", "D2740", status=ProcedureStatus.COMPLETED))}),
            ("booking.procedure-gone", {"some": case(procedure("p1", "D2740", status=ProcedureStatus.SCHEDULED))}),
            ("booking.procedure-gone", {"visit": replace(VISIT, procedure_ids=())}),
            (
                "booking.procedure-gone",
                {
                    "talk": conversation(booking=replace(BOOKED, procedure_ids=("p7",))),
                    "replaces": "appointment-9",
                    "some": case(procedure("p1", "D2740", status=ProcedureStatus.SCHEDULED)),
                },
            ),
            ("booking.procedure-gone", {"visit": replace(VISIT, procedure_ids=("p1", "p9"))}),
        ],
    )
    def test_refuses(self, rule: str, arguments: dict[str, object]) -> None:
        with pytest.raises(NotPermitted) as refusal:
            permit(**arguments)  # type: ignore[arg-type]

        assert refusal.value.rule == rule

    @pytest.mark.parametrize(
        "arguments",
        [
            {"now": SLOTS[0].start - timedelta(hours=24)},
            {"chosen": replace(SLOTS[0], family=Family.OTHER)},
            {"chosen": slot(1, minutes=120)},
            {"talk": conversation(booking=replace(BOOKED, status=BookingStatus.FAILED))},
            {"talk": conversation(booking=replace(BOOKED, status=BookingStatus.CANCELLED))},
            {"talk": conversation(booking=BOOKED), "replaces": "appointment-9"},
            {
                "talk": conversation(booking=BOOKED),
                "replaces": "appointment-9",
                "some": case(procedure("p1", "D2740", status=ProcedureStatus.SCHEDULED)),
            },
        ],
    )
    def test_permits_what_only_looks_like_a_refusal(self, arguments: dict[str, object]) -> None:
        assert permit(**arguments).key == "k"  # type: ignore[arg-type]

    def test_knows_an_offered_slot_in_another_zone(self) -> None:
        stored = replace(SLOTS[0], start=SLOTS[0].start.astimezone(UTC), end=SLOTS[0].end.astimezone(UTC))

        assert permit(talk=conversation(offers=(stored,))).slot == SLOTS[0]
