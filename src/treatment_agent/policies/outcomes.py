"""What follows from a tool's answer: the second half of a decision that needed the calendar or the chart."""

from __future__ import annotations

from dataclasses import replace

from treatment_agent.domain.books import NOT_IN_EXPORT
from treatment_agent.domain.conversation import Disposition, Move
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Asked
from treatment_agent.domain.scheduling import Authority, Booking, BookingStatus, Slot
from treatment_agent.domain.treatment import ChartStatus, ProcedureStatus
from treatment_agent.domain.turn import Decision, DueChange, Say, Search
from treatment_agent.policies import outreach, visits, waiting
from treatment_agent.policies.hearing import Turn, task


def after_search(decision: Decision, search: Search, slots: tuple[Slot, ...], turn: Turn | None) -> Decision:
    """Offer what was found. If nothing suits, look for the nearest; if that fails too, a person calls.

    `turn` is None for outreach: nobody wrote, and the text goes without times.
    """
    if not slots and turn is not None:
        if search.nearest is not None:
            again = Search(request=search.nearest, scripts=visits.NEAREST_SCRIPTS)
            return replace(decision, rules=("reply.nearest-times", *decision.rules), tool=again)
        rule = "reply.no-slots"
        empty = visits.staff_changes(turn, rule) if turn.visit_stands else waiting.call_back(turn, rule=rule)
        return replace(empty, rules=(*empty.rules, *decision.rules), language=decision.language)
    script = search.scripts[min(len(slots), 2)]
    return replace(
        decision,
        move=search.move,
        says=(Say(script, search.kind), *decision.says),
        tool=None,
        offers=slots,
        asked=search.asked,
    )


def after_booking(decision: Decision, booking: Booking, authority: Authority, turn: Turn) -> Decision:
    """Tell the patient what is true: booked only if the calendar confirmed it, requested otherwise (P6)."""
    moved = turn.live_booking is not None
    if booking.status is BookingStatus.CONFIRMED:
        return replace(
            decision,
            move=Move.BOOK,
            says=(Say("moved" if moved else "booked"), *decision.says),
            tool=None,
            booking=booking,
            disposition=Disposition.BOOKED,
            asked=Asked.BOOKED,
            due=DueChange.CLEAR,
        )
    by_staff = authority is Authority.PROPOSE
    return replace(
        decision,
        move=Move.REQUEST_BOOKING,
        says=(Say("booking-requested"), *decision.says),
        tool=None,
        booking=booking,
        handoff=task(turn, HandoffKind.BOOKING, "reply.book-by-staff") if by_staff else None,
        asked=Asked.BOOKED,
        due=DueChange.CLEAR,
    )


def chart_forbids(chart: ChartStatus, turn: Turn, *, unlisted: bool) -> str | None:
    """The rule by which nothing may be booked as the chart stands now (P9), or None.

    Without a visit of ours, any coming one makes it doubtful: it may be this treatment, booked by phone. `unlisted`
    says that the newest export does not name the case any more.
    """
    closed = outreach.changed(turn.case, chart)
    rule = closed.rules[0] if closed is not None else None
    if turn.live_booking is not None:
        # The chart shows our own visit, which is to be moved; only the patient's own state counts.
        return None if rule in (None, "chart.booked", "chart.treatment-changed") else rule
    if rule is not None:
        return rule
    if chart.next_visit_at is not None and chart.next_visit_at > turn.now:
        return "outreach.other-visit"
    return NOT_IN_EXPORT if unlisted else None


def after_slot_taken(turn: Turn) -> Decision:
    """Someone else was faster: say so and offer the next two."""
    return visits.search(turn, rule="booking.slot-taken", scripts=visits.TAKEN_SCRIPTS)


def after_gone_by(turn: Turn, rule: str) -> Decision:
    """The picked time has passed or is too close now (`rule`): nobody took it, so only the next two are offered."""
    return visits.search(turn, rule=rule)


def after_chart(decision: Decision, chart: ChartStatus, turn: Turn) -> Decision:
    """The patient says it is booked. If the chart agrees the case closes, otherwise a person checks."""
    open_ids = {p.id for p in turn.case.open_procedures}
    scheduled = any(chart.procedures.get(i) is ProcedureStatus.SCHEDULED for i in open_ids)
    if scheduled or chart.next_visit_at is not None:
        return replace(
            decision,
            move=Move.CLOSE,
            rules=("reply.already-confirmed", *decision.rules),
            says=(Say("thanks"), *decision.says),
            tool=None,
            disposition=Disposition.BOOKED_ELSEWHERE,
            due=DueChange.CLEAR,
        )
    return replace(
        decision,
        move=Move.REVIEW,
        rules=("reply.already-unconfirmed", *decision.rules),
        says=(Say("already"), *decision.says),
        tool=None,
        handoff=task(turn, HandoffKind.REVIEW, "reply.already-unconfirmed"),
        due=DueChange.CLEAR,
    )
