"""When the next touch falls due, which text it is, and when a person should look instead (P7).

Steps are days apart at a wall-clock time in the office's zone. A step that falls on a day without outreach moves to
the next day at the same time. What is overdue is never sent in a burst: one step, then the gap of the next.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.treatment import Case, CaseKind
from treatment_agent.domain.value import require_aware
from treatment_agent.policies.booking import plan_visit
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.steps import Cadence, CadenceVariant, Step
from treatment_agent.policies.workflows import Workflow
from treatment_agent.policies.zones import blocked_by

_SEARCH_DAYS: Final = 60


def workflow_of(case: Case, policy: PracticePolicy) -> Workflow | None:
    """The workflow of the case's kind; None for unscheduled treatment, and for a kind that the office took out."""
    if case.kind is CaseKind.UNSCHEDULED:
        return None
    return next((w for w in policy.workflows if w.kind is case.kind), None)


def cadence_for(case: Case | None, policy: PracticePolicy, at: datetime) -> Cadence:
    """The cadence of a case that is (or was) first written to at `at`: by its kind, else by family and age, else plain.

    A kind without workflow has no steps: a person reviews it.
    """
    if case is None:
        return policy.cadence
    if case.kind is not CaseKind.UNSCHEDULED:
        workflow = workflow_of(case, policy)
        return workflow.cadence if workflow else policy.cadence.model_copy(update={"steps": ()})
    if not policy.cadence.variants:
        return policy.cadence
    found = next((v for v in policy.cadence.variants if _fits(v, case, policy, at)), None)
    if found is None:
        return policy.cadence
    return policy.cadence.model_copy(update={"steps": found.steps, "review_after_days": found.review_after_days})


def standing_cadence(conversation: Conversation, case: Case | None, policy: PracticePolicy, now: datetime) -> Cadence:
    """The cadence of a conversation: as chosen when it was first written to, so that it does not change on the way."""
    return cadence_for(case, policy, conversation.first_sent_at or now)


def _fits(variant: CadenceVariant, case: Case, policy: PracticePolicy, at: datetime) -> bool:
    if variant.families:
        visit = plan_visit(case, policy)
        if visit is None or visit.family not in variant.families:
            return False
    if variant.from_age_days == 0 and variant.until_age_days is None:
        return True
    if case.diagnosed_on is None:
        return False
    age = (at.astimezone(policy.office.tz).date() - case.diagnosed_on).days
    return age >= variant.from_age_days and (variant.until_age_days is None or age < variant.until_age_days)


def first_due(case: Case, policy: PracticePolicy, now: datetime) -> datetime:
    """When the first touch of a case falls due (UTC): the visit day plus the step's days, at the step's time.

    If that has passed, or nobody knows the visit day: the next time of day of the step, today or on the next day that
    allows outreach. Without steps: now, and a person reviews.
    """
    require_aware(now, "now")
    steps = cadence_for(case, policy, now).steps
    if not steps:
        return now.astimezone(UTC)
    step = steps[0]
    visit_on = case.visit_on or case.diagnosed_on
    today = now.astimezone(policy.office.tz).date()
    planned = max(visit_on + timedelta(days=step.after_days), today) if visit_on else today
    due = _settled(planned, step.at, policy)
    return due if due >= now else _settled(today + timedelta(days=1), step.at, policy)


def after_touch(
    step: int, policy: PracticePolicy, now: datetime, cadence: Cadence | None = None
) -> tuple[int, datetime]:
    """What follows the touch `step` that went out at `now`: the next step and when it falls due (UTC).

    After the last step the index equals the number of steps: `review_after_days` later a person should look.
    """
    require_aware(now, "now")
    cadence = cadence or policy.cadence
    steps = cadence.steps
    today = now.astimezone(policy.office.tz).date()
    following = min(step + 1, len(steps))
    if following < len(steps):
        coming = steps[following]
        return following, _settled(today + timedelta(days=coming.after_days), coming.at, policy)
    at = steps[-1].at if steps else time(10)
    return following, _at(today + timedelta(days=cadence.review_after_days), at, policy)


def is_review(step: int, policy: PracticePolicy, cadence: Cadence | None = None) -> bool:
    """True when every step has been sent and a person should look."""
    return step >= len((cadence or policy.cadence).steps)


def next_day(policy: PracticePolicy, now: datetime, cadence: Cadence) -> datetime:
    """The hour of the first step on the next day that allows outreach (UTC): when a touch that had to wait is tried."""
    require_aware(now, "now")
    at = cadence.steps[0].at if cadence.steps else time(10)
    return _settled(now.astimezone(policy.office.tz).date() + timedelta(days=1), at, policy)


def step_at(step: int, cadence: Cadence) -> Step | None:
    """The step with this index; the last one for a wake-up after all of them; None without steps."""
    return cadence.steps[min(step, len(cadence.steps) - 1)] if cadence.steps else None


def script_for(
    step: int, policy: PracticePolicy, case: Case, now: datetime, slots: int, cadence: Cadence | None = None
) -> str:
    """The script of a step, in the variant that fits: `-stale` for an old diagnosis, `-one` or `-none` for few slots.

    `slots` is how many openings were found. A variant that the office has not written is not used. At or after
    `cadence.stale_after_days`, or when nobody knows the date, the diagnosis counts as old.

    Raises:
        IndexError: there is no such step; ask `is_review` first.
    """
    script_id = (cadence or policy.cadence).steps[step].script_id
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
