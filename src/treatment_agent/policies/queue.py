"""Who is followed up by machine, and in which order: eligibility with its reason, and a score with its points (P10).

The rules are in `policies.exclusions`, the points in `policies.priority`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from treatment_agent.domain.treatment import Case
from treatment_agent.domain.value import require_aware
from treatment_agent.policies.exclusions import STAFF_LOOKS, Look, all_rules, first_rule, missing_fields
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.priority import Points, points_of

__all__ = ["Assessment", "Points", "assess", "reasons"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether a case is followed up by machine. `score` is the sum of `points`; `skip_rule` is set if not eligible.

    `found` is what that rule saw, such as "lacks email": field names and dates, nothing about the person.
    """

    eligible: bool
    skip_rule: str | None
    score: int
    points: tuple[Points, ...]
    found: str = ""

    @property
    def staff_looks(self) -> bool:
        """True when the case is left out, but a person should look at it."""
        return self.skip_rule in STAFF_LOOKS


def assess(case: Case, policy: PracticePolicy, now: datetime) -> Assessment:
    """Decide whether a case is followed up by machine, and how early.

    A rule or a product team's factor that fails never fails the run: a failing rule leaves the case to staff
    (`queue.unreadable`), a failing factor counts nothing and says so.

    Args:
        case: The case as the source tells it.
        policy: The office's scope, weights and contact rules.
        now: Current instant, aware.

    Raises:
        NaiveDatetimeError: `now` has no UTC offset. Nothing else, whatever the case holds.
    """
    require_aware(now, "now")
    look = _look(case, policy, now)
    try:
        rule = first_rule(look)
        points = points_of(case, look.today, policy.priority, policy.priority_factors)
        score = sum(p.points for p in points)
        found = detail(rule, look) if rule else ""
    except Exception as error:
        log.warning("queue.unreadable case=%s error=%s", getattr(case, "id", ""), type(error).__name__)
        return Assessment(False, "queue.unreadable", 0, ())
    return Assessment(rule is None, rule, score, points, found)


def reasons(case: Case, policy: PracticePolicy, now: datetime) -> tuple[tuple[str, str], ...]:
    """Every rule that keeps the case out, the weightiest first, each with what it found (codes only).

    Raises:
        NaiveDatetimeError: `now` has no UTC offset.
    """
    require_aware(now, "now")
    look = _look(case, policy, now)
    try:
        return tuple((rule, detail(rule, look)) for rule in all_rules(look))
    except Exception as error:
        log.warning("queue.unreadable case=%s error=%s", getattr(case, "id", ""), type(error).__name__)
        return (("queue.unreadable", ""),)


def detail(rule: str, look: Look) -> str:
    """What a rule found, for a journal: field names and dates, never a name or number of the patient's."""
    if rule == "queue.required-field":
        return "lacks " + ", ".join(field.value for field in missing_fields(look))
    if rule == "queue.stale-data" and look.case.synced_at is not None:
        return f"read {look.case.synced_at.astimezone(look.policy.office.tz):%Y-%m-%d %H:%M}"
    if rule in ("queue.too-old", "queue.confirm-first"):
        return f"diagnosed {look.age_days} days ago"
    if rule == "queue.other-visit" and look.case.next_visit_at is not None:
        return f"on {look.case.next_visit_at.astimezone(look.policy.office.tz):%Y-%m-%d}"
    return ""


def _look(case: Case, policy: PracticePolicy, now: datetime) -> Look:
    return Look(case, policy, now, now.astimezone(policy.office.tz).date())
