"""The arithmetic behind the drawn charts: shares, buckets and column heights."""

from __future__ import annotations

from dataclasses import dataclass

from treatment_agent.web.view import Count, Day

_BUCKETS: tuple[tuple[int, int | None], ...] = ((0, 7), (8, 14), (15, 30), (31, 60), (61, 120), (121, None))


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its length in percent of the longest, and its shares in percent where they mean something."""

    label: str
    count: int
    note: str
    length: float
    of_first: int | None = None
    of_previous: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One day of the activity chart; heights in percent of the busiest day in either direction."""

    day: Day
    up: float
    down: float


def bars(counts: tuple[Count, ...]) -> tuple[Bar, ...]:
    """Bars whose lengths compare with the largest count; an empty or all-zero chart has zero-length bars."""
    top = max((c.count for c in counts), default=0)
    return tuple(Bar(c.label, c.count, c.note, _share(c.count, top)) for c in counts)


def funnel(steps: tuple[Count, ...]) -> tuple[Bar, ...]:
    """Bars whose lengths compare with the first step, with the share kept from the first and from the step before."""
    made: list[Bar] = []
    first = steps[0].count if steps else 0
    for number, step in enumerate(steps):
        before = steps[number - 1].count if number else 0
        made.append(
            Bar(
                step.label,
                step.count,
                step.note,
                _share(step.count, first),
                round(_share(step.count, first)) if number and first else None,
                round(_share(step.count, before)) if number and before else None,
            )
        )
    return tuple(made)


def histogram(days: tuple[int, ...]) -> tuple[Bar, ...]:
    """How many values fall in each bucket of days; buckets widen because what matters is the first weeks."""
    counts = tuple(
        Count(
            f"{low}-{high}" if high is not None else f"{low}+",
            sum(1 for d in days if d >= low and (high is None or d <= high)),
        )
        for low, high in _BUCKETS
    )
    return bars(counts)


def columns(days: tuple[Day, ...]) -> tuple[Column, ...]:
    """Texts out upwards, texts in downwards, on one scale."""
    top = max((max(d.sent, d.received) for d in days), default=0)
    return tuple(Column(d, _share(d.sent, top), _share(d.received, top)) for d in days)


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
