"""The turn that is recorded when the graph itself broke: no text, a person (P5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pydantic import SecretStr

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.conversation import Conversation, Move, Phase
from treatment_agent.domain.events import Event, PatientMessage
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.text import normalize
from treatment_agent.domain.turn import Decision, DueChange, TurnRecord, Verdict
from treatment_agent.policies import gate, outreach, topics
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.progress import advance
from treatment_agent.policies.screening import screen

RULE = "turn.failed"


def fallback(
    event: Event, facts: ConversationFacts, policy: PracticePolicy, now: datetime, text: SecretStr | None
) -> tuple[TurnRecord, Conversation]:
    """Hand the conversation to staff in silence; for events no patient waits for, open a review task.

    A revocation counts even here (P1): `text` is looked through for one.
    """
    conversation = facts.conversation
    decision = _decision(event, facts, policy, now, text)
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
        consent=decision.consent,
        failures=(RULE,),
    )
    return record, after


def _decision(
    event: Event, facts: ConversationFacts, policy: PracticePolicy, now: datetime, text: SecretStr | None
) -> Decision:
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
    if event.carrier_opt_out or _revokes(text):
        decision = gate.without_texts(gate.revoke(facts, event))
        return replace(decision, rules=(RULE, *decision.rules), handoff=handoff)
    silenced = conversation.phase is Phase.OPTED_OUT
    move = Move.STAY if silenced else Move.HAND_OFF
    return Decision(move=move, rules=(RULE,), handoff=handoff, due=DueChange.CLEAR)


def _revokes(text: SecretStr | None) -> bool:
    try:
        return bool(text and screen(normalize(text.get_secret_value())).opt_out)
    except Exception:
        # Whatever broke the turn may be the screen itself; then a person reads the words.
        return False
