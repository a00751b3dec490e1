"""`eval` on labelled messages: figures with intervals, tables by label and by kind of error."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from treatment_agent.cli import screen
from treatment_agent.cli.options import load
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.evals.messages import Judged
    from treatment_agent.evals.table import Measure
    from treatment_agent.triage import Triage


def judge(messages: Path, app: str | None) -> list[Judged]:
    """Judge every message at a place, with a progress bar."""
    from treatment_agent.evals.messages import judge_messages, read_messages

    rows = read_messages(messages)
    triage = _triage(app)
    judged: list[Judged] = []
    with screen.progress("Judging", len(rows)) as done:
        for one in judge_messages(rows, triage):
            judged.append(one)
            done(len(judged))
    return judged


def figures(judged: list[Judged], messages: Path, thresholds: Path | None) -> tuple[Measure, ...]:
    """Print the figures and what they are held to; return them."""
    from treatment_agent.evals.table import measures

    made = screen.table(
        "measure", "share", "95 % interval", "of", "must", "", right=("share", "95 % interval", "of", "must")
    )
    found = measures(judged, _limits(messages, thresholds))
    for row in found:
        if not row.share.total and row.limit is None:
            continue
        low, high = row.share.interval
        sign = "<=" if row.at_most else ">="
        must = "" if row.limit is None else f"{sign} {100 * row.limit:.1f} %"
        state = "" if row.limit is None else "kept" if row.met else "NOT KEPT"
        share = f"{100 * row.share.value:.1f} %"
        made.add_row(row.title, share, f"{100 * low:.1f}-{100 * high:.1f}", str(row.share.total), must, state)
    screen.show(made)
    screen.out().print(f"{len(judged)} messages judged.")
    return found


def by_label(judged: list[Judged]) -> None:
    """Print how messages of each label, style and language fared, with intervals, and how far sureness is right."""
    from treatment_agent.evals import table

    made = screen.table(
        "label", "messages", "handed off", "label right", right=("messages", "handed off", "label right")
    )
    for label, handed, right in table.by_label(judged):
        made.add_row(label, str(handed.total), screen.share(handed), screen.share(right))
    screen.show(made)
    columns = ("messages", "handoff recall", "needless handoffs", "label right")
    groups: tuple[tuple[str, Callable[[Judged], str]], ...] = (
        ("style", lambda j: j.message.style or "not stated"),
        ("language", lambda j: j.message.lang),
    )
    for name, group in groups:
        made = screen.table(name, *columns, right=columns)
        for one, count, recall, needless, right in table.by_group(judged, group):
            made.add_row(one, str(count), *(screen.share(share) for share in (recall, needless, right)))
        screen.show(made)
    error = table.calibration_error(judged)
    screen.out().print(f"Calibration error {error:.3f}: how sure it was of the label, against how often it was right.")


def by_kind(judged: list[Judged]) -> None:
    """Print what goes wrong, worst first."""
    from treatment_agent.evals.table import errors_by_kind

    made = screen.table("what goes wrong", "label", "read as", "messages", right=("messages",))
    for kind, label, read, count in errors_by_kind(judged):
        made.add_row(kind, label, read, str(count))
    screen.show(made)


def write_errors(place: Path, judged: list[Judged]) -> None:
    """Write every message read wrongly."""
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
