"""Who is followed up by machine, and in which order: eligibility with its reason, and a score with its points (P10).

Each rule `queue.*` looks at one thing. The first that speaks names why a case is left to staff or left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Contact, Flag, PatientStatus, Permission
from treatment_agent.domain.treatment import Case, Family, ProcedureStatus
from treatment_agent.domain.value import require_aware
from treatment_agent.policies.booking import in_scope, is_waiting, plan_visit
from treatment_agent.policies.practice import PracticePolicy, PriorityFactor
from treatment_agent.policies.teeth import teeth_of

log = logging.getLogger(__name__)

_FIRST_THINGS_FIRST: Final = (Family.ROOT_CANAL, Family.EXTRACTION)
_STAFF_FIRST: Final = (Family.SEDATION, Family.SURGERY)


@dataclass(frozen=True, slots=True)
class Points:
    """One factor of a score: how many points and why, in words for people."""

    factor: str
    points: int
    why: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether a case is followed up by machine. `score` is the sum of `points`; `skip_rule` is set if not eligible."""

    eligible: bool
    skip_rule: str | None
    score: int
    points: tuple[Points, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """One case as seen now, in the office's zone."""

    case: Case
    policy: PracticePolicy
    now: datetime
    today: date

    @property
    def age_days(self) -> int | None:
        """Days since the diagnosis; None when nobody knows."""
        diagnosed_on = self.case.diagnosed_on
        return (self.today - diagnosed_on).days if diagnosed_on else None

    @property
    def contact(self) -> Contact:
        """Whom we would write to today."""
        return self.case.patient.contact_on(self.today)

    @property
    def channel(self) -> Channel:
        """How the first text would travel."""
        steps = self.policy.cadence.steps
        return steps[0].channel if steps else Channel.SMS


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
    look = _Look(case, policy, now, now.astimezone(policy.office.tz).date())
    try:
        rule = next((rule for rule, applies in _RULES if applies(look)), None)
        points = _points(look)
    except Exception as error:
        log.warning("queue.unreadable case=%s error=%s", case.id, type(error).__name__)
        return Assessment(False, "queue.unreadable", 0, ())
    return Assessment(rule is None, rule, sum(p.points for p in points), points)


def _points(look: _Look) -> tuple[Points, ...]:
    own = (_age_points(look), _value_points(look), _year_end_points(look), _plan_points(look))
    factors = (_factor_points(factor, look) for factor in look.policy.priority_factors)
    return tuple(p for p in (*own, *factors) if p is not None)


def _age_points(look: _Look) -> Points | None:
    weights, age = look.policy.priority, look.age_days
    if age is None:
        return None
    if age <= weights.age_fresh_days:
        return Points("priority.age", weights.age_fresh_points, f"diagnosed {age} days ago")
    weeks = -(-(age - weights.age_fresh_days) // 7)
    left = max(weights.age_fresh_points + weeks * weights.age_points_per_week_after, 0)
    return Points("priority.age", left, f"diagnosed {age} days ago, {weeks} weeks past fresh")


def _value_points(look: _Look) -> Points:
    weights, cents = look.policy.priority, look.case.value_cents
    earned = min(cents * weights.value_points_per_1000_dollars // 100_000, weights.value_points_max)
    return Points("priority.value", earned, f"open treatment worth {cents // 100} dollars")


def _year_end_points(look: _Look) -> Points | None:
    weights = look.policy.priority
    if look.today.month not in weights.benefit_year_end_months:
        return None
    return Points("priority.benefit-year-end", weights.benefit_year_end_points, "most benefit years end on Dec 31")


def _plan_points(look: _Look) -> Points | None:
    weights = look.policy.priority
    high = {text.casefold() for text in weights.high_priority_texts}
    if not any(p.plan_priority.strip().casefold() in high for p in look.case.open_procedures):
        return None
    return Points("priority.plan", weights.plan_priority_points, "the treatment plan gives it a high priority")


def _factor_points(factor: PriorityFactor, look: _Look) -> Points:
    """Points of a product team's own factor: foreign code, so anything may happen in it."""
    name = type(factor).__name__
    try:
        name = str(factor.id)
        points = factor.points(look.case, look.today)
        if isinstance(points, bool) or not isinstance(points, int):
            raise TypeError("points must be an int")
    except Exception as error:
        log.warning("queue.factor-failed factor=%s error=%s", name, type(error).__name__)
        return Points(name, 0, f"could not be computed ({type(error).__name__})")
    return Points(name, points, "set by this practice")


def _has(*flags: Flag) -> Callable[[_Look], bool]:
    return lambda look: bool(look.case.patient.flags & set(flags))


def _is_inactive(look: _Look) -> bool:
    return look.case.patient.status is not PatientStatus.ACTIVE


def _is_deceased(look: _Look) -> bool:
    return look.case.patient.status is PatientStatus.DECEASED


def _is_booked(look: _Look) -> bool:
    """Any coming visit counts, whatever it is for: staff can raise the treatment there."""
    visit = look.case.next_visit_at
    scheduled = any(p.status is ProcedureStatus.SCHEDULED for p in look.case.procedures)
    return scheduled or (visit is not None and visit > look.now)


def _is_declined(look: _Look) -> bool:
    declined = any(p.status is ProcedureStatus.DECLINED for p in look.case.procedures)
    return declined and not look.case.open_procedures


def _nothing_open(look: _Look) -> bool:
    return not look.case.open_procedures


def _staff_family(look: _Look) -> bool:
    return any(p.family in _STAFF_FIRST for p in look.case.open_procedures)


def _out_of_order(look: _Look) -> bool:
    """An open root canal or extraction comes first on its tooth. A tooth nobody noted counts as the same one."""
    first = [teeth_of(p.tooth) for p in look.case.open_procedures if p.family in _FIRST_THINGS_FIRST]
    later = [
        teeth_of(p.tooth)
        for p in in_scope(look.case, look.policy)
        if p.family not in _FIRST_THINGS_FIRST and p.family is not Family.RECALL
    ]
    return any(not a or not b or a & b for a in first for b in later)


def _is_waiting(look: _Look) -> bool:
    waiting = any(is_waiting(p, look.policy) for p in look.case.open_procedures)
    return waiting and not in_scope(look.case, look.policy)


def _not_in_scope(look: _Look) -> bool:
    age = look.age_days
    early = age is not None and age < look.policy.scope.youngest_days
    return early or plan_visit(look.case, look.policy) is None


def _no_date(look: _Look) -> bool:
    return look.age_days is None


def _too_old(look: _Look) -> bool:
    return look.age_days is not None and look.age_days > look.policy.scope.oldest_days


def _confirm_first(look: _Look) -> bool:
    return look.age_days is not None and look.age_days > look.policy.scope.confirm_first_after_days


def _high_value(look: _Look) -> bool:
    limit = look.policy.scope.staff_first_above_cents
    return limit is not None and look.case.value_cents > limit


def _minor_alone(look: _Look) -> bool:
    age = look.case.patient.age_on(look.today)
    return age is not None and age < 18 and look.case.patient.guardian is None


def _no_contact(look: _Look) -> bool:
    return (look.contact.mobile if look.channel is Channel.SMS else look.contact.email) is None


def _no_consent(look: _Look) -> bool:
    patient = look.case.patient
    said = patient.sms if look.channel is Channel.SMS else patient.emailing
    return said is Permission.NO or (look.policy.contact.require_consent and said is not Permission.YES)


def _staff_recent(look: _Look) -> bool:
    spoke_at = look.case.last_staff_contact_at
    return spoke_at is not None and look.now < spoke_at + timedelta(days=look.policy.contact.staff_contact_days)


# In order: what must never be written to, what is settled, what staff do first, what is missing.
_RULES: Final[tuple[tuple[str, Callable[[_Look], bool]], ...]] = (
    ("queue.deceased", _is_deceased),
    ("queue.inactive", _is_inactive),
    ("queue.do-not-contact", _has(Flag.DO_NOT_CONTACT)),
    ("queue.already-booked", _is_booked),
    ("queue.declined", _is_declined),
    ("queue.no-open-procedures", _nothing_open),
    ("queue.protected", _has(Flag.PROTECTED)),
    ("queue.complaint", _has(Flag.OPEN_COMPLAINT, Flag.PAYMENT_DISPUTE)),
    ("queue.medical-alert", _has(Flag.MEDICAL_ALERT)),
    ("queue.balance", _has(Flag.BALANCE_DUE)),
    ("queue.preauthorization", _has(Flag.PENDING_PREAUTHORIZATION)),
    ("queue.staff-first-family", _staff_family),
    ("queue.dental-order", _out_of_order),
    ("queue.waiting", _is_waiting),
    ("queue.not-in-scope", _not_in_scope),
    ("queue.high-value", _high_value),
    ("queue.no-date", _no_date),
    ("queue.too-old", _too_old),
    ("queue.confirm-first", _confirm_first),
    ("queue.minor-without-guardian", _minor_alone),
    ("queue.no-contact", _no_contact),
    ("queue.no-consent", _no_consent),
    ("queue.staff-recent", _staff_recent),
)
