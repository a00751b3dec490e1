"""Families with several open cases on one phone: one conversation, one message (`queue.rides-along`).

The text asks for a call about everybody's visits, and staff plan them together: which answer is for whom is not
guessed. Only people of one household, or a minor and whoever owns the phone, are united; other people who share a
number are written to one after the other (`contact.shared-number`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from treatment_agent.domain.books import ConversationRow, FamilyChange, JournalEntry
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.treatment import Case, CaseKind
from treatment_agent.policies import cadence
from treatment_agent.policies.practice import PracticePolicy

RIDES_ALONG: Final = "queue.rides-along"
SUFFIX: Final = "-family"


@dataclass(frozen=True, slots=True)
class _Member:
    row: ConversationRow
    case: Case
    minor: bool

    @property
    def id(self) -> str:
        return self.row.conversation.id


def speaks_to_families(policy: PracticePolicy) -> bool:
    """True when the office has an approved family text for each step of its plain cadence."""
    steps = policy.cadence.steps
    return bool(steps) and all(policy.scripts.has(f"{step.script_id}{SUFFIX}", "en") for step in steps)


def arrange(
    numbers: Sequence[Sequence[ConversationRow]], policy: PracticePolicy, now: datetime
) -> tuple[FamilyChange, ...]:
    """Who leads and who rides along, for the unwritten cases on each phone number; only what changes is returned.

    Args:
        numbers: Per number: cases that are queued and were never written to, eligible or riding along already.
        policy: The office's scripts and cadence.
        now: Current instant, aware.
    """
    changes: dict[str, FamilyChange] = {}
    for rows in numbers:
        for change in _on_one_number(rows, policy, now):
            changes.setdefault(change.after.id, change)
    return tuple(changes.values())


def _on_one_number(rows: Sequence[ConversationRow], policy: PracticePolicy, now: datetime) -> list[FamilyChange]:
    today = now.astimezone(policy.office.tz).date()
    members = [
        _Member(row, row.case, is_minor(row.case, today))
        for row in rows
        if row.case is not None and row.case.kind is CaseKind.UNSCHEDULED
    ]
    # Whose phone it is leads; among several the best score does.
    members.sort(key=lambda m: (m.minor, -m.row.score, m.id))
    changes: list[FamilyChange] = []
    while members:
        leader, *rest = members
        riders = [m for m in rest if _one_family(leader, m)] if speaks_to_families(policy) else []
        members = [m for m in rest if m not in riders]
        changes += _led(leader, riders, policy, now)
    return changes


def is_minor(case: Case, today: date) -> bool:
    """True for somebody who is under 18 on this day; who has no birthday in the chart counts as grown up."""
    age = case.patient.age_on(today)
    return age is not None and age < 18


def _one_family(leader: _Member, member: _Member) -> bool:
    """One household, or a minor on the phone of a grown-up."""
    household = leader.case.patient.household_id
    same = household is not None and household == member.case.patient.household_id
    return same or (member.minor and not leader.minor)


def _led(leader: _Member, riders: list[_Member], policy: PracticePolicy, now: datetime) -> list[FamilyChange]:
    changes = []
    before = leader.row.conversation
    after = replace(before, riders=tuple(m.id for m in riders), rides_with=None)
    if leader.row.skip_rule is not None:
        # Whom it rode with is not written to any more: it has its own conversation again.
        after = replace(after, due_at=cadence.first_due(leader.case, policy, now))
    if after != before:
        detail = f"speaks for {', '.join(after.riders)}" if riders else ""
        changes.append(FamilyChange(before, after, None, _entry("queue", "queue.eligible", leader, now, detail)))
    for rider in riders:
        old = rider.row.conversation
        new = replace(old, riders=(), rides_with=leader.id, due_at=None)
        if new != old or rider.row.skip_rule is None:
            entry = _entry("skip", RIDES_ALONG, rider, now, f"with {leader.id}")
            changes.append(FamilyChange(old, new, RIDES_ALONG, entry))
    return changes


def _entry(action: str, rule: str, member: _Member, now: datetime, detail: str) -> JournalEntry:
    return JournalEntry(
        at=now,
        action=action,
        rule=rule,
        detail=detail,
        conversation_id=member.id,
        patient_id=member.case.patient.id,
    )


def script_of(script_id: str, conversation: Conversation) -> str:
    """The family variant of a text, for a conversation that speaks for others too."""
    return f"{script_id}{SUFFIX}" if conversation.riders else script_id
