"""The state machine: every node and every edge."""

from __future__ import annotations

from functools import cache

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from treatment_agent.graph import nodes, routes, speaking
from treatment_agent.graph.state import TurnContext, TurnState

Graph = CompiledStateGraph[TurnState, TurnContext, TurnState, TurnState]


def build_graph(saver: BaseCheckpointSaver[str] | None = None) -> Graph:
    """The graph of one turn, with its checkpoints in `saver`. Each event is one run from START to END."""
    return _compiled().copy({"checkpointer": saver})


@cache
def _compiled() -> Graph:
    """Compiled once: it holds no state of its own, and compiling takes longer than a turn. Nothing waits inside."""
    graph = StateGraph(TurnState, context_schema=TurnContext)

    graph.add_node("consent_gate", nodes.consent_gate)
    graph.add_node("understand", nodes.understand)
    graph.add_node("topic_guard", nodes.topic_guard)
    graph.add_node("decide", nodes.decide)
    graph.add_node("touch_gate", nodes.touch_gate)
    graph.add_node("reconcile", nodes.reconcile_event)
    graph.add_node("act", nodes.act)
    graph.add_node("handoff", nodes.handoff)
    graph.add_node("compose", speaking.compose)
    graph.add_node("output_guard", speaking.output_guard)

    graph.add_conditional_edges(START, routes.intake)
    graph.add_conditional_edges("consent_gate", routes.after_consent_gate)
    graph.add_conditional_edges("understand", routes.after_understand)
    graph.add_conditional_edges("topic_guard", routes.after_topic_guard)
    graph.add_conditional_edges("decide", routes.after_decision)
    graph.add_conditional_edges("touch_gate", routes.after_decision)
    graph.add_conditional_edges("reconcile", routes.after_decision)
    graph.add_conditional_edges("act", routes.after_act)
    graph.add_edge("handoff", "compose")
    graph.add_conditional_edges("compose", routes.after_compose)
    graph.add_conditional_edges("output_guard", routes.after_output_guard)

    return graph.compile(name="treatment_agent")
