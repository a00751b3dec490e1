"""The report of a run as one HTML file that needs nothing else: totals, topics, confusion, changes, transcripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.coverage import KINDS, Coverage
from treatment_agent.evals.messages import LABELS, Judged
from treatment_agent.evals.record import Change
from treatment_agent.evals.suite import Result
from treatment_agent.evals.table import Measure
from treatment_agent.policies.rules import sentence


@dataclass(frozen=True, slots=True)
class Report:
    """What the page shows. Everything but the dialogues may be empty."""

    results: Sequence[Result]
    judged: Sequence[Judged] = ()
    measures: Sequence[Measure] = ()
    changes: Sequence[Change] = ()
    coverage: Coverage | None = None


@dataclass(frozen=True, slots=True)
class _Area:
    """One row of the table per topic."""

    name: str
    count: int
    held: int
    gates: int


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a transcript: who says it, and behind it what was read and decided."""

    at: datetime
    who: str
    words: str
    note: str
    rule: str
    sentence: str
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Story:
    """One dialogue."""

    name: str
    area: str
    claim: str
    state: str
    mistake: str
    turns: tuple[tuple[str, tuple[_Line, ...], tuple[str, ...]], ...] = ()
    end: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Confusion:
    """What messages of a label were read as. `cells` are counts, `heat` the same as shares of the row in percent."""

    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = field(default=())


def render(report: Report) -> str:
    """The whole page. Everything that came from a file or a person is escaped."""
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("treatment_agent.evals"), PackageLoader("treatment_agent.web")]  # tokens of the style
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    stories = sorted((_story(result) for result in report.results), key=lambda s: (_STATES.index(s.state), s.name))
    return environment.get_template("report.html.j2").render(
        report=report,
        stories=stories,
        areas=_areas(report.results),
        states=[(state, sum(story.state == state for story in stories)) for state in _STATES],
        confusion=_confusion(report.judged),
        missing=[(kind, report.coverage.missing(kind), len(report.coverage.known[kind])) for kind in KINDS]
        if report.coverage
        else [],
    )


def write_page(report: Report, path: Path) -> Path:
    """Write the page and return its absolute path.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        path.write_text(render(report), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--html {path}: {error.strerror or 'cannot be written'}") from None
    return path.resolve()


_STATES = ("gate", "broken", "holds")


def _areas(results: Iterable[Result]) -> list[_Area]:
    by_area: dict[str, list[Result]] = {}
    for result in results:
        by_area.setdefault(result.area, []).append(result)
    return [
        _Area(name, len(own), sum(r.passed for r in own), sum(bool(r.gates) for r in own))
        for name, own in sorted(by_area.items())
    ]


def _story(result: Result) -> _Story:
    state = "gate" if result.gates else "holds" if result.passed else "broken"
    if result.played is None:
        return _Story(result.name, result.area, result.name, state, result.mistake)
    zone = result.played.policy.office.tz
    turns = []
    for turn in result.played.turns:
        broken = tuple(str(finding) for finding in result.findings if finding.turn == turn.number)
        title = f"turn {turn.number}" if turn.number else "before"
        lines = tuple(
            _Line(s.at.astimezone(zone), s.who.value, s.words, s.note, s.rule, sentence(s.rule), s.reads)
            for s in turn.said
        )
        turns.append((title, lines, broken))
    end = tuple(str(finding) for finding in result.findings if finding.turn is None)
    return _Story(result.name, result.area, result.claim, state, "", tuple(turns), end)


def _confusion(judged: Sequence[Judged]) -> _Confusion | None:
    """Labels against what they were read as; None without messages."""
    if not judged:
        return None
    counts = Counter((j.message.label, str(j.verdict["label"])) for j in judged)
    there = {label for pair in counts for label in pair}
    labels = tuple(label for label in sorted(LABELS | there) if label in there)
    rows = []
    for label in labels:
        total = sum(counts[label, other] for other in labels)
        if total:
            cells = tuple((counts[label, o], round(100 * counts[label, o] / total)) for o in labels)
            rows.append((label, cells))
    return _Confusion(labels, tuple(rows))
