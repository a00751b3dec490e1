"""Events that no patient wrote: the chart changed, staff acted, a booking settled, a delivery was reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.conversation import TRANSITIONS, Conversation, Disposition, Move, Phase
from treatment_agent.domain.events import (
    BookingSettled,
    ChartChange,
    ChartChanged,
    DeliveryReported,
    StaffAction,
    StaffVerb,
)
from treatment_agent.domain.handoff import HandoffKind, HandoffRequest, HandoffStatus, NextStep, Role, Urgency
from treatment_agent.domain.interpretation import Asked, Topic
from treatment_agent.domain.messages import DeliveryStatus
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.turn import ConsentChange, Decision, DueChange, Say
from treatment_agent.policies.cadence import standing_cadence
from treatment_agent.policies.channels import FALLBACK_AFTER, after_failure
from treatment_agent.policies.consenting import CARRIER_OPT_OUT, recorded
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.topics import due_at
from treatment_agent.policies.waiting import nudge_at

OtherEvent = ChartChanged | StaffAction | BookingSettled | DeliveryReported

_CHART = {
    ChartChange.BOOKED: ("chart.booked", Disposition.BOOKED_ELSEWHERE),
    ChartChange.DONE: ("chart.treatment-changed", Disposition.TREATMENT_CHANGED),
    ChartChange.DECLINED: ("chart.treatment-changed", Disposition.TREATMENT_CHANGED),
    ChartChange.DECEASED: ("chart.deceased", Disposition.DECEASED),
    ChartChange.DO_NOT_CONTACT: ("chart.do-not-contact", Disposition.NOT_ELIGIBLE),
}
# What a conversation that had ended goes back to when staff let go of it.
_ENDED = {
    Disposition.BOOKED: NextStep.BOOKED,
    Disposition.BOOKED_BY_STAFF: NextStep.BOOKED,
    Disposition.DECLINED: NextStep.DECLINED,
    Disposition.NO_RESPONSE: NextStep.RESUME,
}
_RELEASED = {
    NextStep.CLOSE: (Move.CLOSE, Disposition.CLOSED_BY_STAFF),
    NextStep.BOOKED: (Move.BOOK, Disposition.BOOKED_BY_STAFF),
    NextStep.DECLINED: (Move.DECLINE, Disposition.DECLINED),
    NextStep.REVIEW: (Move.REVIEW, None),
}


def decide(event: OtherEvent, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> Decision:
    """What such an event changes. Nothing here writes to a patient but the answer to a requested booking."""
    match event:
        case ChartChanged():
            return _chart(event, facts, policy, now)
        case StaffAction():
            return _staff(event, facts, policy, now)
        case BookingSettled():
            return _settled(event, facts, policy, now)
        case DeliveryReported():
            return _delivery(event, facts, policy, now)


def _may(conversation: Conversation, move: Move) -> Move:
    """The move if the table allows it from here, else STAY: an opted-out or ended conversation only takes a note."""
    return move if conversation.phase in TRANSITIONS[move][0] else Move.STAY


def _chart(event: ChartChanged, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> Decision:
    conversation = facts.conversation
    if event.change is ChartChange.STAFF_CONTACT:
        until = now + timedelta(days=policy.contact.staff_contact_days)
        later = conversation.due_at is not None and conversation.due_at < until
        due = DueChange.SET if later else DueChange.KEEP
        return Decision(move=Move.STAY, rules=("chart.staff-contact",), due=due, due_at=until)
    if event.change is ChartChange.WRITE_REFUSED:
        repair = _task(HandoffKind.CHART_REPAIR, "chart.write-refused", facts, policy, now)
        return Decision(move=Move.STAY, rules=("chart.write-refused",), handoff=repair)
    if event.change is ChartChange.CANCELLED:
        ours = conversation.booking
        return Decision(
            move=Move.STAY if conversation.held else _may(conversation, Move.REVIEW),
            rules=("chart.cancelled",),
            handoff=_task(HandoffKind.REVIEW, "chart.cancelled", facts, policy, now),
            booking=replace(ours, status=BookingStatus.CANCELLED) if ours else None,
            due=DueChange.CLEAR,
        )
    rule, disposition = _CHART[event.change]
    by_us = conversation.phase in (Phase.BOOKED, Phase.BOOKING_REQUESTED) and event.change is ChartChange.BOOKED
    # While staff hold the thread it stays theirs; the ending is remembered and takes effect on release.
    move = Move.STAY if by_us or conversation.held else _may(conversation, Move.CLOSE)
    return Decision(
        move=move,
        rules=(rule,),
        disposition=conversation.disposition if by_us else disposition,
        due=DueChange.CLEAR,
    )


def _settled(event: BookingSettled, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> Decision:
    conversation = facts.conversation
    booking = conversation.booking
    waiting = booking is not None and booking.key == event.booking_key and booking.status is BookingStatus.REQUESTED
    if booking is None or not waiting or event.status is BookingStatus.REQUESTED:
        return Decision(move=Move.STAY, rules=("settled.unknown-booking",))
    settled = replace(booking, status=event.status, appointment_id=event.appointment_id or booking.appointment_id)
    quiet = conversation.held or conversation.phase is Phase.OPTED_OUT
    if event.status is BookingStatus.CONFIRMED:
        return Decision(
            move=Move.STAY if quiet else _may(conversation, Move.BOOK),
            rules=("settled.confirmed",),
            says=() if quiet else (Say("moved" if conversation.standing else "booked"),),
            booking=settled,
            disposition=Disposition.BOOKED,
            asked=Asked.BOOKED,
            due=DueChange.CLEAR,
        )
    if conversation.standing is not None:
        return Decision(
            move=Move.STAY if quiet else _may(conversation, Move.BOOK),
            rules=("settled.move-failed",),
            says=() if quiet else (Say("booking-failed"),),
            booking=settled,
            disposition=Disposition.BOOKED,
            handoff=_task(HandoffKind.CHANGE, "settled.move-failed", facts, policy, now),
            offers=(),
        )
    return Decision(
        move=Move.STAY if quiet else _may(conversation, Move.BOOKING_FAILED),
        rules=("settled.failed",),
        says=() if quiet else (Say("booking-failed"),),
        booking=settled,
        handoff=_task(HandoffKind.BOOKING, "settled.failed", facts, policy, now),
        offers=(),
    )


def _delivery(event: DeliveryReported, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> Decision:
    if event.opted_out or event.error_code in CARRIER_OPT_OUT:
        return Decision(
            move=Move.REVOKE,
            rules=("consent.carrier-opt-out",),
            consent=ConsentChange(ConsentStatus.REVOKED, ConsentHow.CARRIER, event.error_code),
            disposition=Disposition.OPTED_OUT,
            due=DueChange.CLEAR,
        )
    if event.error_code == "dispatch.stale-wake":
        move = _may(facts.conversation, Move.DEFER)
        return Decision(move=move, rules=("dispatch.stale-wake",), due=DueChange.SET, due_at=now)
    if event.error_code == "dispatch.stale-touch":
        # Decided before a crash and found too late: the touch is decided again, with the chart asked afresh.
        step = max(facts.conversation.step - 1, 0)
        return Decision(move=Move.STAY, rules=("dispatch.stale-touch",), due=DueChange.SET, due_at=now, step=step)
    channel = after_failure(event, facts, policy, now)
    if channel is not None:
        return Decision(
            move=Move.STAY,
            rules=("delivery.fallback",),
            channel=channel,
            due=DueChange.SET,
            due_at=now + FALLBACK_AFTER,
            step=max(facts.conversation.step - 1, 0),
        )
    if event.status in (DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED):
        handoff = _task(HandoffKind.DELIVERY, "delivery.failed", facts, policy, now)
        return Decision(move=Move.STAY, rules=("delivery.failed",), handoff=handoff, due=DueChange.CLEAR)
    return Decision(move=Move.STAY, rules=("delivery.noted",))


def _staff(event: StaffAction, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> Decision:
    conversation = facts.conversation
    rule = f"staff.{event.verb.value.replace('_', '-')}"
    match event.verb:
        case StaffVerb.TAKE_OVER:
            if conversation.held:
                return Decision(move=Move.STAY, rules=(rule,), desk=HandoffStatus.ACKNOWLEDGED)
            handoff = _task(HandoffKind.HANDOFF, rule, facts, policy, now, suffix=event.id)
            return Decision(move=_may(conversation, Move.HAND_OFF), rules=(rule,), handoff=handoff, due=DueChange.CLEAR)
        case StaffVerb.ACKNOWLEDGE:
            return Decision(move=Move.STAY, rules=(rule,), desk=HandoffStatus.ACKNOWLEDGED)
        case StaffVerb.RESOLVE:
            return Decision(move=Move.STAY, rules=(rule,), desk=HandoffStatus.RESOLVED)
        case StaffVerb.RELEASE:
            return _released(event, facts, policy, now)
        case StaffVerb.BOOK | StaffVerb.CLOSE:
            booked = event.verb is StaffVerb.BOOK
            return Decision(
                move=_may(conversation, Move.BOOK if booked else Move.CLOSE),
                rules=(rule,),
                desk=HandoffStatus.RELEASED if conversation.held else None,
                disposition=Disposition.BOOKED_BY_STAFF if booked else Disposition.CLOSED_BY_STAFF,
                due=DueChange.CLEAR,
            )
        case StaffVerb.APPROVE_TEXT | StaffVerb.REJECT_TEXT:
            return _approval(event, facts, policy, now)
        case StaffVerb.RECORD_CONSENT | StaffVerb.RECORD_REVOCATION:
            return recorded(event, conversation, rule)


def _approval(event: StaffAction, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> Decision:
    """A person looked at a text of a new script version: its touch is due again, or the case goes to review."""
    conversation = facts.conversation
    if event.verb is StaffVerb.APPROVE_TEXT:
        due = DueChange.KEEP if conversation.due_at is None else DueChange.SET
        return Decision(move=Move.STAY, rules=("staff.approve-text",), due=due, due_at=now)
    task = _task(HandoffKind.REVIEW, "staff.reject-text", facts, policy, now)
    move = Move.STAY if conversation.held else _may(conversation, Move.REVIEW)
    return Decision(move=move, rules=("staff.reject-text",), handoff=task, due=DueChange.CLEAR)


def _released(event: StaffAction, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> Decision:
    """Staff let go. What was remembered meanwhile counts; texts nobody has looked at become a task, not an answer."""
    conversation = facts.conversation
    step = event.next or NextStep.RESUME
    if conversation.disposition is not None and step is NextStep.RESUME:
        step = _ENDED.get(conversation.disposition, NextStep.CLOSE)
    rules = (f"staff.release-{step.value}",)
    unread = _unread(facts, event, policy, now)
    if step is not NextStep.RESUME:
        move, disposition = _RELEASED[step]
        return Decision(
            move=_may(conversation, move),
            rules=rules,
            desk=HandoffStatus.RELEASED,
            handoff=unread,
            disposition=conversation.disposition or disposition,
            due=DueChange.CLEAR,
        )
    index, due = nudge_at(conversation, policy, now, facts.case)
    steps = standing_cadence(conversation, facts.case, policy, now).steps
    if event.until is not None and steps:
        due = datetime.combine(event.until, steps[0].at, policy.office.tz)
    return Decision(
        move=_may(conversation, Move.RELEASE),
        rules=rules,
        desk=HandoffStatus.RELEASED,
        handoff=unread,
        until=event.until,
        step=max(index, conversation.step),
        due=DueChange.SET if conversation.phase is Phase.WITH_STAFF or _sleeps(event, conversation) else DueChange.KEEP,
        due_at=due,
    )


def _sleeps(event: StaffAction, conversation: Conversation) -> bool:
    """Staff named a day before which nothing is sent, and something would have been."""
    return event.until is not None and conversation.due_at is not None


def _unread(
    facts: ConversationFacts, event: StaffAction, policy: PracticePolicy, now: datetime
) -> HandoffRequest | None:
    """A task if the patient wrote after staff last looked at the handoff."""
    held = [h for h in facts.open_handoffs if h.kind.holds]
    looked = max((t for h in held for t in (h.acknowledged_at, h.resolved_at) if t), default=None)
    if facts.last_patient_at is None or (looked is not None and facts.last_patient_at <= looked):
        return None
    first = min((h.opened_at for h in held), default=None)
    if first is None or facts.last_patient_at <= first:
        return None
    return _task(HandoffKind.REVIEW, "staff.release-unread", facts, policy, now)


def _task(
    kind: HandoffKind,
    rule: str,
    facts: ConversationFacts,
    policy: PracticePolicy,
    now: datetime,
    suffix: str | None = None,
) -> HandoffRequest:
    urgency = Urgency.TODAY
    return HandoffRequest(
        id=f"{facts.conversation.id}:{suffix + ':handoff' if suffix else kind.value}",
        kind=kind,
        topics=(Topic.HUMAN,) if kind.holds else (),
        urgency=urgency,
        owner=Role.FRONT_DESK,
        due_at=due_at(now, 240, policy, urgency),
        rule=rule,
        offered=facts.conversation.offers,
    )
