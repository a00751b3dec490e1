"""Whether a case enters the books as one to be written to: the queue's rules, then the draw of the hold-out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from treatment_agent.domain.measured import HOLD_OUT_RULE
from treatment_agent.domain.treatment import Case
from treatment_agent.policies import queue
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.queue import Assessment


def assess(case: Case, policy: PracticePolicy, now: datetime) -> Assessment:
    """`queue.assess`, and for an eligible case the draw (`queue.hold-out`). For cases that enter the books now.

    A touch that is due asks `queue.assess`: a case that was queued before the office began holding out stays queued.

    Raises:
        NaiveDatetimeError: `now` has no UTC offset.
    """
    found = queue.assess(case, policy, now)
    if not found.eligible or not policy.hold_out.holds(_drawn(case, now.astimezone(policy.office.tz).date())):
        return found
    return replace(found, eligible=False, skip_rule=HOLD_OUT_RULE)


def _drawn(case: Case, today: date) -> str:
    """What chance decides on: the household; where nobody noted one, whose phone or mailbox it is; else the case."""
    contact = case.patient.contact_on(today)
    address = contact.mobile or contact.email
    return case.patient.household_id or (address.reveal() if address else case.id)
