"""The nodes: each reads a little, decides through `policies`, and returns what it found.

A node that fails does not raise: it names its failure, and `routes` sends the turn to a person (P5).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Protocol

from langgraph.runtime import Runtime

from treatment_agent.domain.conversation import Move
from treatment_agent.domain.events import PatientMessage, TouchDue
from treatment_agent.domain.handoff import Urgency
from treatment_agent.domain.interpretation import Interpretation, Topic
from treatment_agent.domain.text import normalize
from treatment_agent.domain.turn import Decision, Verdict
from treatment_agent.errors import AdapterError
from treatment_agent.graph.acting import carry_out
from treatment_agent.graph.state import TurnContext, TurnState
from treatment_agent.policies import gate, outreach, reconcile, replies, sanity, topics
from treatment_agent.policies.hearing import language_of, new_language
from treatment_agent.policies.outreach import Touch
from treatment_agent.policies.screening import screen
from treatment_agent.policies.tongue import written_in

_END = 600
log = logging.getLogger(__name__)


class Node(Protocol):
    """A node as LangGraph calls it."""

    def __call__(self, state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
        """Read the state and the run's context; return what changes."""
        ...


def failing_to_a_person(name: str) -> Callable[[Node], Node]:
    """Wrap a node so that any exception becomes the failure `turn.<name>-failed` instead of silence."""

    def wrap(node: Node) -> Node:
        @wraps(node)
        def guarded(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
            try:
                return node(state, runtime)
            except Exception as error:
                # The type only: a message may quote what the patient wrote.
                conversation = runtime.context.facts.conversation.id
                log.warning("turn.%s-failed conversation=%s error=%s", name, conversation, type(error).__name__)
                failures = (*state.get("failures", ()), f"turn.{name}-failed")
                return {"failures": failures, "to_person": True}

        return guarded

    return wrap


@failing_to_a_person("consent-gate")
def consent_gate(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Settle revocations, START, HELP and emergencies, before anything is interpreted."""
    context, event = runtime.context, state["event"]
    if not isinstance(event, PatientMessage):
        raise TypeError("only a patient's message passes the consent gate")
    text = context.text.get_secret_value()
    if len(text) > topics.LONGEST_TEXT:
        return _too_long(text)
    screening = screen(normalize(text), media=event.media)
    if screening.emergency is not None:
        found = screening.emergency
        verdict = Verdict(topic=Topic.EMERGENCY, rule=found.rule, evidence=(found.span,))
        return {"screening": screening, "verdicts": (verdict,), "to_person": True}
    if screening.opt_out and context.policy.consent.answered_by_carrier(text):
        event = event.model_copy(update={"carrier_opt_out": True})
    decision = gate.decide(screening, event, context.facts, context.policy)
    if decision is None:
        return {"screening": screening, "decisions": ()}
    return {"screening": screening, "decisions": (replace(decision, language=_language(context, None)),)}


def _language(context: TurnContext, interpretation: Interpretation | None) -> str | None:
    """The language to answer in from now on, where it is a new one; without an interpreter, as far as words tell."""
    conversation, policy = context.facts.conversation, context.policy
    if interpretation is not None:
        return language_of(interpretation, conversation, policy)
    text = context.text.get_secret_value()[:_END]
    return new_language(written_in(normalize(text)), conversation, policy)


def _too_long(text: str) -> TurnState:
    """Pages of text are not read to the end under the lease: a person does that. A stop at either end is honoured."""
    ends = f"{text[:_END]}\n{text[-_END:]}"
    found = screen(normalize(ends))
    verdicts = [Verdict(topic=Topic.OTHER, rule="guardrail.too-long")]
    if found.emergency is not None:
        verdicts.insert(0, Verdict(topic=Topic.EMERGENCY, rule=found.emergency.rule))
    return {"screening": found, "verdicts": tuple(verdicts), "to_person": True}


@failing_to_a_person("understand")
def understand(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Ask the interpreter, and check its answer before anybody believes it."""
    context = runtime.context
    answer = context.interpreter.interpret(context.text, context.situation)
    interpretation = sanity.checked(
        answer,
        length=len(context.text.get_secret_value()),
        offers=len(context.facts.conversation.numbered),
        now=context.now,
    )
    return {"interpretation": interpretation}


@failing_to_a_person("topic-guard")
def topic_guard(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Run every guardrail; verdicts are only added."""
    context, event, interpretation = runtime.context, state["event"], state["interpretation"]
    if interpretation is None or not isinstance(event, PatientMessage):
        raise TypeError("the topic guard needs an interpretation")
    heard = topics.Heard(
        text=context.text.get_secret_value(),
        media=event.media,
        interpretation=interpretation,
        conversation=context.facts.conversation,
        situation=context.situation,
        shared_with=context.facts.shared_with,
    )
    screening = state.get("screening")
    unclear = gate.unclear_opt_out(interpretation, screening)
    verdicts = (*state.get("verdicts", ()), *unclear, *topics.judge(heard, context.policy))
    if context.stopped:
        verdicts = (*verdicts, Verdict(topic=Topic.OTHER, rule="limit.stopped"))
    settled = state["decisions"]
    if not settled and verdicts and gate.said_opt_out(interpretation, screening):
        settled = (gate.revoke(context.facts, event),)
    if not settled:
        return {"verdicts": verdicts, "to_person": bool(verdicts)}
    # An opt-out that said more. It stands; only an emergency is stronger, and anything else is for a person to read.
    if any(v.topic is Topic.EMERGENCY or v.urgency is Urgency.NOW for v in verdicts):
        return {"verdicts": verdicts, "decisions": (), "to_person": True}
    pending = gate.revoked_and_more(settled[-1], verdicts, context.facts, context.policy, context.now)
    return {"decisions": (pending,)}


@failing_to_a_person("decide")
def decide(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Decide on a routine message."""
    context, interpretation = runtime.context, state["interpretation"]
    if interpretation is None:
        raise TypeError("nothing was interpreted")
    decision = gate.routine(interpretation, state["event"], context.facts)
    if decision is not None:
        decision = replace(decision, language=_language(context, interpretation))
    else:
        decision = replies.decide(context.heard(interpretation, state["event"].id))
    return {"decisions": (decision,)}


@failing_to_a_person("touch-gate")
def touch_gate(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Decide on a due touch, asking the chart last thing before (P9)."""
    context, event = runtime.context, state["event"]
    if not isinstance(event, TouchDue):
        raise TypeError("only a due touch passes the touch gate")
    due_at = context.facts.conversation.due_at
    if due_at is not None and due_at > context.now:
        # Since it was claimed the patient wrote or staff spoke to them: the touch moved.
        return {"decisions": (Decision(move=Move.STAY, rules=("outreach.stale-touch",)),)}
    if context.facts.case is None:
        return {"decisions": (outreach.skip("outreach.phase"),)}
    touch = Touch(
        facts=context.facts,
        case=context.facts.case,
        policy=context.policy,
        now=context.now,
        event_id=event.id,
        step=event.step,
    )
    decision = outreach.before_chart(touch)
    if decision is None:
        try:
            decision = outreach.decide(touch, context.chart.check(touch.case))
        except AdapterError:
            decision = outreach.unavailable("outreach.chart-unavailable", context.now)
    return {"decisions": (decision,)}


@failing_to_a_person("reconcile")
def reconcile_event(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Take in what happened outside the conversation."""
    context, event = runtime.context, state["event"]
    if isinstance(event, PatientMessage | TouchDue):
        raise TypeError("patients and touches have nodes of their own")
    return {"decisions": (reconcile.decide(event, context.facts, context.policy, context.now),)}


@failing_to_a_person("act")
def act(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Make the decision's tool calls, under idempotency keys, until nothing is left to ask."""
    return {"decisions": carry_out(state["decisions"], state, runtime.context)}


def handoff(state: TurnState, runtime: Runtime[TurnContext]) -> TurnState:
    """Give the conversation to a person: verdicts of guardrails, or a failure of ours."""
    context, event = runtime.context, state["event"]
    failures = state.get("failures", ())
    if not isinstance(event, PatientMessage):
        decision = outreach.failed(context.facts, context.policy, context.now, failures or ("turn.failed",))
        return {"decisions": (*_kept(state), decision), "to_person": False}
    conversation, interpretation = context.facts.conversation, state.get("interpretation")
    verdicts = state.get("verdicts", ()) or tuple(Verdict(topic=Topic.OTHER, rule=rule) for rule in failures)
    request = topics.request(
        verdicts,
        event_id=event.id,
        conversation=conversation,
        interpretation=interpretation,
        policy=context.policy,
        now=context.now,
    )
    screening = state.get("screening")
    said = bool(screening and screening.opt_out) or gate.said_opt_out(interpretation, screening)
    decision = gate.hand_off(
        request,
        verdicts,
        context.facts,
        context.policy,
        revokes=said or event.carrier_opt_out,
        now=context.now,
    )
    if "turn.consent-gate-failed" in failures:
        # Nobody looked whether this was a STOP: not a word may go out (P1).
        decision = gate.without_texts(decision)
    else:
        decision = replace(decision, language=_language(context, interpretation))
    return {"decisions": (*_kept(state), decision), "to_person": False}


def _kept(state: TurnState) -> tuple[Decision, ...]:
    """Decisions that a later failure cannot undo: what was booked stays booked, what was revoked stays revoked."""
    done = [d for d in state.get("decisions", ()) if d.booking is not None or d.consent is not None]
    return tuple(gate.without_texts(d) for d in done)
