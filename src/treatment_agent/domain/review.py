"""The weekly review: what patients say against it, in their own words, and what in the office's own ways is in the way.

The words are for the office's own eyes: they are never shown by `repr`, and nothing here is logged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from treatment_agent.domain.scheduling import Window


@dataclass(frozen=True, slots=True)
class Happening:
    """One handled event of the period: its kind, the rules that spoke, and what a patient asked for in it."""

    case_id: str
    at: datetime
    kind: str
    rules: tuple[str, ...]
    windows: tuple[Window, ...] = ()
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class SaidReason:
    """Why a patient has not scheduled, and the message in which they said so."""

    case_id: str
    at: datetime
    code: str
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DueHandoff:
    """A handoff that fell due in the period."""

    case_id: str
    topic: str
    owner: str
    due_at: datetime
    acknowledged_at: datetime | None


@dataclass(frozen=True, slots=True)
class PeriodBooks:
    """What the ledger tells of a period. `left_out` counts the cases that are not written to now, by rule."""

    happenings: tuple[Happening, ...] = ()
    reasons: tuple[SaidReason, ...] = ()
    due: tuple[DueHandoff, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason, how many patients gave it, and up to a few of their own messages, the newest first."""

    code: str
    patients: int
    words: tuple[str, ...] = field(default=(), repr=False)

    @property
    def repeats(self) -> bool:
        """More than one patient says it."""
        return self.patients > 1


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the office's ways that got in the way: `id` is stable, `what` and `fix` are for people.

    `times` counts happenings, `patients` how many it met. `detail` is the weekday, part of the day, topic or rule.
    """

    id: str
    what: str
    fix: str
    times: int
    patients: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AskedTime:
    """What times patients asked for: a weekday or part of the day, how often, and how often nothing open suited."""

    when: str
    times: int
    unmet: int


@dataclass(frozen=True, slots=True)
class Review:
    """The period `[since, until)`: objections and faults, each the most frequent first."""

    since: datetime
    until: datetime
    messages: int = 0
    objections: tuple[Objection, ...] = ()
    asked_times: tuple[AskedTime, ...] = ()
    faults: tuple[Fault, ...] = ()
