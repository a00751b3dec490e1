"""Taking events in: claim once, handle under the conversation's lease, answer with what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from treatment_agent.coordinator import reading
from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.coordinator.turns import Turns
from treatment_agent.domain.books import Claim, Freshness
from treatment_agent.domain.events import Event, PatientMessage
from treatment_agent.domain.messages import InboundMessage
from treatment_agent.errors import NotFound
from treatment_agent.ports import Clock, Ledger


@dataclass(frozen=True, slots=True)
class Inbox:
    """Every event enters here."""

    ledger: Ledger
    turns: Turns
    clock: Clock

    def receive(self, message: InboundMessage) -> TurnOutcome:
        """A patient's text. The sender's number finds the conversation; a number nobody knows gets one of its own."""
        known = self.ledger.conversations_of(message.sender)
        now = self.clock.now()
        target = known[0] if known else self.ledger.stranger(message.sender, at=now)
        event = PatientMessage(
            id=message.id,
            at=message.received_at,
            channel=message.channel,
            media=message.media,
            carrier_opt_out=message.carrier_opt_out,
        )
        return self._settled(self.ledger.claim(target.id, event, at=now, text=message.text, sender=message.sender))

    def take(self, conversation_id: str, event: Event) -> TurnOutcome:
        """Any other event.

        Raises:
            NotFound: no such conversation.
            ConversationBusy: another worker holds it; the event is stored and will be handled.
        """
        return self._settled(self.ledger.claim(conversation_id, event, at=self.clock.now()))

    def _settled(self, claim: Claim) -> TurnOutcome:
        stored, fresh = claim.stored, claim.freshness is Freshness.NEW
        if stored.outcome is None:
            self.turns.settle(stored.conversation_id, event_id=stored.event.id, fresh=fresh)
        handled = self.ledger.event(stored.event.id)
        if handled is None:
            raise NotFound(f"event {stored.event.id!r} vanished from the ledger")
        return reading.outcome_of(self.ledger, handled, duplicate=not fresh)
