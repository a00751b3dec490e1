"""The list of unscheduled treatment: `queue` ranks it without touching anything, `enroll` puts it on the books."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened
from treatment_agent.errors import BadRow

if TYPE_CHECKING:
    from treatment_agent.domain.treatment import Case
    from treatment_agent.policies.queue import Assessment
    from treatment_agent.tools.csv_source import CsvCaseSource

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="The export, as CSV.")
]
DatesOption = Annotated[str, typer.Option("--dates", help="Order of the dates in the export: mdy, dmy, iso or excel.")]


def register(app: typer.Typer) -> None:
    """Add `queue` and `enroll` to the application."""
    app.command()(queue)
    app.command()(enroll)


def queue(
    file: FileArgument,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Show only the first so many.")] = None,
    dates: DatesOption = "mdy",
    explain: Annotated[bool, typer.Option("--explain", help="Say in words where the points come from.")] = False,
    as_json: JsonOption = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Rank an export: who comes first and why, who is left out and why, which rows cannot be read."""
    from treatment_agent.policies import queue as rules

    with opened(app, folder, now) as coordinator:
        policy, at = coordinator.policy, coordinator.clock.now()
        rejected: list[BadRow] = []
        assessed: list[tuple[Case, Assessment]] = []
        with screen.progress("Reading") as done:
            for row in _source(file, dates, policy.office.zone).read():
                if isinstance(row, BadRow):
                    rejected.append(row)
                else:
                    assessed.append((row, rules.assess(row, policy, at)))
                done(len(assessed) + len(rejected))
    ranked = sorted((a for a in assessed if a[1].eligible), key=lambda a: (-a[1].score, a[0].id))
    skipped = [a for a in assessed if not a[1].eligible]
    if as_json:
        typer.echo(_as_json(ranked[:limit], skipped, rejected))
        return
    _show_ranked(ranked, limit, explain=explain)
    _show_skipped(skipped)
    show_rejected(rejected)
    screen.out().print(
        f"\n{len(ranked)} to follow up, {len(skipped)} left out, {len(rejected)} rows could not be read."
    )


def enroll(
    file: FileArgument,
    dates: DatesOption = "mdy",
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Put an export on the books. Nothing is sent; `run` sends what is due."""
    with opened(app, folder, now, writes=True) as coordinator, screen.progress("Enrolling") as done:
        report = coordinator.enroll(_source(file, dates, coordinator.policy.office.zone), progress=done)
    skipped = sum(report.skipped.values())
    screen.out().print(
        f"{report.enrolled} enrolled, {report.refreshed} refreshed, {skipped} left out, "
        f"{len(report.rejected)} rows could not be read."
    )
    _show_counts(report.skipped)
    show_rejected(report.rejected)


def _source(file: Path, dates: str, zone: str) -> CsvCaseSource:
    from treatment_agent.tools.csv_source import CsvCaseSource

    return CsvCaseSource(file, dates=dates, zone=zone)


def _points(assessment: Assessment, *, explain: bool) -> str:
    parts = (
        f"{p.factor.removeprefix('priority.')} {p.points:+d}{f' ({p.why})' if explain else ''}"
        for p in assessment.points
    )
    return ", ".join(parts)


def _show_ranked(ranked: list[tuple[Case, Assessment]], limit: int | None, *, explain: bool) -> None:
    rows = screen.table(
        "#", "patient", "points", "because", "treatment", "value", "diagnosed", right=("#", "points", "value")
    )
    for place, (case, assessment) in enumerate(ranked[:limit], start=1):
        treatment = ", ".join(
            f"{screen.words(p.family)}{f' #{p.tooth}' if p.tooth else ''}" for p in case.open_procedures
        )
        rows.add_row(
            str(place),
            case.patient.id,
            str(assessment.score),
            _points(assessment, explain=explain),
            treatment,
            screen.dollars(case.value_cents),
            str(case.diagnosed_on or ""),
        )
    screen.heading("Follow up, first to last")
    screen.show(rows)
    if limit is not None and len(ranked) > limit:
        screen.out().print(f"... and {len(ranked) - limit} more")


def _show_skipped(skipped: list[tuple[Case, Assessment]]) -> None:
    if not skipped:
        return
    from treatment_agent.policies.rules import RULES

    screen.heading("Left out")
    rows = screen.table("patient", "rule", "why")
    for case, assessment in skipped:
        rule = assessment.skip_rule or ""
        rows.add_row(case.patient.id, rule, RULES.get(rule, ""))
    screen.show(rows)


def _show_counts(skipped: dict[str, int]) -> None:
    if skipped:
        rows = screen.table("left out by rule", "cases", right=("cases",))
        for rule, count in sorted(skipped.items(), key=lambda item: (-item[1], item[0])):
            rows.add_row(rule, str(count))
        screen.heading("Left out")
        screen.show(rows)


def show_rejected(rejected: list[BadRow] | tuple[BadRow, ...]) -> None:
    """A table of rows that could not be read, each with its line, its column and the fix."""
    if not rejected:
        return
    screen.heading("Rows that could not be read")
    rows = screen.table("where", "column", "fix")
    for row in rejected:
        rows.add_row(row.place, row.column or "", row.fix)
    screen.show(rows)


def _as_json(
    ranked: list[tuple[Case, Assessment]], skipped: list[tuple[Case, Assessment]], rejected: list[BadRow]
) -> str:
    return json.dumps(
        {
            "ranked": [
                {
                    "patient": c.patient.id,
                    "case": c.id,
                    "score": a.score,
                    "points": {p.factor: p.points for p in a.points},
                }
                for c, a in ranked
            ],
            "skipped": [{"patient": c.patient.id, "case": c.id, "rule": a.skip_rule} for c, a in skipped],
            "skipped_by_rule": dict(Counter(a.skip_rule for _, a in skipped)),
            "rejected": [{"place": r.place, "column": r.column, "fix": r.fix} for r in rejected],
        },
        indent=2,
    )
