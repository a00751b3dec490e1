"""`compare`: language models side by side on the same dialogues and messages, live or from what was recorded."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import AppOption, load

if TYPE_CHECKING:
    from treatment_agent.evals.rivals import Row, Suite


def register(app: typer.Typer) -> None:
    """Add `compare` to the application."""
    app.command("compare")(compare_models)


def compare_models(
    place: Annotated[
        Path, typer.Argument(metavar="PLACE", help="Dialogues (TOML), labelled messages (JSONL), or a folder of them.")
    ],
    models: Annotated[Path, typer.Option("--models", metavar="MODELS.toml", help="Which models; see docs/models.md.")],
    cassettes: Annotated[
        Path | None,
        typer.Option("--cassettes", metavar="FOLDER", help="Where answers are kept; beside MODELS.toml if not given."),
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Ask the models and write their answers down; this may cost money.")
    ] = False,
    json: Annotated[Path | None, typer.Option("--json", metavar="OUT.json", help="Write the table as JSON.")] = None,
    app: AppOption = None,
) -> None:
    """Compare language models, the local interpreter alone as the first row.

    Without --record nobody is asked: what was recorded is played again, and a question without a kept answer is an
    error. Exits with 1 when a dialogue breaks a hard gate.
    """
    from treatment_agent.evals.rivals import compare, read_rivals

    rivals, suite = read_rivals(models), _suite(place, app)
    folder = cassettes or models.parent / "cassettes"
    rows: list[Row] = []
    with screen.progress("Comparing", suite.size * (1 + len(rivals.model))) as done:

        def told(name: str, number: int) -> None:
            done(len(rows) * suite.size + number)

        for row in compare(suite, rivals, folder, record=record, told=told):
            rows.append(row)
    _show(rows)
    if record:
        screen.err().print(f"Recorded: {folder}")
    if json is not None:
        _write(json, rows)
    if any(row.gates.hits < row.gates.total for row in rows):
        raise typer.Exit(1)


def _suite(place: Path, app: str | None) -> Suite:
    from treatment_agent.cli.evaluate import found
    from treatment_agent.demo.policy import maple_policy
    from treatment_agent.evals.messages import read_messages
    from treatment_agent.evals.rivals import Suite

    policy = maple_policy()
    if app is not None:
        theirs = load(app)
        policy = theirs.policy
        theirs.close()
    dialogues, messages = found(place)
    return Suite(dialogues, read_messages(messages) if messages is not None else (), policy)


def _show(rows: list[Row]) -> None:
    names = ("handoff recall", "needless handoffs", "label right", "gates kept", "calls", "failed", "tokens in")
    more = ("cached", "tokens out", "cost", "ms", "ms, 19 of 20")
    made = screen.table("model", *names, *more, right=(*names, *more))
    for row in rows:
        cost = "" if row.dollars is None else f"${row.dollars:.4f}"
        times = ("" if ms is None else str(ms) for ms in (row.median_ms, row.slow_ms))
        used = (row.calls, row.failed, row.input_tokens, row.cached_tokens, row.output_tokens)
        asked = [str(count) for count in used] if row.calls else [""] * len(used)
        made.add_row(
            row.name,
            screen.share(row.recall),
            screen.share(row.needless),
            screen.share(row.right),
            f"{row.gates.hits} of {row.gates.total}" if row.gates.total else "",
            *asked,
            cost,
            *times,
        )
    screen.show(made)


def _write(place: Path, rows: list[Row]) -> None:
    import json

    from treatment_agent.errors import ConfigurationError

    try:
        place.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=2), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--json {place}: {error.strerror or 'cannot be written'}") from error
