"""The life of a handoff: owners, due times in office hours, escalation, acknowledgement, opened again (DESIGN 7)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import CHICAGO, build

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffStatus, NextStep, Role
from treatment_agent.policies.owners import Escalation


@pytest.fixture
def held(office):
    """Ana asked about the cost at ten in the morning."""
    office.first_touch()
    office.text("cost is the issue")
    office.sent()
    return office


def only(office):
    (packet,) = office.coordinator.handoffs()
    return packet


class TestEscalation:
    def test_gives_what_nobody_acknowledged_to_the_next_owner(self, held):
        before = only(held)
        assert (before.owner, before.escalated_from) == (Role.TREATMENT_COORDINATOR, ())

        held.clock.set(before.due_at)
        report = held.coordinator.run_due()

        after = only(held)
        assert report.escalated == (after,)
        assert (after.owner, after.escalated_from) == (Role.OFFICE_MANAGER, (Role.TREATMENT_COORDINATOR,))
        assert after.words == ("cost is the issue",)
        assert held.desk.packets == (after,)
        line = held.coordinator.why("ana").lines[-1]
        assert (line.action, line.rule) == ("escalate", "handoff.escalated")

    def test_leaves_what_is_not_due_or_acknowledged_alone(self, held):
        held.clock.set(only(held).due_at - timedelta(seconds=1))
        assert held.coordinator.run_due().escalated == ()

        held.coordinator.acknowledge("case-ana", by="kim")
        held.clock.advance(timedelta(days=3))

        assert held.coordinator.run_due().escalated == ()
        assert only(held).owner is Role.TREATMENT_COORDINATOR
        assert not only(held).overdue(held.clock.now())

    def test_counts_office_hours_and_ends_with_the_last_owner(self, held):
        first_due = only(held).due_at
        # Eight open hours from ten on the day before Thanksgiving: the office is open on Thursday in this policy.
        assert first_due.astimezone(CHICAGO) == datetime(2026, 11, 26, 9, tzinfo=CHICAGO)
        held.clock.set(datetime(2026, 11, 27, 16, tzinfo=CHICAGO))
        held.coordinator.run_due()
        # Four open hours from Friday at four: one is left that day, three on Monday.
        assert only(held).due_at.astimezone(CHICAGO) == datetime(2026, 11, 30, 11, tzinfo=CHICAGO)

        held.clock.set(datetime(2026, 12, 1, 9, tzinfo=CHICAGO))

        assert held.coordinator.run_due().escalated == ()
        assert only(held).owner is Role.OFFICE_MANAGER
        assert only(held).overdue(held.clock.now())

    def test_goes_where_the_office_says(self, tmp_path, policy):
        chain = Escalation(next_owner={Role.TREATMENT_COORDINATOR: Role.CLINICIAN, Role.CLINICIAN: Role.FRONT_DESK})
        office = build(tmp_path, policy.model_copy(update={"escalation": chain}))
        office.first_touch()
        office.text("cost is the issue")
        owners = []
        for _ in range(3):
            office.clock.set(only(office).due_at)
            office.coordinator.run_due()
            owners.append(only(office).owner)

        assert owners == [Role.CLINICIAN, Role.FRONT_DESK, Role.FRONT_DESK]
        office.coordinator.close()

    def test_takes_tasks_along_until_they_are_acknowledged(self, office):
        office.first_touch()
        office.text("can you call me?")
        task = only(office)
        office.coordinator.acknowledge_task(task.id, by="kim")
        office.clock.set(task.due_at + timedelta(days=1))

        assert office.coordinator.run_due().escalated == ()
        assert only(office).acknowledged_by == "kim"


class TestOpenedAgain:
    def test_when_the_patient_writes_after_it_was_resolved(self, held):
        held.coordinator.resolve("case-ana", by="kim")
        held.clock.advance(timedelta(hours=1))

        outcome = held.text("what about a payment plan?")

        assert outcome.rules == ("hold.attached", *outcome.rules[1:-1], "handoff.reopened")
        assert outcome.phase_after is Phase.WITH_STAFF
        assert held.sent() == []
        packet = only(held)
        assert packet.status is HandoffStatus.OPENED
        assert packet.reopened_at == held.clock.now()
        assert packet.words == ("cost is the issue", "what about a payment plan?")
        assert held.desk.packets == (packet,)
        held.clock.set(packet.due_at)
        assert [p.owner for p in held.coordinator.run_due().escalated] == [Role.OFFICE_MANAGER]

    def test_but_not_while_staff_are_at_it(self, held):
        held.coordinator.acknowledge("case-ana", by="kim")
        outcome = held.text("what about a payment plan?")

        assert "handoff.reopened" not in outcome.rules
        assert only(held).status is HandoffStatus.ACKNOWLEDGED
        assert len(only(held).words) == 2

    def test_and_after_release_the_patient_is_answered(self, held):
        held.coordinator.resolve("case-ana", by="kim")
        held.coordinator.release("case-ana", by="kim", next=NextStep.RESUME)

        held.text("can you call me?")

        assert held.sent() != []
