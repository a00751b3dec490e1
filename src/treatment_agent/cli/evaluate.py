"""`eval`: whether dialogues hold, and how well messages with known labels are understood."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import AppOption, load
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.evals.messages import Judged
    from treatment_agent.evals.suite import Result
    from treatment_agent.evals.table import Measure


PlaceArgument = Annotated[
    Path, typer.Argument(metavar="PLACE", help="Dialogues (TOML), labelled messages (JSONL), or a folder of them.")
]
AgainstOption = Annotated[
    Path | None, typer.Option("--against", metavar="RUN.json", help="Say what came out otherwise than in that run.")
]
InterpreterOption = Annotated[
    str | None,
    typer.Option(
        "--interpreter",
        metavar="MODULE:NAME",
        help="Play dialogues with another interpreter: only hard gates and never_says are judged.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add `eval` to the application."""
    app.command("eval")(evaluate)


def evaluate(
    place: PlaceArgument,
    thresholds: Annotated[
        Path | None,
        typer.Option("--thresholds", metavar="FILE.toml", help="What is held; beside the folder if not given."),
    ] = None,
    labels: Annotated[bool, typer.Option("--labels", help="Also tables by label and by kind of error.")] = False,
    errors: Annotated[
        Path | None, typer.Option("--errors", metavar="OUT.jsonl", help="Write every message read wrongly there.")
    ] = None,
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage", help="Name phases, edges, scripts, topics and rules that no dialogue reaches, and fail."
        ),
    ] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="OUT.html", help="Write the report as a page.")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="OUT.json", help="Write the run, to compare.")] = None,
    against: AgainstOption = None,
    interpreter: InterpreterOption = None,
    app: AppOption = None,
) -> None:
    """Play dialogues and say what broke; judge labelled messages and print figures with 95 % Wilson intervals.

    Nothing is sent. Exits with 1 when a dialogue does not hold, a threshold is not kept, or with
    `--coverage` something is not reached. How to write a dialogue
    stands in docs/dialogues.md, the format of messages in evals/messages/README.md.
    """
    from treatment_agent.cli import dialogues, labelled

    paths, messages = found(place)
    results = _played(paths, interpreter, app)
    judged: list[Judged] = []
    measures: tuple[Measure, ...] = ()
    if messages is not None:
        judged = labelled.judge(messages, app)
        measures = labelled.figures(judged, messages, thresholds)
    if labels:
        labelled.by_label(judged)
        labelled.by_kind(judged)
    if errors is not None:
        labelled.write_errors(errors, judged)
    run = dialogues.Run(results, judged, measures, wants_coverage=coverage)
    complete = dialogues.report(run, html=html, json=json, against=against)
    if not (complete and all(result.passed for result in results) and all(row.met for row in measures)):
        raise typer.Exit(1)


def found(place: Path) -> tuple[tuple[Path, ...], Path | None]:
    """The dialogues at a place, and where its messages are."""
    from treatment_agent.evals.reading import find_files

    if place.is_file():
        return ((place,), None) if place.suffix == ".toml" else ((), place)
    paths = find_files(place)
    messages = next((folder for folder in (place, place / "messages") if any(folder.glob("*.jsonl"))), None)
    if not paths and messages is None:
        raise ConfigurationError(
            f"{place}: neither dialogues nor messages are there; name a TOML or JSONL file, or a folder of them; "
            "dialogues lie below a folder called `dialogues`"
        )
    return paths, messages


def _played(paths: tuple[Path, ...], interpreter: str | None, app: str | None) -> tuple[Result, ...]:
    """Play the dialogues and print what broke."""
    if not paths:
        return ()
    from treatment_agent.cli import dialogues
    from treatment_agent.evals.staging import named_interpreter
    from treatment_agent.understanding.local import LocalInterpreter

    other = named_interpreter(interpreter) if interpreter is not None else None
    policy = None
    if app is not None:
        theirs = load(app)
        policy = theirs.policy
        other = other or (None if isinstance(theirs.interpreter, LocalInterpreter) else theirs.interpreter)
        theirs.close()
    results = dialogues.play_files(paths, policy=policy, interpreter=other)
    dialogues.show(results)
    screen.out().print()
    return results
