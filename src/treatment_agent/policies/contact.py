"""Whether we may write first, and if not now, when (P1, P2, P7). Replies to a patient's own message are not asked here.

Every rule has an id `contact.*`. Refusals for good come before those that pass with time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from treatment_agent.domain.books import ContactFacts, ConversationFacts, SentMark
from treatment_agent.domain.consent import ConsentStatus, is_active
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.patients import Flag, Patient, PatientStatus, Permission
from treatment_agent.domain.value import require_aware
from treatment_agent.errors import NotPermitted
from treatment_agent.policies.law import Binding, RevokeScope, revoke_scope
from treatment_agent.policies.places import binding_law
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.zones import blocked_by, next_allowed, plausible_zones

__all__ = [
    "Allowed",
    "Contactability",
    "Deferred",
    "Denied",
    "contact_point",
    "decide_outreach",
    "next_allowed",
    "plausible_zones",
    "revoked",
]


@dataclass(frozen=True, slots=True)
class Allowed:
    """We may write now."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now: ask again at `until` (UTC). `rule` says why."""

    until: datetime
    rule: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Not by ourselves, whenever it is. `rule` says why."""

    rule: str


Contactability = Allowed | Deferred | Denied


def decide_outreach(
    *, now: datetime, facts: ConversationFacts, policy: PracticePolicy, channel: Channel = Channel.SMS
) -> Contactability:
    """Decide whether we may write first now and, if not, when.

    Caps are counted on `facts.sent`, which covers the number and the household. Quiet hours, Sundays and holidays must
    be respected in every plausible zone of the contact.

    Args:
        now: Current instant, aware.
        facts: What the ledger knows of the conversation.
        policy: The office's rules.
        channel: How the text would travel.

    Returns:
        `Allowed`; `Deferred` with the first instant at which every rule that passes with time allows it; or `Denied`.

    Raises:
        NaiveDatetimeError: `now` has no UTC offset.
    """
    require_aware(now, "now")
    contact = contact_point(facts, channel, policy, now)
    denial = _denial(facts, contact, channel, policy, _today(policy, now))
    if denial is not None or contact is None or facts.case is None:
        return Denied(denial or "contact.no-number")
    patient = facts.case.patient
    zones = plausible_zones(contact.address, patient, policy.office)
    law = binding_law(contact.address, patient, policy.office, policy.law)
    waits = [*_waits(now, facts, policy), *_law_waits(now, facts, policy, law)]
    hours = blocked_by(now, zones, policy.contact, policy.office, law)
    if not waits and hours is None:
        return Allowed()
    try:
        until = next_allowed(max((w.until for w in waits), default=now), zones, policy.contact, policy.office, law)
    except NotPermitted as error:
        return Denied(error.rule)
    return Deferred(until, waits[0].rule if waits else hours or "contact.quiet-hours")


def contact_point(
    facts: ConversationFacts, channel: Channel, policy: PracticePolicy, now: datetime
) -> ContactFacts | None:
    """The contact point to write to: the patient's own today, or for a minor the guardian's.

    A sender without a case is the one contact point that the ledger lists. None when there is nobody to write to, or
    the ledger knows nothing of that address.
    """
    reachable = [c for c in facts.contacts if c.channel is channel]
    if facts.case is None:
        return next(iter(reachable), None)
    person = facts.case.patient.contact_on(_today(policy, now))
    address = person.mobile if channel is Channel.SMS else person.email
    if address is None:
        return None
    return next((c for c in reachable if c.address == address), None)


def revoked(facts: ConversationFacts, contact: ContactFacts | None, scope: RevokeScope = RevokeScope.OFFICE) -> bool:
    """True when a revocation on any channel stands: only a later grant on this very contact point lifts it (P1).

    With scope `address`, which the law allows until 31 January 2027, only one recorded for this contact point counts.
    """
    if facts.conversation.phase is Phase.OPTED_OUT:
        return True
    if scope is RevokeScope.ADDRESS:
        return contact is not None and contact.consent is ConsentStatus.REVOKED
    refusals = [c.consent_at for c in facts.contacts if c.consent is ConsentStatus.REVOKED]
    if facts.revoked_at is not None:
        refusals.append(facts.revoked_at)
    if not refusals:
        return False
    if contact is None or not is_active(contact.consent, contact.consent_at):
        return True
    granted_at = contact.consent_at
    return any(at is None or granted_at is None or at >= granted_at for at in refusals)


def _denial(
    facts: ConversationFacts, contact: ContactFacts | None, channel: Channel, policy: PracticePolicy, today: date
) -> str | None:
    """The first rule that forbids writing for good, or None."""
    if facts.conversation.held:
        return "contact.held"
    if revoked(facts, contact, revoke_scope(policy.law, today)):
        return "contact.consent-revoked"
    if facts.case is None or contact is None:
        return "contact.no-number"
    patient = facts.case.patient
    if patient.status is not PatientStatus.ACTIVE:
        return "contact.deceased-or-inactive"
    if Flag.DO_NOT_CONTACT in patient.flags:
        return "contact.do-not-contact"
    if not _permitted(patient, contact, channel, policy):
        return "contact.no-consent"
    if not contact.capable:
        return "contact.not-capable"
    return "contact.cap-case" if _case_used_up(facts, policy) else None


def _permitted(patient: Patient, contact: ContactFacts, channel: Channel, policy: PracticePolicy) -> bool:
    """A "no" in the chart always counts; without `require_consent`, silence counts as a yes."""
    chart = patient.sms if channel is Channel.SMS else patient.emailing
    if chart is Permission.NO:
        return False
    return not policy.contact.require_consent or is_active(contact.consent, contact.consent_at)


def _case_used_up(facts: ConversationFacts, policy: PracticePolicy) -> bool:
    ours = [m for m in _outreach(facts) if m.conversation_id == facts.conversation.id]
    return len(ours) >= policy.contact.max_per_case or 0 in (policy.contact.max_per_day, policy.contact.max_per_week)


def _waits(now: datetime, facts: ConversationFacts, policy: PracticePolicy) -> Iterator[Deferred]:
    """Rules that forbid writing now and pass with time, in order."""
    for rule, until_of in _PASSING:
        until = until_of(now, facts, policy)
        if until is not None and until > now:
            yield Deferred(until, rule)


def _law_waits(now: datetime, facts: ConversationFacts, policy: PracticePolicy, law: Binding) -> Iterator[Deferred]:
    """Caps of the law below the office's own (`contact.law-cap`), judged by the day in the office's zone."""
    today = _today(policy, now)
    day = law.cap(today, "day", policy.contact.max_per_day)
    week = law.cap(today, "week", policy.contact.max_per_week)
    for most, period in ((day, timedelta(hours=24)), (week, timedelta(days=7))):
        until = _cap(facts, most, period)
        if until is not None and until > now:
            yield Deferred(until, "contact.law-cap")


def _shared_number(now: datetime, facts: ConversationFacts, policy: PracticePolicy) -> datetime | None:
    return now + timedelta(days=policy.contact.shared_number_days) if facts.shared_with else None


def _staff_recent(now: datetime, facts: ConversationFacts, policy: PracticePolicy) -> datetime | None:
    chart = facts.case.last_staff_contact_at if facts.case else None
    spoke = [at for at in (facts.last_staff_at, chart) if at is not None]
    return max(spoke) + timedelta(days=policy.contact.staff_contact_days) if spoke else None


def _cap_day(now: datetime, facts: ConversationFacts, policy: PracticePolicy) -> datetime | None:
    return _cap(facts, policy.contact.max_per_day, timedelta(hours=24))


def _cap_week(now: datetime, facts: ConversationFacts, policy: PracticePolicy) -> datetime | None:
    return _cap(facts, policy.contact.max_per_week, timedelta(days=7))


def _cap(facts: ConversationFacts, most: int, period: timedelta) -> datetime | None:
    """When the text that uses up the cap leaves the period, or None when there were too few. `most` is at least 1."""
    marks = sorted((m.at for m in _outreach(facts)), reverse=True)
    return marks[most - 1] + period if len(marks) >= most else None


_Passing = Callable[[datetime, ConversationFacts, PracticePolicy], datetime | None]
_PASSING: Final[tuple[tuple[str, _Passing], ...]] = (
    ("contact.shared-number", _shared_number),
    ("contact.staff-recent", _staff_recent),
    ("contact.cap-day", _cap_day),
    ("contact.cap-week", _cap_week),
)


def _outreach(facts: ConversationFacts) -> list[SentMark]:
    return [m for m in facts.sent if m.kind is SendKind.OUTREACH]


def _today(policy: PracticePolicy, now: datetime) -> date:
    return now.astimezone(policy.office.tz).date()
