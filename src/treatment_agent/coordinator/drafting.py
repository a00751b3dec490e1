"""Handoff summaries drafted by a model, long after the handoff was given: nothing waits for them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from treatment_agent.coordinator.deciding import Deciding
from treatment_agent.coordinator.telling import Telling
from treatment_agent.domain.books import OutboxStatus
from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.handoff import Draft, HandoffPacket, HandoffStatus
from treatment_agent.domain.interpretation import ModelFailure
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import ConversationLine, SummaryDrafter
from treatment_agent.understanding.language_model.interpreter import require_agreement

log = logging.getLogger(__name__)
_WAITING = (HandoffStatus.OPENED, HandoffStatus.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Drafting:
    """Drafts what is open, most urgent first. The fixed summary was shown long before, and stays."""

    drafter: SummaryDrafter
    deciding: Deciding
    telling: Telling

    @classmethod
    def of(
        cls, drafter: SummaryDrafter | None, policy: PracticePolicy, deciding: Deciding, telling: Telling
    ) -> Drafting | None:
        """Drafting with this drafter, None without one.

        Raises:
            ConfigurationError: it is not on this machine, and the policy has no agreement on record.
        """
        require_agreement(drafter, policy.baa_on_file)
        return cls(drafter, deciding, telling) if drafter is not None else None

    def run(self, *, limit: int) -> int:
        """Draft for at most `limit` open handoffs whose words no draft knows yet; return how many drafts there are now.

        Each is asked about once, until the patient writes again; while the service rests none is.
        """
        ledger, done = self.telling.ledger, 0
        waiting = [p for p in ledger.handoffs() if p.words and p.status in _WAITING and p.draft is None]
        for packet in waiting[:limit]:
            try:
                drafted = self._drafted(packet)
            except Exception as error:
                log.warning("draft.failed handoff=%s error=%s", packet.id, type(error).__name__)
                continue
            if drafted is None:
                break
            done += drafted
        if done:
            self.telling.tell_again()
        return done

    def _drafted(self, packet: HandoffPacket) -> bool | None:
        """True when there is a draft, False when it failed, None when nobody was asked."""
        ledger, now = self.telling.ledger, self.telling.clock.now()
        facts = ledger.facts(packet.conversation_id, at=now)
        situation = self.deciding.context(facts, None, now=now).situation
        text, use = self.drafter.draft(self._lines(packet.conversation_id), packet.topics, situation)
        if use.failures == (ModelFailure.RESTING,):
            return None
        draft = Draft(text, len(packet.words), use)
        kept = ledger.save_draft(packet, draft, at=now, untold=self.telling.desk is not None)
        return kept and bool(text)

    def _lines(self, conversation_id: str) -> tuple[ConversationLine, ...]:
        """What the patient wrote and what was sent, oldest first."""
        ledger = self.telling.ledger
        said = [
            (stored.event.at, "patient", stored.text)
            for stored in ledger.history(conversation_id)
            if isinstance(stored.event, PatientMessage) and stored.text is not None
        ]
        said += [
            (row.sent_at, "office", row.message.body)
            for row in ledger.outbox(conversation_id)
            if row.status is OutboxStatus.SENT and row.sent_at is not None
        ]
        return tuple((by, text) for _, by, text in sorted(said, key=lambda line: line[0]))
