"""A staff desk that refuses a handoff is asked again until it takes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from office_samples import build

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.tools.memory import MemoryDesk


class Desk(MemoryDesk):
    """Refuses while `down`; counts what it was asked to take."""

    def __init__(self):
        super().__init__()
        self.down = False
        self.asked = 0

    def deliver(self, packet):
        self.asked += 1
        if self.down:
            raise AdapterUnavailable("desk: not reached")
        super().deliver(packet)


@pytest.fixture
def office(tmp_path, policy):
    made = build(tmp_path, policy, desk=Desk())
    made.first_touch()
    made.sent()
    made.desk.down = True
    yield made
    made.coordinator.close()


def run(office):
    office.clock.advance(timedelta(minutes=5))
    return office.coordinator.run_due()


class TestRefusedHandoff:
    def test_is_delivered_by_a_later_run(self, office):
        assert office.text("cost is the issue").phase_after is Phase.WITH_STAFF
        assert office.desk.packets == ()

        assert run(office).failed == ("case-ana",)
        assert office.desk.packets == ()
        office.desk.down = False
        assert run(office).failed == ()

        assert office.desk.packets == office.coordinator.handoffs()
        asked = office.desk.asked
        run(office)
        assert office.desk.asked == asked

    def test_does_not_silence_the_conversation(self, office):
        office.text("cost is the issue")
        assert office.sent() == ["handoff-financing"]

    def test_comes_with_what_was_written_since(self, office):
        office.text("cost is the issue")
        office.text("are you still there")
        office.desk.down = False

        run(office)

        assert [p.words for p in office.desk.packets] == [("cost is the issue", "are you still there")]

    def test_is_not_delivered_twice_when_a_later_text_brought_it(self, office):
        office.text("cost is the issue")
        office.desk.down = False
        office.text("are you still there")
        asked = office.desk.asked

        run(office)

        assert office.desk.asked == asked
        assert len(office.desk.packets[0].words) == 2

    def test_that_only_adds_words_is_asked_again_too(self, office):
        office.desk.down = False
        office.text("cost is the issue")
        office.desk.down = True
        office.text("are you still there")
        office.desk.down = False

        run(office)

        assert len(office.desk.packets[0].words) == 2

    def test_of_a_task_is_asked_again_as_it_stands_then(self, office):
        office.text("can you call me tomorrow at 3")
        (task,) = office.coordinator.handoffs()
        done = office.coordinator.complete_task(task.id, by="kim")
        office.desk.down = False

        run(office)

        assert [(p.kind, p.status) for p in office.desk.packets] == [(HandoffKind.CALL_BACK, done.status)]

    def test_waits_for_the_next_run_while_somebody_works_on_the_conversation(self, office):
        office.text("cost is the issue")
        office.desk.down = False
        ledger, now = office.coordinator.ledger, office.clock.now()
        ledger.lease("case-ana", "somebody", at=now + timedelta(minutes=5), ttl=timedelta(minutes=2))

        assert run(office).failed == ("case-ana",)
        ledger.free("case-ana", "somebody")
        assert run(office).failed == ()
        assert len(office.desk.packets) == 1

    def test_is_still_known_after_a_restart(self, office):
        office.text("cost is the issue")

        assert [p.conversation_id for p in office.coordinator.ledger.undelivered()] == ["case-ana"]
