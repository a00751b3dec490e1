"""Adjacent workflows: other kinds of cases, each with its own cadence, texts and rules. Three ship.

A source says the kind of a case (`Case.kind`, column `case_kind`); a case without one is unscheduled treatment.
"""

from __future__ import annotations

from datetime import time
from typing import Final

from treatment_agent.domain.treatment import CaseKind
from treatment_agent.domain.value import Value
from treatment_agent.policies.steps import Cadence, Step

LIFTABLE: Final = frozenset(
    {
        "queue.staff-first-family",
        "queue.dental-order",
        "queue.bridge-split",
        "queue.waiting",
        "queue.not-in-scope",
        "queue.high-value",
        "queue.no-date",
        "queue.too-old",
        "queue.confirm-first",
    }
)
"""Rules about the treatment. Those about the person, consent and data hold for every kind of case."""


class Workflow(Value):
    """How one kind of case is followed up. `lifts` names rules about the treatment that do not matter for it.

    `asks_for_call`: the texts ask when to call, so that a time in the answer is read as a time for a call.
    """

    kind: CaseKind
    cadence: Cadence
    lifts: tuple[str, ...] = ()
    asks_for_call: bool = False


def default_workflows() -> tuple[Workflow, ...]:
    """Overdue call-backs, pre-authorised but unbooked, and after a missed restorative visit: two texts at most each."""
    return (
        Workflow(
            kind=CaseKind.CALL_BACK,
            cadence=Cadence(
                steps=(Step(after_days=1, at=time(11), script_id="first-message-call-back", offers_times=False),),
                review_after_days=2,
            ),
            # It is only about a call: nothing is offered and nothing booked before somebody has talked to the patient.
            lifts=tuple(sorted(LIFTABLE)),
            asks_for_call=True,
        ),
        Workflow(
            kind=CaseKind.PREAUTHORIZED,
            cadence=Cadence(
                steps=(
                    Step(after_days=1, script_id="first-message-approved"),
                    Step(after_days=5, script_id="reminder-1"),
                ),
            ),
        ),
        Workflow(
            kind=CaseKind.MISSED_VISIT,
            cadence=Cadence(
                steps=(
                    Step(after_days=1, at=time(11), script_id="first-message-missed"),
                    Step(after_days=6, script_id="reminder-1"),
                ),
            ),
        ),
    )
