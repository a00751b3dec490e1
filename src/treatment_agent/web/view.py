"""Plain values the page is drawn from. A test can build one without a coordinator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Side(StrEnum):
    """Who an entry of a thread belongs to. `NOTE` is something that happened without a text."""

    PATIENT = "patient"
    OFFICE = "office"
    STAFF = "staff"
    NOTE = "note"


class Tone(StrEnum):
    """How an entry or badge is coloured; the words always say the same, so colour is never the only sign."""

    PLAIN = "plain"
    GOOD = "good"
    CARE = "care"
    STOP = "stop"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Count:
    """One bar: a label, how many, and a short remark."""

    label: str
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ClauseView:
    """One clause of a patient's message and how it was read. `label` is empty when the reader abstained."""

    start: int
    end: int
    label: str
    confidence: float
    threshold: float
    part: str
    rule: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a message, with the clause it belongs to, if any."""

    text: str
    clause: ClauseView | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a thread. `at` is aware, in the office's zone. `detail` holds (name, value) pairs."""

    at: datetime
    side: Side
    text: str = ""
    title: str = ""
    tone: Tone = Tone.PLAIN
    rules: tuple[str, ...] = ()
    clauses: tuple[ClauseView, ...] = ()
    detail: tuple[tuple[str, str], ...] = ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The text cut at clause boundaries, every character exactly once."""
        return cut(self.text, self.clauses)


@dataclass(frozen=True, slots=True)
class ThreadView:
    """One conversation. `topics` are handoff topics, `reasons` why not yet; all are labels, not codes of a person."""

    id: str
    patient_id: str
    name: str
    phase: str
    tone: Tone = Tone.PLAIN
    outcome: str = ""
    language: str = "en"
    subject: str = ""
    score: int | None = None
    topics: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def snippet(self) -> str:
        """The last words said in the thread, for the list."""
        return next((e.text for e in reversed(self.entries) if e.text), "")

    @property
    def last_at(self) -> datetime | None:
        """When something last happened."""
        return self.entries[-1].at if self.entries else None

    @property
    def message_count(self) -> int:
        """Texts in both directions."""
        return sum(1 for e in self.entries if e.text)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the period: texts out, texts in, bookings and handoffs."""

    on: date
    sent: int = 0
    received: int = 0
    booked: int = 0
    handed_off: int = 0


@dataclass(frozen=True, slots=True)
class HandoffView:
    """One line of the staff list. `draft` is a language model's summary, marked as such."""

    thread_id: str
    patient_id: str
    topic: str
    urgency: str
    owner: str
    status: str
    opened_at: datetime
    due_at: datetime
    summary: str
    kind: str = "handoff"
    draft: str = ""


@dataclass(frozen=True, slots=True)
class PageView:
    """Everything on the page. Money is in cents, `days_to_scheduled` in whole days from diagnosis to booking."""

    office: str
    since: datetime
    until: datetime
    funnel: tuple[Count, ...] = ()
    topics: tuple[Count, ...] = ()
    reasons: tuple[Count, ...] = ()
    declined: tuple[Count, ...] = ()
    outcomes: tuple[Count, ...] = ()
    paths: tuple[Count, ...] = ()
    skipped: tuple[Count, ...] = ()
    rejected: tuple[str, ...] = ()
    days_to_scheduled: tuple[int, ...] = ()
    days: tuple[Day, ...] = ()
    handoffs: tuple[HandoffView, ...] = ()
    threads: tuple[ThreadView, ...] = ()
    value_entered_cents: int = 0
    value_booked_cents: int = 0
    sample: bool = False
    notes: tuple[str, ...] = ()

    @property
    def phases(self) -> tuple[str, ...]:
        """Phases found in the threads, for the filter."""
        return _distinct(t.phase for t in self.threads)

    @property
    def thread_topics(self) -> tuple[str, ...]:
        """Handoff topics found in the threads, for the filter."""
        return _distinct(topic for t in self.threads for topic in t.topics)

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages found in the threads, for the filter."""
        return _distinct(t.language for t in self.threads)


def _distinct(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({label for label in labels if label}))


def cut(text: str, clauses: Iterable[ClauseView]) -> tuple[Piece, ...]:
    """Cut `text` at the clauses' borders. Overlaps go to the first clause; offsets outside the text are clipped."""
    pieces: list[Piece] = []
    at = 0
    for clause in sorted(clauses, key=lambda c: (c.start, -c.end)):
        start, end = max(clause.start, at), min(clause.end, len(text))
        if start >= end:
            continue
        if start > at:
            pieces.append(Piece(text[at:start]))
        pieces.append(Piece(text[start:end], clause))
        at = end
    if at < len(text):
        pieces.append(Piece(text[at:]))
    return tuple(pieces)


def median(values: tuple[int, ...]) -> float | None:
    """The middle value, or None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
