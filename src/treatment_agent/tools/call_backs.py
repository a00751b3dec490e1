"""Call-backs that nobody made: a list like any other, read from the office's own open tasks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.treatment import Case, CaseKind
from treatment_agent.errors import BadRow
from treatment_agent.ports import Clock, Ledger


class OverdueCallBacks:
    """`ports.CaseSource` over the ledger: one case of the kind `CALL_BACK` per call that is overdue.

    A call is overdue `after` its due time (or the time the patient named), while nobody has acknowledged the task.
    Enrol it once a day. When the task is seen to before the text is due, the text is not sent (`outreach.call-made`).

        coordinator.enroll(OverdueCallBacks(coordinator.ledger, coordinator.clock))
    """

    def __init__(self, ledger: Ledger, clock: Clock, *, after: timedelta = timedelta(hours=4)) -> None:
        """Look into this ledger."""
        self._ledger = ledger
        self._clock = clock
        self._after = after

    def read(self) -> Iterator[Case | BadRow]:
        """The cases, most urgent first."""
        now = self._clock.now()
        for packet in self._ledger.handoffs(open_only=True):
            late = now >= max(packet.due_at, packet.call_at or packet.due_at) + self._after
            if packet.kind is not HandoffKind.CALL_BACK or packet.acknowledged_at is not None or not late:
                continue
            case = self._ledger.facts(packet.conversation_id, at=now).case
            if case is None or case.kind is CaseKind.CALL_BACK:
                continue
            day = packet.due_at.date()
            number = f"case-{CaseKind.CALL_BACK.value}-{case.id.removeprefix('case-')}-{packet.opened_at:%Y%m%d}"
            yield case.model_copy(update={"id": number, "kind": CaseKind.CALL_BACK, "visit_on": day})
