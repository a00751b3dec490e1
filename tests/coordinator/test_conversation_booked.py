"""With a visit on the calendar: thanks, changes, cancelling, bookings that others make, and answers that come later."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import CHICAGO, OPENINGS, Office, build, slot

from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import HandoffKind, NextStep
from treatment_agent.domain.scheduling import Authority, BookingStatus
from treatment_agent.domain.treatment import ChartStatus, ProcedureStatus
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.tools.memory import MemoryChart, MemoryScheduler

CONFIRMED, CANCELLED, REQUESTED = BookingStatus.CONFIRMED, BookingStatus.CANCELLED, BookingStatus.REQUESTED


def visits(office: Office) -> list[tuple[str, BookingStatus]]:
    return [(b.slot.id, b.status) for b in office.scheduler.bookings]


@pytest.fixture
def offered(office):
    office.first_touch()
    office.sent()
    return office


@pytest.fixture
def booked(offered):
    """Ana is booked for Thu Dec 3 at 2:00 PM."""
    offered.text("2")
    offered.sent()
    return offered


@pytest.fixture
def moving(booked):
    """She asked for a Friday: Fri Dec 4 at 10:00 AM is on the table."""
    booked.text("can we move it to Friday?")
    booked.sent()
    assert booked.conversation().phase is Phase.OFFER_OPEN
    return booked


class TestThanks:
    @pytest.mark.parametrize("words", ["thanks!", "ok", "great see you then", "👍", "thank you so much"])
    def test_gets_no_new_offer_and_no_text(self, booked, words):
        outcome = booked.text(words)

        assert outcome.rules[0] == "reply.ack"
        assert outcome.phase_after is Phase.BOOKED
        assert booked.sent() == []
        assert booked.tasks() == []

    def test_before_anything_is_booked_needs_no_answer_either(self, offered):
        assert offered.text("thanks!").rules[0] == "reply.ack"
        assert offered.sent() == []

    def test_comes_with_the_visit_still_one(self, booked):
        booked.text("yes")
        booked.text("great")
        assert visits(booked) == [("s-12-3-14", CONFIRMED)]
        assert booked.sent() == []


class TestMove:
    def test_keeps_the_old_visit_until_the_new_one_is_made(self, moving):
        assert visits(moving) == [("s-12-3-14", CONFIRMED)]

        outcome = moving.text("1")

        assert outcome.phase_after is Phase.BOOKED
        assert moving.sent() == ["moved"]
        assert visits(moving) == [("s-12-3-14", CANCELLED), (moving.conversation().booking.slot.id, CONFIRMED)]
        assert moving.coordinator.report().booked == 1

    def test_searches_by_what_was_named(self, booked):
        outcome = booked.text("can we move it to December 9th?")

        assert outcome.rules[0] == "reply.change"
        assert booked.conversation().offers == (slot(9, 15),)
        assert booked.conversation().disposition is Disposition.BOOKED

    def test_that_nobody_finishes_leaves_the_visit_alone(self, moving):
        assert moving.let_days_pass(5) == []
        assert visits(moving) == [("s-12-3-14", CONFIRMED)]
        assert moving.coordinator.report().booked == 1

    def test_goes_another_round_when_no_time_fits(self, moving):
        outcome = moving.text("any other times?")

        assert outcome.rules[0] == "reply.change"
        assert moving.sent() == ["offer"]
        assert visits(moving) == [("s-12-3-14", CONFIRMED)]

    @pytest.mark.parametrize("words", ["never mind, keep it", "not interested"])
    def test_that_is_taken_back_leaves_the_visit_and_tells_staff(self, moving, words):
        outcome = moving.text(words)

        assert outcome.rules[0] == "reply.change-by-staff"
        assert outcome.phase_after is Phase.BOOKED
        assert moving.sent() == ["change-noted"]
        assert moving.tasks() == [HandoffKind.CHANGE]
        assert moving.conversation().offers == ()
        assert moving.conversation().disposition is Disposition.BOOKED
        assert visits(moving) == [("s-12-3-14", CONFIRMED)]

    def test_to_a_time_that_is_gone_offers_others_and_keeps_the_visit(self, moving):
        moving.scheduler.take(moving.conversation().offers[0].id)

        outcome = moving.text("1")

        assert outcome.rules[0] == "booking.slot-taken"
        assert moving.sent() == ["slot-taken"]
        assert visits(moving) == [("s-12-3-14", CONFIRMED)]

    def test_without_any_opening_is_for_staff(self, booked):
        for opening in OPENINGS:
            booked.scheduler.take(opening.id)

        outcome = booked.text("can we move it to Friday?")

        assert outcome.rules[0] == "reply.no-slots"
        assert outcome.phase_after is Phase.BOOKED
        assert booked.tasks() == [HandoffKind.CHANGE]

    def test_is_for_staff_when_the_calendar_cannot_move(self, tmp_path, policy):
        office = build(tmp_path, policy, scheduler=MemoryScheduler(OPENINGS, can_reschedule=False))
        office.first_touch()
        office.text("2")
        office.sent()

        outcome = office.text("can we move it to Friday?")

        assert outcome.rules[0] == "reply.change-by-staff"
        assert office.sent() == ["change-noted"]
        assert visits(office) == [("s-12-3-14", CONFIRMED)]
        office.coordinator.close()

    def test_that_turns_to_money_is_for_staff_and_the_visit_stands_after(self, moving):
        moving.text("cost is the issue")
        moving.coordinator.release("case-ana", by="kim", next=NextStep.RESUME)

        assert moving.conversation().phase is Phase.BOOKED
        assert visits(moving) == [("s-12-3-14", CONFIRMED)]


class TestCancel:
    @pytest.mark.parametrize(
        ("words", "rule"),
        [
            ("I need to cancel", "reply.cancel-by-staff"),
            ("I need to cancel my Thursday appointment", "reply.cancel-by-staff"),
            ("please cancel my visit on December 3rd", "reply.cancel-by-staff"),
            ("I already cancelled my appointment", "reply.cancel-by-staff"),
            ("tengo que cancelar la cita", "reply.cancel-by-staff"),
            ("necesito cancelar mi cita del jueves", "reply.cancel-by-staff"),
            ("ya cancele la cita", "reply.cancel-by-staff"),
            ("please don't cancel my appointment", "reply.cancel-by-staff"),
            ("something came up, I can't make it", "reply.change-by-staff"),
            ("can I reschedule?", "reply.change-by-staff"),
        ],
    )
    def test_is_a_task_for_staff_and_the_visit_stands(self, booked, words, rule):
        outcome = booked.text(words)

        assert outcome.rules[0] == rule
        assert outcome.phase_after is Phase.BOOKED
        assert booked.sent() == ["change-noted"]
        assert booked.last_text().startswith(("Thank you for telling us. Someone", "Gracias por avisarnos"))
        (task,) = booked.coordinator.handoffs()
        assert (task.kind, task.words) == (HandoffKind.CHANGE, (words,))
        assert visits(booked) == [("s-12-3-14", CONFIRMED)]

    def test_while_it_is_being_moved_ends_the_move_and_keeps_the_visit(self, moving):
        outcome = moving.text("I need to cancel my appointment")

        assert outcome.rules[0] == "reply.cancel-by-staff"
        assert outcome.phase_after is Phase.BOOKED
        assert moving.conversation().offers == ()
        assert visits(moving) == [("s-12-3-14", CONFIRMED)]

    def test_and_asking_for_another_time_is_a_move(self, booked):
        outcome = booked.text("I have to cancel Thursday, can we do Friday instead?")

        assert "reply.change" in outcome.rules
        assert booked.sent() == ["offer-one"]
        assert visits(booked) == [("s-12-3-14", CONFIRMED)]

    def test_of_something_else_is_no_cancelling(self, booked):
        assert booked.text("my meeting got cancelled, see you then").rules[0] != "reply.cancel-by-staff"

    def test_of_a_visit_nobody_knows_of_is_for_staff_and_nothing_more_is_sent(self, offered):
        outcome = offered.text("I need to cancel my appointment")

        assert outcome.rules[0] == "reply.cancel-by-staff"
        assert outcome.phase_after is Phase.NEEDS_REVIEW
        assert offered.sent() == ["change-noted"]
        assert offered.tasks() == [HandoffKind.CHANGE]
        assert offered.let_days_pass(20) == []

    def test_as_a_bare_word_is_an_opt_out_and_a_question_for_staff(self, booked):
        outcome = booked.text("CANCEL")

        assert outcome.rules[0] == "consent.revocation-wins"
        assert booked.sent() == ["opt-out-confirmation"]
        assert booked.tasks() == [HandoffKind.CHANGE]
        assert visits(booked) == [("s-12-3-14", CONFIRMED)]

    def test_as_a_bare_word_without_a_visit_is_an_opt_out_only(self, offered):
        assert offered.text("cancel").phase_after is Phase.OPTED_OUT
        assert offered.tasks() == []

    def test_by_the_office_is_reviewed_and_counts_as_booked_no_more(self, booked):
        outcome = booked.coordinator.chart_changed("ana", ChartChange.CANCELLED)

        assert outcome.rules[0] == "chart.cancelled"
        assert outcome.phase_after is Phase.NEEDS_REVIEW
        assert booked.tasks() == [HandoffKind.REVIEW]
        assert booked.sent() == []
        assert booked.coordinator.report().booked == 0

        booked.text("what about dec 11")
        assert booked.text("1").phase_after is Phase.BOOKED
        assert booked.sent() == ["offer-one", "booked"]


class TestCall:
    def test_is_a_task_and_the_visit_stands(self, booked):
        booked.text("can you call me")
        outcome = booked.text("tomorrow at 3")

        assert outcome.phase_after is Phase.BOOKED
        assert booked.sent() == ["callback-ask", "callback-confirmed-at"]
        assert booked.tasks() == [HandoffKind.CALL_BACK]


class TestBookedByStaff:
    @pytest.fixture
    def by_staff(self, offered):
        offered.coordinator.staff_booked("case-ana", by="kim", visit_at=datetime(2026, 12, 2, 9, tzinfo=CHICAGO))
        return offered

    def test_ends_the_outreach_without_a_text(self, by_staff):
        assert by_staff.conversation().phase is Phase.BOOKED
        assert by_staff.conversation().disposition is Disposition.BOOKED_BY_STAFF
        assert by_staff.let_days_pass(30) == []
        assert by_staff.coordinator.report().booked == 1

    @pytest.mark.parametrize("words", ["yes", "what about dec 11", "any other times?", "no thanks", "not right now"])
    def test_is_never_doubled_or_dropped_by_a_text(self, by_staff, words):
        outcome = by_staff.text(words)

        assert outcome.phase_after is Phase.BOOKED
        assert by_staff.scheduler.bookings == ()
        assert by_staff.conversation().offers == ()
        assert "turn.transition-refused" not in outcome.failures

    def test_change_is_theirs(self, by_staff):
        assert by_staff.text("can we move it to Friday?").rules[0] == "reply.change-by-staff"
        assert by_staff.tasks() == [HandoffKind.CHANGE]


class TestAlready:
    def test_closes_the_case_when_the_chart_agrees(self, offered):
        offered.chart.set_procedure("ana", "p-ana", ProcedureStatus.SCHEDULED)

        outcome = offered.text("I already booked")

        assert outcome.rules[:2] == ("reply.already-confirmed", "reply.already")
        assert outcome.phase_after is Phase.CLOSED
        assert offered.conversation().disposition is Disposition.BOOKED_ELSEWHERE
        assert offered.sent() == ["thanks"]
        assert offered.tasks() == []
        assert offered.let_days_pass(30) == []

    def test_asks_a_person_when_the_chart_shows_nothing(self, offered):
        outcome = offered.text("I already booked")

        assert outcome.rules[:2] == ("reply.already-unconfirmed", "reply.already")
        assert outcome.phase_after is Phase.NEEDS_REVIEW
        assert offered.sent() == ["already"]
        assert offered.tasks() == [HandoffKind.REVIEW]
        assert offered.let_days_pass(30) == []

    def test_asks_a_person_when_the_chart_cannot_be_asked(self, tmp_path, policy):
        class Broken(MemoryChart):
            down = False

            def check(self, case):
                if self.down:
                    raise AdapterUnavailable("chart: timeout")
                return super().check(case)

        chart = Broken()
        office = build(tmp_path, policy, chart=chart)
        office.first_touch()
        chart.down = True
        office.sent()

        outcome = office.text("I already booked")

        assert outcome.rules[0] == "turn.act-failed"
        assert outcome.handoff is not None
        assert office.sent() == ["handoff-other"]
        office.coordinator.close()

    def test_is_true_of_our_own_booking(self, booked):
        outcome = booked.text("I already booked")

        assert outcome.rules[0] == "reply.booked-already"
        assert outcome.phase_after is Phase.BOOKED
        assert booked.sent() == []
        assert visits(booked) == [("s-12-3-14", CONFIRMED)]

    def test_closed_case_still_hears_a_new_question_through_a_person(self, offered):
        offered.chart.set_patient("ana", ChartStatus(next_visit_at=offered.clock.now() + timedelta(days=4)))
        offered.text("I already booked")
        offered.sent()

        assert offered.text("thanks!").rules[0] == "reply.ack"
        outcome = offered.text("what about dec 11")

        assert outcome.rules[0] == "guardrail.closed"
        assert outcome.handoff is not None


class TestProposals:
    """A calendar that only takes requests: staff complete them."""

    @pytest.fixture
    def requested(self, tmp_path, policy):
        office = build(tmp_path, policy, scheduler=MemoryScheduler(OPENINGS, authority=Authority.PROPOSE))
        office.first_touch()
        office.sent()
        self.outcome = office.text("2")
        yield office
        office.coordinator.close()

    def test_are_told_as_requested_and_given_to_staff(self, requested):
        assert self.outcome.phase_after is Phase.BOOKING_REQUESTED
        assert requested.sent() == ["booking-requested"]
        assert "not final" in requested.last_text()
        (task,) = requested.coordinator.handoffs()
        assert task.kind is HandoffKind.BOOKING
        assert "reply.book-by-staff" in task.summary
        assert requested.coordinator.report().booked == 0

    def test_are_confirmed_only_when_the_calendar_has_them(self, requested):
        requested.sent()
        key = self.outcome.booking.key
        requested.scheduler.settle(key, confirmed=True)

        outcome = requested.coordinator.settle_booking(key, CONFIRMED, appointment_id="a-1")

        assert outcome.rules[0] == "settled.confirmed"
        assert outcome.phase_after is Phase.BOOKED
        assert requested.sent() == ["booked"]
        assert requested.conversation().booking.appointment_id == "a-1"
        assert requested.coordinator.report().booked == 1
        assert requested.coordinator.settle_booking(key, CONFIRMED).duplicate
        assert requested.sent() == []

    def test_that_fail_are_told_and_staff_book(self, requested):
        requested.sent()
        key = self.outcome.booking.key

        outcome = requested.coordinator.settle_booking(key, BookingStatus.FAILED)

        assert outcome.rules[0] == "settled.failed"
        assert outcome.phase_after is Phase.IN_CONVERSATION
        assert requested.sent() == ["booking-failed"]
        assert requested.tasks() == [HandoffKind.BOOKING]
        requested.text("what about dec 11")
        assert requested.text("1").phase_after is Phase.BOOKING_REQUESTED
        assert requested.sent() == ["offer-one", "booking-requested"]

    def test_settled_while_staff_hold_the_thread_are_noted_in_silence(self, requested):
        requested.coordinator.take_over("case-ana", by="kim")
        requested.sent()

        outcome = requested.coordinator.settle_booking(self.outcome.booking.key, CONFIRMED)

        assert outcome.phase_after is Phase.WITH_STAFF
        assert requested.sent() == []
        requested.coordinator.release("case-ana", by="kim")
        assert requested.conversation().phase is Phase.BOOKED

    def test_that_nobody_asked_for_change_nothing(self, requested):
        outcome = requested.coordinator.settle_booking("case-ana:other:book", CONFIRMED)
        assert outcome.rules[0] == "settled.unknown-booking"
        assert outcome.phase_after is Phase.BOOKING_REQUESTED

    def test_settled_after_an_opt_out_are_noted_in_silence(self, requested):
        requested.text("STOP")
        requested.sent()
        requested.coordinator.settle_booking(self.outcome.booking.key, CONFIRMED)
        assert requested.sent() == []
        assert requested.conversation().phase is Phase.OPTED_OUT

    @pytest.mark.parametrize("words", ["thanks!", "yes", "ok great"])
    def test_need_no_second_answer(self, requested, words):
        requested.sent()
        outcome = requested.text(words)
        assert outcome.phase_after is Phase.BOOKING_REQUESTED
        assert requested.sent() == []
        assert len(requested.scheduler.bookings) == 1

    @pytest.mark.parametrize(
        ("words", "rule"),
        [
            ("can we do Friday instead", "reply.change-by-staff"),
            ("not interested", "reply.change-by-staff"),
            ("I need to cancel", "reply.cancel-by-staff"),
            ("not right now", "reply.change-by-staff"),
        ],
    )
    def test_that_are_taken_back_are_for_staff(self, requested, words, rule):
        requested.sent()
        outcome = requested.text(words)
        assert outcome.rules[0] == rule
        assert outcome.phase_after is Phase.BOOKING_REQUESTED
        assert requested.sent() == ["change-noted"]
        assert HandoffKind.CHANGE in requested.tasks()


class TestAsynchronousCalendar:
    """It books by itself, but says so later."""

    class Slow(MemoryScheduler):
        @property
        def authority(self):
            return Authority.BOOK

    def test_is_requested_until_it_answers_and_no_task_for_staff(self, tmp_path, policy):
        office = build(tmp_path, policy, scheduler=self.Slow(OPENINGS, authority=Authority.PROPOSE))
        office.first_touch()
        office.sent()

        outcome = office.text("1")

        assert outcome.booking.status is REQUESTED
        assert office.sent() == ["booking-requested"]
        assert office.tasks() == []
        office.coordinator.settle_booking(outcome.booking.key, CONFIRMED)
        assert office.sent() == ["booked"]
        office.coordinator.close()

    @pytest.fixture
    def asked_to_move(self, tmp_path, policy):
        """Ana's visit on Thu Dec 3 at 2:00 PM is confirmed; she picked Fri Dec 4 instead, which is requested."""
        office = build(tmp_path, policy, scheduler=self.Slow(OPENINGS, authority=Authority.PROPOSE))
        office.first_touch()
        self.settle(office, office.text("2").booking.key, CONFIRMED)
        office.text("can we move it to December 4th?")
        office.sent()
        self.outcome = office.text("1")
        assert office.sent() == ["booking-requested"]
        assert self.outcome.booking.slot.id == "s-12-4-10"
        yield office
        office.coordinator.close()

    @staticmethod
    def settle(office, key, status):
        made = office.scheduler.settle(key, confirmed=status is CONFIRMED)
        return office.coordinator.settle_booking(key, status, appointment_id=made.appointment_id)

    def test_that_takes_a_move_moves_the_visit(self, asked_to_move):
        office = asked_to_move
        assert office.coordinator.report().booked == 1

        self.settle(office, self.outcome.booking.key, CONFIRMED)

        assert office.sent() == ["moved"]
        assert visits(office) == [("s-12-3-14", CANCELLED), ("s-12-4-10", CONFIRMED)]
        assert office.conversation().booking.appointment_id == "appointment-2"
        assert office.conversation().standing is None

    def test_that_refuses_a_move_leaves_the_visit_on_our_books(self, asked_to_move):
        office = asked_to_move

        outcome = self.settle(office, self.outcome.booking.key, BookingStatus.FAILED)

        assert outcome.rules[0] == "settled.move-failed"
        assert outcome.phase_after is Phase.BOOKED
        assert office.sent() == ["booking-failed"]
        assert office.tasks() == [HandoffKind.CHANGE]
        assert (office.conversation().booking.slot.id, office.conversation().booking.status) == ("s-12-3-14", CONFIRMED)
        assert office.conversation().booking.appointment_id == "appointment-1"
        assert office.conversation().disposition is Disposition.BOOKED
        assert office.coordinator.report().booked == 1
        assert office.text("2").phase_after is Phase.WITH_STAFF
        assert [s for _, s in visits(office)] == [CONFIRMED, BookingStatus.FAILED]

    def test_that_refuses_a_move_while_staff_hold_the_thread_keeps_the_visit_too(self, asked_to_move):
        office = asked_to_move
        office.coordinator.take_over("case-ana", by="kim")
        self.settle(office, self.outcome.booking.key, BookingStatus.FAILED)
        assert office.sent() == []

        office.coordinator.release("case-ana", by="kim")

        assert office.conversation().phase is Phase.BOOKED
        assert office.conversation().booking.slot.id == "s-12-3-14"


class TestPolicyProposes:
    """The office wants to book every visit itself, whatever the calendar could do."""

    def test_never_touches_the_calendar(self, tmp_path, policy):
        office = build(tmp_path, policy.model_copy(update={"authority": Authority.PROPOSE}))
        office.first_touch()
        office.sent()

        outcome = office.text("1")

        assert outcome.phase_after is Phase.BOOKING_REQUESTED
        assert office.scheduler.bookings == ()
        assert office.sent() == ["booking-requested"]
        assert office.tasks() == [HandoffKind.BOOKING]
        office.coordinator.staff_booked("case-ana", by="kim")
        assert office.conversation().phase is Phase.BOOKED
        assert office.sent() == []
        office.coordinator.close()
