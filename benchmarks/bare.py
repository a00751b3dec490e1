"""The yardstick: a LangGraph conversation of six nodes that do next to nothing, with the same kind of checkpoints."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

NODES = ("intake", "understand", "guard", "decide", "act", "compose")


class BareState(TypedDict, total=False):
    """About as much as a conversation must remember."""

    conversation_id: str
    phase: str
    asked: str
    offers: list[str]
    due_at: str
    turns: int


def _pass_on(state: BareState) -> BareState:
    return {"turns": state.get("turns", 0) + 1}


class BareConversations:
    """Six nodes, one thread per conversation, SQLite checkpoints, `durability="exit"`."""

    def __init__(self, file: Path) -> None:
        graph = StateGraph(BareState)
        for name in NODES:
            graph.add_node(name, _pass_on)
        for before, after in zip((START, *NODES), (*NODES, END), strict=True):
            graph.add_edge(before, after)
        self._connection = sqlite3.connect(file, check_same_thread=False)
        self._graph = graph.compile(checkpointer=SqliteSaver(self._connection))

    def turn(self, thread: str) -> int:
        """One run. Returns how many nodes this thread has seen."""
        given: BareState = {
            "conversation_id": thread,
            "phase": "offer_open",
            "asked": "offer",
            "offers": ["2026-12-01T09:00:00-06:00", "2026-12-03T14:00:00-06:00"],
            "due_at": "2026-11-28T16:00:00+00:00",
        }
        result = self._graph.invoke(given, {"configurable": {"thread_id": thread}}, durability="exit")
        return int(result["turns"])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
