"""`triage`: what would it have done with the office's own past messages? Nothing is sent."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.history import BadLine, Line, read_history
from treatment_agent.cli.options import AppOption, load
from treatment_agent.errors import ConfigurationError, TreatmentAgentError

if TYPE_CHECKING:
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.triage import Triage

_STDIO = Path("-")


def register(app: typer.Typer) -> None:
    """Add `triage` to the application."""
    app.command()(triage)


def _there(source: Path) -> Path:
    if source != _STDIO and not source.is_file():
        raise typer.BadParameter(f"there is no file {str(source)!r}; use - to read standard input")
    return source


def triage(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN.jsonl",
            callback=_there,
            help="Past messages, one JSON object per line; - reads standard input.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="OUT.jsonl", help="Where the judgements go; - writes standard output."),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a line could not be read.")] = False,
    app: AppOption = None,
) -> None:
    """Judge past inbound messages without sending anything.

    Each line needs `id` and `text`, and says in `context` what the patient had last been asked (first_message, offer,
    reminder, callback_ask, reason_ask, booked). Optional: `language`, `now`, `offers` (ISO times).
    """
    from treatment_agent.triage import Triage

    judge = Triage(_policy(app))
    tally: Counter[tuple[str, str]] = Counter()
    total = None if source == _STDIO else _count_lines(source)
    with _reading(source) as lines, _writing(out) as sink, screen.progress("Judging", total) as done:
        bad = _judge_all(judge, read_history(lines), sink, tally, done)
    _summarise(tally, bad, to_stderr=out == _STDIO)
    if strict and bad:
        raise typer.Exit(1)


def _judge_all(
    judge: Triage, lines: Iterable[Line | BadLine], sink: TextIO, tally: Counter[tuple[str, str]], done: screen.Done
) -> int:
    """Judge every readable line into `sink`; return how many lines could not be read."""
    bad = 0
    for line in lines:
        done(line.number)
        if isinstance(line, Line):
            try:
                verdict = judge.judge(line.item)
            except TreatmentAgentError as error:
                line = BadLine(line.number, str(error))
            except Exception as error:  # one line must not cost the others; its words may quote the patient
                line = BadLine(line.number, f"judging it raised {type(error).__name__}; please report this")
            else:
                sink.write(json.dumps(verdict, ensure_ascii=False, separators=(", ", ": ")) + "\n")
                tally[str(verdict["action"]), str(verdict["label"])] += 1
                continue
        bad += 1
        screen.err().print(f"line {line.number}: {line.reason}", style="yellow")
    return bad


def _summarise(tally: Counter[tuple[str, str]], bad: int, *, to_stderr: bool) -> None:
    rows = screen.table("would", "label", "messages", right=("messages",))
    for (action, label), count in sorted(tally.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
        rows.add_row("hand off" if action == "handoff" else "answer itself", label, str(count))
    screen.show(rows, to_stderr=to_stderr)
    total = tally.total()
    unread = f"; lines skipped because they could not be read: {bad}" if bad else ""
    auto = sum(count for (action, _), count in tally.items() if action == "auto")
    console = screen.err() if to_stderr else screen.out()
    console.print(f"{total} judged: {auto} answered by itself, {total - auto} handed off{unread}.")


def _policy(app: str | None) -> PracticePolicy:
    if app is not None:
        return load(app).policy
    from treatment_agent.demo.policy import maple_policy

    return maple_policy()


@contextmanager
def _reading(source: Path) -> Iterator[Iterable[bytes]]:
    if source == _STDIO:
        yield sys.stdin.buffer
        return
    with source.open("rb") as file:
        yield file


def _count_lines(source: Path) -> int:
    with source.open("rb") as file:
        return sum(1 for _ in file)


@contextmanager
def _writing(out: Path) -> Iterator[TextIO]:
    """Written beside its place and moved there at the end: a run that breaks off leaves no half file."""
    if out == _STDIO:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    if not out.name or out.is_dir():
        raise ConfigurationError(f"--out {out}: this is a folder; name a file, for example {out / 'judged.jsonl'}")
    unfinished = out.with_name(out.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8") as sink:
            yield sink
        unfinished.replace(out)
    except OSError as error:
        raise ConfigurationError(f"--out {out}: {error.strerror or 'cannot be written'}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
