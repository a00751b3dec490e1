"""Which visit a case needs, what to search for, and the permit without which nothing is booked (P6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.scheduling import (
    ApprovedBooking,
    Booking,
    BookingStatus,
    Slot,
    SlotRequest,
    VisitPlan,
    Window,
)
from treatment_agent.domain.treatment import Case, Family, Procedure, ProcedureStatus
from treatment_agent.domain.value import require_aware
from treatment_agent.errors import NotPermitted
from treatment_agent.policies.eligibility import folded
from treatment_agent.policies.practice import BookingTemplate, PracticePolicy, Scope
from treatment_agent.policies.teeth import teeth_of

_LIVE = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)
_PLACE: Final = {family: place for place, family in enumerate(Family)}


def in_scope(case: Case, policy: PracticePolicy) -> tuple[Procedure, ...]:
    """The open procedures that the office lets us follow up: family and provider in scope, not marked as waiting."""
    scope = policy.scope
    return tuple(p for p in case.open_procedures if _wanted(p, case, scope) and not is_waiting(p, policy))


def is_waiting(procedure: Procedure, policy: PracticePolicy) -> bool:
    """True when the treatment plan itself says "not now" (`scope.waiting_texts`)."""
    if not procedure.plan_priority:
        return "" in policy.scope.waiting_texts
    return procedure.plan_priority.strip().casefold() in folded(policy.scope.waiting_texts)


def plan_visit(case: Case, policy: PracticePolicy) -> VisitPlan | None:
    """The next visit: all open procedures of the family that takes longest, and build-ups on the same tooth as a crown.

    A bridge is one unit. Of two families with equally long templates the one named first in `Family` goes first. The
    patient's own provider does it where the template allows that provider, otherwise anyone in the template.

    Returns:
        None when nothing in scope is open or the office books this kind by hand (no template).
    """
    procedures = in_scope(case, policy)
    main = main_template(procedures, policy)
    if main is None:
        return None
    riding = _riding_build_ups(procedures)
    own = [p for p in procedures if p.id not in riding]
    together = [p for p in own if p.family is main.family]
    if main.family is Family.BRIDGE:
        together = list(bridge_of(together[0], together))
    if main.family is Family.CROWN:
        together += [p for p in procedures if p.id in riding]
    ids = tuple(p.id for p in together)
    return VisitPlan(main.family, ids, main.minutes, _providers(together, case, main, policy))


def main_template(procedures: tuple[Procedure, ...], policy: PracticePolicy) -> BookingTemplate | None:
    """The template of the family that the next visit is for, of these procedures; None when nothing has a template."""
    riding = _riding_build_ups(procedures)
    families = {p.family for p in procedures if p.id not in riding}
    templates = [t for f in sorted(families, key=_PLACE.__getitem__) if (t := policy.template_for(f)) is not None]
    return max(templates, key=lambda t: t.minutes, default=None)


def bridge_of(one: Procedure, bridges: Sequence[Procedure]) -> tuple[Procedure, ...]:
    """The procedures of one bridge: those whose teeth follow each other in one arch. Unknown teeth belong to it."""
    unit, rest = [one], [p for p in bridges if p.id != one.id]
    span = _numbers(one)
    while True:
        near = [p for p in rest if not span or not (own := _numbers(p)) or _adjoin(span, own)]
        if not near:
            return tuple(sorted(unit, key=lambda p: bridges.index(p)))
        unit += near
        span = span.union(*(_numbers(p) for p in near))
        rest = [p for p in rest if p not in near]


def _numbers(procedure: Procedure) -> frozenset[int]:
    return frozenset(int(tooth) for tooth in teeth_of(procedure.tooth) if tooth.isdecimal())


def _adjoin(one: frozenset[int], other: frozenset[int]) -> bool:
    """Same tooth or the next one in the same arch (1 to 16 above, 17 to 32 below)."""
    return any(abs(a - b) <= 1 and (a <= 16) == (b <= 16) for a in one for b in other)


def slot_request(
    visit: VisitPlan,
    policy: PracticePolicy,
    now: datetime,
    *,
    windows: tuple[Window, ...] = (),
    exclude: tuple[str, ...] = (),
    limit: int = 2,
) -> SlotRequest:
    """What to search for: between the template's lead time and its horizon, in the office's zone.

    Windows are cut to that stretch. If none of them reaches into it they stay as they are, so that the search finds
    nothing rather than just any time. Without windows, `answer_hours` are added to the lead time.
    """
    require_aware(now, "now")
    template = policy.template_for(visit.family) or BookingTemplate(family=visit.family, minutes=visit.minutes)
    lead = timedelta(hours=template.lead_hours + (0 if windows else template.answer_hours))
    # In UTC: adding hours to a local time would go wrong when the clocks change.
    start = now.astimezone(UTC)
    earliest = (start + lead).astimezone(policy.office.tz)
    latest = (start + timedelta(days=template.horizon_days)).astimezone(policy.office.tz)
    return SlotRequest(visit, earliest, latest, _cut(windows, earliest, latest), exclude, limit)


def approve(
    *,
    key: str,
    slot: Slot,
    visit: VisitPlan,
    conversation: Conversation,
    case: Case,
    policy: PracticePolicy,
    now: datetime,
    replaces: str | None = None,
) -> ApprovedBooking:
    """Give the permit to book an offered slot.

    Raises:
        NotPermitted: with one of the rules `booking.held`, `booking.wrong-case`, `booking.slot-not-offered`,
            `booking.past`, `booking.too-soon`, `booking.wrong-family-or-length`, `booking.duplicate`,
            `booking.not-ours`, `booking.procedure-gone`.
    """
    require_aware(now, "now")
    rule = (
        _conversation_rule(slot, conversation, case)
        or _slot_rule(slot, visit, policy, now)
        or _existing_rule(conversation.booking, replaces)
        or _procedure_rule(visit, case, conversation.booking if replaces else None)
    )
    if rule is not None:
        raise NotPermitted(rule, f"conversation {conversation.id}, slot {slot.id}")
    return ApprovedBooking(key, case.id, case.patient.id, slot, visit, replaces)


def _conversation_rule(slot: Slot, conversation: Conversation, case: Case) -> str | None:
    if conversation.held:
        return "booking.held"
    if conversation.case_id != case.id or conversation.patient_id != case.patient.id:
        return "booking.wrong-case"
    return None if slot in conversation.offers else "booking.slot-not-offered"


def _slot_rule(slot: Slot, visit: VisitPlan, policy: PracticePolicy, now: datetime) -> str | None:
    """Time, length, family and provider. `lead_hours` ahead, to the second, is still far enough."""
    ahead = slot.start.astimezone(UTC) - now.astimezone(UTC)
    if ahead <= timedelta(0):
        return "booking.past"
    template = policy.template_for(visit.family)
    if template is None or visit.minutes != template.minutes:
        return "booking.wrong-family-or-length"
    if ahead < timedelta(hours=template.lead_hours):
        return "booking.too-soon"
    # An adapter that knows no families says OTHER.
    fits = (
        slot.family in (visit.family, Family.OTHER)
        and slot.end.astimezone(UTC) - slot.start.astimezone(UTC) >= timedelta(minutes=visit.minutes)
        and (not visit.provider_ids or slot.provider_id in visit.provider_ids)
        and (not template.provider_ids or slot.provider_id in template.provider_ids)
    )
    return None if fits else "booking.wrong-family-or-length"


def _existing_rule(current: Booking | None, replaces: str | None) -> str | None:
    live = current is not None and current.status in _LIVE
    if replaces is None:
        return "booking.duplicate" if live else None
    ours = current is not None and replaces in (current.appointment_id, current.key)
    return None if live and ours else "booking.not-ours"


def _procedure_rule(visit: VisitPlan, case: Case, moved: Booking | None) -> str | None:
    """Every procedure is still open; when a visit is moved, its own procedures may stand as scheduled."""
    open_ids = {p.id for p in case.open_procedures}
    if moved is not None:
        scheduled = {p.id for p in case.procedures if p.status is ProcedureStatus.SCHEDULED}
        open_ids |= scheduled & set(moved.procedure_ids)
    return None if visit.procedure_ids and set(visit.procedure_ids) <= open_ids else "booking.procedure-gone"


def _wanted(procedure: Procedure, case: Case, scope: Scope) -> bool:
    provider = procedure.provider_id or case.provider_id
    return (not scope.families or procedure.family in scope.families) and (
        not scope.provider_ids or provider in scope.provider_ids
    )


def _riding_build_ups(procedures: tuple[Procedure, ...]) -> frozenset[str]:
    """Build-ups whose tooth has an open crown: they are done in the crown's visit."""
    if not any(p.family is Family.BUILD_UP for p in procedures):
        return frozenset()
    crowned = frozenset[str]().union(*(teeth_of(p.tooth) for p in procedures if p.family is Family.CROWN))
    return frozenset(p.id for p in procedures if p.family is Family.BUILD_UP and teeth_of(p.tooth) & crowned)


def _providers(
    together: list[Procedure], case: Case, template: BookingTemplate, policy: PracticePolicy
) -> tuple[str, ...]:
    own = {p.provider_id or case.provider_id for p in together}
    known = {p.id for p in policy.office.providers}
    allowed = known & set(template.provider_ids) if template.provider_ids else known
    return tuple(own) if len(own) == 1 and own <= allowed else template.provider_ids


def _cut(windows: tuple[Window, ...], earliest: datetime, latest: datetime) -> tuple[Window, ...]:
    cut = [
        replace(w, start=max(w.start, earliest), end=min(w.end, latest))
        for w in windows
        if max(w.start, earliest) < min(w.end, latest)
    ]
    return tuple(cut) or windows
