"""Why a case is not followed up by machine: each rule `queue.*` looks at one thing.

Most leave the case to staff (`STAFF_LOOKS`), some wait, some end it. The order is the order of weight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final

from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Contact, Flag, PatientStatus, Permission
from treatment_agent.domain.treatment import Case, Family, Procedure, ProcedureStatus
from treatment_agent.policies.booking import bridge_of, in_scope, is_waiting, main_template
from treatment_agent.policies.cadence import cadence_for, workflow_of
from treatment_agent.policies.eligibility import RequiredField
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.teeth import teeth_of

_FIRST_THINGS_FIRST: Final = (Family.ROOT_CANAL, Family.EXTRACTION)
_STAFF_FIRST: Final = (Family.SEDATION, Family.SURGERY)


@dataclass(frozen=True)
class Look:
    """One case as seen now; `today` is the office's date. What several rules ask is worked out once (so no slots)."""

    case: Case
    policy: PracticePolicy
    now: datetime
    today: date

    @cached_property
    def open_procedures(self) -> tuple[Procedure, ...]:
        """Procedures that are planned and not yet scheduled."""
        return self.case.open_procedures

    @cached_property
    def wanted(self) -> tuple[Procedure, ...]:
        """Those of them that the office lets us follow up."""
        return in_scope(self.case, self.policy)

    @cached_property
    def age_days(self) -> int | None:
        """Days since the diagnosis; None when nobody knows."""
        diagnosed_on = self.case.diagnosed_on
        return (self.today - diagnosed_on).days if diagnosed_on else None

    @cached_property
    def contact(self) -> Contact:
        """Whom we would write to today."""
        return self.case.patient.contact_on(self.today)

    @cached_property
    def channel(self) -> Channel:
        """How the first text would travel."""
        steps = cadence_for(self.case, self.policy, self.now).steps
        return steps[0].channel if steps else Channel.SMS

    @cached_property
    def reachable(self) -> tuple[Channel, ...]:
        """The channels with an address: that of the first step, then those that follow it."""
        has = {Channel.SMS: self.contact.mobile, Channel.EMAIL: self.contact.email}
        return tuple(c for c in dict.fromkeys((self.channel, *self.policy.contact.channels)) if has[c] is not None)


def first_rule(look: Look) -> str | None:
    """The weightiest rule that keeps the case from being followed up, or None."""
    lifted = _lifted(look)
    return next((rule for rule, applies in _RULES if rule not in lifted and applies(look)), None)


def all_rules(look: Look) -> tuple[str, ...]:
    """Every rule that speaks, the weightiest first."""
    lifted = _lifted(look)
    return tuple(rule for rule, applies in _RULES if rule not in lifted and applies(look))


def _lifted(look: Look) -> tuple[str, ...]:
    workflow = workflow_of(look.case, look.policy)
    return workflow.lifts if workflow else ()


def is_stale(synced_at: datetime | None, policy: PracticePolicy, now: datetime) -> bool:
    """`queue.stale-data`: the source was read `stale_after_hours` ago or longer. Unknown is not judged."""
    hours = policy.eligibility.stale_after_hours
    return hours is not None and synced_at is not None and now >= synced_at + timedelta(hours=hours)


def visit_counts(case: Case, policy: PracticePolicy, *, provider_id: str, teeth: str) -> bool:
    """True when a coming visit leaves the case to staff: same provider, same tooth, or nobody knows which."""
    if policy.eligibility.any_visit_counts or not (provider_id or teeth):
        return True
    wanted = in_scope(case, policy) or case.open_procedures
    same_provider = provider_id in {p.provider_id or case.provider_id for p in wanted}
    return same_provider or any(teeth_of(teeth) & teeth_of(p.tooth) for p in wanted)


def _has(*flags: Flag) -> Callable[[Look], bool]:
    wanted = frozenset(flags)
    return lambda look: not wanted.isdisjoint(look.case.patient.flags)


def _is_inactive(look: Look) -> bool:
    return look.case.patient.status is not PatientStatus.ACTIVE


def _is_deceased(look: Look) -> bool:
    return look.case.patient.status is PatientStatus.DECEASED


def _is_booked(look: Look) -> bool:
    return any(p.status is ProcedureStatus.SCHEDULED for p in look.case.procedures)


def _other_visit(look: Look) -> bool:
    case = look.case
    if case.next_visit_at is None or case.next_visit_at <= look.now:
        return False
    return visit_counts(case, look.policy, provider_id=case.next_visit_provider_id, teeth=case.next_visit_teeth)


def _is_declined(look: Look) -> bool:
    declined = any(p.status is ProcedureStatus.DECLINED for p in look.case.procedures)
    return declined and not look.open_procedures


def _nothing_open(look: Look) -> bool:
    return not look.open_procedures


def _stale(look: Look) -> bool:
    return is_stale(look.case.synced_at, look.policy, look.now)


def _staff_family(look: Look) -> bool:
    return any(p.family in _STAFF_FIRST for p in look.open_procedures)


def _out_of_order(look: Look) -> bool:
    """An open root canal or extraction comes first on its tooth. A tooth nobody noted counts as the same one."""
    first = [teeth_of(p.tooth) for p in look.open_procedures if p.family in _FIRST_THINGS_FIRST]
    if not first:
        return False
    later = [
        teeth_of(p.tooth) for p in look.wanted if p.family not in _FIRST_THINGS_FIRST and p.family is not Family.RECALL
    ]
    return any(not a or not b or a & b for a in first for b in later)


