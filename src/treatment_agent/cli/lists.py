"""The list of unscheduled treatment: `queue` ranks it without touching anything, `enroll` puts it on the books."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.export import CaseFile, Export, in_cli_words, the_list
from treatment_agent.cli.one_patient import show_case
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened
from treatment_agent.errors import BadRow

if TYPE_CHECKING:
    from treatment_agent.domain.treatment import Case
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.policies.queue import Assessment

T = TypeVar("T")

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        help="The export: CSV, or .json and .jsonl. Default: the demo practice's own list.",
    ),
]
DatesOption = Annotated[str, typer.Option("--dates", help="Order of the dates in the export: mdy, dmy, iso or excel.")]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="FIELD=HEADER", help="Map a column by hand, e.g. mobile=Handy. Repeatable."),
]
CommaOption = Annotated[bool, typer.Option("--decimal-comma", help="Money is written 1.250,00.")]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="utf-8, cp1252 or utf-16, when the file's own bytes mislead.")
]

ExportedOption = Annotated[
    str | None,
    typer.Option("--exported", metavar="TIME", help="When the file was made: data that is too old is not acted on."),
]
PatientOption = Annotated[
    str | None, typer.Option("--patient", metavar="ID", help="One patient: every reason, every point, what is next.")
]


@dataclass(frozen=True, slots=True)
class _Listed:
    """What is printed of one case; the case itself is let go."""

    patient_id: str
    case_id: str
    rule: str
    found: str = ""
    score: int = 0
    points: tuple[tuple[str, int, str], ...] = ()
    treatment: str = ""
    value_cents: int = 0
    diagnosed: str = ""


def register(app: typer.Typer) -> None:
    """Add `queue` and `enroll` to the application."""
    app.command()(queue)
    app.command()(enroll)


def queue(
    file: FileArgument = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Show only the first so many.")] = None,
    dates: DatesOption = "mdy",
    column: ColumnOption = None,
    decimal_comma: CommaOption = False,
    encoding: EncodingOption = None,
    exported: ExportedOption = None,
    patient: PatientOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say in words where the points come from.")] = False,
    as_json: JsonOption = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Rank an export: who comes first and why, who is left out and why, which rows cannot be read."""
    with opened(app, folder, now) as coordinator:
        policy, at = coordinator.policy, coordinator.clock.now()
        file = the_list(file, app)
        export = Export(file, dates, column, decimal_comma, encoding, exported)
        source = export.source(policy.office.zone, at)
        with export.in_own_words():
            if patient is not None:
                show_case(patient, source.read(), policy, at, as_json=as_json)
                return
            listed, rejected = _assessed(source, policy, at, explain=explain)
    ranked = sorted((row for row in listed if not row.rule), key=lambda row: (-row.score, row.case_id))
    skipped = [row for row in listed if row.rule]
    if as_json:
        typer.echo(_as_json(ranked[:limit], skipped, rejected, source))
        return
    _show_ranked(ranked, limit)
    _show_skipped(skipped)
    show_rejected(rejected)
    show_unread(source)
    screen.out().print(
        f"\n{len(ranked)} to follow up, {len(skipped)} left out, {len(rejected)} rows could not be read."
    )
    _say_if_empty(file, len(listed) + len(rejected))


def _assessed(
    source: CaseFile, policy: PracticePolicy, at: datetime, *, explain: bool
) -> tuple[list[_Listed], list[BadRow]]:
    from treatment_agent.policies import queue as rules

    rejected: list[BadRow] = []
    listed: list[_Listed] = []
    with screen.progress("Reading") as done:
        for row in source.read():
            if isinstance(row, BadRow):
                rejected.append(row)
            else:
                listed.append(_listed(row, rules.assess(row, policy, at), explain=explain))
            done(len(listed) + len(rejected))
    return listed, rejected


