"""One patient on one screen: what the list says about them, and where their conversations stand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from treatment_agent.cli import screen
from treatment_agent.errors import BadRow, NotFound
from treatment_agent.policies.rules import sentence

if TYPE_CHECKING:
    from rich.table import Table

    from treatment_agent.coordinator.answers import WaitsFor, Why, WhyLine
    from treatment_agent.domain.treatment import Case
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.policies.steps import Cadence

RECENT = 14


def when(at: datetime, zone: ZoneInfo) -> str:
    """`Wed Nov 25, 10:00 AM` in the office's zone."""
    local = at.astimezone(zone)
    return f"{local:%a %b} {local.day}, {local.hour % 12 or 12}:{local:%M %p}"


def show_case(
    patient_id: str, listed: Iterable[Case | BadRow], policy: PracticePolicy, at: datetime, *, as_json: bool
) -> None:
    """What the list says about one patient: every rule that keeps them out, the score, and the steps to come.

    Raises:
        NotFound: the list has no such patient.
    """
    rows = list(listed)
    own = [case for case in rows if not isinstance(case, BadRow) and case.patient.id == patient_id]
    if not own:
        unread = sum(isinstance(row, BadRow) for row in rows)
        unreadable = f", or see which {unread} rows could not be read without --patient" if unread else ""
        raise NotFound(f"no patient {patient_id!r} in this list; check the id{unreadable}")
    if as_json:
        typer.echo(json.dumps([_as_json(case, policy, at) for case in own], indent=2))
        return
    for case in own:
        _show(case, policy, at)


def _as_json(case: Case, policy: PracticePolicy, at: datetime) -> dict[str, object]:
    from treatment_agent.policies import queue

    found = queue.assess(case, policy, at)
    return {
        "patient": case.patient.id,
        "case": case.id,
        "kind": case.kind.value,
        "eligible": found.eligible,
        "staff_look": found.staff_looks,
        "reasons": [{"rule": rule, "found": detail} for rule, detail in queue.reasons(case, policy, at)],
        "score": found.score,
        "points": [{"factor": p.factor, "points": p.points, "why": p.why} for p in found.points],
    }


def _show(case: Case, policy: PracticePolicy, at: datetime) -> None:
    from treatment_agent.policies import queue
    from treatment_agent.policies.cadence import cadence_for, first_due
    from treatment_agent.policies.rules import RULES

    found, console = queue.assess(case, policy, at), screen.out()
    left_out = "for staff" if found.staff_looks else "left out"
    console.print(f"{case.patient.id}: {'follow up' if found.eligible else left_out}", style="bold")
    work = ", ".join(f"{screen.words(p.family)}{f' #{p.tooth}' if p.tooth else ''}" for p in case.open_procedures)
    console.print(
        f"{case.id} ({screen.words(case.kind)}): {work or 'nothing open'}, {screen.dollars(case.value_cents)}, "
        f"diagnosed {case.diagnosed_on or 'on a day nobody noted'}"
    )
    if not found.eligible:
        rows = screen.table("rule", "found", "why")
        for rule, detail in queue.reasons(case, policy, at):
            rows.add_row(rule, detail, RULES.get(rule, ""))
        screen.heading("What stands against it")
        screen.show(rows)
    rows = screen.table("points", "factor", "because", right=("points",))
    for p in found.points:
        rows.add_row(f"{p.points:+d}", p.factor, p.why)
    screen.heading(f"Score {found.score}")
    screen.show(rows)
    if found.eligible:
        cadence = cadence_for(case, policy, at)
        screen.heading("What happens next, if nobody answers")
        for line in _steps(cadence, policy, first_due(case, policy, at)):
            console.print(line)


def _steps(cadence: Cadence, policy: PracticePolicy, due_at: datetime) -> list[str]:
    from treatment_agent.policies.cadence import after_touch

    lines = []
    for index, step in enumerate(cadence.steps):
        lines.append(f"  {when(due_at, policy.office.tz)}: {step.script_id}, by {screen.words(step.channel)}")
        _, due_at = after_touch(index, policy, due_at, cadence)
    return [*lines, f"  {when(due_at, policy.office.tz)}: a person looks"]


def show_why(answer: Why, zone: ZoneInfo, at: datetime, *, everything: bool) -> None:
    """Where a patient stands, in a few lines, then what was done and not done: the latest that fit on one screen."""
    from treatment_agent.policies.exclusions import STAFF_LOOKS

    console = screen.out()
    stands = screen.words(answer.phase) if answer.phase else "not on the books"
    if answer.phase == "queued" and answer.left_out:
        stands = "left out, for staff to look at" if answer.left_out in STAFF_LOOKS else "left out"
    if answer.visit_at is not None:
        stands += f", visit {when(answer.visit_at, zone)}"
    console.print(f"{answer.patient_id}: {stands}", style="bold")
    if answer.because is not None:
        console.print(f"Because: {answer.because.sentence} ({answer.because.rule})")
    if answer.left_out and answer.because is not None and answer.left_out != answer.because.rule:
        console.print(f"Not written to first: {sentence(answer.left_out)} ({answer.left_out})")
    for waiting in answer.waits_for:
        console.print(_waiting(waiting, zone, at), style="yellow")
    console.print(f"Next due {when(answer.next_due_at, zone)}." if answer.next_due_at else "No text is due by itself.")
    lines = answer.lines if everything else answer.lines[-RECENT:]
    if len(lines) < len(answer.lines):
        console.print(f"... {len(answer.lines) - len(lines)} earlier; --all shows them")
    screen.show(_table(lines, zone))


def _waiting(waiting: WaitsFor, zone: ZoneInfo, at: datetime) -> str:
    seen = f"{waiting.acknowledged_by} has seen it" if waiting.acknowledged_by else ""
    late = "" if seen or waiting.due_at > at else ", OVERDUE"
    until = seen or f"due {when(waiting.due_at, zone)}{late}"
    return f"Waits for the {screen.words(waiting.owner)}: {screen.words(waiting.what)}, {until}"


def _table(lines: Sequence[WhyLine], zone: ZoneInfo) -> Table:
    rows = screen.table("when", "what", "rule", "why")
    for line in lines:
        note = " ".join(part for part in (line.sentence, f"({line.detail})" if line.detail else "") if part)
        rows.add_row(when(line.at, zone), screen.words(line.action), line.rule, note)
    return rows
