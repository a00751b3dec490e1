"""Whether a case enters the books as one to be written to: the queue's rules, then the draw of the hold-out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

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
    if not found.eligible or not policy.hold_out.holds(case.patient.household_id or case.id):
        return found
    return replace(found, eligible=False, skip_rule=HOLD_OUT_RULE)