def enroll(
    file: FileArgument = None,
    dates: DatesOption = "mdy",
    column: ColumnOption = None,
    decimal_comma: CommaOption = False,
    encoding: EncodingOption = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="The file is only a part of the list: what it leaves out goes on.")
    ] = False,
    exported: ExportedOption = None,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Put an export on the books. Nothing is sent; `run` sends what is due."""
    with opened(app, folder, now, writes=True) as coordinator, screen.progress("Enrolling") as done:
        file = the_list(file, app)
        export = Export(file, dates, column, decimal_comma, encoding, exported)
        source = export.source(coordinator.policy.office.zone, coordinator.clock.now())
        with export.in_own_words():
            report = coordinator.enroll(source, partial=partial, progress=done)
    skipped = sum(report.skipped.values())
    listed = report.enrolled + report.refreshed
    screen.out().print(
        f"{listed} on the books ({report.enrolled} new, {report.refreshed} refreshed): "
        f"{listed - skipped} to follow up, {skipped} left out. {len(report.rejected)} rows could not be read."
    )
    if report.missing:
        screen.out().print(
            f"{report.missing} on hold: not in this file any more. If it is only a part of the list, enroll it with "
            "--partial, and the whole list once more.",
            style="yellow",
        )
    _show_counts(report.skipped)
    show_rejected(report.rejected)
    show_unread(source)
    _say_if_empty(file, report.enrolled + report.refreshed + len(report.rejected))


def _say_if_empty(file: Path, found: int) -> None:
    if not found:
        screen.out().print(f"{file.name}: the file has a header and no rows.", style="yellow")


def show_unread(source: CaseFile) -> None:
    """One line for the columns nobody reads, one for the fields without a column."""
    if source.unread_headers:
        names = ", ".join(repr(header) for header in source.unread_headers)
        screen.out().print(f"Columns not read: {names}. Map one with --column field='<header>'.", style="yellow")
    if source.absent_fields:
        names = ", ".join(source.absent_fields)
        screen.out().print(f"No column for: {names}. Map one with --column field='<header>'.", style="yellow")


def _listed(case: Case, assessment: Assessment, *, explain: bool) -> _Listed:
    if not assessment.eligible:
        return _Listed(case.patient.id, case.id, assessment.skip_rule or "not eligible", assessment.found)
    return _Listed(
        patient_id=case.patient.id,
        case_id=case.id,
        rule="",
        score=assessment.score,
        points=tuple((p.factor, p.points, p.why if explain else "") for p in assessment.points),
        treatment=intern(
            ", ".join(f"{screen.words(p.family)}{f' #{p.tooth}' if p.tooth else ''}" for p in case.open_procedures)
        ),
        value_cents=case.value_cents,
        diagnosed=intern(str(case.diagnosed_on or "")),
    )


def _points(row: _Listed) -> str:
    parts = (
        f"{factor.removeprefix('priority.')} {points:+d}{f' ({why})' if why else ''}"
        for factor, points, why in row.points
    )
    return ", ".join(parts)


def _show_ranked(ranked: list[_Listed], limit: int | None) -> None:
    rows = screen.table(
        "#", "patient", "points", "because", "treatment", "value", "diagnosed", right=("#", "points", "value")
    )
    for place, row in enumerate(ranked[:limit], start=1):
        value = screen.dollars(row.value_cents)
        rows.add_row(str(place), row.patient_id, str(row.score), _points(row), row.treatment, value, row.diagnosed)
    screen.heading("Follow up, first to last")
    screen.show(rows)
    if limit is not None and len(ranked) > limit:
        screen.out().print(f"... and {len(ranked) - limit} more")


def _show_skipped(skipped: list[_Listed]) -> None:
    from treatment_agent.policies.rules import RULES

    for heading, chosen in _by_weight(skipped, lambda row: row.rule):
        screen.heading(heading)
        rows = screen.table("patient", "rule", "why")
        for row in chosen:
            why = " ".join(filter(None, (RULES.get(row.rule, ""), f"({row.found})" if row.found else "")))
            rows.add_row(row.patient_id, row.rule, why)
        screen.show(rows)


def _show_counts(skipped: dict[str, int]) -> None:
    for heading, chosen in _by_weight(list(skipped.items()), lambda item: item[0]):
        screen.heading(heading)
        rows = screen.table("rule", "cases", right=("cases",))
        for rule, count in sorted(chosen, key=lambda item: (-item[1], item[0])):
            rows.add_row(rule, str(count))
        screen.show(rows)


def _by_weight(left_out: Sequence[T], rule_of: Callable[[T], str]) -> Iterator[tuple[str, list[T]]]:
    """What staff should look at, and what is merely left out, each with its heading; empty ones do not come."""
    from treatment_agent.policies.exclusions import STAFF_LOOKS

    for heading, looks in (("For staff to look at", True), ("Left out", False)):
        chosen = [each for each in left_out if (rule_of(each) in STAFF_LOOKS) is looks]
        if chosen:
            yield heading, chosen


def show_rejected(rejected: list[BadRow] | tuple[BadRow, ...]) -> None:
    """A table of rows that could not be read, each with its line, its column and the fix."""
    if not rejected:
        return
    screen.heading("Rows that could not be read")
    rows = screen.table("where", "column", "fix")
    for row in rejected:
        rows.add_row(row.place, row.column or "", in_cli_words(row.fix))
    screen.show(rows)


def _as_json(ranked: list[_Listed], skipped: list[_Listed], rejected: list[BadRow], source: CaseFile) -> str:
    return json.dumps(
        {
            "ranked": [
                {
                    "patient": row.patient_id,
                    "case": row.case_id,
                    "score": row.score,
                    "points": {factor: points for factor, points, _ in row.points},
                }
                for row in ranked
            ],
            "skipped": [
                {"patient": row.patient_id, "case": row.case_id, "rule": row.rule, "found": row.found}
                for row in skipped
            ],
            "skipped_by_rule": dict(Counter(row.rule for row in skipped)),
            "rejected": [{"place": r.place, "column": r.column, "fix": in_cli_words(r.fix)} for r in rejected],
            "unread_headers": list(source.unread_headers),
            "absent_fields": list(source.absent_fields),
        },
        indent=2,
    )
