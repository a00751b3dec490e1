"""Shares with the interval they may really lie in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `total`. A share of nothing is 0, with the interval 0 to 1."""

    hits: int
    total: int

    @staticmethod
    def of(outcomes: Iterable[bool]) -> Share:
        """Count outcomes."""
        every = [bool(outcome) for outcome in outcomes]
        return Share(sum(every), len(every))

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson score interval at 95 %: where the true share may lie (E. B. Wilson, 1927)."""
        if not self.total:
            return 0.0, 1.0
        square = Z_95 * Z_95 / self.total
        middle = self.value + square / 2
        half = Z_95 * math.sqrt(self.value * (1 - self.value) / self.total + square / (4 * self.total))
        return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))

    def __str__(self) -> str:
        """`98.1 % [96.9, 98.9] of 640`."""
        low, high = self.interval
        return f"{100 * self.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}] of {self.total}"


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger `first` is than `second`, in [-1, 1]: the lift of one group over another."""

    first: Share
    second: Share

    @property
    def value(self) -> float:
        """First minus second."""
        return self.first.value - self.second.value

    @property
    def interval(self) -> tuple[float, float]:
        """At 95 %, from the two Wilson intervals (R. G. Newcombe, 1998, method 10); -1 to 1 if a group is empty."""
        if not self.first.total or not self.second.total:
            return -1.0, 1.0
        (low, high), (other_low, other_high) = self.first.interval, self.second.interval
        below = math.hypot(self.first.value - low, other_high - self.second.value)
        above = math.hypot(high - self.first.value, self.second.value - other_low)
        return max(-1.0, self.value - below), min(1.0, self.value + above)
