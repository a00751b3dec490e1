"""Carrying a decision over to the conversation: the only place where its state changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from treatment_agent.domain.conversation import Conversation, Disposition, Move, Phase, next_phase
from treatment_agent.domain.handoff import HandoffStatus
from treatment_agent.domain.interpretation import Asked
from treatment_agent.domain.scheduling import Booking, BookingStatus
from treatment_agent.domain.turn import Decision, DueChange

_SETTLED = (Phase.BOOKED, Phase.DECLINED, Phase.OPTED_OUT, Phase.CLOSED, Phase.NEEDS_REVIEW, Phase.WITH_STAFF)
# Where offered times are off the table.
_NOTHING_TO_PICK = (Phase.BOOKED, Phase.BOOKING_REQUESTED, Phase.DECLINED, Phase.OPTED_OUT, Phase.CLOSED)
# Moves by which an ended conversation goes on.
_REOPENS = frozenset(
    {Move.TOUCH, Move.ASK, Move.OFFER, Move.REQUEST_BOOKING, Move.CALL_BACK, Move.DEFER, Move.OPT_IN, Move.REVIEW}
)


def advance(conversation: Conversation, decision: Decision) -> Conversation:
    """The conversation after `decision`.

    Raises:
        ValueError: the transition table does not allow the move from where the conversation stands.
    """
    phase = next_phase(conversation.phase, decision.move)
    booking, standing = _bookings(conversation, decision.booking)
    moved = replace(
        conversation,
        phase=phase,
        asked=decision.asked or conversation.asked,
        language=decision.language or conversation.language,
        channel=decision.channel or conversation.channel,
        until=decision.until or conversation.until,
        step=conversation.step if decision.step is None else decision.step,
        disposition=decision.disposition or _disposition(conversation, decision, (booking, standing)),
        booking=booking,
        standing=standing,
        due_at=_due(conversation, decision, phase),
    )
    moved = _with_offers(moved, decision)
    if decision.reason is not None and decision.reason.code not in moved.reasons:
        moved = replace(moved, reasons=(*moved.reasons, decision.reason.code))
    return _with_desk(moved, decision)


def _bookings(conversation: Conversation, new: Booking | None) -> tuple[Booking | None, Booking | None]:
    """Our booking, and the confirmed one that stands while its move is requested; one that fails gives it back."""
    old, standing = conversation.booking, conversation.standing
    if new is None:
        return old, standing
    if new.status is BookingStatus.REQUESTED:
        moves = old is not None and old.status is BookingStatus.CONFIRMED and old.key != new.key
        return new, old if moves else standing
    if new.status is BookingStatus.FAILED and standing is not None:
        return standing, None
    return new, None


def _disposition(
    conversation: Conversation, decision: Decision, ours: tuple[Booking | None, ...]
) -> Disposition | None:
    """How it ended stands until it goes on; then only a booked visit counts still."""
    if decision.move not in _REOPENS:
        return conversation.disposition
    return Disposition.BOOKED if any(b is not None and b.status is BookingStatus.CONFIRMED for b in ours) else None


def _due(conversation: Conversation, decision: Decision, phase: Phase) -> datetime | None:
    if decision.due is DueChange.SET:
        return decision.due_at
    if decision.due is DueChange.CLEAR or (phase in _SETTLED and phase is not conversation.phase):
        return None
    return conversation.due_at


def _with_offers(conversation: Conversation, decision: Decision) -> Conversation:
    if conversation.phase in _NOTHING_TO_PICK:
        conversation = replace(conversation, offers=())
    if decision.offers is None:
        return conversation
    seen = (*conversation.seen_slots, *(s.id for s in decision.offers if s.id not in conversation.seen_slots))
    rounds = conversation.asks + 1 if decision.move is Move.OFFER else conversation.asks
    return replace(conversation, offers=decision.offers, seen_slots=seen[-40:], asks=rounds)


def _with_desk(conversation: Conversation, decision: Decision) -> Conversation:
    handoff = decision.handoff
    if handoff is not None and handoff.kind.holds and not conversation.held:
        conversation = replace(conversation, handoff_id=handoff.id, handoff_text_sent=False, due_at=None)
    if decision.desk is HandoffStatus.RELEASED:
        conversation = replace(conversation, handoff_id=None, handoff_text_sent=False)
    if decision.move is Move.OPT_IN and conversation.held:
        # The patient wants to hear from the office again, but staff have the thread.
        conversation = replace(conversation, phase=Phase.WITH_STAFF)
    if decision.move is Move.BOOK and conversation.booking and conversation.booking.status is BookingStatus.CONFIRMED:
        conversation = replace(conversation, asked=Asked.BOOKED)
    return conversation
