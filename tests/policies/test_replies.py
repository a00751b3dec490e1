"""Routine replies: what each intent leads to, and what it must not lead to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from policy_samples import CHICAGO, NOW, POLICY, SLOTS, case, conversation, procedure

from treatment_agent.domain.conversation import Disposition, Move, Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import (
    Ambiguity,
    Asked,
    ClauseReading,
    Facts,
    Intent,
    Interpretation,
    LogisticsAsk,
    Reason,
    Span,
)
from treatment_agent.domain.scheduling import Booking, BookingStatus, Window
from treatment_agent.domain.turn import AskChart, Book, Decision, DueChange, Search
from treatment_agent.policies import replies
from treatment_agent.policies.hearing import Turn

FRIDAY = Window(datetime(2026, 12, 4, 8, tzinfo=CHICAGO), datetime(2026, 12, 4, 12, tzinfo=CHICAGO))
BOOKED = Booking("c1:e0:book", SLOTS[0], BookingStatus.CONFIRMED, ("p1",), "visit-1")


def heard(*intents: Intent, rule: str = "", language: str = "en", **facts: object) -> Interpretation:
    clauses = tuple(
        ClauseReading(Span(i * 5, i * 5 + 4), intent, 0.95, "parser", rule or f"{intent.value}.words")
        for i, intent in enumerate(intents)
    )
    return Interpretation(clauses, language, "test-1", Facts(**facts))  # type: ignore[arg-type]


def decide(interpretation: Interpretation, **changes: object) -> Decision:
    can_reschedule = bool(changes.pop("can_reschedule", True))
    treated = changes.pop("case", None) or case()
    state = replace(conversation(phase=Phase.CONTACTED, asked=Asked.FIRST_MESSAGE, step=1), **changes)  # type: ignore[arg-type]
    turn = Turn(
        conversation=state,
        interpretation=interpretation,
        case=treated,  # type: ignore[arg-type]
        policy=POLICY,
        now=NOW,
        event_id="e1",
        can_reschedule=can_reschedule,
    )
    return replies.decide(turn)


def scripts(decision: Decision) -> list[str]:
    return [say.script_id for say in decision.says]


class TestMainIntent:
    @pytest.mark.parametrize(
        ("said", "main"),
        [
            ((Intent.DECLINE, Intent.OTHER_TIMES), Intent.OTHER_TIMES),
            ((Intent.DECLINE, Intent.CALLBACK), Intent.CALLBACK),
            ((Intent.DECLINE,), Intent.DECLINE),
            ((Intent.ACK, Intent.ACCEPT), Intent.ACCEPT),
            ((Intent.ACK,), Intent.ACK),
            ((), None),
        ],
    )
    def test_is_the_strictest_that_fits(self, said, main):
        assert replies.main_intent(heard(*said)) is main

    def test_defers_when_a_day_far_off_is_named_with_other_times(self):
        assert replies.main_intent(heard(Intent.DEFER, Intent.OTHER_TIMES, until=date(2027, 1, 4))) is Intent.DEFER
        assert replies.main_intent(heard(Intent.DEFER, Intent.OTHER_TIMES, windows=(FRIDAY,))) is Intent.OTHER_TIMES


class TestAccept:
    def test_books_the_picked_slot(self):
        decision = decide(heard(Intent.ACCEPT, option=2))
        assert decision.rules[0] == "reply.accept"
        assert isinstance(decision.tool, Book)
        assert decision.tool.slot == SLOTS[1]
        assert decision.tool.replaces is None

    @pytest.mark.parametrize("option", [None, 3, 0])
    def test_asks_which_when_the_pick_is_not_clear(self, option):
        decision = decide(heard(Intent.ACCEPT, option=option))
        assert decision.rules[0] == "reply.accept-which"
        assert scripts(decision) == ["ask-which"]
        assert decision.tool is None

    def test_takes_the_only_offer_without_a_number(self):
        decision = decide(heard(Intent.ACCEPT), offers=SLOTS[:1])
        assert isinstance(decision.tool, Book)
        assert decision.tool.slot == SLOTS[0]

    def test_asks_about_the_only_offer_when_the_pick_is_ambiguous(self):
        decision = decide(heard(Intent.ACCEPT, ambiguous=(Ambiguity.OPTION,)), offers=SLOTS[:1])
        assert scripts(decision) == ["ask-which-one"]

    def test_offers_times_when_nothing_is_on_the_table(self):
        decision = decide(heard(Intent.ACCEPT), offers=())
        assert decision.rules[0] == "reply.accept-without-offer"
        assert isinstance(decision.tool, Search)

    def test_leaves_to_staff_what_they_book_by_hand(self):
        decision = decide(heard(Intent.ACCEPT, option=1), case=case(procedure("p9", "D5110")))
        assert decision.rules[0] == "reply.booked-by-hand"
        assert decision.handoff is not None

    def test_moves_the_visit_instead_of_booking_a_second(self):
        decision = decide(heard(Intent.ACCEPT, option=2), phase=Phase.OFFER_OPEN, booking=BOOKED)
        assert isinstance(decision.tool, Book)
        assert decision.tool.replaces == "visit-1"

    def test_does_nothing_when_the_visit_is_booked(self):
        decision = decide(heard(Intent.ACCEPT, option=1), phase=Phase.BOOKED, booking=BOOKED)
        assert decision.rules[0] == "reply.booked-already"
        assert decision.tool is None
        assert scripts(decision) == []

    def test_answers_a_practical_question_beside_it(self):
        decision = decide(heard(Intent.AFFIRM, Intent.LOGISTICS, asks=LogisticsAsk.ADDRESS))
        assert scripts(decision) == ["ask-which", "logistics"]
        booking = decide(heard(Intent.ACCEPT, Intent.WHO, option=1))
        assert isinstance(booking.tool, Book)
        assert scripts(booking) == ["who"]


class TestOtherTimes:
    def test_searches_by_what_suits(self):
        decision = decide(heard(Intent.OTHER_TIMES, windows=(FRIDAY,)))
        assert decision.rules[0] == "reply.other-times"
        assert isinstance(decision.tool, Search)
        assert decision.tool.request.windows == (FRIDAY,)
        assert decision.tool.request.exclude == ()

    def test_leaves_out_what_was_offered_when_no_time_is_named(self):
        decision = decide(heard(Intent.OTHER_TIMES), seen_slots=("s1", "s2"))
        assert isinstance(decision.tool, Search)
        assert set(decision.tool.request.exclude) >= {"s1", "s2"}

    @pytest.mark.parametrize("ambiguity", [Ambiguity.DATE, Ambiguity.TIME])
    def test_asks_instead_of_guessing_an_ambiguous_date(self, ambiguity):
        decision = decide(heard(Intent.OTHER_TIMES, windows=(FRIDAY,), ambiguous=(ambiguity,)))
        assert decision.rules[0] == "reply.ask-date"
        assert decision.tool is None

    def test_ends_in_a_call_after_many_rounds(self):
        assert decide(heard(Intent.OTHER_TIMES), asks=5).tool is not None
        decision = decide(heard(Intent.OTHER_TIMES), asks=6)
        assert decision.rules[0] == "reply.too-many-rounds"
        assert decision.move is Move.CALL_BACK


class TestAffirm:
    def test_asks_which_of_two(self):
        assert decide(heard(Intent.AFFIRM)).rules[0] == "reply.affirm-which"

    def test_books_the_single_offer(self):
        assert isinstance(decide(heard(Intent.AFFIRM), offers=SLOTS[:1], asked=Asked.OFFER).tool, Book)

    def test_searches_when_nothing_is_offered(self):
        decision = decide(heard(Intent.AFFIRM), offers=(), asked=Asked.REMINDER)
        assert decision.rules[0] == "reply.affirm"
        assert isinstance(decision.tool, Search)

    def test_confirms_the_call_when_asked_about_one(self):
        decision = decide(heard(Intent.AFFIRM), asked=Asked.CALLBACK_ASK, phase=Phase.CALLBACK_REQUESTED)
        assert scripts(decision) == ["callback-confirmed"]


class TestCallBack:
    def test_opens_a_task_at_once_and_asks_for_the_time(self):
        decision = decide(heard(Intent.CALLBACK))
        assert decision.rules[0] == "reply.call-back"
        assert scripts(decision) == ["callback-ask"]
        assert decision.handoff is not None
        assert decision.handoff.kind is HandoffKind.CALL_BACK
        assert decision.due is DueChange.CLEAR

    def test_confirms_a_given_time(self):
        at = NOW + timedelta(hours=3)
        decision = decide(heard(Intent.CALLBACK, call_at=at))
        assert scripts(decision) == ["callback-confirmed-at"]
        assert decision.handoff is not None
        assert (decision.handoff.call_at, decision.handoff.due_at) == (at, at)

    def test_an_hour_that_nobody_named_is_kept_but_not_promised(self):
        decision = decide(heard(Intent.CALLBACK, call_at=FRIDAY.start, windows=(FRIDAY,)))
        assert scripts(decision) == ["callback-confirmed"]
        assert decision.call_at == FRIDAY.start

    def test_after_three_names_its_hour(self):
        since = Window(FRIDAY.start.replace(hour=15), FRIDAY.start.replace(hour=20))
        decision = decide(heard(Intent.CALLBACK, call_at=since.start, windows=(since,)))
        assert scripts(decision) == ["callback-confirmed-at"]

    def test_reads_a_window_as_the_time_only_when_asked_for_it(self):
        asked = decide(heard(Intent.CALLBACK, windows=(FRIDAY,)), asked=Asked.CALLBACK_ASK)
        assert asked.call_at == FRIDAY.start
        assert decide(heard(Intent.CALLBACK, windows=(FRIDAY,))).call_at is None

    def test_updates_the_same_task(self):
        first = decide(heard(Intent.CALLBACK)).handoff
        second = decide(heard(Intent.CALLBACK, call_at=NOW + timedelta(hours=1))).handoff
        assert first is not None
        assert second is not None
        assert first.id == second.id


class TestDefer:
    def test_asks_once_for_the_reason(self):
        decision = decide(heard(Intent.DEFER))
        assert decision.rules[0] == "reply.defer-ask-reason"
        assert scripts(decision) == ["ask-reason"]
        assert decision.asked is Asked.REASON_ASK
        again = decide(heard(Intent.DEFER), asked=Asked.REASON_ASK, phase=Phase.DEFERRED)
        assert scripts(again) == ["reason-noted"]

    def test_sleeps_until_the_named_day(self):
        decision = decide(heard(Intent.DEFER, until=date(2027, 1, 4)))
        assert decision.rules[0] == "reply.defer"
        assert scripts(decision) == ["deferred-until"]
        assert decision.due_at == datetime(2027, 1, 4, 10, tzinfo=CHICAGO)

    def test_keeps_the_reason_with_where_it_was_said(self):
        decision = decide(heard(Intent.DEFER, reason=Reason.ASK_OTHERS))
        assert decision.reason is not None
        assert decision.reason.code is Reason.ASK_OTHERS
        assert decision.reason.evidence == (Span(0, 4),)

    def test_never_sleeps_longer_than_a_year_or_into_the_past(self):
        assert decide(heard(Intent.DEFER, until=date(2035, 1, 1))).until == date(2027, 11, 25)
        assert decide(heard(Intent.DEFER, until=date(2020, 1, 1))).until == date(2026, 11, 25)


class TestDecline:
    def test_ends_the_follow_up(self):
        decision = decide(heard(Intent.DECLINE))
        assert decision.rules[0] == "reply.decline"
        assert decision.disposition is Disposition.DECLINED
        assert decision.due is DueChange.CLEAR


class TestAlready:
    def test_asks_the_chart(self):
        decision = decide(heard(Intent.ALREADY))
        assert decision.rules[0] == "reply.already"
        assert isinstance(decision.tool, AskChart)


class TestChange:
    def test_looks_for_other_times_and_keeps_the_visit(self):
        decision = decide(heard(Intent.CHANGE, windows=(FRIDAY,)), phase=Phase.BOOKED, booking=BOOKED)
        assert decision.rules[0] == "reply.change"
        assert isinstance(decision.tool, Search)
        assert decision.booking is None

    @pytest.mark.parametrize(
        ("facts", "can_reschedule", "rule"),
        [
            ({"cancels": True, "windows": (FRIDAY,)}, True, "reply.cancel-by-staff"),
            ({"windows": (FRIDAY,)}, False, "reply.change-by-staff"),
            ({}, True, "reply.change-by-staff"),
        ],
    )
    def test_leaves_cancelling_and_unclear_wishes_to_staff(self, facts, can_reschedule, rule):
        decision = decide(
            heard(Intent.CHANGE, **facts), phase=Phase.BOOKED, booking=BOOKED, can_reschedule=can_reschedule
        )
        assert decision.rules[0] == rule
        assert scripts(decision) == ["change-noted"]
        assert decision.handoff is not None
        assert decision.handoff.kind is HandoffKind.CHANGE

    def test_is_a_wish_for_other_times_before_anything_is_booked(self):
        assert decide(heard(Intent.CHANGE)).rules[0] == "reply.other-times"


class TestAnswers:
    @pytest.mark.parametrize(
        ("intent", "rule", "sent"),
        [
            (Intent.LINK, "reply.link", ["link"]),
            (Intent.LOGISTICS, "reply.logistics", ["logistics"]),
            (Intent.WHO, "reply.who", ["who"]),
            (Intent.ACK, "reply.ack", []),
        ],
    )
    def test_leave_the_conversation_where_it_is(self, intent, rule, sent):
        for phase, booking in ((Phase.CONTACTED, None), (Phase.BOOKED, BOOKED)):
            decision = decide(heard(intent), phase=phase, booking=booking)
            assert decision.move is Move.STAY
            assert decision.rules[0] == rule
            assert scripts(decision) == sent

    @pytest.mark.parametrize(
        ("asks", "script"),
        [
            (LogisticsAsk.PARKING, "logistics-parking"),
            (LogisticsAsk.DURATION, "logistics-duration"),
            (None, "logistics"),
        ],
    )
    def test_use_the_approved_answer_that_fits(self, asks, script):
        assert scripts(decide(heard(Intent.LOGISTICS, asks=asks))) == [script]


class TestNudge:
    def test_moves_the_coming_touch_behind_a_message(self):
        decision = decide(heard(Intent.ACK), due_at=NOW + timedelta(minutes=1))
        assert decision.due is DueChange.SET
        assert decision.due_at is not None
        assert decision.due_at > NOW + timedelta(days=1)

    def test_leaves_a_deferral_alone(self):
        decision = decide(heard(Intent.ACK), due_at=NOW + timedelta(days=30), phase=Phase.DEFERRED)
        assert decision.due is DueChange.KEEP


class TestLanguage:
    def test_follows_the_patient_into_an_approved_language(self):
        assert decide(heard(Intent.WHO, language="es")).language == "es"
        assert decide(heard(Intent.WHO, language="fr")).language is None