def _bridge_split(look: Look) -> bool:
    """A bridge is one unit: if some of it was declined or referred, the rest is not planned by machine."""
    bridges = [p for p in look.case.procedures if p.family is Family.BRIDGE]
    if len(bridges) < 2:
        return False
    lost = (ProcedureStatus.DECLINED, ProcedureStatus.REFERRED)
    unit: tuple[Procedure, ...]
    for unit in (bridge_of(p, bridges) for p in bridges if p.status is ProcedureStatus.PLANNED):
        if any(p.status in lost for p in unit):
            return True
    return False


def _is_waiting(look: Look) -> bool:
    if look.wanted:
        return False
    return any(p.plan_priority and is_waiting(p, look.policy) for p in look.open_procedures)


def _not_in_scope(look: Look) -> bool:
    age = look.age_days
    early = age is not None and age < look.policy.scope.youngest_days
    return early or main_template(look.wanted, look.policy) is None


def _no_date(look: Look) -> bool:
    return look.age_days is None


def _too_old(look: Look) -> bool:
    return look.age_days is not None and look.age_days > look.policy.scope.oldest_days


def _confirm_first(look: Look) -> bool:
    """Older than the limit, unless the doctor confirmed it within the limit."""
    limit, age = look.policy.scope.confirm_first_after_days, look.age_days
    if age is None or age <= limit:
        return False
    confirmed_on = look.case.confirmed_on
    return confirmed_on is None or not 0 <= (look.today - confirmed_on).days <= limit


def _high_value(look: Look) -> bool:
    limit = look.policy.scope.staff_first_above_cents
    return limit is not None and look.case.value_cents > limit


def _minor_alone(look: Look) -> bool:
    age = look.case.patient.age_on(look.today)
    return age is not None and age < 18 and look.case.patient.guardian is None


def _no_contact(look: Look) -> bool:
    return not look.reachable


def _no_consent(look: Look) -> bool:
    return not any(_permitted(look, channel) for channel in look.reachable)


def _permitted(look: Look, channel: Channel) -> bool:
    said = look.case.patient.sms if channel is Channel.SMS else look.case.patient.emailing
    return said is Permission.YES or (said is Permission.UNKNOWN and not look.policy.contact.require_consent)


def _staff_recent(look: Look) -> bool:
    spoke_at = look.case.last_staff_contact_at
    return spoke_at is not None and look.now < spoke_at + timedelta(days=look.policy.contact.staff_contact_days)


def _lacks(look: Look) -> bool:
    return bool(look.policy.eligibility.required) and bool(missing_fields(look))


def missing_fields(look: Look) -> tuple[RequiredField, ...]:
    """Required fields that the case lacks, in the order in which the office names them."""
    return tuple(f for f in look.policy.eligibility.required if not _FIELDS[f](look, look.wanted))


_Has = Callable[[Look, tuple[Procedure, ...]], bool]
_FIELDS: Final[dict[RequiredField, _Has]] = {
    RequiredField.BORN_ON: lambda look, _: look.case.patient.born_on is not None,
    RequiredField.LAST_NAME: lambda look, _: bool(look.case.patient.last_name.get_secret_value().strip()),
    RequiredField.EMAIL: lambda look, _: look.contact.email is not None,
    RequiredField.MOBILE: lambda look, _: look.contact.mobile is not None,
    RequiredField.HOUSEHOLD: lambda look, _: bool(look.case.patient.household_id),
    RequiredField.STATE: lambda look, _: bool(look.case.patient.state),
    RequiredField.VISIT_ON: lambda look, _: look.case.visit_on is not None,
    RequiredField.PROVIDER: lambda look, _: bool(look.case.provider_id),
    RequiredField.DIAGNOSED_ON: lambda _, wanted: all(p.diagnosed_on for p in wanted),
    RequiredField.PROCEDURE_PROVIDER: lambda _, wanted: all(p.provider_id for p in wanted),
    RequiredField.TOOTH: lambda _, wanted: all(p.tooth.strip() for p in wanted),
    RequiredField.FEE: lambda _, wanted: all(p.fee_cents for p in wanted),
    RequiredField.SYNCED_AT: lambda look, _: look.case.synced_at is not None,
}

# In order: what must never be written to, what is settled, what staff do first, what is missing.
_RULES: Final[tuple[tuple[str, Callable[[Look], bool]], ...]] = (
    ("queue.deceased", _is_deceased),
    ("queue.inactive", _is_inactive),
    ("queue.do-not-contact", _has(Flag.DO_NOT_CONTACT)),
    ("queue.preference", _has(Flag.PREFERS_OTHER_WAY)),
    ("queue.stale-data", _stale),
    ("queue.already-booked", _is_booked),
    ("queue.declined", _is_declined),
    ("queue.no-open-procedures", _nothing_open),
    ("queue.other-visit", _other_visit),
    ("queue.protected", _has(Flag.PROTECTED)),
    ("queue.complaint", _has(Flag.OPEN_COMPLAINT, Flag.PAYMENT_DISPUTE)),
    ("queue.medical-alert", _has(Flag.MEDICAL_ALERT)),
    ("queue.balance", _has(Flag.BALANCE_DUE)),
    ("queue.preauthorization", _has(Flag.PENDING_PREAUTHORIZATION)),
    ("queue.staff-first-family", _staff_family),
    ("queue.dental-order", _out_of_order),
    ("queue.bridge-split", _bridge_split),
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
    ("queue.required-field", _lacks),
)

# A person should look: the machine may not go on, but the office probably wants to.
STAFF_LOOKS: Final = frozenset(
    {
        "queue.other-visit", "queue.protected", "queue.complaint", "queue.medical-alert", "queue.balance",
        "queue.staff-first-family", "queue.dental-order", "queue.bridge-split", "queue.high-value", "queue.no-date",
        "queue.confirm-first", "queue.minor-without-guardian", "queue.no-contact", "queue.required-field",
        "queue.unreadable", "queue.preference",
    }
)  # fmt: skip
