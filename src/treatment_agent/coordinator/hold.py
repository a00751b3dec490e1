"""The lease of one conversation, kept while the work on it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from treatment_agent.errors import ConversationBusy
from treatment_agent.ports import Clock, Ledger

LEASE = timedelta(minutes=2)
# What lies between two calls of `keep` (one graph run, or one send) must end within LEASE - RENEW_AFTER: 90 seconds.
# Adapters time out long before that.
RENEW_AFTER = timedelta(seconds=30)


@dataclass(slots=True)
class Hold:
    """A lease that was taken at `taken_at`. One worker has it; a crash gives it up after `LEASE`."""

    ledger: Ledger
    clock: Clock
    conversation_id: str
    owner: str
    taken_at: datetime

    @classmethod
    def take(cls, ledger: Ledger, clock: Clock, conversation_id: str, owner: str) -> Hold | None:
        """Take the lease, or return None while somebody else has it."""
        now = clock.now()
        taken = ledger.lease(conversation_id, owner, at=now, ttl=LEASE)
        return cls(ledger, clock, conversation_id, owner, now) if taken else None

    def keep(self) -> None:
        """Renew the lease if some of it is used up. Call it before anything that must not be done by two workers.

        Raises:
            ConversationBusy: it ran out and another worker took it.
        """
        now = self.clock.now()
        if now - self.taken_at < RENEW_AFTER:
            return
        if not self.ledger.lease(self.conversation_id, self.owner, at=now, ttl=LEASE):
            raise ConversationBusy(f"conversation {self.conversation_id}: its lease ran out and another worker goes on")
        self.taken_at = now

    def free(self) -> None:
        """Give the lease back."""
        self.ledger.free(self.conversation_id, self.owner)
