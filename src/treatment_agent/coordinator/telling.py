"""Showing handoffs to the staff desk, again and again until it takes them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from treatment_agent.coordinator.hold import Hold
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.ports import Clock, Ledger, StaffDesk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Telling:
    """Delivers packets. Without a desk staff read the ledger's own list, and nothing is ever left."""

    desk: StaffDesk | None
    ledger: Ledger
    clock: Clock

    def tell(self, packets: Iterable[HandoffPacket]) -> tuple[str, ...]:
        """Deliver each; return the ids that the desk refused.

        The ledger's own list has them, so a turn goes on: a broken desk must not silence the conversation.
        """
        return tuple(packet.id for packet in packets if not self._taken(packet))

    def _taken(self, packet: HandoffPacket) -> bool:
        if self.desk is None:
            return True
        try:
            self.desk.deliver(packet)
        except Exception as error:
            log.warning("desk.unavailable handoff=%s error=%s", packet.id, type(error).__name__)
            return False
        return True

    def tell_again(self) -> tuple[str, ...]:
        """Deliver what the desk refused before, as it stands now; return the conversations that still wait for it."""
        if self.desk is None:
            return ()
        waiting = dict.fromkeys(packet.conversation_id for packet in self.ledger.undelivered())
        return tuple(conversation_id for conversation_id in waiting if not self._caught_up(conversation_id))

    def _caught_up(self, conversation_id: str) -> bool:
        """Under the lease: a turn that changes the packet meanwhile would be marked as delivered with it."""
        hold = Hold.take(self.ledger, self.clock, conversation_id, self.clock.new_id())
        if hold is None:
            return False
        try:
            for packet in self.ledger.undelivered(conversation_id=conversation_id):
                hold.keep()
                if not self._taken(packet):
                    return False
                self.ledger.mark_delivered(packet.id)
        except Exception as error:
            log.warning("desk.failed conversation=%s error=%s", conversation_id, type(error).__name__)
            return False
        finally:
            hold.free()
        return True
