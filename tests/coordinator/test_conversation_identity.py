"""Whose number is it? Families on one phone, minors, and numbers nobody knows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from office_samples import ANA_PHONE, FIRST_MORNING, ana, someone
from pydantic import SecretStr

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffKind, Urgency
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.patients import Contact
from treatment_agent.domain.private import PhoneNumber

OTHER_PHONE = PhoneNumber("+13125550118")
NOBODYS_PHONE = PhoneNumber("+13125550199")


class TestFamilyOnOneNumber:
    @pytest.fixture
    def one_written(self, office):
        """Ana and Ben share a number; one of them has been written to, the other waits."""
        office.first_touch(ana(), someone("ben"))
        assert office.sent() == ["first-message"]
        return office

    @pytest.fixture
    def both_written(self, office):
        """Both were written to on numbers of their own; then the chart says that Ben uses Ana's."""
        office.first_touch(ana(), someone("ben", OTHER_PHONE))
        assert office.sent() == ["first-message", "first-message"]
        office.enroll(ana(), someone("ben", ANA_PHONE))
        return office

    def test_is_written_to_about_one_at_a_time(self, one_written):
        waiting = [c for c in ("case-ana", "case-ben") if one_written.conversation(c).phase is Phase.QUEUED]
        assert len(waiting) == 1
        (case_id,) = waiting
        assert one_written.coordinator.why(case_id.removeprefix("case-")).lines[-1].rule == "contact.shared-number"
        assert one_written.let_days_pass(2) == []

    def test_reply_belongs_to_the_one_written_to(self, one_written):
        outcome = one_written.text("2")

        assert outcome.phase_after is Phase.BOOKED
        assert one_written.conversation(outcome.conversation_id).first_sent_at is not None
        assert len(one_written.scheduler.bookings) == 1

    def test_turn_comes_when_the_first_has_ended(self, one_written):
        first = one_written.text("2").conversation_id
        one_written.sent()

        assert one_written.let_days_pass(3) == ["first-message"]
        second = "case-ben" if first == "case-ana" else "case-ana"
        assert one_written.text("1").conversation_id == second
        assert one_written.conversation(second).phase is Phase.BOOKED
        assert len(one_written.scheduler.bookings) == 2

    def test_reply_when_both_were_written_to_is_for_a_person(self, both_written):
        outcome = both_written.text("2")

        assert "guardrail.shared-number" in outcome.rules
        assert outcome.handoff.topics[0] is Topic.IDENTITY
        assert both_written.sent() == []
        assert both_written.scheduler.bookings == ()

    def test_stop_counts_for_everybody_on_it(self, both_written):
        both_written.text("STOP")

        assert both_written.sent() == ["opt-out-confirmation"]
        assert [both_written.conversation(f"case-{n}").phase for n in ("ana", "ben")] == [Phase.OPTED_OUT] * 2
        assert both_written.let_days_pass(40) == []

    def test_stop_counts_for_one_who_was_not_written_to_yet(self, one_written):
        one_written.text("STOP")

        assert one_written.sent() == ["opt-out-confirmation"]
        assert [one_written.conversation(f"case-{n}").phase for n in ("ana", "ben")] == [Phase.OPTED_OUT] * 2
        assert one_written.let_days_pass(40) == []

    def test_start_counts_for_everybody_on_it(self, both_written):
        both_written.text("STOP")
        both_written.sent()
        both_written.clock.advance(timedelta(minutes=1))

        both_written.text("START")

        assert both_written.sent() == ["opt-in-confirmation"]
        assert [both_written.conversation(f"case-{n}").phase for n in ("ana", "ben")] == [Phase.IN_CONVERSATION] * 2

    def test_emergency_is_answered_whoever_it_is(self, both_written):
        outcome = both_written.text("I can't breathe and my face is swollen")
        assert outcome.handoff.urgency is Urgency.NOW
        assert both_written.sent() == ["emergency"]


class TestStranger:
    @pytest.mark.parametrize("words", ["hello", "2", "can I book an appointment?", "who is this?", "HELP ME PLEASE"])
    def test_is_given_to_a_person_in_silence(self, office, words):
        office.first_touch()
        office.sent()

        outcome = office.text(words, sender=NOBODYS_PHONE)

        assert "guardrail.stranger" in outcome.rules
        assert outcome.handoff.patient_id is None
        assert office.sent() == []
        assert office.conversation().phase is Phase.CONTACTED
        assert "0199" not in outcome.conversation_id

    def test_has_one_conversation(self, office):
        first = office.text("hello", sender=NOBODYS_PHONE)
        second = office.text("anybody there?", sender=NOBODYS_PHONE)

        assert first.conversation_id == second.conversation_id
        assert second.rules[0] == "hold.attached"
        (packet,) = office.coordinator.handoffs()
        assert packet.words == ("hello", "anybody there?")

    def test_stop_is_honoured_in_silence(self, office):
        outcome = office.text("STOP", sender=NOBODYS_PHONE)

        assert outcome.rules[0] == "consent.revocation-wins"
        assert outcome.phase_after is Phase.OPTED_OUT
        assert office.sent() == []
        assert office.tasks() == []

    def test_stop_binds_who_is_enrolled_with_that_number_later(self, office):
        office.text("STOP", sender=NOBODYS_PHONE)

        office.enroll(someone("ben", NOBODYS_PHONE))

        assert office.let_days_pass(5) == []
        assert office.conversation("case-ben").phase is Phase.NEEDS_REVIEW

    def test_emergency_gets_the_emergency_text(self, office):
        outcome = office.text("I can't breathe and my face is swollen", sender=NOBODYS_PHONE)

        assert outcome.handoff.urgency is Urgency.NOW
        assert office.sent() == ["emergency"]
        assert office.messenger.sent[-1].to == NOBODYS_PHONE


class TestMinor:
    @pytest.fixture
    def mia(self):
        guardian = Contact(first_name=SecretStr("Rosa"), mobile=OTHER_PHONE)
        return someone("mia", NOBODYS_PHONE, born_on=date(2014, 6, 1), guardian=guardian)

    def test_is_written_to_through_the_guardian(self, office, mia):
        office.first_touch(mia)

        (message,) = office.messenger.sent
        assert message.to == OTHER_PHONE
        assert "Hi Rosa" in office.last_text()
        assert "Mia" not in office.last_text()

    def test_is_booked_by_the_guardian(self, office, mia):
        office.first_touch(mia)
        outcome = office.text("2", sender=OTHER_PHONE)
        assert (outcome.conversation_id, outcome.phase_after) == ("case-mia", Phase.BOOKED)

    def test_own_number_is_nobodys(self, office, mia):
        office.first_touch(mia)
        assert "guardrail.stranger" in office.text("2", sender=NOBODYS_PHONE).rules

    def test_without_a_guardian_is_left_to_staff(self, office):
        office.first_touch(someone("tim", born_on=date(2014, 6, 1)))

        assert office.sent() == []
        assert office.coordinator.why("tim").lines[0].rule == "queue.minor-without-guardian"

    def test_of_seventeen_is_written_to_themselves_from_the_birthday_on(self, office):
        guardian = Contact(first_name=SecretStr("Rosa"), mobile=OTHER_PHONE)
        today = FIRST_MORNING.date()
        office.first_touch(someone("joe", born_on=today.replace(year=2008), guardian=guardian))
        assert [m.to for m in office.messenger.sent] == [ANA_PHONE]


class TestWrongPerson:
    def test_repair_task_is_kept_beside_the_opt_out(self, office):
        office.first_touch()
        office.text("you have the wrong number")
        assert office.tasks() == [HandoffKind.CHART_REPAIR]
