"""Late handoffs go to the next owner."""

from __future__ import annotations

from dataclasses import dataclass

from treatment_agent.coordinator.telling import Telling
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.policies.escalation import escalated
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Clock, Ledger


@dataclass(frozen=True, slots=True)
class Escalations:
    """Gives what nobody acknowledged to the next owner. Safe from several workers: one of them moves a packet."""

    policy: PracticePolicy
    ledger: Ledger
    clock: Clock
    telling: Telling

    def run(self) -> tuple[HandoffPacket, ...]:
        """Escalate everything that is overdue now, once; return the packets with their new owners.

        Each is marked as not shown yet in the same transaction, so that a crash or a broken desk loses none.
        """
        now, shown_later = self.clock.now(), self.telling.desk is not None
        moved = []
        for packet in self.ledger.overdue_handoffs(at=now):
            onward = escalated(packet, self.policy, now)
            if onward is not None:
                written = self.ledger.escalate(onward, was_due_at=packet.due_at, at=now, untold=shown_later)
                moved.extend([written] if written else [])
        if moved:
            self.telling.tell_again()
        return tuple(moved)
