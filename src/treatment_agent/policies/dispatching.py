"""Send-time truth: a text waiting in the outbox is checked once more in the moment it would leave (P1, P2, P7, P9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from treatment_agent.domain.books import ConversationFacts, OutboxRow
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.messages import SendKind
from treatment_agent.policies.contact import Allowed, decide_outreach
from treatment_agent.policies.practice import PracticePolicy

# An outreach text is decided and sent in one breath. Found later, the chart must be asked afresh.
OUTREACH_LIFETIME = timedelta(minutes=10)
REPLY_LIFETIME = timedelta(hours=12)


def refusal(row: OutboxRow, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> str | None:
    """The rule that forbids sending this row now, or None.

    `dispatch.stale` rows were decided too long ago: outreach is decided again, a reply goes to a person.
    `dispatch.overtaken` rows no longer fit where the conversation stands: they are dropped.
    """
    kind, age = row.message.kind, now - row.created_at
    contact = next((c for c in facts.contacts if c.address == row.message.to), None)
    revoked_at = contact.consent_at if contact and contact.consent is ConsentStatus.REVOKED else None
    if kind is SendKind.OPT_OUT:
        late = now - (revoked_at or row.created_at) > timedelta(minutes=policy.contact.opt_out_confirmation_minutes)
        return "dispatch.opt-out-late" if late else None
    if kind is SendKind.EMERGENCY:
        # It may answer the very message that revoked; a revocation that came after it stands (P1).
        if revoked_at is not None and revoked_at > row.created_at:
            return "contact.consent-revoked"
        return "dispatch.stale" if age > REPLY_LIFETIME else None
    if contact is None or contact.consent is ConsentStatus.REVOKED:
        return "contact.consent-revoked"
    if facts.conversation.held is not (kind is SendKind.HANDOFF):
        return "contact.held" if facts.conversation.held else "dispatch.overtaken"
    if kind is SendKind.OUTREACH:
        return _outreach(row, facts, policy, now)
    return "dispatch.stale" if age > REPLY_LIFETIME else None


def _outreach(row: OutboxRow, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> str | None:
    """A touch still stands only in the phase it led to, at once, and while we may still write first."""
    if facts.conversation.phase is not Phase.CONTACTED:
        return "dispatch.overtaken"
    verdict = decide_outreach(now=now, facts=facts, policy=policy, channel=row.message.channel)
    allowed = not facts.unlisted and isinstance(verdict, Allowed)
    return None if allowed and now - row.created_at <= OUTREACH_LIFETIME else "dispatch.stale"
