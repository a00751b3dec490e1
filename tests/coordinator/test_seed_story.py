"""The story the project started from, word for word."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind, Role
from treatment_agent.domain.interpretation import Reason, Topic

CHICAGO = ZoneInfo("America/Chicago")


class TestFirstMorning:
    def test_writes_the_next_morning_with_two_approved_windows(self, office):
        office.enroll()
        office.coordinator.run_due()
        assert office.sent() == []

        office.run_at(datetime(2026, 11, 25, 10, tzinfo=CHICAGO))

        assert office.sent() == ["first-message"]
        text = office.last_text()
        assert "Maple Dental" in text
        assert "Ana" in text
        assert "Tue Nov 24" in text
        assert "Tue Dec 1 at 9:00 AM" in text
        assert "Thu Dec 3 at 2:00 PM" in text
        assert "https://maple.example/book" in text
        assert "short call" in text
        assert "STOP" in text
        for hidden in ("crown", "D2740", "30", "1,250"):
            assert hidden not in text.replace("9:00", "").replace("2:00", "")
        assert office.conversation().phase is Phase.CONTACTED

    def test_is_not_sent_twice_when_the_run_is_repeated(self, office):
        office.first_touch()
        office.coordinator.run_due()
        assert office.sent() == ["first-message"]


class TestCost:
    def test_gives_the_financing_step_and_hands_off_to_the_treatment_coordinator(self, office):
        office.first_touch()
        office.sent()

        outcome = office.text("cost is the issue")

        assert office.sent() == ["handoff-financing"]
        assert "payment plans" in office.last_text()
        assert outcome.handoff is not None
        assert outcome.handoff.owner is Role.TREATMENT_COORDINATOR
        assert outcome.handoff.topics == (Topic.FINANCING,)
        assert outcome.handoff.words == ("cost is the issue",)
        assert outcome.phase_after is Phase.WITH_STAFF
        assert [p.id for p in office.desk.packets] == [outcome.handoff.id]


class TestCanItWait:
    def test_stops_and_hands_to_staff(self, office):
        office.first_touch()
        office.sent()

        outcome = office.text("can it wait six months?")

        assert outcome.handoff is not None
        assert outcome.handoff.topics == (Topic.CLINICAL,)
        assert office.sent() == ["handoff-clinical"]
        for day in range(26, 31):
            office.run_at(datetime(2026, 11, day, 12, tzinfo=CHICAGO))
        assert office.sent() == []


class TestNoResponse:
    def test_reminds_twice_and_then_asks_for_human_review(self, office):
        office.first_touch()
        assert office.sent() == ["first-message"]
        sent = []
        for _ in range(60):
            office.clock.advance(timedelta(days=1))
            office.coordinator.run_due()
            sent += office.sent()
        assert sent == ["reminder-1", "reminder-2"]
        conversation = office.conversation()
        assert conversation.phase is Phase.NEEDS_REVIEW
        assert conversation.disposition is Disposition.NO_RESPONSE
        (task,) = office.coordinator.handoffs()
        assert task.kind is HandoffKind.REVIEW


class TestBooked:
    def test_closes_the_queue_and_records_outcome_and_path(self, office):
        office.first_touch()
        office.sent()

        outcome = office.text("2")

        assert outcome.phase_after is Phase.BOOKED
        assert office.sent() == ["booked"]
        assert "Thu Dec 3 at 2:00 PM" in office.last_text()
        (booking,) = office.scheduler.bookings
        assert booking.slot.start == datetime(2026, 12, 3, 14, tzinfo=CHICAGO)
        assert office.conversation().disposition is Disposition.BOOKED
        tally = office.coordinator.report()
        assert tally.booked == 1
        assert list(tally.booked_by_path) == ["step-0/first-message"]
        for day in range(5, 30):
            office.run_at(datetime(2026, 12, day, 12, tzinfo=CHICAGO))
        assert office.sent() == []

    def test_reason_is_kept_with_the_patients_words(self, office):
        office.first_touch()
        outcome = office.text("I need to ask my wife first")
        assert outcome.reason is Reason.ASK_OTHERS
