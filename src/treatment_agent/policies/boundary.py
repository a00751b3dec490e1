"""Which of a turn's texts may leave: the same check in the graph's last node and when the ledger is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.consent import ConsentStatus, concerns_us
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.messages import ApprovedMessage, PlannedSend, SendKind
from treatment_agent.domain.turn import ConsentChange
from treatment_agent.errors import NotPermitted
from treatment_agent.policies import outbound
from treatment_agent.policies.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class Checked:
    """The permits, the refusals with the rule that refused, and the conversation with what was sent noted."""

    messages: tuple[ApprovedMessage, ...]
    allowed: tuple[PlannedSend, ...]
    refused: tuple[tuple[PlannedSend, str], ...]
    after: Conversation


def check(
    sends: tuple[PlannedSend, ...],
    *,
    before: ConversationFacts,
    after: Conversation,
    consent: ConsentChange | None,
    policy: PracticePolicy,
    now: datetime,
    said_at: datetime | None = None,
) -> Checked:
    """Check each text against the conversation and the consent as they will stand after the turn.

    `before` is the ledger's view at the start of the turn; `after` the conversation at its end. `said_at` is when the
    turn's event happened: the minutes in which an opt-out may be confirmed count from there, not from when a crash or
    a queue let us read it (P1).
    """
    revoked = consent is not None and consent.status is ConsentStatus.REVOKED and concerns_us(consent.purpose)
    heard_at = min(said_at or now, now)
    facts = replace(_with_consent(before, consent, heard_at), conversation=_unmarked(before.conversation, after))
    messages: list[ApprovedMessage] = []
    allowed: list[PlannedSend] = []
    refused: list[tuple[PlannedSend, str]] = []
    for send in sends:
        try:
            message = outbound.approve(send, policy=policy, facts=facts, now=now, revoked_in_this_turn=revoked)
        except NotPermitted as error:
            refused.append((send, error.rule))
        else:
            messages.append(message)
            allowed.append(send)
            if send.kind is SendKind.HANDOFF:
                facts = replace(facts, conversation=replace(facts.conversation, handoff_text_sent=True))
    first = facts.conversation.first_sent_at
    if first is None and any(s.kind is SendKind.OUTREACH for s in allowed):
        first = now
    return Checked(tuple(messages), tuple(allowed), tuple(refused), replace(facts.conversation, first_sent_at=first))


def _with_consent(facts: ConversationFacts, change: ConsentChange | None, at: datetime) -> ConversationFacts:
    if change is None or not concerns_us(change.purpose):
        return facts
    contacts = tuple(replace(c, consent=change.status, consent_at=at) for c in facts.contacts)
    revoked = change.status is ConsentStatus.REVOKED
    return replace(facts, contacts=contacts, revoked_at=at if revoked else None)


def _unmarked(before: Conversation, after: Conversation) -> Conversation:
    """Whether the handoff text went out is counted afresh for each hold."""
    same_hold = before.handoff_id == after.handoff_id
    return replace(after, handoff_text_sent=same_hold and before.handoff_text_sent)
