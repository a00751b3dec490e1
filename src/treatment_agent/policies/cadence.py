"""When the next touch falls due, which text it is, and when a person should look instead (P7).

Steps are days apart at a wall-clock time in the office's zone. A step that falls on a day without outreach moves to
the next day at the same time. What is overdue is never sent in a burst: one step, then the gap of the next.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from treatment_agent.domain.treatment import Case
from treatment_agent.domain.value import require_aware
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.zones import blocked_by

_SEARCH_DAYS: Final = 60


def first_due(case: Case, policy: PracticePolicy, now: datetime) -> datetime:
    """When the first touch of a case falls due (UTC): the visit day plus the step's days, at the step's time.

    If that has passed, or nobody knows the visit day: the next time of day of the step, today or on the next day that
    allows outreach. Without steps: now, and a person reviews.
    """
    require_aware(now, "now")
    if not policy.cadence.steps:
        return now.astimezone(UTC)
    step = policy.cadence.steps[0]
    visit_on = case.visit_on or case.diagnosed_on
    today = now.astimezone(policy.office.tz).date()
    planned = max(visit_on + timedelta(days=step.after_days), today) if visit_on else today
    due = _settled(planned, step.at, policy)
    return due if due >= now else _settled(today + timedelta(days=1), step.at, policy)


def after_touch(step: int, policy: PracticePolicy, now: datetime) -> tuple[int, datetime]:
    """What follows the touch `step` that went out at `now`: the next step and when it falls due (UTC).

    After the last step the index equals the number of steps: `review_after_days` later a person should look.
    """
    require_aware(now, "now")
    steps = policy.cadence.steps
    today = now.astimezone(policy.office.tz).date()
    following = min(step + 1, len(steps))
    if following < len(steps):
        coming = steps[following]
        return following, _settled(today + timedelta(days=coming.after_days), coming.at, policy)
    at = steps[-1].at if steps else time(10)
    return following, _at(today + timedelta(days=policy.cadence.review_after_days), at, policy)


def is_review(step: int, policy: PracticePolicy) -> bool:
    """True when every step has been sent and a person should look."""
    return step >= len(policy.cadence.steps)


def script_for(step: int, policy: PracticePolicy, case: Case, now: datetime, slots: int) -> str:
    """The script of a step, in the variant that fits: `-stale` for an old diagnosis, `-one` or `-none` for few slots.

    `slots` is how many openings were found. A variant that the office has not written is not used. At or after
    `cadence.stale_after_days`, or when nobody knows the date, the diagnosis counts as old.

    Raises:
        IndexError: there is no such step; ask `is_review` first.
    """
    script_id = policy.cadence.steps[step].script_id
    stale = f"{script_id}-stale"
    known = any(policy.scripts.has(stale, language) for language in ("en", case.patient.language))
    if known and _is_stale(case, policy, now):
        script_id = stale
    return policy.scripts.fitting(script_id, slots)


def _is_stale(case: Case, policy: PracticePolicy, now: datetime) -> bool:
    diagnosed_on = case.diagnosed_on
    if diagnosed_on is None:
        return True
    today = now.astimezone(policy.office.tz).date()
    return (today - diagnosed_on).days >= policy.cadence.stale_after_days


def _settled(day: date, at: time, policy: PracticePolicy) -> datetime:
    """The step's time on the first day from `day` on that allows outreach in the office's zone."""
    for offset in range(_SEARCH_DAYS):
        due = _at(day + timedelta(days=offset), at, policy)
        if blocked_by(due, (policy.office.tz,), policy.contact, policy.office) is None:
            return due
    return _at(day, at, policy)


def _at(day: date, at: time, policy: PracticePolicy) -> datetime:
    return datetime.combine(day, at, policy.office.tz).astimezone(UTC)
