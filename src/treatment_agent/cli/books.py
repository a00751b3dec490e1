"""The books: `run` sends what is due, `why` answers for one patient, `handoffs` lists what waits for a person."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.one_patient import show_why, when
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened

if TYPE_CHECKING:
    from treatment_agent.domain.books import ModelTally, Tally
    from treatment_agent.web.view import Count


_ALL = 100_000


def register(app: typer.Typer) -> None:
    """Add `run`, `why` and `handoffs` to the application."""
    for command in (run, why, handoffs):
        app.command()(command)


def run(
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many conversations.")] = None,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Send what is due now, in order of priority, and finish what a crash left behind."""
    with opened(app, folder, now, writes=True) as coordinator:
        done, shadow = coordinator.run_due(limit=limit or _ALL), coordinator.shadow
        rows = screen.table("conversation", "did", "rule", "now")
        for outcome in done.outcomes:
            sent = ", ".join(f"{t.script_id} ({t.status})" for t in outcome.replies) or "nothing sent"
            rows.add_row(outcome.conversation_id, sent, outcome.rules[0], screen.words(outcome.phase_after))
    if done.outcomes:
        screen.show(rows)
    sent_count = sum(len(o.replies) for o in done.outcomes)
    screen.out().print(f"{len(done.outcomes)} conversations were due, {sent_count} texts sent.")
    if shadow:
        screen.out().print("Shadow mode: the texts were recorded, nothing left.", style="yellow")
    for rule, count in done.held_back.items():
        screen.out().print(f"{count} wait, {rule}: {_said(rule)}")
    for packet in done.escalated:
        screen.out().print(f"Not acknowledged in time, now for the {screen.words(packet.owner)}: {packet.id}")
    if done.failed:
        screen.err().print(f"{len(done.failed)} could not be finished and will be taken up next time.", style="yellow")


def why(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id in the office's software.")],
    everything: Annotated[bool, typer.Option("--all", help="Also what lies further back than one screen.")] = False,
    as_json: JsonOption = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
) -> None:
    """Everything done and not done about a patient, and the rule behind each."""
    with opened(app, folder) as coordinator:
        answer = coordinator.why(patient)
        zone, at = coordinator.policy.office.tz, coordinator.clock.now()
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(answer), default=str, indent=2))
        return
    show_why(answer, zone, at, everything=everything)


def handoffs(
    as_json: JsonOption = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """What waits for a person, most urgent first: whose it is, until when, what is overdue or escalated."""
    with opened(app, folder, now) as coordinator:
        packets = coordinator.handoffs()
        zone, moment = coordinator.policy.office.tz, coordinator.clock.now()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(p) for p in packets], default=str, indent=2))
        return
    for packet in packets:
        topic = screen.words(packet.topics[0]) if packet.topics else screen.words(packet.kind)
        late = " OVERDUE" if packet.overdue(moment) else ""
        console = screen.out()
        console.print(
            f"{topic}: {packet.patient_id or 'unknown sender'}, for the {screen.words(packet.owner)}, "
            f"due {when(packet.due_at, zone)}{late}",
            style="bold red" if late else "bold",
        )
        console.print(f"  {packet.summary}")
        if packet.draft is not None and packet.draft.text:
            console.print(f"  {packet.draft.marked}")
        for said in packet.words:
            console.print(f"  said: {said!r}")
        console.print(f"  next: {packet.suggestion}")
        if packet.escalated_from:
            earlier = ", ".join(screen.words(owner) for owner in packet.escalated_from)
            console.print(f"  escalated: not acknowledged in time by the {earlier}", style="red")
        if packet.reopened_at is not None:
            console.print(f"  opened again: the patient wrote on {when(packet.reopened_at, zone)}", style="red")
        who = f" by {packet.acknowledged_by}" if packet.acknowledged_by else ""
        console.print(f"  {screen.words(packet.status)}{who}; conversation {packet.conversation_id}; id {packet.id}")
        console.print()
    overdue = sum(packet.overdue(moment) for packet in packets)
    escalated = sum(bool(packet.escalated_from) for packet in packets)
    screen.out().print(f"{len(packets)} open, {overdue} overdue, {escalated} escalated.")


def show_tally(tally: Tally) -> None:
    """The funnel and what stands beside it, as small tables."""
    from treatment_agent.web import labels
    from treatment_agent.web.view import median

    funnel = screen.table("", "cases", "of all", right=("cases", "of all"))
    for label, count in (
        ("entered", tally.entered),
        ("contacted", tally.contacted),
        ("answered", tally.responded),
        ("booked", tally.booked),
    ):
        funnel.add_row(label, str(count), f"{100 * count / tally.entered:.0f}%" if tally.entered else "")
    screen.heading("Funnel")
    screen.show(funnel)
    for title, counts in (
        ("Handed off by topic", labels.counted(tally.handoffs_by_topic)),
        ("Declined by reason", labels.counted(tally.declined_by_reason, labels.reason)),
        ("Why not yet", labels.counted(tally.reasons, labels.reason)),
        ("What led to a booking", labels.counted(tally.booked_by_path, labels.path)),
        ("Left out", labels.counted(tally.skipped, labels.left_out)),
    ):
        _counts(title, counts)
    if tally.days_to_scheduled:
        days = tally.days_to_scheduled
        middle, low, high = median(days), min(days), max(days)
        screen.out().print(f"\nDays from diagnosis to scheduled: median {middle:g} (from {low} to {high})")
    screen.out().print(
        f"Value booked: {screen.dollars(tally.value_booked_cents)} of {screen.dollars(tally.value_entered_cents)}"
        f"; opted out: {tally.opted_out}"
    )
    show_model(tally.model)


def show_model(model: ModelTally) -> None:
    """What the language model added, and what it took; nothing where none was asked."""
    from treatment_agent.web.telling import model_lines

    lines = model_lines(model)
    if not lines:
        return
    rows = screen.table("", "", right=("",))
    for label, told in lines:
        rows.add_row(label, told)
    screen.heading(f"Language model: {', '.join(model.models)}")
    screen.show(rows)


def _counts(title: str, counts: tuple[Count, ...]) -> None:
    if not counts:
        return
    rows = screen.table("", "cases", right=("cases",))
    for bar in counts:
        rows.add_row(bar.label, str(bar.count))
    screen.heading(title)
    screen.show(rows)


def _said(rule: str) -> str:
    from treatment_agent.policies.rules import RULES

    return RULES.get(rule, rule)
