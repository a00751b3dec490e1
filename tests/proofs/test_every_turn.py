"""Every phase x event x verdict, walked through the real graph without a ledger: no path breaks P1, P2, P4, P6, P7."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

import pytest
from langgraph.graph import END, START
from langgraph.runtime import Runtime
from proof_office import ANA, CHICAGO, openings, patient, policy
from pydantic import SecretStr

from treatment_agent.domain.books import ContactFacts, ConversationFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import TRANSITIONS, Conversation, Phase
from treatment_agent.domain.events import (
    BookingSettled,
    ChartChange,
    ChartChanged,
    DeliveryReported,
    Event,
    PatientMessage,
    StaffAction,
    StaffVerb,
    TouchDue,
)
from treatment_agent.domain.handoff import HandoffKind, HandoffPacket, HandoffStatus, NextStep, Role, Urgency
from treatment_agent.domain.interpretation import Asked, ClauseReading, Facts, Intent, Interpretation, Span, Topic
from treatment_agent.domain.messages import Channel, DeliveryStatus, SendKind
from treatment_agent.domain.scheduling import Authority, Booking, BookingStatus
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import AdapterUnavailable, SlotTaken
from treatment_agent.graph.build import build_graph
from treatment_agent.graph.state import TurnContext, TurnState, fresh
from treatment_agent.testing import ConstantInterpreter
from treatment_agent.tools.enrolled_chart import EnrolledChart
from treatment_agent.tools.memory import MemoryScheduler

NOW = datetime(2026, 12, 1, 11, tzinfo=CHICAGO)
# The words say nothing, so that the reading alone decides; `Words` have their own.
NEUTRAL = "mmm"
LABELS: tuple[Topic | Intent | None, ...] = (None, *Topic, *Intent)
OFFERS = tuple(slot for slot in openings() if slot.start > NOW + timedelta(days=3))[:2]
BOOKINGS = (
    None,
    *(Booking("case-ana:before:book", OFFERS[0], status, ("p-ana",), "visit-1") for status in BookingStatus),
)
LIVE = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)
MAY_WRITE_FIRST = {Phase.QUEUED, Phase.CONTACTED, Phase.IN_CONVERSATION, Phase.OFFER_OPEN, Phase.DEFERRED}
PASS_A_HOLD = {SendKind.HANDOFF, SendKind.EMERGENCY}
TO_A_PERSON = {SendKind.HANDOFF, SendKind.EMERGENCY, SendKind.OPT_OUT}


class Counting(MemoryScheduler):
    """The calendar, and how often something was booked in it."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(OFFERS)
        self.permits: list[object] = []
        self.error = error

    def book(self, booking):
        self.permits.append(booking)
        if self.error is not None:
            raise self.error
        if booking.replaces is not None:
            # The visit to be moved was made before the walk began.
            return Booking(booking.key, booking.slot, BookingStatus.CONFIRMED, booking.visit.procedure_ids, "visit-2")
        return super().book(booking)


@dataclass(frozen=True)
class Turn:
    """One walk: where it began, what happened, and where it ended."""

    before: ConversationFacts
    event: Event
    label: object
    record: TurnRecord
    after: Conversation
    booked: int

    @property
    def kinds(self) -> set[SendKind]:
        return {send.kind for send in self.record.sends}

    def __str__(self) -> str:
        c = self.before.conversation
        booking = c.booking.status if c.booking else None
        return f"{c.phase} held={c.held} booking={booking} {self.event.kind} {self.label} -> {self.record.rules}"


@cache
def _built():
    return build_graph().builder


def walk(state: TurnState, context: TurnContext) -> TurnState:
    """One turn over the nodes and edges of the real graph, without its machinery."""
    built, runtime, at = _built(), Runtime(context=context), START
    edges = dict(built.edges)
    for _ in range(20):
        branch = built.branches.get(at)
        at = next(iter(branch.values())).path.func(state) if branch else edges[at]
        if at == END:
            return state
        state = {**state, **built.nodes[at].runnable.func(state, runtime)}
    raise AssertionError("the turn does not end")


