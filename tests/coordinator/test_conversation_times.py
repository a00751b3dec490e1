"""Finding a time: picking, asking for others, and times that are gone when the patient answers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import CHICAGO, OPENINGS, build, slot
from pydantic import SecretStr

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.tools.memory import MemoryScheduler

FIRST, SECOND = OPENINGS[0], OPENINGS[1]


@pytest.fixture
def offered(office):
    """Ana has the first message: 1) Tue Dec 1 at 9:00 AM, 2) Thu Dec 3 at 2:00 PM."""
    office.first_touch()
    office.sent()
    return office


class TestPick:
    @pytest.mark.parametrize(
        ("words", "picked"),
        [
            ("1", FIRST),
            ("2", SECOND),
            ("the second one", SECOND),
            ("Thursday works for me", SECOND),
            ("Dec 3", SECOND),
            ("December 3rd at 2", SECOND),
            ("2 pm works", SECOND),
            ("9am please", FIRST),
            ("the earlier one", FIRST),
            ("the later one please", SECOND),
        ],
    )
    def test_books_what_was_picked(self, offered, words, picked):
        outcome = offered.text(words)

        assert outcome.rules[0] == "reply.accept"
        assert outcome.phase_after is Phase.BOOKED
        assert [b.slot.id for b in offered.scheduler.bookings] == [picked.id]
        assert offered.sent() == ["booked"]

    @pytest.mark.parametrize("words", ["yes", "sounds good"])
    def test_is_asked_about_when_a_yes_could_mean_both(self, offered, words):
        outcome = offered.text(words)

        assert outcome.rules[0] == "reply.affirm-which"
        assert offered.sent() == ["ask-which"]
        assert offered.scheduler.bookings == ()
        assert offered.text("2").phase_after is Phase.BOOKED

    def test_of_a_number_that_was_not_offered_books_nothing(self, offered):
        offered.text("3")
        assert offered.scheduler.bookings == ()


class TestOtherTimes:
    def test_are_the_next_ones_when_nothing_else_is_said(self, offered):
        outcome = offered.text("Any other times?")

        assert outcome.rules[0] == "reply.other-times"
        assert outcome.phase_after is Phase.OFFER_OPEN
        assert offered.sent() == ["offer"]
        assert offered.conversation().offers == OPENINGS[2:4]

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("next week please", (slot(1, 9), slot(3, 14))),
            ("can we do Wednesday the 9th", (slot(9, 15),)),
            ("what about dec 11", (slot(11, 13),)),
        ],
    )
    def test_are_searched_by_what_suits(self, offered, words, found):
        offered.text(words)

        assert offered.conversation().offers == found
        assert offered.sent() == ["offer" if len(found) > 1 else "offer-one"]

    def test_can_be_picked_again(self, offered):
        offered.text("can we do Wednesday the 9th")
        outcome = offered.text("yes that works")

        assert outcome.phase_after is Phase.BOOKED
        assert [b.slot for b in offered.scheduler.bookings] == [slot(9, 15)]

    def test_are_the_nearest_when_nothing_suits_exactly(self, offered):
        outcome = offered.text("Can we do Friday Dec 4 in the afternoon?")

        assert outcome.rules[:2] == ("reply.nearest-times", "reply.other-times")
        assert offered.sent() == ["offer-nearest"]
        assert "do not see an opening right then" in offered.last_text()
        assert offered.scheduler.bookings == ()

    def test_end_in_a_call_when_the_calendar_is_full(self, offered):
        for opening in OPENINGS:
            offered.scheduler.take(opening.id)

        outcome = offered.text("Any other times?")

        assert outcome.rules[0] == "reply.no-slots"
        assert outcome.phase_after is Phase.CALLBACK_REQUESTED
        assert offered.sent() == ["no-slots"]
        assert offered.tasks() == [HandoffKind.CALL_BACK]

    def test_end_in_a_call_after_many_rounds(self, offered):
        for day in (4, 8, 9, 11, 15, 17):
            assert offered.text(f"what about dec {day}").rules[0] == "reply.other-times"
        offered.sent()

        outcome = offered.text("what about dec 4")

        assert outcome.rules[0] == "reply.too-many-rounds"
        assert offered.sent() == ["no-slots"]
        assert offered.tasks() == [HandoffKind.CALL_BACK]

    def test_move_the_coming_reminder_behind_the_answer(self, offered):
        due = offered.conversation().due_at
        offered.clock.advance(timedelta(days=2))

        offered.text("Any other times?")

        assert offered.conversation().due_at > due
        assert offered.conversation().step == 1


class TestSlotTaken:
    def test_offers_the_next_two(self, offered):
        offered.scheduler.take(FIRST.id)

        outcome = offered.text("1")

        assert outcome.rules[0] == "booking.slot-taken"
        assert outcome.phase_after is Phase.OFFER_OPEN
        assert offered.sent() == ["slot-taken"]
        assert offered.conversation().offers == OPENINGS[2:4]
        assert offered.text("the first one").phase_after is Phase.BOOKED
        assert [b.slot for b in offered.scheduler.bookings] == [OPENINGS[2]]

    def test_offers_the_only_one_left(self, offered):
        for opening in (FIRST, *OPENINGS[3:]):
            offered.scheduler.take(opening.id)

        offered.text("1")

        assert offered.sent() == ["slot-taken-one"]
        assert offered.conversation().offers == OPENINGS[2:3]

    def test_asks_a_person_to_call_when_none_is_left(self, offered):
        for opening in OPENINGS:
            offered.scheduler.take(opening.id)

        outcome = offered.text("1")

        assert outcome.rules[:2] == ("reply.no-slots", "booking.slot-taken")
        assert offered.tasks() == [HandoffKind.CALL_BACK]


class TestTooClose:
    """The template wants 24 hours of notice."""

    @pytest.mark.parametrize(
        ("answered_at", "rule"),
        [
            (datetime(2026, 11, 30, 20, tzinfo=CHICAGO), "booking.too-soon"),
            (datetime(2026, 12, 1, 12, tzinfo=CHICAGO), "booking.past"),
        ],
        ids=["evening before", "already past"],
    )
    def test_offers_others_instead_of_booking(self, offered, answered_at, rule):
        offered.clock.set(answered_at)

        outcome = offered.text("1")

        assert outcome.phase_after is Phase.OFFER_OPEN
        assert outcome.rules[0] == rule
        assert offered.scheduler.bookings == ()
        assert offered.sent() == ["offer"]

    def test_books_when_exactly_a_day_is_left(self, offered):
        offered.clock.set(datetime(2026, 11, 30, 9, tzinfo=CHICAGO))
        assert offered.text("1").phase_after is Phase.BOOKED


class TestSeveralMessages:
    def test_two_before_an_answer_are_two_turns_in_order(self, offered):
        first = offered.text("Any other times?")
        second = offered.text("can we do Wednesday the 9th")

        assert first.rules[0] == second.rules[0] == "reply.other-times"
        assert offered.sent() == ["offer", "offer-one"]
        assert offered.conversation().offers == (slot(9, 15),)

    @pytest.mark.parametrize("again", ["1", "2"])
    def test_a_pick_after_the_booking_is_one_booking_and_a_question_for_staff(self, offered, again):
        offered.text("1")
        outcome = offered.text(again)

        assert len(offered.scheduler.bookings) == 1
        assert outcome.rules[0] == "guardrail.pick-after-booking"
        assert offered.sent() == ["booked", "handoff-other"]

    def test_the_same_message_delivered_twice_is_answered_once(self, offered):
        first = offered.text("2", id="m-1")
        again = offered.text("2", id="m-1")

        assert (first.duplicate, again.duplicate) == (False, True)
        assert again.rules == first.rules
        assert again.booking == first.booking
        assert offered.sent() == ["booked"]

    def test_one_that_waits_on_the_books_is_handled_before_the_next(self, offered):
        now = offered.clock.now()
        event = PatientMessage(id="waiting", at=now)
        offered.coordinator.ledger.claim("case-ana", event, at=now, text=SecretStr("2"))

        outcome = offered.text("thank you!")

        assert offered.sent() == ["booked"]
        assert (outcome.phase_before, outcome.rules[0]) == (Phase.BOOKED, "reply.ack")


class TestCalendarDown:
    class Broken(MemoryScheduler):
        down = False

        def find_slots(self, request):
            if self.down:
                raise TimeoutError
            return super().find_slots(request)

        def book(self, booking):
            if self.down:
                raise TimeoutError
            return super().book(booking)

    @pytest.mark.parametrize("words", ["1", "Any other times?"])
    def test_while_a_patient_waits_gives_them_to_a_person(self, tmp_path, policy, words):
        calendar = self.Broken(OPENINGS)
        office = build(tmp_path, policy, scheduler=calendar)
        office.first_touch()
        calendar.down = True
        office.sent()

        outcome = office.text(words)

        assert "turn.act-failed" in outcome.failures
        assert outcome.rules[0] == "turn.act-failed"
        assert outcome.handoff is not None
        assert office.sent() == ["handoff-other"]
        assert calendar.bookings == ()
        office.coordinator.close()
