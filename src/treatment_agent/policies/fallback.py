"""The turn that is recorded when the graph itself broke: no text, a person (P5)."""

from __future__ import annotations

from datetime import datetime

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.conversation import Conversation, Move, Phase
from treatment_agent.domain.events import Event, PatientMessage
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.turn import Decision, DueChange, TurnRecord, Verdict
from treatment_agent.policies import outreach, topics
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.progress import advance

RULE = "turn.failed"


def fallback(
    event: Event, facts: ConversationFacts, policy: PracticePolicy, now: datetime
) -> tuple[TurnRecord, Conversation]:
    """Hand the conversation to staff in silence; for events no patient waits for, open a review task."""
    conversation = facts.conversation
    decision = _decision(event, facts, policy, now)
    after = advance(conversation, decision)
    record = TurnRecord(
        id=event.id,
        conversation_id=conversation.id,
        at=now,
        policy=f"{policy.id}/{policy.version}",
        phase_before=conversation.phase,
        phase_after=after.phase,
        rules=decision.rules,
        handoffs=(decision.handoff,) if decision.handoff else (),
        failures=(RULE,),
    )
    return record, after


def _decision(event: Event, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> Decision:
    if not isinstance(event, PatientMessage):
        return outreach.failed(facts, policy, now, (RULE,))
    conversation = facts.conversation
    handoff = topics.request(
        (Verdict(topic=Topic.OTHER, rule=RULE),),
        event_id=event.id,
        conversation=conversation,
        interpretation=None,
        policy=policy,
        now=now,
    )
    silenced = conversation.phase is Phase.OPTED_OUT
    move = Move.STAY if silenced else Move.HAND_OFF
    return Decision(move=move, rules=(RULE,), handoff=handoff, due=DueChange.CLEAR)
