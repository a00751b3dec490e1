"""Send-time truth: a text waiting in the outbox is checked once more in the moment it would leave (P1, P2, P7, P9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from treatment_agent.domain.books import ConversationFacts, OutboxRow
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.messages import SendKind
from treatment_agent.policies.contact import Allowed, decide_outreach
from treatment_agent.policies.practice import PracticePolicy

# An outreach text is decided and sent in one breath. Found later, the chart must be asked afresh.
OUTREACH_LIFETIME = timedelta(minutes=10)
REPLY_LIFETIME = timedelta(hours=12)


def refusal(row: OutboxRow, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> str | None:
    """The rule that forbids sending this row now, or None.

    `dispatch.stale` rows were decided too long ago: outreach is decided again, a reply goes to a person.
    """
    kind, conversation = row.message.kind, facts.conversation
    age = now - row.created_at
    if kind is SendKind.OPT_OUT:
        late = age > timedelta(minutes=policy.contact.opt_out_confirmation_minutes)
        return "dispatch.opt-out-late" if late else None
    if kind is SendKind.EMERGENCY:
        return "dispatch.stale" if age > REPLY_LIFETIME else None
    contact = next((c for c in facts.contacts if c.address == row.message.to), None)
    if contact is None or contact.consent is ConsentStatus.REVOKED:
        return "contact.consent-revoked"
    if conversation.held and kind is not SendKind.HANDOFF:
        return "contact.held"
    if kind is SendKind.OUTREACH:
        if age > OUTREACH_LIFETIME:
            return "dispatch.stale"
        allowed = isinstance(decide_outreach(now=now, facts=facts, policy=policy), Allowed)
        return None if allowed or age <= timedelta(minutes=1) else "dispatch.stale"
    return "dispatch.stale" if age > REPLY_LIFETIME else None
