"""Who comes first: a score as the sum of named points, each explained (P10).

An own factor is a small pure function:

    @priority_factor("priority.loyalty", why="has been coming for years")
    def loyalty(case: Case, today: date) -> int:
        return 5 if case.patient.id in OLD_FRIENDS else 0

    policy.model_copy(update={"priority_factors": (loyalty,)})
"""

from __future__ import annotations

import logging
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol, runtime_checkable

from pydantic import Field

from treatment_agent.domain.treatment import Case
from treatment_agent.domain.value import Value
from treatment_agent.policies.eligibility import folded

log = logging.getLogger(__name__)

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Points:
    """One factor of a score: how many points and why, in words for people."""

    factor: str
    points: int
    why: str


class PriorityWeights(Value):
    """Points per factor; a case's score is their sum.

    The dental plan's year ends with `benefit_year_end_month` (12: calendar year) unless the chart knows the patient's
    own month; in the last `benefit_months` of it `benefit_year_end_points` count. A missed visit costs
    `missed_visit_points`, at most `missed_visits_max` times. `provider_points` are (provider id, points).
    """

    age_fresh_points: int = 30
    age_fresh_days: int = 14
    age_points_per_week_after: int = -1
    value_points_per_1000_dollars: int = 5
    value_points_max: int = 25
    benefit_year_end_points: int = 20
    benefit_year_end_month: int = Field(default=12, ge=1, le=12)
    benefit_months: int = Field(default=3, ge=0, le=12)
    missed_visit_points: int = -5
    missed_visits_max: int = Field(default=3, ge=0)
    provider_points: tuple[tuple[str, int], ...] = ()
    plan_priority_points: int = 15
    high_priority_texts: tuple[str, ...] = ("1", "urgent", "high")


@runtime_checkable
class PriorityFactor(Protocol):
    """A product team's own priority factor. `why`, where it has one, explains the points."""

    @property
    def id(self) -> str:
        """Stable id, for example `priority.loyalty`."""
        ...

    def points(self, case: Case, today: date) -> int:
        """Points to add for this case."""
        ...


@dataclass(frozen=True, slots=True)
class FunctionFactor:
    """A pure function as a `PriorityFactor`; `today` is the office's date. Made by `priority_factor`."""

    id: str
    function: Callable[[Case, date], int]
    why: str = "set by this practice"

    def points(self, case: Case, today: date) -> int:
        """What the function says."""
        return self.function(case, today)


def priority_factor(
    factor_id: str, *, why: str = "set by this practice"
) -> Callable[[Callable[[Case, date], int]], FunctionFactor]:
    """Turn a pure function `(case, today) -> points` into a factor with this stable id."""
    return lambda function: FunctionFactor(factor_id, function, why)


def points_of(
    case: Case, today: date, weights: PriorityWeights, factors: Iterable[PriorityFactor] = ()
) -> tuple[Points, ...]:
    """Every factor that speaks about this case. `today` is the office's date."""
    shipped = (factor(case, today, weights) for factor in _SHIPPED)
    own = (_own_points(factor, case, today) for factor in factors)
    return tuple(p for p in (*shipped, *own) if p is not None)


def _age(case: Case, today: date, weights: PriorityWeights) -> Points | None:
    """Fresh diagnoses count in full; after that the points go down by the week, never below zero."""
    diagnosed_on = case.diagnosed_on
    if diagnosed_on is None:
        return None
    age = (today - diagnosed_on).days
    if age <= weights.age_fresh_days:
        return Points("priority.age", weights.age_fresh_points, f"diagnosed {age} days ago")
    weeks = -(-(age - weights.age_fresh_days) // 7)
    left = max(weights.age_fresh_points + weeks * weights.age_points_per_week_after, 0)
    return Points("priority.age", left, f"diagnosed {age} days ago, {weeks} weeks past fresh")


def _value(case: Case, today: date, weights: PriorityWeights) -> Points:
    cents = case.value_cents
    earned = min(cents * weights.value_points_per_1000_dollars // 100_000, weights.value_points_max)
    return Points("priority.value", earned, f"open treatment worth {cents // 100} dollars")


def _benefits(case: Case, today: date, weights: PriorityWeights) -> Points | None:
    """The last months of the patient's own benefit year, or of the usual one when the chart does not know it."""
    month = case.patient.benefits_end_month or weights.benefit_year_end_month
    left = (month - today.month) % 12
    if left >= weights.benefit_months:
        return None
    year = today.year + (today.month + left - 1) // 12
    weeks = (date(year, month, monthrange(year, month)[1]) - today).days // 7
    whose = "the patient's benefit year ends" if case.patient.benefits_end_month else "most benefit years end"
    why = f"{whose} with {_MONTHS[month - 1]}, in {weeks} weeks"
    return Points("priority.benefit-year-end", weights.benefit_year_end_points, why)


def _missed(case: Case, today: date, weights: PriorityWeights) -> Points | None:
    missed = case.patient.missed_visits
    if not missed or not weights.missed_visit_points:
        return None
    counted = min(missed, weights.missed_visits_max)
    why = f"{missed} visits missed or cancelled late"
    return Points("priority.missed-visits", counted * weights.missed_visit_points, why)


def _provider(case: Case, today: date, weights: PriorityWeights) -> Points | None:
    """The most that any provider of the open treatment gets."""
    if not weights.provider_points:
        return None
    providers = {p.provider_id or case.provider_id for p in case.open_procedures}
    found = [points for provider_id, points in weights.provider_points if provider_id in providers]
    return Points("priority.provider", max(found), "the office's rule for this provider") if found else None


def _plan(case: Case, today: date, weights: PriorityWeights) -> Points | None:
    high = folded(weights.high_priority_texts)
    if not any(p.plan_priority.strip().casefold() in high for p in case.open_procedures if p.plan_priority):
        return None
    return Points("priority.plan", weights.plan_priority_points, "the treatment plan gives it a high priority")


_SHIPPED: Final = (_age, _value, _benefits, _missed, _provider, _plan)


def _own_points(factor: PriorityFactor, case: Case, today: date) -> Points:
    """Points of a product team's own factor: foreign code, so anything may happen in it."""
    name = type(factor).__name__
    try:
        name = str(factor.id)
        points = factor.points(case, today)
        if isinstance(points, bool) or not isinstance(points, int):
            raise TypeError("points must be an int")
        why = str(getattr(factor, "why", "set by this practice"))
    except Exception as error:
        log.warning("queue.factor-failed factor=%s error=%s", name, type(error).__name__)
        return Points(name, 0, f"could not be computed ({type(error).__name__})")
    return Points(name, points, why)
