"""`simulate`: invented patients against an office in memory, and whether every promise held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import AppOption, load
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.evals.acting import Author
    from treatment_agent.evals.simulate import Ended, Simulated
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.ports import Interpreter

_BAR = 40
# The name under which a cassette keeps them, whichever model it was.
_PATIENTS = "patients"


def register(app: typer.Typer) -> None:
    """Add `simulate` to the application."""
    app.command("simulate")(simulate)


def simulate(
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many patients live through six weeks.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="The same seed tells the same story.")] = 7,
    only: Annotated[
        int | None, typer.Option("--only", help="Play the office of this patient; show what was said.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="MODULE:NAME", help="A ModelCalls that finds the patients' words; may cost money."
        ),
    ] = None,
    cassette: Annotated[
        Path | None,
        typer.Option(
            "--cassette", metavar="FILE.jsonl", help="Keep what --model says there; without --model, play it again."
        ),
    ] = None,
    app: AppOption = None,
) -> None:
    """Let invented patients write to an office in memory; show how it ends for them, and every broken promise.

    No text leaves this machine: of --app only the policy and the interpreter are used. Exits with 1 if a promise broke.
    """
    from treatment_agent.evals.simulate import simulate as play

    policy, interpreter = _office(app)
    author, check = _author(model, cassette)
    with screen.progress("patients", None if only else patients) as done:
        try:
            found = play(
                patients, policy=policy, seed=seed, only=only, interpreter=interpreter, author=author, progress=done
            )
        except ValueError as error:
            raise ConfigurationError(f"--{error}") from None
    check()
    if only is not None:
        _transcript(next(p for p in found.patients if p.number == only))
    _outcomes(found)
    _funnel(found)
    if author is not None:
        _written(author, sum(p.received for p in found.patients))
    _promises(found, patients, f" --cassette {cassette}" if cassette else "")


def _office(app: str | None) -> tuple[PracticePolicy, Interpreter | None]:
    if app is not None:
        coordinator = load(app)
        return coordinator.policy, coordinator.interpreter
    from treatment_agent.demo.policy import maple_policy

    return maple_policy(), None


def _author(model: str | None, cassette: Path | None) -> tuple[Author | None, Callable[[], None]]:
    """Who finds the patients' words, and a check that it could: None, and no check, where they are picked."""
    if model is None and cassette is None:
        return None, lambda: None
    from treatment_agent.evals.acting import Author
    from treatment_agent.evals.cassette import Recorder, Replayer
    from treatment_agent.evals.model_calls import named_calls
    from treatment_agent.understanding.language_model import Patience

    if model is None and cassette is not None:
        replayed = Replayer(_PATIENTS, cassette)
        return Author(replayed, Patience(wait_seconds=0)), replayed.check
    calls = named_calls(model or "")
    if cassette is None:
        return Author(calls), lambda: None
    recorded = Recorder(_PATIENTS, calls, cassette)
    return Author(recorded), recorded.check


def _written(author: Author, received: int) -> None:
    meter = author.meter
    tokens = meter.input_tokens + meter.output_tokens
    screen.out().print(
        f"\nWords by the model: {author.texts} of {received} texts, {meter.calls} calls, {tokens} tokens; "
        f"failed: {len(meter.failures)}"
    )


def _outcomes(found: Simulated) -> None:
    table = found.outcomes()
    total = {outcome: 0 for row in table.values() for outcome in row}
    for row in table.values():
        for outcome, count in row.items():
            total[outcome] += count
    columns = sorted(total, key=lambda outcome: (-total[outcome], outcome))
    made = screen.table(
        "persona", "patients", *map(screen.words, columns), right=("patients", *map(screen.words, columns))
    )
    for name, row in sorted(table.items(), key=lambda item: (-item[1].total(), item[0])):
        made.add_row(name, str(row.total()), *(str(row[outcome] or "") for outcome in columns))
    made.add_row("all", str(len(found.patients)), *(str(total[outcome]) for outcome in columns))
    screen.heading("How it ended")
    screen.show(made)


def _funnel(found: Simulated) -> None:
    steps = found.funnel()
    most = max(steps[0][1], 1)
    made = screen.table("step", "patients", "share", "", right=("patients", "share"))
    for name, count in steps:
        made.add_row(name, str(count), f"{100 * count / most:.0f} %", "█" * round(_BAR * count / most))
    screen.heading("Funnel")
    screen.show(made)


def _promises(found: Simulated, patients: int, more: str) -> None:
    sent, received = sum(p.sent for p in found.patients), sum(p.received for p in found.patients)
    console = screen.out()
    console.print()
    if not found.broken:
        console.print(f"Every promise held: {sent} texts out, {received} in, {len(found.patients)} patients.")
        return
    for number, broken in found.broken:
        again = f"treatment-agent simulate --patients {patients} --seed {found.seed} --only {number}{more}"
        console.print(f"BROKEN {broken}\n       {again}")
    raise typer.Exit(1)


def _transcript(ended: Ended) -> None:
    screen.heading(f"Patient {ended.number}, {ended.persona}")
    made = screen.table("when", "who", "under", "text")
    for line in ended.lines:
        text = " / ".join(line.text.split("\n"))
        made.add_row(f"{line.at:%a %b %d %H:%M} UTC", line.who, line.why, repr(text)[1:-1])
    screen.show(made)
