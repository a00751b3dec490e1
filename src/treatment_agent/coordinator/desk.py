"""The staff's side of a handoff: late ones go to the next owner, and single tasks are moved along."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.policies.escalation import escalated
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Clock, Ledger, StaffDesk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Escalations:
    """Gives what nobody acknowledged to the next owner. Safe from several workers: one of them moves a packet."""

    policy: PracticePolicy
    ledger: Ledger
    clock: Clock
    desk: StaffDesk | None

    def run(self) -> tuple[HandoffPacket, ...]:
        """Escalate everything that is overdue now, once; return the packets with their new owners."""
        now = self.clock.now()
        moved = []
        for packet in self.ledger.overdue_handoffs(at=now):
            onward = escalated(packet, self.policy, now)
            written = self.ledger.escalate(onward, was_due_at=packet.due_at, at=now) if onward else None
            if written is not None:
                moved.append(written)
                self._tell(written)
        return tuple(moved)

    def _tell(self, packet: HandoffPacket) -> None:
        if self.desk is None:
            return
        try:
            self.desk.deliver(packet)
        except Exception as error:
            # The ledger's own list has it; one that stays unacknowledged is told again with its next owner.
            log.warning("desk.unavailable handoff=%s error=%s", packet.id, type(error).__name__)
