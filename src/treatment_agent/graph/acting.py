"""Tool calls and what follows from their answers."""

from __future__ import annotations

from dataclasses import replace

from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.patients import PatientStatus
from treatment_agent.domain.scheduling import Authority, Booking, BookingStatus, Slot
from treatment_agent.domain.turn import AskChart, Book, Decision, Search, Verdict
from treatment_agent.errors import AdapterError, NotPermitted, SlotTaken
from treatment_agent.graph.state import TurnContext, TurnState
from treatment_agent.policies import booking, gate, outcomes, outreach, topics
from treatment_agent.policies.hearing import Turn

MOST_CALLS = 5
# The patient took a while: nobody took the time, but others are offered.
_GONE_BY = frozenset({"booking.past", "booking.too-soon"})


def carry_out(decisions: tuple[Decision, ...], state: TurnState, context: TurnContext) -> tuple[Decision, ...]:
    """Replace each decision that asks for a tool by what the tool's answer leads to.

    Raises:
        AdapterError: the tool failed while a patient waits; the turn goes to a person.
        NotPermitted: the booking was not allowed.
    """
    event, interpretation = state["event"], state.get("interpretation")
    turn = None
    if isinstance(event, PatientMessage) and interpretation is not None and context.facts.case is not None:
        turn = context.heard(interpretation, event.id)
    decision, asked = decisions[-1], False
    for _ in range(MOST_CALLS):
        match decision.tool:
            case None:
                return (*decisions[:-1], decision)
            case Search() if turn is not None and not asked:
                asked = True
                decision = _overtaken(turn, context) or decision
            case Search() as search:
                decision = _search(decision, search, turn, context)
            case Book() as book if turn is not None:
                decision = _book(decision, book, turn, context)
            case AskChart() if turn is not None:
                decision = outcomes.after_chart(decision, context.chart.check(turn.case), turn)
            case _:
                raise ValueError("this tool answers a patient's message only")
    raise ValueError("too many tool calls in one turn")


def _overtaken(turn: Turn, context: TurnContext) -> Decision | None:
    """Before times are offered the chart is asked: staff may have booked by phone (P6, P9). `_book` asks for itself."""
    if turn.visit_stands:
        return None
    try:
        status = context.chart.check(turn.case)
    except AdapterError:
        return None
    if outreach.changed(turn.case, status) is None:
        return None
    verdict = (Verdict(topic=Topic.OTHER, rule="chart.overtaken"),)
    request = topics.request(
        verdict,
        event_id=turn.event_id,
        conversation=turn.conversation,
        interpretation=turn.interpretation,
        policy=turn.policy,
        now=turn.now,
    )
    decision = gate.hand_off(request, verdict, context.facts, turn.policy, revokes=False, now=turn.now)
    over = status.do_not_contact or status.patient_status != PatientStatus.ACTIVE
    return gate.without_texts(decision) if over else decision


def _search(decision: Decision, search: Search, turn: Turn | None, context: TurnContext) -> Decision:
    try:
        slots = context.scheduler.find_slots(search.request)
    except AdapterError:
        if turn is not None:
            raise
        return outreach.unavailable("outreach.scheduler-unavailable", context.now)
    fitting = booking.fitting(slots, search.request)
    return outcomes.after_search(decision, search, fitting[: search.request.limit], turn)


def _book(decision: Decision, book: Book, turn: Turn, context: TurnContext) -> Decision:
    key = f"{turn.conversation.id}:{turn.event_id}:book"
    if turn.policy.authority is Authority.BOOK:
        # Before the permit: what a crash left booked is ours, even if the permit would come too late now.
        made = _made(key, book.slot, context)
        if made is not None:
            return outcomes.after_booking(decision, made, context.scheduler.authority, turn)
    try:
        permit = booking.approve(
            key=key,
            slot=book.slot,
            visit=book.visit,
            conversation=turn.conversation,
            case=turn.case,
            policy=turn.policy,
            now=turn.now,
            replaces=book.replaces,
        )
    except NotPermitted as error:
        if error.rule not in _GONE_BY:
            raise
        return outcomes.after_gone_by(turn, error.rule)
    # Last thing before: somebody may have booked by phone since the times were offered.
    rule = outcomes.chart_forbids(context.chart.check(turn.case), turn, unlisted=context.facts.unlisted)
    if rule is not None:
        return _doubted(decision, rule, turn, context)
    if turn.policy.authority is Authority.PROPOSE:
        asked = Booking(key, book.slot, BookingStatus.REQUESTED, book.visit.procedure_ids)
        return outcomes.after_booking(decision, asked, Authority.PROPOSE, turn)
    try:
        made = _as_picked(context.scheduler.book(permit), key, book.slot)
    except SlotTaken:
        return outcomes.after_slot_taken(turn)
    except Exception:
        # The booking may stand and only its answer got lost.
        made = _made(key, book.slot, context)
        if made is None:
            raise
    return outcomes.after_booking(decision, made, context.scheduler.authority, turn)


def _doubted(decision: Decision, rule: str, turn: Turn, context: TurnContext) -> Decision:
    """Nothing is booked: a person reads the message beside the chart, and the patient is told that one will."""
    verdicts = tuple(Verdict(topic=Topic.OTHER, rule=name) for name in ("booking.chart-changed", rule))
    handoff = topics.request(
        verdicts,
        event_id=turn.event_id,
        conversation=turn.conversation,
        interpretation=turn.interpretation,
        policy=turn.policy,
        now=turn.now,
    )
    doubted = gate.hand_off(handoff, verdicts, context.facts, turn.policy, revokes=False, now=turn.now)
    return replace(doubted, language=decision.language)


def _made(key: str, picked: Slot, context: TurnContext) -> Booking | None:
    """The booking that the calendar has under this key, checked by `_as_picked`."""
    found = context.scheduler.find_booking(key)
    return None if found is None else _as_picked(found, key, picked)


def _as_picked(made: Booking, key: str, picked: Slot) -> Booking:
    """The booking, if it stands and is what the patient picked: they are told its time (P6).

    Raises:
        ValueError: it was given up or refused, or it is another one; a person looks.
    """
    if made.status not in (BookingStatus.CONFIRMED, BookingStatus.REQUESTED):
        raise ValueError("the booking of this turn was given up")
    if (made.key, made.slot.start, made.slot.provider_id) != (key, picked.start, picked.provider_id):
        raise ValueError("the calendar answered another booking than the one of this turn")
    return made
