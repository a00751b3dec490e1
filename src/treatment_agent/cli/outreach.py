"""Steering outreach: what holds it back, the switch, and approval of new texts."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.desk import ByOption
from treatment_agent.cli.one_patient import when
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from treatment_agent.coordinator import Coordinator
    from treatment_agent.domain.office import Approval, OutreachStatus

NoteOption = Annotated[str, typer.Option("--note", help="Why, in a few words. Nothing about a patient.")]
TextArgument = Annotated[str, typer.Argument(metavar="TEXT", help="The text's id, as `outreach` shows it.")]


def register(app: typer.Typer) -> None:
    """Add `outreach`, `pause`, `resume`, `approve` and `reject` to the application."""
    for command in (outreach, pause, resume, approve, reject):
        app.command()(command)


def outreach(
    as_json: JsonOption = False, app: AppOption = None, folder: FolderOption = DEMO_FOLDER, now: NowOption = None
) -> None:
    """What holds outreach back now, how far the limits are used up, and which new texts wait for approval."""
    with opened(app, folder, now) as coordinator:
        status = coordinator.outreach()
        texts = [(approval, _preview(coordinator, approval)) for approval in status.pending]
        zone = coordinator.policy.office.tz
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(status), default=str, indent=2))
        return
    _show(status, zone)
    for approval, bodies in texts:
        console = screen.out()
        console.print(f"\n{approval.id}: waits for approval", style="bold")
        for body in bodies or ("It would not go now; the preview of the patient says why.",):
            for line in body.splitlines():
                console.print(f"  {line}")
    if texts:
        screen.out().print("\n`approve TEXT --by YOU` lets one go at the next run, `reject` has the case reviewed.")


def pause(
    by: ByOption,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="The kill switch: nothing leaves, staff get what patients write."),
    ] = False,
    note: NoteOption = "",
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Write to nobody first until `resume`. Patients who write are answered, unless with --everything."""
    with opened(app, folder, now, writes=True) as coordinator:
        switch = coordinator.pause_outreach(by=by, note=note, everything=everything)
    screen.out().print(
        "Stopped: nothing leaves, and staff get what patients write." if everything else "Outreach is paused.",
        style="bold",
    )
    screen.out().print(f"{switch.rule}, by {switch.by}. `treatment-agent resume` lets it go on.")


def resume(
    by: ByOption,
    note: NoteOption = "",
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Let outreach go on, whoever or whatever paused it."""
    with opened(app, folder, now, writes=True) as coordinator:
        coordinator.resume_outreach(by=by, note=note)
        status = coordinator.outreach()
    screen.out().print(f"Outreach goes on, by {by}.")
    if status.rule is not None:
        screen.out().print(f"Still held back: {_said(status.rule)}", style="yellow")


def approve(
    text: TextArgument, by: ByOption, app: AppOption = None, folder: FolderOption = DEMO_FOLDER, now: NowOption = None
) -> None:
    """Let one of the first texts of a new script version go at the next run."""
    with opened(app, folder, now, writes=True) as coordinator:
        outcome = coordinator.approve_text(text, by=by)
    screen.out().print(f"{text}: {_said(outcome.rules[0])}")


def reject(
    text: TextArgument, by: ByOption, app: AppOption = None, folder: FolderOption = DEMO_FOLDER, now: NowOption = None
) -> None:
    """Keep one of the first texts of a new script version from going; a person reviews the case."""
    with opened(app, folder, now, writes=True) as coordinator:
        outcome = coordinator.reject_text(text, by=by)
    screen.out().print(f"{text}: {_said(outcome.rules[0])}")


def _preview(coordinator: Coordinator, approval: Approval) -> tuple[str, ...]:
    found = coordinator.preview_conversation(approval.conversation_id)
    return tuple(text.body.get_secret_value() for text in found.texts)


def _show(status: OutreachStatus, zone: ZoneInfo) -> None:
    console = screen.out()
    switch = status.switch
    if status.rule is None:
        console.print("Outreach is on.", style="bold")
    else:
        console.print(f"Held back by {status.rule}: {_said(status.rule)}", style="bold yellow")
    if switch.by != "coordinator" or switch.mode.value != "on":
        note = f": {switch.note}" if switch.note else ""
        console.print(f"Switch: {switch.mode.value} since {when(switch.at, zone)}, by {switch.by}{note}")
    console.print(f"Texts today: {status.sent_today} of {status.texts_per_day}.")
    if status.last_sync is not None:
        sync = status.last_sync
        console.print(f"Last list: {sync.value}, {when(sync.at, zone)}, {sync.note}.")
    for rule, count in status.held_back.items():
        console.print(f"{count} due and waiting, {rule}: {_said(rule)}")


def _said(rule: str) -> str:
    from treatment_agent.policies.rules import RULES

    return RULES.get(rule, rule)
