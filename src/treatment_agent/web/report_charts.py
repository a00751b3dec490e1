"""Geometry of the report's charts, in percent of the drawing's width and height, so that they fit any screen.

The drawings stretch (`preserveAspectRatio="none"`), so words stand beside them in HTML and keep their size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from treatment_agent.domain.measures import Cohort
from treatment_agent.domain.shares import Share
from treatment_agent.domain.survival import Survival

MOST_COHORTS = 12
_STEPS = (1, 2, 5, 7, 10, 14, 20, 30, 60, 90, 120, 180, 365)


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share and its interval on a scale from 0 to `top` percent; x positions in percent of the width."""

    low: float
    at: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """How the share that is scheduled grows with the days since diagnosis.

    `line` and `band` are SVG path data in a 100 x 100 box. `days` and `median_x` mark the horizontal axis.
    """

    line: str
    band: str
    days: tuple[tuple[int, float], ...]
    median_x: float | None
    median: float | None


@dataclass(frozen=True, slots=True)
class CohortColumn:
    """One week or month: heights in percent of the fullest one."""

    label: str
    entered: int
    booked: Share
    value_booked_cents: int
    height: float
    booked_height: float
    is_running: bool


def whisker(share: Share, top: float = 1.0) -> Whisker:
    """The positions of a share; a share of nothing spans everything."""
    low, high = share.interval
    return Whisker(*(round(100 * min(x / top, 1.0), 2) for x in (low, share.value, high)))


def scale_of(shares: Iterable[Share]) -> float:
    """A round upper end that holds every value, and most of the intervals of groups that are not tiny."""
    shares = [share for share in shares if share.total]
    needed = max((max(s.value, s.interval[1] if s.total >= 10 else 0.0) for s in shares), default=1.0)
    return next((end for end in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if end >= needed), 1.0)


def curve(times: Survival) -> Curve | None:
    """The growing share, or None when nothing has been scheduled yet."""
    if not times.happened:
        return None
    last = max(times.steps[-1].time, 1.0)
    width = _round_up(last)
    x = [round(100 * step.time / width, 2) for step in times.steps]
    line = _stairs(x, [100 * step.waiting for step in times.steps])
    upper = _corners(x, [100 * step.low for step in times.steps])
    lower = _corners(x, [100 * step.high for step in times.steps])
    band = "M" + "L".join(f"{a:g},{b:g}" for a, b in (*upper, *reversed(lower))) + "Z"
    median = times.median
    return Curve(
        line=line,
        band=band,
        days=_ticks(width),
        median_x=None if median is None else round(100 * median / width, 2),
        median=median,
    )


def _round_up(days: float) -> float:
    return next((float(n) for n in (7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 730) if n >= days), days)


def _ticks(width: float) -> tuple[tuple[int, float], ...]:
    step = next((n for n in _STEPS if width / n <= 5), _STEPS[-1])
    return tuple((day, round(100 * day / width, 2)) for day in range(0, int(width) + 1, step))


def _corners(x: Sequence[float], y: Sequence[float]) -> list[tuple[float, float]]:
    """A staircase from the top left (nothing scheduled) to the right edge."""
    points = [(0.0, 100.0)]
    for across, down in zip(x, y, strict=True):
        points += [(across, points[-1][1]), (across, round(down, 2))]
    return [*points, (100.0, points[-1][1])]


def _stairs(x: Sequence[float], y: Sequence[float]) -> str:
    return "M" + "L".join(f"{a:g},{b:g}" for a, b in _corners(x, y))


def columns(cohorts: Sequence[Cohort], *, monthly: bool) -> tuple[CohortColumn, ...]:
    """The last twelve, oldest first."""
    shown = cohorts[-MOST_COHORTS:]
    fullest = max((c.funnel.entered for c in shown), default=0)
    return tuple(
        CohortColumn(
            label=f"{c.starts_on:%b %Y}" if monthly else _day(c.starts_on),
            entered=c.funnel.entered,
            booked=c.funnel.booked,
            value_booked_cents=c.funnel.value_booked_cents,
            height=round(100 * c.funnel.entered / fullest, 2),
            booked_height=round(100 * c.funnel.booked.hits / fullest, 2),
            is_running=c.is_running,
        )
        for c in shown
    )


def _day(day: date) -> str:
    return f"{day:%b} {day.day}"
