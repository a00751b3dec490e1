"""The hold-out over weeks: who is written to, who is not, and what the comparison makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from office_samples import FIRST_MORNING, Office, ana, build, someone

from treatment_agent import PracticePolicy
from treatment_agent.coordinator import comparing
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.shares import Share
from treatment_agent.domain.treatment import ChartStatus, ProcedureStatus
from treatment_agent.policies.hold_out import HoldOut
from treatment_agent.policies.limits import Limits

NAMES = tuple(f"n{n}" for n in range(16))
DRAW = HoldOut(share=0.5, within_days=30)
HELD = tuple(name for name in NAMES if DRAW.holds(f"case-{name}"))
WRITTEN = tuple(name for name in NAMES if name not in HELD)


def phone(name: str) -> PhoneNumber:
    return PhoneNumber.parse(f"+131255501{20 + NAMES.index(name):02d}")


def everybody() -> list:
    return [someone(name, phone(name)) for name in NAMES]


@pytest.fixture
def policy(policy: PracticePolicy) -> PracticePolicy:
    """As many first texts as there are patients: how few openings there are is not the point here."""
    return policy.model_copy(update={"limits": Limits(invitations_per_opening=None)})


@pytest.fixture
def held_office(tmp_path: Path, policy: PracticePolicy) -> Iterator[Office]:
    made = build(tmp_path, policy.model_copy(update={"hold_out": DRAW}))
    yield made
    made.coordinator.close()


def open_again(office: Office, path: Path, **changes: object) -> Office:
    """The same books under a changed policy."""
    office.coordinator.close()
    made = build(path, office.coordinator.policy.model_copy(update={"version": "2", **changes}))
    made.clock.set(office.clock.now())
    return made


class TestHoldOut:
    def test_writes_to_the_others_only_and_says_why(self, held_office: Office) -> None:
        held_office.first_touch(*everybody())
        held_office.let_days_pass(20)

        to = {m.conversation_id.removeprefix("case-") for m in held_office.sent_messages()}
        assert to == set(WRITTEN)
        assert held_office.coordinator.why(HELD[0]).lines[0].rule == "queue.hold-out"

    def test_answers_a_patient_who_writes_and_still_does_not_write_first(self, held_office: Office) -> None:
        held_office.first_touch(*everybody())
        outcome = held_office.text("Do you have any openings next week?", sender=phone(HELD[0]))
        assert outcome.replies or outcome.handoffs
        answers = len(held_office.sent_messages())

        held_office.let_days_pass(20)
        to = [m.conversation_id for m in held_office.sent_messages()[answers:]]
        assert f"case-{HELD[0]}" not in to

    def test_drops_nobody_who_had_entered_before_it_began(self, tmp_path: Path, policy: PracticePolicy) -> None:
        office = build(tmp_path, policy)
        office.enroll(*everybody())
        office = open_again(office, tmp_path, hold_out=DRAW)
        office.enroll(*everybody(), ana())
        office.run_at(FIRST_MORNING)

        to = {m.conversation_id.removeprefix("case-") for m in office.sent_messages()}
        assert to >= set(NAMES)
        assert office.coordinator.measure().cases_held_out == DRAW.holds("case-ana")
        office.coordinator.close()

    def test_lets_them_in_when_the_office_ends_it(self, held_office: Office, tmp_path: Path) -> None:
        held_office.first_touch(*everybody())
        office = open_again(held_office, tmp_path, hold_out=HoldOut(within_days=30))
        office.enroll(*everybody())
        office.let_days_pass(2)

        assert {m.conversation_id.removeprefix("case-") for m in office.sent_messages()} >= set(HELD)
        assert office.coordinator.measure().cases_held_out == len(HELD)
        office.coordinator.close()


class TestComparison:
    def test_waits_until_the_cases_are_old_enough(self, held_office: Office) -> None:
        held_office.first_touch(*everybody())

        comparison = held_office.coordinator.measure().comparison
        assert comparison is not None
        assert (comparison.written, comparison.held_out) == (Share(0, 0), Share(0, 0))
        assert comparison.maturing == len(NAMES)
        assert str(comparison.first_on) == "2026-12-24"

    def test_counts_bookings_of_both_however_they_came_about(self, held_office: Office) -> None:
        held_office.first_touch(*everybody())
        held_office.text("1", sender=phone(WRITTEN[0]))
        held_office.coordinator.staff_booked(f"case-{WRITTEN[1]}", by="front")
        held_office.clock.advance(timedelta(days=2))
        held_office.coordinator.chart_changed(HELD[0], ChartChange.BOOKED)
        held_office.clock.advance(timedelta(days=40))
        held_office.coordinator.chart_changed(HELD[1], ChartChange.BOOKED)

        comparison = held_office.coordinator.measure().comparison
        assert comparison is not None
        assert comparison.written == Share(2, len(WRITTEN))
        assert comparison.held_out == Share(1, len(HELD)), "the second came after the time in which they compare"
        assert comparison.lift.value == pytest.approx(2 / len(WRITTEN) - 1 / len(HELD))
        assert not comparison.is_clear

    def test_leaves_out_those_written_to_after_all(self, held_office: Office, tmp_path: Path) -> None:
        held_office.first_touch(*everybody())
        office = open_again(held_office, tmp_path, hold_out=HoldOut(within_days=30))
        office.enroll(*everybody())
        office.let_days_pass(2)
        office.clock.advance(timedelta(days=60))

        comparison = office.coordinator.measure().comparison
        assert comparison is not None
        assert (comparison.held_out.total, comparison.released) == (0, len(HELD))
        office.coordinator.close()

    def test_finds_in_the_chart_what_nobody_told_in_both_groups(self, held_office: Office) -> None:
        held_office.first_touch(*everybody())
        for name in (HELD[0], WRITTEN[0]):
            held_office.chart.set_patient(name, ChartStatus(procedures={f"p-{name}": ProcedureStatus.SCHEDULED}))
        held_office.chart.set_patient(HELD[1], ChartStatus(procedures={f"p-{HELD[1]}": ProcedureStatus.COMPLETED}))
        held_office.sent()

        found = comparing.ask_chart(held_office.coordinator)
        again = comparing.ask_chart(held_office.coordinator)
        assert (found, again.settled) == (comparing.ChartRound(len(NAMES), 3, 0), 0)
        assert held_office.sent() == []
        held_office.clock.advance(timedelta(days=40))
        comparison = held_office.coordinator.measure().comparison
        assert comparison is not None
        assert (comparison.written.hits, comparison.held_out.hits) == (1, 2)

    def test_asks_no_chart_while_nobody_is_held_out(self, office: Office) -> None:
        office.enroll()

        assert comparing.ask_chart(office.coordinator) == comparing.ChartRound()

    def test_is_none_without_a_hold_out(self, office: Office) -> None:
        office.enroll()

        assert office.coordinator.measure().comparison is None
