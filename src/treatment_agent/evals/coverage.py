"""What a suite of dialogues reaches: phases, edges of the state machine, scripts in each language, topics, rules."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from treatment_agent.domain.conversation import TRANSITIONS, Phase
from treatment_agent.domain.interpretation import Topic
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.played import Played
from treatment_agent.evals.reading import FOLDER
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.rules import RULES, sentence

KINDS = ("phase", "edge", "script", "topic", "rule")
# Rules about an office's own texts; no conversation reaches them.
_OF_TEXTS = "lint."


@dataclass(frozen=True, slots=True)
class Coverage:
    """Per kind, what is reached and what there is. `excused` names what no dialogue can reach, each with its reason."""

    reached: Mapping[str, frozenset[str]]
    known: Mapping[str, tuple[str, ...]]
    excused: Mapping[str, str] = field(default_factory=dict)

    def missing(self, kind: str) -> tuple[str, ...]:
        """What no dialogue reaches, and nobody excused."""
        reached = self.reached.get(kind, frozenset())
        return tuple(name for name in self.known[kind] if name not in reached and f"{kind} {name}" not in self.excused)

    @property
    def idle(self) -> tuple[str, ...]:
        """Excuses for what is reached all the same, or does not exist."""
        there = {f"{kind} {name}": name in self.reached.get(kind, ()) for kind in KINDS for name in self.known[kind]}
        return tuple(name for name in self.excused if there.get(name, True))

    @property
    def complete(self) -> bool:
        """True if nothing is missing and no excuse is idle."""
        return not self.idle and not any(self.missing(kind) for kind in KINDS)


def coverage(reached: Iterable[str], policy: PracticePolicy, excused: Mapping[str, str] | None = None) -> Coverage:
    """Count what dialogues reach.

    Args:
        reached: `kind name` of everything, as `reached_by` gives it for one dialogue.
        policy: Whose scripts there are.
        excused: `kind name` -> reason, as `read_excuses` gives them.
    """
    by_kind: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for one in reached:
        kind, _, name = one.partition(" ")
        by_kind[kind].add(name)
    return Coverage({kind: frozenset(names) for kind, names in by_kind.items()}, _known(policy), dict(excused or {}))


def told(found: Coverage) -> Iterator[str]:
    """What is wrong with the coverage, line by line: what nobody reaches, and excuses that are none."""
    for kind in KINDS:
        for name in found.missing(kind):
            words = sentence(name) if kind == "rule" else ""
            yield f"no dialogue reaches {kind} {name}{f': {words}' if words else ''}"
    for excuse in found.idle:
        yield f"excused, but reached or unknown: {excuse}"


def _known(policy: PracticePolicy) -> dict[str, tuple[str, ...]]:
    edges = (f"{phase} {move}" for move, (starts, _) in TRANSITIONS.items() for phase in starts)
    scripts = {f"{script.id} {script.language}" for script in policy.scripts.scripts}
    return {
        "phase": tuple(Phase),
        "edge": tuple(sorted(edges)),
        "script": tuple(sorted(scripts)),
        "topic": tuple(Topic),
        "rule": tuple(rule for rule in sorted(RULES) if not rule.startswith(_OF_TEXTS)),
    }


def reached_by(played: Played) -> frozenset[str]:
    """`kind name` of everything that one dialogue reaches."""
    return frozenset(f"{kind} {name}" for kind, name in _reached(played))


def _reached(played: Played) -> Iterator[tuple[str, str]]:
    for turn in played.turns:
        yield from (("rule", rule) for rule in (*turn.rules, *turn.waiting))
        for outcome in turn.outcomes:
            yield "phase", outcome.phase_before.value
            yield "phase", outcome.phase_after.value
    for phase, move in played.edges:
        yield "edge", f"{phase} {move}"
    for one in played.sent:
        yield "script", f"{one.message.script_id} {one.message.language}"
        if one.message.subject:
            yield "script", f"email-footer {one.message.language}"
    for packet in played.books.handoffs:
        yield from (("topic", topic.value) for topic in packet.topics)
    for rows in played.books.outbox.values():
        yield from (("rule", row.rule) for row in rows if row.rule)
    yield from (("rule", rule) for rule in played.books.journal)
    for stored in played.books.history.values():
        records = (event.outcome for event in stored if event.outcome is not None)
        yield from (("rule", rule) for one in records for rule in (*one.rules, *(task.rule for task in one.handoffs)))


def excuses_of(file: Path) -> Path:
    """Where the excuses of a dialogue's suite stand: `unreached.toml` beside the folder called `dialogues`."""
    folder = next((parent.parent for parent in file.parents if parent.name == FOLDER), file.parent)
    return folder / "unreached.toml"


def read_excuses(place: Path) -> dict[str, str]:
    """Read a file such as `evals/unreached.toml`: a table per kind, name = reason.

    Raises:
        ConfigurationError: it is not TOML, names an unknown kind, or a reason is missing.
    """
    if not place.is_file():
        return {}
    try:
        raw = tomllib.loads(place.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{place}: {error}") from None
    excuses: dict[str, str] = {}
    for kind, names in raw.items():
        if kind not in KINDS or not isinstance(names, dict):
            raise ConfigurationError(f"{place}: [{kind}]: write one of the tables {', '.join(KINDS)}")
        for name, reason in names.items():
            if not isinstance(reason, str) or not reason.strip():
                raise ConfigurationError(f"{place}: {kind} {name!r}: say why no dialogue can reach it")
            excuses[f"{kind} {name}"] = reason
    return excuses
