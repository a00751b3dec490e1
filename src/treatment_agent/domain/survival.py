"""How long things take when some of them have not happened yet: the Kaplan-Meier estimate and its median."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from treatment_agent.domain.shares import Z_95


@dataclass(frozen=True, slots=True)
class Step:
    """After `time`, the share `waiting` has not happened yet; `low` and `high` are its 95 % band. `at_risk` counts."""

    time: float
    at_risk: int
    waiting: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Survival:
    """Times until something happened, with those counted in that still wait (E. L. Kaplan and P. Meier, 1958).

    Leaving out what has not happened yet would make everything look quick: only the quick ones are done so far. The
    unit of time is the caller's. `happened` and `waiting` are counts.
    """

    happened: int = 0
    waiting: int = 0
    steps: tuple[Step, ...] = ()

    @staticmethod
    def of(spans: Iterable[tuple[float, bool]]) -> Survival:
        """Estimate from (how long, whether it happened then). A negative time counts as 0."""
        done: Counter[float] = Counter()
        still: Counter[float] = Counter()
        for length, happened in spans:
            (done if happened else still)[max(length, 0)] += 1
        at_risk = sum(done.values()) + sum(still.values())
        share, variance = 1.0, 0.0
        steps = []
        for time in sorted(done.keys() | still.keys()):
            count = done[time]
            if count:
                share *= 1 - count / at_risk
                if at_risk > count:
                    variance += count / (at_risk * (at_risk - count))
                low, high = _band(share, variance)
                steps.append(Step(time, at_risk, share, low, high))
            at_risk -= count + still[time]
        return Survival(sum(done.values()), sum(still.values()), tuple(steps))

    @property
    def total(self) -> int:
        """All that were watched."""
        return self.happened + self.waiting

    @property
    def median(self) -> float | None:
        """The time by which half have happened, or None while fewer than half have."""
        return next((s.time for s in self.steps if s.waiting <= 0.5), None)

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """Where the true median may lie, at 95 % (R. Brookmeyer and J. Crowley, 1982); None for an open end."""
        low = next((s.time for s in self.steps if s.low <= 0.5), None)
        high = next((s.time for s in self.steps if s.high <= 0.5), None)
        return low, high

    def happened_by(self, time: float) -> float:
        """The share that has happened by `time`, in [0, 1]."""
        return 1 - next((s.waiting for s in reversed(self.steps) if s.time <= time), 1.0)


def _band(share: float, variance: float) -> tuple[float, float]:
    """Greenwood's variance on the log-log scale, which keeps the band within [0, 1]."""
    if share <= 0.0:
        return 0.0, 0.0
    if share >= 1.0 or variance <= 0.0:
        return share, share
    spread = Z_95 * math.sqrt(variance) / abs(math.log(share))
    return share ** math.exp(spread), share ** math.exp(-spread)
