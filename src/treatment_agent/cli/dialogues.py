"""`eval` on dialogue files: plays them with a progress bar and prints what broke and a table per topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from treatment_agent.cli import screen

if TYPE_CHECKING:
    from treatment_agent.evals.coverage import Coverage
    from treatment_agent.evals.messages import Judged
    from treatment_agent.evals.record import Change
    from treatment_agent.evals.suite import Result
    from treatment_agent.evals.table import Measure
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.ports import Interpreter


_FIGURES = ("there are", "reached", "excused", "missing")


@dataclass(frozen=True, slots=True)
class Run:
    """What `eval` did."""

    results: tuple[Result, ...]
    judged: Sequence[Judged]
    measures: tuple[Measure, ...]
    wants_coverage: bool


def play_files(
    paths: Sequence[Path], *, policy: PracticePolicy | None, interpreter: Interpreter | None
) -> tuple[Result, ...]:
    """Play every file, in order of names, with a progress bar."""
    from treatment_agent.evals.suite import run_files

    results: list[Result] = []
    with screen.progress("Playing", len(paths)) as done:
        for result in run_files(paths, policy=policy, interpreter=interpreter):
            results.append(result)
            done(len(results))
    return tuple(results)


def show(results: Sequence[Result]) -> None:
    """Print the transcripts that broke, and the table."""
    console = screen.out()
    for result in results:
        if not result.passed:
            console.print(f"\n{result.path}", style="bold red")
            console.print(result.transcript())
    made = screen.table("topic", "dialogues", "hold", "broken", "gates", right=("dialogues", "hold", "broken", "gates"))
    for area in sorted({result.area for result in results}):
        made.add_row(area, *_counts([result for result in results if result.area == area]))
    made.add_row("all", *_counts(results))
    screen.show(made)
    gates = [result for result in results if result.gates]
    for result in gates:
        for finding in result.gates:
            console.print(f"HARD GATE {result.name}: {finding}", style="bold red")


def _counts(results: Sequence[Result]) -> tuple[str, str, str, str]:
    held = sum(result.passed for result in results)
    return str(len(results)), str(held), str(len(results) - held), str(sum(bool(result.gates) for result in results))


def report(run: Run, *, html: Path | None, json: Path | None, against: Path | None) -> bool:
    """Print coverage and changes if they are asked for, and write the page and the run.

    Returns:
        False if coverage was asked for and is not complete.
    """
    from treatment_agent.evals import page, record

    now = record.record(run.results, run.judged)
    changes = record.compare(record.read_record(against), now) if against is not None else ()
    if against is not None:
        _show_changes(changes)
    reached = _coverage(run) if run.results and (run.wants_coverage or html is not None) else None
    if reached is not None and run.wants_coverage:
        _show_coverage(reached)
    if json is not None:
        record.write_record(now, json)
    if html is not None:
        told = page.Report(run.results, run.judged, run.measures, changes, reached)
        screen.out().print(f"The page: {page.write_page(told, html)}")
    return reached is None or not run.wants_coverage or reached.complete


def _coverage(run: Run) -> Coverage:
    from treatment_agent.demo.policy import maple_policy
    from treatment_agent.evals.coverage import coverage, excuses_of, reached_by, read_excuses

    played = [result.played for result in run.results if result.played is not None]
    policy = played[0].policy if played else maple_policy()
    names = {name for one in played for name in reached_by(one)}
    return coverage(names, policy, read_excuses(excuses_of(run.results[0].path.resolve())))


def _show_coverage(reached: Coverage) -> None:
    from treatment_agent.evals.coverage import KINDS, told

    made = screen.table("what", "there are", "reached", "excused", "missing", right=_FIGURES)
    for kind in KINDS:
        known, missing = reached.known[kind], reached.missing(kind)
        got = sum(name in reached.reached[kind] for name in known)
        made.add_row(kind, str(len(known)), str(got), str(len(known) - got - len(missing)), str(len(missing)))
    screen.show(made)
    for line in told(reached):
        screen.out().print(line, style="yellow", soft_wrap=True)


def _show_changes(changes: Sequence[Change]) -> None:
    if not changes:
        screen.out().print("Nothing came out otherwise than in the run before.")
        return
    made = screen.table("", "what", "before", "now")
    for change in changes:
        made.add_row(change.direction.value, change.what, change.before, change.after)
    screen.show(made)
