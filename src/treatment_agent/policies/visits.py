"""Picking, offering and changing times."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from treatment_agent.domain.conversation import TALKING, Disposition, Move
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Ambiguity, Asked
from treatment_agent.domain.scheduling import BookingStatus, Slot, Window
from treatment_agent.domain.turn import Book, Decision, DueChange, Say, Search
from treatment_agent.policies import booking
from treatment_agent.policies.hearing import Turn, reason_of, task
from treatment_agent.policies.waiting import call_back

OFFER_SCRIPTS = ("no-slots", "offer-one", "offer")
NEAREST_SCRIPTS = ("no-slots", "offer-nearest-one", "offer-nearest")
TAKEN_SCRIPTS = ("no-slots", "slot-taken-one", "slot-taken")
MAX_OFFER_ROUNDS = 6


def accept(turn: Turn) -> Decision:
    """Book the slot that was picked; ask which one when that is not clear (`reply.accept-which`)."""
    offers = turn.conversation.offers
    if not offers:
        return search(turn, rule="reply.accept-without-offer")
    option = turn.facts.option
    if option is None and len(offers) == 1 and Ambiguity.OPTION not in turn.facts.ambiguous:
        option = 1
    if option is None or not 1 <= option <= len(offers):
        return which(turn, "reply.accept-which")
    return book(turn, offers[option - 1])


def book(turn: Turn, slot: Slot) -> Decision:
    """Book an offered slot. When the patient has a visit already, it is moved, not doubled."""
    visit = turn.visit
    if visit is None:
        return call_back(turn, rule="reply.booked-by-hand")
    current = turn.live_booking
    replaces = current.appointment_id if current else None
    return Decision(
        move=Move.STAY,
        rules=("reply.accept",),
        tool=Book(slot=slot, visit=visit, replaces=replaces),
        asked=turn.conversation.asked,
    )


def search(
    turn: Turn,
    *,
    rule: str,
    windows: tuple[Window, ...] = (),
    scripts: tuple[str, str, str] = OFFER_SCRIPTS,
) -> Decision:
    """Look for openings that suit, leaving out those offered before."""
    visit = turn.visit
    if visit is None:
        return call_back(turn, rule="reply.booked-by-hand")
    if turn.conversation.asks >= MAX_OFFER_ROUNDS:
        return call_back(turn, rule="reply.too-many-rounds")
    # A time the patient names is looked for again even if it was offered before; "something else" is not.
    exclude = () if windows else turn.conversation.seen_slots
    request = booking.slot_request(visit, turn.policy, turn.now, windows=windows, exclude=exclude)
    nearest = None
    if windows:
        later = replace(request, windows=(), earliest=max(request.earliest, _start_of_day(windows[0].start)))
        nearest = later if later.earliest < later.latest else replace(request, windows=())
    tool = Search(request=request, scripts=scripts, nearest=nearest)
    return Decision(move=Move.STAY, rules=(rule,), tool=tool, due=DueChange.KEEP)


def _start_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def other_times(turn: Turn) -> Decision:
    """Search by what suits; a date that can be read two ways is asked about (`reply.ask-date`)."""
    if {Ambiguity.DATE, Ambiguity.TIME} & set(turn.facts.ambiguous):
        return Decision(move=Move.ASK, rules=("reply.ask-date",), says=(Say("ask-date"),), asked=Asked.OFFER)
    return search(turn, rule="reply.other-times", windows=turn.facts.windows)


def affirm(turn: Turn) -> Decision:
    """A yes without a pick: to a single offered time it is a pick, otherwise it is asked which."""
    asked, offers = turn.conversation.asked, turn.conversation.offers
    if asked is Asked.CALLBACK_ASK:
        return call_back(turn)
    if not offers:
        return search(turn, rule="reply.affirm")
    if len(offers) == 1 and asked is Asked.OFFER:
        return book(turn, offers[0])
    return which(turn, "reply.affirm-which")


def which(turn: Turn, rule: str) -> Decision:
    """Two times and no clear pick: ask, never guess."""
    script = "ask-which" if len(turn.conversation.offers) > 1 else "ask-which-one"
    return Decision(move=Move.ASK, rules=(rule,), says=(Say(script),), asked=Asked.OFFER)


def change(turn: Turn) -> Decision:
    """Move a visit ourselves only where the calendar can do it in one step."""
    # Times on the table mean that the visit is being moved already: "any others?" is the next round of it.
    wants_time = bool(turn.facts.windows) or turn.is_moving
    ours = turn.live_booking
    if not wants_time or not turn.can_reschedule or ours is None or ours.appointment_id is None:
        return staff_changes(turn, "reply.change-by-staff")
    return search(turn, rule="reply.change", windows=turn.facts.windows)


def cancel(turn: Turn) -> Decision:
    """Cancelling is always for staff, and our record of the visit stands until they or the calendar say otherwise.

    Where we know of no visit it was made elsewhere: staff look, and nothing more is sent by itself.
    """
    decision = staff_changes(turn, "reply.cancel-by-staff")
    return decision if turn.visit_stands else replace(decision, move=Move.REVIEW, due=DueChange.CLEAR)


def staff_changes(turn: Turn, rule: str) -> Decision:
    """Staff change or cancel the visit: a task, and the approved answer. Times offered for a move are off the table."""
    ours = turn.live_booking
    back = turn.conversation.phase in TALKING and ours is not None and ours.status is BookingStatus.CONFIRMED
    return Decision(
        move=Move.BOOK if back else Move.STAY,
        rules=(rule,),
        says=(Say("change-noted"),),
        handoff=task(turn, HandoffKind.CHANGE, rule),
        reason=reason_of(turn),
        disposition=Disposition.BOOKED if back else None,
    )
