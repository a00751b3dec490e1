"""What is recorded of a turn that a limit holds back: a touch that waits, an answer that the kill switch keeps in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.conversation import Conversation, Move
from treatment_agent.domain.events import Event
from treatment_agent.domain.handoff import HandoffKind, HandoffRequest, Role, Urgency
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.turn import Decision, DueChange, TurnRecord
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.progress import advance
from treatment_agent.policies.topics import due_at


def waits(
    event: Event, facts: ConversationFacts, policy: PracticePolicy, now: datetime, *, rule: str, wait: timedelta
) -> tuple[TurnRecord, Conversation]:
    """A due touch that is not made for now: nothing is said, and it falls due again after `wait`."""
    conversation = facts.conversation
    # What is not due any more stays so.
    due = DueChange.KEEP if conversation.due_at is None else DueChange.SET
    after = advance(conversation, Decision(move=Move.STAY, rules=(rule,), due=due, due_at=now + wait))
    record = TurnRecord(
        id=event.id,
        conversation_id=conversation.id,
        at=now,
        policy=f"{policy.id}/{policy.version}",
        phase_before=conversation.phase,
        phase_after=after.phase,
        rules=(rule,),
    )
    return record, after


def unsaid(record: TurnRecord, facts: ConversationFacts, policy: PracticePolicy) -> TurnRecord:
    """The turn with the kill switch thrown: all it did but the texts. An answer somebody waits for goes to staff."""
    handoffs = record.handoffs
    if not handoffs and any(send.kind is SendKind.REPLY for send in record.sends):
        task = HandoffRequest(
            id=f"{facts.conversation.id}:{HandoffKind.REVIEW.value}",
            kind=HandoffKind.REVIEW,
            topics=(),
            urgency=Urgency.TODAY,
            owner=Role.FRONT_DESK,
            due_at=due_at(record.at, 120, policy, Urgency.TODAY),
            rule="limit.stopped",
        )
        handoffs = (task,)
    return replace(record, sends=(), handoffs=handoffs, rules=(*record.rules, "limit.stopped"))