def facts(phase: Phase, booking: Booking | None, *, revoked: bool, handoff: bool) -> ConversationFacts:
    held = handoff or phase is Phase.WITH_STAFF
    stands = booking is not None and booking.status in LIVE
    conversation = Conversation(
        id="case-ana",
        case_id="case-ana",
        patient_id="ana",
        phase=phase,
        asked=Asked.OFFER,
        offers=OFFERS,
        seen_slots=tuple(slot.id for slot in OFFERS),
        step=1,
        due_at=NOW if phase in MAY_WRITE_FIRST and not stands else None,
        booking=booking,
        handoff_id="case-ana:h:handoff" if held else None,
        handoff_text_sent=held,
        first_sent_at=NOW - timedelta(days=5),
    )
    status = ConsentStatus.REVOKED if revoked or phase is Phase.OPTED_OUT else ConsentStatus.GRANTED
    said_at = NOW - timedelta(days=2)
    packet = HandoffPacket(
        "case-ana:h:handoff", "case-ana", "ana", HandoffKind.HANDOFF, HandoffStatus.OPENED, (Topic.CLINICAL,),
        Urgency.TODAY, Role.CLINICIAN, said_at, NOW, "", "",
    )  # fmt: skip
    return ConversationFacts(
        conversation=conversation,
        case=patient("ana", ANA),
        contacts=(ContactFacts(Channel.SMS, ANA, status, said_at),),
        open_handoffs=(packet,) if held else (),
        revoked_at=said_at if status is ConsentStatus.REVOKED else None,
    )


def standings() -> Iterator[ConversationFacts]:
    for phase, booking, revoked in itertools.product(Phase, BOOKINGS, (False, True)):
        yield facts(phase, booking, revoked=revoked, handoff=False)
        if phase is Phase.OPTED_OUT:
            yield facts(phase, booking, revoked=revoked, handoff=True)


def events() -> Iterator[Event]:
    at = NOW
    yield TouchDue(id="e", at=at, step=1)
    yield from (ChartChanged(id="e", at=at, change=change) for change in ChartChange)
    for verb in StaffVerb:
        for step in (None, *NextStep) if verb in (StaffVerb.RELEASE, StaffVerb.RESOLVE) else (None,):
            yield StaffAction(id="e", at=at, verb=verb, by="kim", next=step)
    for status, key in itertools.product(BookingStatus, ("case-ana:before:book", "case-ana:other:book")):
        yield BookingSettled(id="e", at=at, booking_key=key, status=status)
    for status, opted_out in itertools.product(DeliveryStatus, (False, True)):
        yield DeliveryReported(id="e", at=at, send_key="case-ana:x:0", status=status, opted_out=opted_out)


def made(before: ConversationFacts, event: Event, label=None, words="", reading=None, calendar=None) -> Turn:
    calendar = calendar or Counting()
    context = TurnContext(
        policy=policy(),
        interpreter=ConstantInterpreter(reading) if reading else ConstantInterpreter(read(label)),
        scheduler=calendar,
        chart=EnrolledChart(),
        facts=before,
        now=NOW,
        text=SecretStr(words),
    )
    state = walk(fresh(event, before), context)
    named = f"{label} {words!r}" if words not in ("", NEUTRAL) else label
    return Turn(before, event, named, state["turn"], state["conversation"], len(calendar.permits))


def read(*labels, option: int | None = 1, sure: float = 1.0) -> Interpretation:
    span = Span(0, 1)
    clauses = tuple(ClauseReading(span, label, sure if label else 0.0, "model", f"any.{label}") for label in labels)
    return Interpretation(clauses, "en", "any-1", Facts(option=option, until=date(2027, 1, 10)))


@cache
def messages() -> tuple[Turn, ...]:
    message = PatientMessage(id="e", at=NOW)
    return tuple(made(before, message, label, NEUTRAL) for before in standings() for label in LABELS)


@cache
def others() -> tuple[Turn, ...]:
    return tuple(made(before, event) for before in standings() for event in events())


WORDS = ("STOP", "START", "HELP", "my face is swollen and I cannot breathe", "STOP my jaw is bleeding", "wrong number")


