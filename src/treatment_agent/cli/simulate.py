"""`simulate`: invented patients against an office in memory, and whether every promise held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import AppOption, load
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.evals.simulate import Ended, Simulated
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.ports import Interpreter

_BAR = 40


def register(app: typer.Typer) -> None:
    """Add `simulate` to the application."""
    app.command("simulate")(simulate)


def simulate(
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many patients live through six weeks.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="The same seed tells the same story.")] = 7,
    only: Annotated[
        int | None, typer.Option("--only", help="Play the office of this patient; show what was said.")
    ] = None,
    app: AppOption = None,
) -> None:
    """Let invented patients write to an office in memory; show how it ends for them, and every broken promise.

    Nothing leaves this machine: of --app only the policy and the interpreter are used. Exits with 1 if a promise broke.
    """
    from treatment_agent.evals.simulate import simulate as play

    policy, interpreter = _office(app)
    with screen.progress("patients", None if only else patients) as done:
        try:
            found = play(patients, policy=policy, seed=seed, only=only, interpreter=interpreter, progress=done)
        except ValueError as error:
            raise ConfigurationError(f"--{error}") from None
    if only is not None:
        _transcript(next(p for p in found.patients if p.number == only))
    _outcomes(found)
    _funnel(found)
    _promises(found, patients)


def _office(app: str | None) -> tuple[PracticePolicy, Interpreter | None]:
    if app is not None:
        coordinator = load(app)
        return coordinator.policy, coordinator.interpreter
    from treatment_agent.demo.policy import maple_policy

    return maple_policy(), None


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


def _promises(found: Simulated, patients: int) -> None:
    sent, received = sum(p.sent for p in found.patients), sum(p.received for p in found.patients)
    console = screen.out()
    console.print()
    if not found.broken:
        console.print(f"Every promise held: {sent} texts out, {received} in, {len(found.patients)} patients.")
        return
    for number, broken in found.broken:
        again = f"treatment-agent simulate --patients {patients} --seed {found.seed} --only {number}"
        console.print(f"BROKEN {broken}\n       {again}")
    raise typer.Exit(1)


def _transcript(ended: Ended) -> None:
    screen.heading(f"Patient {ended.number}, {ended.persona}")
    made = screen.table("when", "who", "under", "text")
    for line in ended.lines:
        text = " / ".join(line.text.split("\n"))
        made.add_row(f"{line.at:%a %b %d %H:%M} UTC", line.who, line.why, repr(text)[1:-1])
    screen.show(made)
