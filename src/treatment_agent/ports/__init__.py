"""The seams: what the coordinator asks of the world, as small Protocols with synchronous methods.

Each adapter passes the conformance classes. Common rules: datetimes are aware; ids are the other system's own; an
error never repeats a name, number or text; `AdapterUnavailable` is raised only when nothing was written, so that a
retry is safe.
"""

from __future__ import annotations

from treatment_agent.ports.books import Ledger
from treatment_agent.ports.chart_writing import ConsentChart
from treatment_agent.ports.world import (
    CaseSource,
    Chart,
    Clock,
    ConversationLine,
    Interpreter,
    Messenger,
    Scheduler,
    StaffDesk,
    SummaryDrafter,
)

__all__ = [
    "CaseSource",
    "Chart",
    "Clock",
    "ConsentChart",
    "ConversationLine",
    "Interpreter",
    "Ledger",
    "Messenger",
    "Scheduler",
    "StaffDesk",
    "SummaryDrafter",
]
