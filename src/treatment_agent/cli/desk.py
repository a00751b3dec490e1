"""The staff's side: `acknowledge`, `resolve` and `release` what was handed over."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, NowOption, opened
from treatment_agent.errors import ConfigurationError, NotFound

if TYPE_CHECKING:
    from treatment_agent.coordinator import Coordinator
    from treatment_agent.domain.handoff import HandoffPacket, NextStep

WhatArgument = Annotated[
    str,
    typer.Argument(metavar="WHAT", help="A handoff, conversation or patient id, as `handoffs` shows them."),
]
ByOption = Annotated[
    str, typer.Option("--by", envvar="TREATMENT_AGENT_STAFF", help="Your staff id; it goes on the books.")
]


def register(app: typer.Typer) -> None:
    """Add `acknowledge`, `resolve` and `release` to the application."""
    for command in (acknowledge, resolve, release):
        app.command()(command)


def acknowledge(
    what: WhatArgument, by: ByOption, app: AppOption = None, folder: FolderOption = DEMO_FOLDER, now: NowOption = None
) -> None:
    """Say that somebody has seen a handoff or task, so that it is not escalated."""
    with opened(app, folder, now, writes=True) as coordinator:
        packet = _open_one(coordinator, what)
        if packet.kind.holds:
            coordinator.acknowledge(packet.conversation_id, by=by)
        else:
            coordinator.acknowledge_task(packet.id, by=by)
    screen.out().print(f"{packet.id}: acknowledged by {by}.")


def resolve(
    what: WhatArgument, by: ByOption, app: AppOption = None, folder: FolderOption = DEMO_FOLDER, now: NowOption = None
) -> None:
    """Say that it is dealt with. A conversation stays with staff until `release`; a task is done."""
    with opened(app, folder, now, writes=True) as coordinator:
        packet = _open_one(coordinator, what)
        if packet.kind.holds:
            coordinator.resolve(packet.conversation_id, by=by)
        else:
            coordinator.complete_task(packet.id, by=by)
    rest = " It opens again if the patient writes; `release` gives it back." if packet.kind.holds else ""
    screen.out().print(f"{packet.id}: resolved by {by}.{rest}")


def release(
    what: WhatArgument,
    by: ByOption,
    then: Annotated[
        str, typer.Option("--next", help="What happens next: resume, close, booked, declined or review.")
    ] = "resume",
    until: Annotated[str | None, typer.Option("--until", help="Nothing is sent before this day, YYYY-MM-DD.")] = None,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Give a conversation back and say what happens next: resume, close, booked, declined or review."""
    with opened(app, folder, now, writes=True) as coordinator:
        packet = _open_one(coordinator, what, holding=True)
        outcome = coordinator.release(packet.conversation_id, by=by, next=_next(then), until=_day(until))
    console = screen.out()
    console.print(f"{packet.conversation_id}: released by {by}, now {screen.words(outcome.phase_after)}.")
    for task in outcome.handoffs:
        console.print(f"  {task.summary}")


def _open_one(coordinator: Coordinator, what: str, *, holding: bool = False) -> HandoffPacket:
    """The open handoff or task that is meant: by its id, else the one that holds the conversation, else the only task.

    Raises:
        NotFound: nothing open has this id.
        ConfigurationError: several tasks are open; names their ids.
    """
    packets = [p for p in coordinator.handoffs() if p.kind.holds or not holding]
    named = [p for p in packets if what in (p.id, p.conversation_id, p.patient_id)]
    for fits in (
        [p for p in named if p.id == what],
        [p for p in named if p.kind.holds],
        named if len(named) == 1 else [],
    ):
        if fits:
            return fits[0]
    if named:
        raise ConfigurationError(f"{what}: several tasks are open; name one: {', '.join(p.id for p in named)}")
    raise NotFound(f"nothing open has the id {what!r}; `treatment-agent handoffs` shows what is")


def _next(text: str) -> NextStep:
    from treatment_agent.domain.handoff import NextStep

    try:
        return NextStep(text)
    except ValueError:
        raise ConfigurationError(f"--next {text}: use one of {', '.join(NextStep)}") from None


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("--until: write a day like 2026-12-07") from None