@cache
def spoken() -> tuple[Turn, ...]:
    """Words that the lists know, while the model is sure of something routine."""
    message = PatientMessage(id="e", at=NOW)
    return tuple(
        made(before, message, label, words)
        for before in standings()
        for words in WORDS
        for label in (Intent.ACCEPT, Intent.AFFIRM)
    )


def all_turns() -> tuple[Turn, ...]:
    return (*messages(), *others(), *spoken())


def none(turns: Iterator[Turn]) -> None:
    broken = [str(turn) for turn in turns]
    assert broken == [], f"{len(broken)} turns, the first: {broken[0]}"


def revoked_before(turn: Turn) -> bool:
    return turn.before.conversation.phase is Phase.OPTED_OUT or turn.before.revoked_at is not None


def opted_in(turn: Turn) -> bool:
    return turn.record.consent is not None and turn.record.consent.status is ConsentStatus.GRANTED


class TestEveryTurn:
    def test_covers_the_whole_space(self):
        assert len(messages()) >= len(Phase) * len(BOOKINGS) * len(LABELS)
        assert {turn.after.phase for turn in all_turns()} == set(Phase)
        assert {kind for turn in all_turns() for kind in turn.kinds} == set(SendKind)
        assert any(turn.booked for turn in messages())

    def test_moves_only_as_the_table_of_phases_allows(self):
        steps = {(a, t or a) for starts, t in TRANSITIONS.values() for a in starts}
        two = {(a, c) for a, b in steps for b2, c in steps if b == b2}
        none(t for t in all_turns() if (t.record.phase_before, t.record.phase_after) not in steps | two)

    def test_p1_says_nothing_after_a_revocation_but_its_confirmation(self):
        allowed = {SendKind.OPT_OUT, SendKind.EMERGENCY}
        revokes = lambda t: t.record.consent is not None and t.record.consent.status is ConsentStatus.REVOKED  # noqa: E731
        none(t for t in all_turns() if revoked_before(t) and not opted_in(t) and not revokes(t) and t.kinds)
        none(t for t in all_turns() if revokes(t) and t.kinds - allowed)
        none(t for t in all_turns() if sum(s.kind is SendKind.OPT_OUT for s in t.record.sends) > 1)

    def test_p1_honours_a_stop_from_everywhere(self):
        stops = [t for t in spoken() if t.record.rules[0].startswith("consent.") and t.event.kind == "patient_message"]
        assert stops
        carrier = PatientMessage(id="e", at=NOW, carrier_opt_out=True)
        none(
            turn
            for before in standings()
            for turn in (made(before, carrier, Intent.ACCEPT, NEUTRAL), made(before, carrier, None, "1"))
            if turn.after.phase is not Phase.OPTED_OUT or SendKind.OPT_OUT in turn.kinds
        )

    def test_p2_says_nothing_while_staff_hold_but_the_handoff_and_emergency_texts(self):
        held = [t for t in all_turns() if t.before.conversation.held]
        none(t for t in held if t.after.held and t.kinds - {SendKind.EMERGENCY})
        none(t for t in held if t.event.kind != "staff_action" and t.kinds - PASS_A_HOLD)
        none(t for t in all_turns() if t.after.held and t.kinds - PASS_A_HOLD)
        none(t for t in all_turns() if sum(s.kind is SendKind.HANDOFF for s in t.record.sends) > 1)

    def test_p4_acts_alone_on_routine_readings_only(self):
        unsure = [t for t in messages() if not isinstance(t.label, Intent)]
        none(t for t in unsure if t.booked or t.record.booking or t.kinds - TO_A_PERSON)
        silenced = (Phase.OPTED_OUT,)
        none(t for t in unsure if not t.record.handoffs and not t.before.conversation.held)
        none(t for t in unsure if not t.after.held and t.after.phase not in silenced)

    @pytest.mark.parametrize("topic", [None, *Topic])
    @pytest.mark.parametrize("intent", list(Intent))
    def test_p4_lets_the_strictest_clause_win(self, intent, topic):
        before = facts(Phase.OFFER_OPEN, None, revoked=False, handoff=False)
        event = PatientMessage(id="e", at=NOW)
        both = made(before, event, f"{intent}+{topic}", NEUTRAL, read(intent, topic))
        low = made(before, event, f"{intent} unsure", NEUTRAL, read(intent, sure=0.4))
        for turn in (both, low):
            assert turn.record.handoffs, turn
            assert not turn.booked, turn
            assert turn.kinds <= TO_A_PERSON, turn

    def test_p4_lets_the_lists_stand_against_a_sure_model(self):
        # A START without a revocation before it is a word like any other.
        none(t for t in spoken() if (t.booked or t.record.booking) and "START" not in str(t.label))

    def test_p6_books_once_and_only_offered_slots(self):
        none(t for t in all_turns() if t.booked > 1)
        none(t for t in all_turns() if t.booked and t.record.booking and t.record.booking.slot not in OFFERS)
        standing = [t for t in all_turns() if (b := t.before.conversation.booking) and b.status in LIVE and t.booked]
        none(t for t in standing if t.after.booking is None or t.record.booking is None)
        says = [t for t in all_turns() if any(s.script_id in ("booked", "moved") for s in t.record.sends)]
        assert says
        none(t for t in says if t.after.booking is None or t.after.booking.status is not BookingStatus.CONFIRMED)

    @pytest.mark.parametrize("error", [SlotTaken("gone"), AdapterUnavailable("away"), RuntimeError("broken")])
    def test_p6_never_says_booked_when_the_calendar_did_not(self, error):
        for before in standings():
            turn = made(before, PatientMessage(id="e", at=NOW), Intent.ACCEPT, NEUTRAL, calendar=Counting(error))
            assert all(s.script_id not in ("booked", "moved") for s in turn.record.sends), turn
            assert turn.record.booking is None, turn

    def test_p6_leaves_bookings_to_staff_where_the_calendar_only_proposes(self):
        calendar = Counting()
        calendar._authority = Authority.PROPOSE
        before = facts(Phase.OFFER_OPEN, None, revoked=False, handoff=False)
        turn = made(before, PatientMessage(id="e", at=NOW), Intent.ACCEPT, NEUTRAL, calendar=calendar)
        assert turn.after.phase is Phase.BOOKING_REQUESTED
        assert all(s.script_id != "booked" for s in turn.record.sends)

    def test_p7_writes_first_only_on_a_due_touch_in_the_phases_of_outreach(self):
        first = [t for t in all_turns() if SendKind.OUTREACH in t.kinds]
        assert first
        none(t for t in first if t.event.kind != "touch_due")
        none(t for t in first if t.before.conversation.phase not in MAY_WRITE_FIRST or t.before.conversation.held)
        none(t for t in first if revoked_before(t))

    def test_p7_stops_by_itself(self):
        over = {Phase.BOOKED, Phase.DECLINED, Phase.OPTED_OUT, Phase.CLOSED, Phase.WITH_STAFF, Phase.NEEDS_REVIEW}
        none(t for t in all_turns() if t.after.phase in over and t.after.due_at is not None)

    def test_p10_always_has_a_rule(self):
        none(t for t in all_turns() if not t.record.rules)

    def test_is_the_walk_of_the_compiled_graph(self):
        """The walk over nodes and edges decides as LangGraph does."""
        before = facts(Phase.OFFER_OPEN, None, revoked=False, handoff=False)
        for label, words in itertools.product((Intent.ACCEPT, Intent.OPT_OUT, Topic.CLINICAL, None), (NEUTRAL, "STOP")):
            event = PatientMessage(id="e", at=NOW)
            calendar = Counting()
            context = TurnContext(
                policy=policy(), interpreter=ConstantInterpreter(read(label)), scheduler=calendar,
                chart=EnrolledChart(), facts=before, now=NOW, text=SecretStr(words),
            )  # fmt: skip
            state = build_graph().invoke(fresh(event, before), context=context)
            assert state["turn"] == made(before, event, label, words).record
            assert replace(state["conversation"]) == made(before, event, label, words).after
