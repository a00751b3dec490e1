"""The adapters a coordinator works with."""

from __future__ import annotations

from dataclasses import dataclass

from treatment_agent.ports import Chart, Messenger, Scheduler, StaffDesk, SummaryDrafter


@dataclass(frozen=True, slots=True)
class Tools:
    """The adapters. Without a chart the last enrolled export is asked; without a desk staff read `handoffs()`.

    `drafter`: a language model drafts a summary of each handoff for staff; off by default.
    """

    scheduler: Scheduler
    messenger: Messenger
    chart: Chart | None = None
    desk: StaffDesk | None = None
    drafter: SummaryDrafter | None = None
