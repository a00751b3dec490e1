"""Where a turn goes next. A node that wants a person sets `to_person`; nothing can unset it but the handoff itself."""

from __future__ import annotations

from typing import Literal

from treatment_agent.domain.events import PatientMessage, TouchDue
from treatment_agent.graph.state import TurnState


def intake(state: TurnState) -> Literal["consent_gate", "touch_gate", "reconcile"]:
    """One way in per kind of event."""
    match state["event"]:
        case PatientMessage():
            return "consent_gate"
        case TouchDue():
            return "touch_gate"
        case _:
            return "reconcile"


def after_consent_gate(state: TurnState) -> Literal["handoff", "compose", "understand"]:
    """Emergencies to a person; a settled message to its answer; the rest, and an opt-out that says more, to be read."""
    if state["to_person"]:
        return "handoff"
    screening = state["screening"]
    says_more = screening is not None and screening.more
    return "compose" if state["decisions"] and not says_more else "understand"


def after_understand(state: TurnState) -> Literal["handoff", "topic_guard"]:
    """A failed interpreter means a person."""
    return "handoff" if state["to_person"] else "topic_guard"


def after_topic_guard(state: TurnState) -> Literal["handoff", "compose", "decide"]:
    """Any verdict means a person; an opt-out that said more goes to its confirmation."""
    if state["to_person"]:
        return "handoff"
    return "compose" if state["decisions"] else "decide"


def after_decision(state: TurnState) -> Literal["handoff", "act", "compose"]:
    """From `decide`, `touch_gate` and `reconcile`: to the tools if one is asked for."""
    if state["to_person"]:
        return "handoff"
    return "act" if any(d.tool for d in state["decisions"]) else "compose"


def after_act(state: TurnState) -> Literal["handoff", "compose"]:
    """A failed tool means a person."""
    return "handoff" if state["to_person"] else "compose"


def after_compose(state: TurnState) -> Literal["handoff", "output_guard"]:
    """A move the table forbids means a person."""
    return "handoff" if state["to_person"] else "output_guard"


def after_output_guard(state: TurnState) -> Literal["handoff", "__end__"]:
    """An answer that may not be sent means a person."""
    return "handoff" if state["to_person"] else "__end__"
