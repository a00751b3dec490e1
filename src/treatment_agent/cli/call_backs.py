"""`call-backs`: the calls that patients asked for and nobody made."""

from __future__ import annotations

from typing import Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, NowOption, opened


def register(app: typer.Typer) -> None:
    """Add `call-backs` to the application."""
    app.command("call-backs")(call_backs)


def call_backs(
    enroll: Annotated[
        bool, typer.Option("--enroll", help="Put them on the books: each patient gets one apology that asks when.")
    ] = False,
    hours: Annotated[int, typer.Option("--hours", min=0, help="Overdue means so many hours past the due time.")] = 4,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Calls that patients asked for and nobody made. Nothing is sent; `run` sends what is due."""
    from datetime import timedelta

    from treatment_agent.domain.treatment import Case
    from treatment_agent.tools.call_backs import OverdueCallBacks

    with opened(app, folder, now, writes=enroll) as coordinator:
        source = OverdueCallBacks(coordinator.ledger, coordinator.clock, after=timedelta(hours=hours))
        owed = [case for case in source.read() if isinstance(case, Case)]
        rows = screen.table("patient", "call was due", "case")
        for case in owed:
            rows.add_row(case.patient.id, str(case.visit_on), case.id)
        if owed:
            screen.show(rows)
        screen.out().print(f"{len(owed)} calls are overdue.")
        if enroll:
            report = coordinator.enroll(source)
            left_out = sum(report.skipped.values())
            screen.out().print(f"{report.enrolled} enrolled, {report.refreshed} refreshed, {left_out} left out.")
