from __future__ import annotations

import pytest
from ledger_samples import CENTRAL, DAY, HOUR, NOW, committed, enrolled, message, packet, state

from treatment_agent.domain.handoff import HandoffKind, HandoffStatus, Role, Urgency
from treatment_agent.domain.interpretation import Reason, Topic
from treatment_agent.domain.scheduling import Slot
from treatment_agent.errors import NotFound, NotPermitted
from treatment_agent.ledger.sql_ledger import SqlLedger

TASK = packet("t1", kind=HandoffKind.CALL_BACK)


class TestHandoffs:
    def test_keep_every_field(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        start = NOW.astimezone(CENTRAL)
        full = packet(
            topics=(Topic.CLINICAL, Topic.COMPLAINT), owner=Role.CLINICIAN, words=("it hurts ¿no?", 'say "hi"'),
            offered=(Slot(start, start + HOUR, "lee", "s1"),), reason=Reason.FEAR, call_at=start + DAY,
            acknowledged_at=NOW, resolved_at=NOW, acknowledged_by="s1", status=HandoffStatus.RESOLVED,
        )  # fmt: skip

        committed(ledger, handoffs=(full,))

        assert ledger.handoffs() == (full,)

    def test_come_most_urgent_first(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        packets = (
            packet("soon", urgency=Urgency.SOON, due_at=NOW),
            packet("late", urgency=Urgency.TODAY, due_at=NOW + DAY),
            packet("early", urgency=Urgency.TODAY, due_at=NOW + HOUR),
            packet("now", urgency=Urgency.NOW, due_at=NOW + DAY),
        )

        committed(ledger, handoffs=packets)

        assert [p.id for p in ledger.handoffs()] == ["now", "early", "late", "soon"]

    @pytest.mark.parametrize(
        ("kind", "open_until"),
        [(HandoffKind.HANDOFF, HandoffStatus.RELEASED), (HandoffKind.CHANGE, HandoffStatus.RESOLVED)],
    )
    def test_are_open_until_nobody_must_act(
        self, ledger: SqlLedger, kind: HandoffKind, open_until: HandoffStatus
    ) -> None:  # fmt: skip
        enrolled(ledger)

        committed(ledger, handoffs=tuple(packet(s.value, kind=kind, status=s) for s in HandoffStatus))

        closed = {p.id for p in ledger.handoffs(open_only=False)} - {p.id for p in ledger.handoffs()}
        statuses = list(HandoffStatus)
        assert closed == {s.value for s in statuses[statuses.index(open_until) :]}

    def test_are_kept_apart_by_conversation(self, ledger: SqlLedger) -> None:
        enrolled(ledger, 1)
        enrolled(ledger, 2)
        committed(ledger, conversation=state("c1", "p1"), handoffs=(packet(conversation="c1"),))

        assert ledger.handoffs(conversation_id="c2") == ()
        assert len(ledger.handoffs(conversation_id="c1")) == 1
        assert ledger.facts("c2", at=NOW).open_handoffs == ()

    def test_are_replaced_when_they_come_again(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, handoffs=(packet(),))

        committed(ledger, event=message("SM2"), handoffs=(packet(owner=Role.OFFICE_MANAGER),))

        assert ledger.handoffs() == (packet(owner=Role.OFFICE_MANAGER),)


class TestSetHandoffStatus:
    @pytest.fixture(autouse=True)
    def _task(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, handoffs=(TASK, packet()))

    def test_notes_who_and_when(self, ledger: SqlLedger) -> None:
        moved = ledger.set_handoff_status("t1", HandoffStatus.ACKNOWLEDGED, by="s1", at=NOW + HOUR)

        assert (moved.status, moved.acknowledged_by) == (HandoffStatus.ACKNOWLEDGED, "s1")
        assert (moved.acknowledged_at, moved.resolved_at) == (NOW + HOUR, None)
        assert moved in ledger.handoffs()
        assert moved.words == TASK.words

    def test_acknowledges_what_is_resolved_at_once(self, ledger: SqlLedger) -> None:
        moved = ledger.set_handoff_status("t1", HandoffStatus.RESOLVED, by="s1", at=NOW + HOUR)

        assert (moved.acknowledged_at, moved.resolved_at, moved.acknowledged_by) == (NOW + HOUR, NOW + HOUR, "s1")
        assert [p.id for p in ledger.handoffs()] == ["h1"]

    def test_never_moves_back(self, ledger: SqlLedger) -> None:
        done = ledger.set_handoff_status("t1", HandoffStatus.RESOLVED, by="s1", at=NOW)

        again = ledger.set_handoff_status("t1", HandoffStatus.ACKNOWLEDGED, by="s2", at=NOW + DAY)

        assert again == done

    def test_refuses_what_holds_a_conversation(self, ledger: SqlLedger) -> None:
        with pytest.raises(NotPermitted) as caught:
            ledger.set_handoff_status("h1", HandoffStatus.RESOLVED, by="s1", at=NOW)

        assert caught.value.rule == "handoff.holds"
        assert packet() in ledger.handoffs()

    def test_refuses_an_unknown_handoff(self, ledger: SqlLedger) -> None:
        with pytest.raises(NotFound, match="h9"):
            ledger.set_handoff_status("h9", HandoffStatus.RESOLVED, by="s1", at=NOW)


class TestUndelivered:
    def test_are_those_that_the_desk_refused(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, handoffs=(packet("h1"), TASK), undelivered=("t1",))

        assert ledger.undelivered() == (TASK,)
        assert ledger.undelivered(conversation_id="c17") == (TASK,)
        assert ledger.undelivered(conversation_id="c18") == ()

    def test_are_none_once_they_were_delivered(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, handoffs=(TASK,), undelivered=("t1",))

        ledger.mark_delivered("t1")
        ledger.mark_delivered("unknown")

        assert ledger.undelivered() == ()

    def test_are_still_there_when_staff_move_them_along(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, handoffs=(TASK,), undelivered=("t1",))

        moved = ledger.set_handoff_status("t1", HandoffStatus.RESOLVED, by="kim", at=NOW)

        assert ledger.undelivered() == (moved,)

    def test_follow_the_last_delivery(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, handoffs=(packet(),), undelivered=("h1",))

        committed(ledger, event=message("SM2"), text="one", attach_words_to="h1")
        assert ledger.undelivered() == ()

        committed(ledger, event=message("SM3"), text="two", attach_words_to="h1", undelivered=("h1",))
        assert [p.words[1:] for p in ledger.undelivered()] == [("one", "two")]
