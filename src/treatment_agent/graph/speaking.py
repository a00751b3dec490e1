"""Composing and the last check: what is sent, and the record of the turn."""

from __future__ import annotations

import logging

from langgraph.runtime import Runtime

from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import PatientMessage, StaffAction
from treatment_agent.domain.messages import PlannedSend, ScriptFacts, SendKind
from treatment_agent.domain.turn import Decision, Say, TurnRecord
from treatment_agent.graph.state import TurnContext, TurnState
from treatment_agent.policies import boundary
from treatment_agent.policies.progress import advance

log = logging.getLogger(__name__)


def compose(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Carry the decisions over to the conversation and pick the scripts. Nothing is worded here, only chosen."""
    context = runtime.context
    after = context.facts.conversation
    try:
        for decision in state["decisions"]:
            after = advance(after, decision)
    except ValueError:
        failures = state.get("failures", ())
        if "turn.transition-refused" in failures:
            raise
        log.warning("turn.transition-refused conversation=%s", after.id)
        return {"failures": (*failures, "turn.transition-refused"), "to_person": True}
    says = [(d, say) for d in state["decisions"] for say in d.says]
    sends = tuple(_planned(i, d, say, after, state, context) for i, (d, say) in enumerate(says))
    return {"after": after, "sends": sends}


def _planned(
    index: int, decision: Decision, say: Say, after: Conversation, state: TurnState, context: TurnContext
) -> PlannedSend:
    case = context.facts.case
    booked = decision.booking is not None and after.booking is not None
    slots = (after.booking.slot,) if booked and after.booking else after.offers
    return PlannedSend(
        key=f"{after.id}:{state['event'].id}:{index}",
        script_id=say.script_id,
        language=after.language,
        kind=say.kind,
        channel=say.channel,
        facts=ScriptFacts(
            slots=slots,
            visit_on=case.visit_on if case else None,
            provider_id=case.provider_id if case else None,
            call_at=decision.call_at,
            until=decision.until,
        ),
    )


def output_guard(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """The last word: each text is checked as it would leave. A refused one is not sent, and a person is told (P5).

    No configuration removes this node. It alone writes the conversation and the turn's record.
    """
    context, decisions = runtime.context, state["decisions"]
    checked = boundary.check(
        state["sends"],
        before=context.facts,
        after=state["after"],
        consent=next((d.consent for d in reversed(decisions) if d.consent), None),
        policy=context.policy,
        now=context.now,
        said_at=state["event"].at,
    )
    failures = (*state.get("failures", ()), *(rule for _, rule in checked.refused))
    for send, rule in checked.refused:
        log.warning("outbound.refused conversation=%s script=%s rule=%s", state["after"].id, send.script_id, rule)
    unanswered = any(send.kind is SendKind.REPLY for send, _ in checked.refused)
    if unanswered and isinstance(state["event"], PatientMessage) and "turn.refused" not in failures:
        return {"failures": (*failures, "turn.refused"), "to_person": True}
    return {
        "conversation": checked.after,
        "turn": _record(state, context, checked.after, checked.allowed, failures),
        "to_person": False,
    }


def _record(
    state: TurnState,
    context: TurnContext,
    after: Conversation,
    sends: tuple[PlannedSend, ...],
    failures: tuple[str, ...],
) -> TurnRecord:
    decisions, event = state["decisions"], state["event"]
    rules = tuple(dict.fromkeys(rule for d in reversed(decisions) for rule in d.rules))
    return TurnRecord(
        id=event.id,
        conversation_id=after.id,
        at=context.now,
        policy=f"{context.policy.id}/{context.policy.version}",
        phase_before=context.facts.conversation.phase,
        phase_after=after.phase,
        rules=rules,
        sends=sends,
        handoffs=tuple(d.handoff for d in decisions if d.handoff is not None),
        booking=next((d.booking for d in reversed(decisions) if d.booking), None),
        consent=next((d.consent for d in reversed(decisions) if d.consent), None),
        reason=next((d.reason for d in reversed(decisions) if d.reason), None),
        verdicts=state.get("verdicts", ()),
        interpretation=state.get("interpretation"),
        desk=next((d.desk for d in reversed(decisions) if d.desk), None),
        desk_by=event.by if isinstance(event, StaffAction) else "",
        failures=failures,
    )
