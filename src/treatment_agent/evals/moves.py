"""Watches the graph: which move was decided in which phase. The books keep phases only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.context import register_configure_hook

from treatment_agent.domain.conversation import Move, Phase, next_phase
from treatment_agent.domain.turn import Decision, TurnRecord

Edge = tuple[Phase, Move]
"""A phase and the move that was made from it."""


class _Watcher(BaseCallbackHandler):
    """Reads the decisions off each finished run of the graph."""

    def __init__(self) -> None:
        self.edges: list[Edge] = []

    def on_chain_end(self, outputs: object, *, run_id: UUID, parent_run_id: UUID | None = None, **more: object) -> None:
        """Note the moves of a whole run; nodes have a parent."""
        if parent_run_id is not None or not isinstance(outputs, dict):
            return
        record, decisions = outputs.get("turn"), outputs.get("decisions", ())
        if isinstance(record, TurnRecord):
            self.edges.extend(_edges(record.phase_before, decisions))


def _edges(phase: Phase, decisions: tuple[Decision, ...]) -> Iterator[Edge]:
    for decision in decisions:
        yield phase, decision.move
        phase = next_phase(phase, decision.move)


_watching: ContextVar[_Watcher | None] = ContextVar("treatment_agent_moves", default=None)
register_configure_hook(_watching, inheritable=True)


@contextmanager
def watched() -> Iterator[list[Edge]]:
    """While this is open, every move that any graph of this thread makes is added to the list."""
    watcher = _Watcher()
    token = _watching.set(watcher)
    try:
        yield watcher.edges
    finally:
        _watching.reset(token)
