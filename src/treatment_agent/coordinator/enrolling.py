"""Putting a list of unscheduled treatment on the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from treatment_agent.coordinator.answers import EnrolmentReport
from treatment_agent.domain.books import Enrolment, JournalEntry
from treatment_agent.domain.consent import ConsentHow, ConsentRecord, ConsentStatus
from treatment_agent.domain.measured import HOLD_OUT_RULE
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.treatment import Case
from treatment_agent.errors import BadRow
from treatment_agent.policies import cadence, entering, families
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import CaseSource, Clock, Ledger

BATCH = 1000


def enroll(
    source: CaseSource,
    *,
    policy: PracticePolicy,
    ledger: Ledger,
    clock: Clock,
    partial: bool = False,
    progress: Callable[[int], None] | None = None,
) -> EnrolmentReport:
    """Read the whole source, judge every case, and write it to the ledger in batches.

    A row that cannot be read is reported and the rest goes on. `progress` is told after each batch how many cases have
    been read so far. Reading the same source again refreshes the cases and keeps their conversations. Once it has been
    read to its end, cases it did not name are put on hold; not if it is `partial`, or broke off. At the end, the cases
    of a family on one phone are united in one conversation.
    """
    now, export = clock.now(), clock.new_id()
    rejected: list[BadRow] = []
    skipped: Counter[str] = Counter()
    batch: list[Enrolment] = []
    new = total = 0
    for item in source.read():
        if isinstance(item, BadRow):
            rejected.append(item)
            continue
        row = _judged(item, policy, now)
        skipped.update([row.skip_rule] if row.skip_rule else [])
        batch.append(row)
        total += 1
        if len(batch) >= BATCH:
            new += len(ledger.enroll(batch, at=now, export=export))
            batch = []
            if progress is not None:
                progress(total)
    if batch:
        new += len(ledger.enroll(batch, at=now, export=export))
    missing = () if partial else ledger.skip_missing(export, at=now)
    if progress is not None:
        progress(total)
    skipped.update(_unite_families(ledger, policy, now))
    return EnrolmentReport(
        enrolled=new,
        refreshed=total - new,
        missing=len(missing),
        skipped=dict(skipped.most_common()),
        rejected=tuple(rejected),
    )


def _unite_families(ledger: Ledger, policy: PracticePolicy, now: datetime) -> list[str]:
    """One conversation per family; the rule of every case that is not written to any more."""
    changes = families.arrange(ledger.on_shared_numbers(), policy, now)
    if changes:
        ledger.change_families(changes)
    return [change.skip_rule for change in changes if change.skip_rule]


def _judged(case: Case, policy: PracticePolicy, now: datetime) -> Enrolment:
    assessment = entering.assess(case, policy, now)
    # One that is held out has a due time too: the ledger uses it if the case had entered before.
    enters = assessment.eligible or assessment.skip_rule == HOLD_OUT_RULE
    due = cadence.first_due(case, policy, now) if enters else None
    rule = assessment.skip_rule
    points = " ".join(f"{p.factor}={p.points:+d}" for p in assessment.points)
    entry = JournalEntry(
        at=now,
        action="skip" if rule else "queue",
        rule=rule or "queue.eligible",
        detail="; ".join(filter(None, (assessment.found, points))),
        conversation_id=case.id,
        patient_id=case.patient.id,
    )
    return Enrolment(
        case=case,
        score=assessment.score,
        due_at=due,
        skip_rule=rule,
        journal=(entry,),
        consents=_consents(case, now),
    )


def _consents(case: Case, now: datetime) -> tuple[ConsentRecord, ...]:
    """What the chart says about texting is evidence of consent; silence is not."""
    said = ((Channel.SMS, case.patient.sms), (Channel.EMAIL, case.patient.emailing))
    return tuple(
        ConsentRecord(status=ConsentStatus.GRANTED, at=now, how=ConsentHow.CHART, evidence="enrolment", channel=channel)
        for channel, permission in said
        if permission is Permission.YES
    )
