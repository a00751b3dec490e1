"""`eval`: whether dialogues hold, and how well messages with known labels are understood."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import AppOption, load
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.evals.messages import Judged
    from treatment_agent.triage import Triage


def register(app: typer.Typer) -> None:
    """Add `eval` to the application."""
    app.command("eval")(evaluate)


def evaluate(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="PLACE", help="Dialogues (TOML), labelled messages (JSONL), or a folder of either or both."
        ),
    ],
    thresholds: Annotated[
        Path | None,
        typer.Option("--thresholds", metavar="FILE.toml", help="What is held; beside the folder if not given."),
    ] = None,
    labels: Annotated[bool, typer.Option("--labels", help="Also tables by label and by kind of error.")] = False,
    errors: Annotated[
        Path | None, typer.Option("--errors", metavar="OUT.jsonl", help="Write every message read wrongly there.")
    ] = None,
    interpreter: Annotated[
        str | None,
        typer.Option(
            "--interpreter",
            metavar="MODULE:NAME",
            help="Play dialogues with another interpreter: only hard gates and never_says are judged.",
        ),
    ] = None,
    app: AppOption = None,
) -> None:
    """Play dialogues and say what broke; judge labelled messages and print figures with 95 % Wilson intervals.

    Nothing is sent. Exits with 1 when a dialogue does not hold or a threshold is not kept. How to write a dialogue
    stands in docs/dialogues.md, the format of messages in evals/messages/README.md.
    """
    dialogues, messages = _found(place)
    kept = True
    if dialogues:
        kept = _play(dialogues, interpreter, app)
    if messages is not None:
        kept = _judge(messages, thresholds, labels=labels, errors=errors, app=app) and kept
    if not kept:
        raise typer.Exit(1)


def _found(place: Path) -> tuple[tuple[Path, ...], Path | None]:
    """The dialogues at a place, and where its messages are."""
    from treatment_agent.evals.reading import find_files

    if place.is_file():
        return ((place,), None) if place.suffix == ".toml" else ((), place)
    dialogues = find_files(place)
    messages = next((folder for folder in (place, place / "messages") if any(folder.glob("*.jsonl"))), None)
    if not dialogues and messages is None:
        raise ConfigurationError(
            f"{place}: neither dialogues nor messages are there; name a TOML or JSONL file, or a folder of them"
        )
    return dialogues, messages


def _play(paths: tuple[Path, ...], interpreter: str | None, app: str | None) -> bool:
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
    return dialogues.show(dialogues.play_files(paths, policy=policy, interpreter=other))


def _judge(messages: Path, thresholds: Path | None, *, labels: bool, errors: Path | None, app: str | None) -> bool:
    from treatment_agent.evals.messages import judge_messages, read_messages

    rows = read_messages(messages)
    triage = _triage(app)
    judged: list[Judged] = []
    with screen.progress("Judging", len(rows)) as done:
        for one in judge_messages(rows, triage):
            judged.append(one)
            done(len(judged))
    kept = _figures(judged, _limits(messages, thresholds))
    if labels:
        _by_label(judged)
        _by_kind(judged)
    if errors is not None:
        _write_errors(errors, judged)
    return kept


def _figures(judged: list[Judged], limits: dict[str, float]) -> bool:
    from treatment_agent.evals.table import measures

    made = screen.table(
        "measure", "share", "95 % interval", "of", "must", "", right=("share", "95 % interval", "of", "must")
    )
    found = measures(judged, limits)
    for row in found:
        low, high = row.share.interval
        sign = "<=" if row.at_most else ">="
        must = "" if row.limit is None else f"{sign} {100 * row.limit:.1f} %"
        state = "" if row.limit is None else "kept" if row.met else "NOT KEPT"
        share = f"{100 * row.share.value:.1f} %"
        made.add_row(row.title, share, f"{100 * low:.1f}-{100 * high:.1f}", str(row.share.total), must, state)
    screen.show(made)
    screen.out().print(f"{len(judged)} messages judged.")
    return all(row.met for row in found)


def _by_label(judged: list[Judged]) -> None:
    from treatment_agent.evals.table import by_label

    made = screen.table(
        "label", "messages", "handed off", "label right", right=("messages", "handed off", "label right")
    )
    for label, handed, right in by_label(judged):
        made.add_row(label, str(handed.total), f"{100 * handed.value:.1f} %", f"{100 * right.value:.1f} %")
    screen.show(made)


def _by_kind(judged: list[Judged]) -> None:
    from treatment_agent.evals.table import errors_by_kind

    made = screen.table("what goes wrong", "label", "read as", "messages", right=("messages",))
    for kind, label, read, count in errors_by_kind(judged):
        made.add_row(kind, label, read, str(count))
    screen.show(made)


def _write_errors(place: Path, judged: list[Judged]) -> None:
    wrong = [j for j in judged if not j.right or j.handed_off != j.needs_person or (j.message.tells and not j.facts)]
    lines = (json.dumps(j.message.model_dump(mode="json") | {"verdict": j.verdict}, ensure_ascii=False) for j in wrong)
    try:
        place.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--errors {place}: {error.strerror or 'cannot be written'}") from error
    screen.err().print(f"{len(wrong)} messages read wrongly: {place}")


def _limits(messages: Path, thresholds: Path | None) -> dict[str, float]:
    folder = messages if messages.is_dir() else messages.parent
    place = thresholds or folder.parent / "thresholds.toml"
    if not place.is_file():
        if thresholds is None:
            return {}
        raise ConfigurationError(f"--thresholds {place}: there is no such file")
    try:
        raw = tomllib.loads(place.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{place}: {error}") from None
    return {name: float(value) for name, value in raw.get("messages", {}).items()}


def _triage(app: str | None) -> Triage:
    from treatment_agent.triage import Triage

    if app is not None:
        coordinator = load(app)
        return Triage(coordinator.policy, interpreter=coordinator.interpreter)
    from treatment_agent.demo.policy import maple_policy

    return Triage(maple_policy())
