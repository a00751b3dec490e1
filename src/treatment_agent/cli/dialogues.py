"""`eval` on dialogue files: plays them with a progress bar and prints what broke and a table per topic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from treatment_agent.cli import screen

if TYPE_CHECKING:
    from treatment_agent.evals.suite import Result
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.ports import Interpreter


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


def show(results: Sequence[Result]) -> bool:
    """Print the transcripts that broke and the table; return whether every claim holds."""
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
    return all(result.passed for result in results)


def _counts(results: Sequence[Result]) -> tuple[str, str, str, str]:
    held = sum(result.passed for result in results)
    return str(len(results)), str(held), str(len(results) - held), str(sum(bool(result.gates) for result in results))
