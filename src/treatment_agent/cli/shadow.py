"""`shadow`: what would have been sent while everything was only recorded, beside what staff really did."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.one_patient import when
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from treatment_agent.coordinator.shadow import ShadowCase


def register(app: typer.Typer) -> None:
    """Add `shadow` to the application."""
    app.command()(shadow)


def shadow(
    start: Annotated[
        bool, typer.Option("--start", help="Keep these books in shadow mode from now on. They must be empty yet.")
    ] = False,
    texts: Annotated[bool, typer.Option("--texts", help="Show the texts in full.")] = False,
    as_json: JsonOption = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """What would have been sent, and where staff acted, who was first. In shadow mode nothing leaves.

    With --start, all commands on these books record texts, bookings and handoffs instead of making them.
    """
    with opened(app, folder, now, writes=start) as coordinator:
        if start:
            coordinator.start_shadow()
            screen.out().print("These books are in shadow mode: everything is recorded, nothing leaves.", style="bold")
            return
        cases, zone, kept = coordinator.shadow_cases(), coordinator.policy.office.tz, coordinator.shadow
    if as_json:
        typer.echo(json.dumps([_as_json(case, texts=texts) for case in cases], default=str, indent=2))
        return
    if not kept:
        screen.err().print("These books are live, not in shadow mode: the texts below were sent.", style="yellow")
    _show(cases, zone, texts=texts)


def _as_json(case: ShadowCase, *, texts: bool) -> dict[str, object]:
    record = dataclasses.asdict(case) | {"compared": case.compared.value, "days": case.days}
    if not texts:
        record["texts"] = [{"at": t.at, "script_id": t.script_id, "kind": t.kind.value} for t in case.texts]
    return record


def _show(cases: tuple[ShadowCase, ...], zone: ZoneInfo, *, texts: bool) -> None:
    console = screen.out()
    rows = screen.table("patient", "we would have sent", "first", "staff did", "when", "compared", "days ahead")
    for case in (c for c in cases if c.texts or c.deeds):
        sent, deed = ", ".join(t.script_id for t in case.texts), case.deeds[0] if case.deeds else None
        rows.add_row(
            case.patient_id or "unknown",
            sent or "nothing",
            when(case.texts[0].at, zone) if case.texts else "",
            ", ".join(d.what for d in case.deeds) or "nothing",
            when(deed.at, zone) if deed else "",
            case.compared.value,
            "" if case.days is None else f"{case.days:.1f}",
        )
    screen.show(rows)
    if texts:
        for case in cases:
            for text in case.texts:
                console.print(f"\n{case.patient_id}, {when(text.at, zone)}, {text.script_id}", style="bold")
                console.print(text.body)
    counts = Counter(case.compared.value for case in cases)
    total = sum(len(case.texts) for case in cases)
    console.print(f"\n{total} texts and {sum(c.handoffs for c in cases)} handoffs to staff would have come of it.")
    console.print("; ".join(f"{name}: {count}" for name, count in sorted(counts.items())) or "No cases on the books.")
