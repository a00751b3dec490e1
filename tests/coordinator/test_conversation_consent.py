"""STOP, START, HELP, wrong numbers and emergencies: what is settled before anything is understood (P1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from office_samples import ANA_PHONE, build
from pydantic import SecretStr

from treatment_agent import InboundMessage
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind, NextStep, Urgency
from treatment_agent.domain.interpretation import Intent, Topic
from treatment_agent.testing import ConstantInterpreter, understood

EMERGENCY = "my face is swollen and I can't breathe"


@pytest.fixture
def offered(office):
    office.first_touch()
    office.sent()
    return office


def consent_of(office) -> list[ConsentStatus]:
    return [c.consent for c in office.coordinator.ledger.facts("case-ana", at=office.clock.now()).contacts]


class TestOptOut:
    @pytest.mark.parametrize(
        "words",
        [
            "STOP",
            "please stop texting me",
            "take me off your list",
            "lose my number",
            "UNSUBSCRIBE",
        ],
    )
    def test_is_honoured_at_once_with_one_confirmation(self, offered, words):
        outcome = offered.text(words)

        assert outcome.rules[0] == "consent.revocation-wins"
        assert outcome.phase_after is Phase.OPTED_OUT
        assert offered.sent() == ["opt-out-confirmation"]
        assert consent_of(offered) == [ConsentStatus.REVOKED]
        assert offered.let_days_pass(60) == []
        assert offered.tasks() == []

    @pytest.mark.parametrize(
        "words",
        [
            "I already booked. STOP",
            "STOP\nthanks, dec 3 is fine",
            "No. Stop! Bye",
            "cost is the issue, stop texting me",
        ],
    )
    def test_wins_over_whatever_else_the_message_says(self, offered, words):
        outcome = offered.text(words)

        assert "consent.revocation-wins" in outcome.rules
        assert outcome.phase_after is Phase.OPTED_OUT
        assert len(offered.sent()) <= 1
        assert offered.scheduler.bookings == ()
        assert consent_of(offered) == [ConsentStatus.REVOKED]
        assert offered.let_days_pass(60) == []

    def test_said_again_is_silent(self, offered):
        offered.text("STOP")
        offered.sent()

        outcome = offered.text("STOP")

        assert outcome.rules[0] == "consent.already-revoked"
        assert offered.sent() == []

    @pytest.mark.parametrize("words", ["see you", "what about dec 11", "can you call me?", "who is this?"])
    def test_makes_every_later_routine_text_silent(self, offered, words):
        offered.text("STOP")
        offered.sent()

        outcome = offered.text(words)

        assert outcome.rules[0] == "consent.silent"
        assert outcome.phase_after is Phase.OPTED_OUT
        assert offered.sent() == []
        assert offered.scheduler.bookings == ()

    @pytest.mark.parametrize("words", ["HELP", "yes", "1"])
    def test_is_not_lifted_by_other_keywords(self, offered, words):
        offered.text("STOP")
        offered.sent()
        assert offered.text(words).phase_after is Phase.OPTED_OUT
        assert offered.sent() == []

    @pytest.mark.parametrize("words", ["cost is the issue", EMERGENCY])
    def test_still_gives_what_a_person_must_read_to_a_person(self, offered, words):
        offered.text("STOP")
        offered.sent()

        outcome = offered.text(words)

        assert outcome.phase_after is Phase.OPTED_OUT
        assert offered.tasks() == [HandoffKind.HANDOFF]
        assert offered.sent() == []

    def test_answered_by_the_carrier_is_not_confirmed_by_us(self, offered):
        message = InboundMessage(
            id="m", sender=ANA_PHONE, text=SecretStr("STOP"), received_at=offered.clock.now(), carrier_opt_out=True
        )
        outcome = offered.coordinator.receive(message)

        assert outcome.phase_after is Phase.OPTED_OUT
        assert offered.sent() == []
        assert consent_of(offered) == [ConsentStatus.REVOKED]

    def test_of_the_carrier_counts_whatever_the_words_are(self, offered):
        message = InboundMessage(
            id="m", sender=ANA_PHONE, text=SecretStr("arret"), received_at=offered.clock.now(), carrier_opt_out=True
        )
        assert offered.coordinator.receive(message).phase_after is Phase.OPTED_OUT

    def test_while_staff_hold_the_thread_is_honoured_in_silence(self, offered):
        offered.text("cost is the issue")
        offered.sent()

        outcome = offered.text("STOP")

        assert outcome.rules[0] == "consent.revocation-wins"
        assert outcome.phase_after is Phase.OPTED_OUT
        assert offered.sent() == []
        assert offered.tasks() == [HandoffKind.HANDOFF]
        offered.coordinator.release("case-ana", by="kim", next=NextStep.RESUME)
        assert offered.conversation().phase is Phase.OPTED_OUT
        assert offered.let_days_pass(30) == []

    def test_on_the_phone_is_recorded_by_staff_without_a_text(self, offered):
        outcome = offered.coordinator.record_revocation("case-ana", by="kim")

        assert outcome.rules[0] == "staff.record-revocation"
        assert offered.conversation().phase is Phase.OPTED_OUT
        assert offered.sent() == []
        assert offered.let_days_pass(30) == []

    @pytest.mark.parametrize(
        "words", ["can I stop by on dec 4?", "can't stop by today", "I stop work at 4", "the bleeding won't stop"]
    )
    def test_is_not_read_into_other_uses_of_the_word(self, offered, words):
        assert offered.text(words).phase_after is not Phase.OPTED_OUT
        assert consent_of(offered) == [ConsentStatus.GRANTED]

    def test_that_may_be_none_goes_to_a_person_in_silence(self, tmp_path, policy):
        unclear = build(tmp_path, policy, interpreter=ConstantInterpreter(understood(Intent.OPT_OUT)))
        unclear.first_touch()
        unclear.sent()

        outcome = unclear.text("can't stop by today")

        assert outcome.rules[0] == "consent.unclear"
        assert outcome.phase_after is Phase.WITH_STAFF
        assert unclear.tasks() == [HandoffKind.HANDOFF]
        assert unclear.let_days_pass(30) == []

    def test_only_the_interpreter_heard_counts_also_beside_a_topic(self, tmp_path, policy):
        heard = ConstantInterpreter(understood(Intent.OPT_OUT, Topic.COMPLAINT))
        said = build(tmp_path, policy, interpreter=heard)
        said.first_touch()
        said.sent()

        outcome = said.text("vamoose, dear robot")

        assert outcome.phase_after is Phase.OPTED_OUT
        assert consent_of(said) == [ConsentStatus.REVOKED]
        assert said.tasks() == [HandoffKind.REVIEW]
        assert said.sent() == ["opt-out-confirmation"]


class TestOptIn:
    def test_is_confirmed_once_and_texts_are_answered_again(self, offered):
        offered.text("STOP")
        offered.sent()

        outcome = offered.text("START")

        assert outcome.rules[0] == "consent.fresh-opt-in"
        assert outcome.phase_after is Phase.IN_CONVERSATION
        assert offered.sent() == ["opt-in-confirmation"]
        assert consent_of(offered) == [ConsentStatus.GRANTED]
        assert offered.conversation().disposition is None
        assert offered.text("what about dec 11").phase_after is Phase.OFFER_OPEN

    def test_can_be_taken_back_and_given_again(self, offered):
        for word in ("STOP", "START", "STOP", "STOP", "START"):
            offered.clock.advance(timedelta(minutes=1))
            offered.text(word)

        assert offered.sent() == [
            "opt-out-confirmation",
            "opt-in-confirmation",
            "opt-out-confirmation",
            "opt-in-confirmation",
        ]
        assert offered.conversation().phase is Phase.IN_CONVERSATION

    def test_starts_no_outreach_by_itself(self, offered):
        offered.text("STOP")
        offered.text("START")
        offered.sent()
        assert offered.let_days_pass(40) == []

    def test_while_staff_hold_the_thread_leaves_it_with_them(self, offered):
        offered.text("cost is the issue")
        offered.text("STOP")
        offered.sent()

        offered.text("START")

        assert offered.conversation().phase is Phase.WITH_STAFF
        assert offered.sent() == []
        offered.coordinator.release("case-ana", by="kim", next=NextStep.RESUME)
        assert offered.conversation().phase is Phase.IN_CONVERSATION

    def test_does_not_forget_the_visit(self, offered):
        offered.text("2")
        offered.text("STOP")
        offered.text("START")
        offered.sent()

        assert offered.conversation().disposition is Disposition.BOOKED
        assert offered.text("1").rules[0] != "reply.accept"
        assert len(offered.scheduler.bookings) == 1
        assert offered.text("can we move it to Friday?").rules[-1] == "reply.change"

    def test_by_word_of_mouth_is_recorded_by_staff(self, offered):
        offered.text("STOP")
        offered.sent()

        outcome = offered.coordinator.record_consent("case-ana", by="kim")

        assert outcome.rules[0] == "staff.record-consent"
        assert outcome.phase_after is Phase.IN_CONVERSATION
        assert consent_of(offered) == [ConsentStatus.GRANTED]


class TestHelp:
    @pytest.mark.parametrize("words", ["HELP", "help", "INFO"])
    def test_names_the_office_and_changes_nothing(self, offered, words):
        outcome = offered.text(words)

        assert outcome.rules[0] == "consent.help"
        assert outcome.phase_after is Phase.CONTACTED
        assert offered.sent() == ["help"]
        assert "Maple Dental" in offered.last_text()
        assert "(312) 555-0100" in offered.last_text()

    def test_is_silent_while_staff_hold_the_thread(self, offered):
        offered.text("cost is the issue")
        offered.sent()
        offered.text("HELP")
        assert offered.sent() == []


class TestWrongNumber:
    def test_apologises_once_and_says_nothing_of_anybody(self, offered):
        outcome = offered.text("you have the wrong number")

        assert outcome.rules[0] == "identity.wrong-number"
        assert outcome.phase_after is Phase.OPTED_OUT
        assert offered.sent() == ["wrong-number"]
        assert "Ana" not in offered.last_text()
        assert offered.tasks() == [HandoffKind.CHART_REPAIR]
        assert offered.let_days_pass(40) == []

    def test_with_a_stop_in_it_is_a_stop(self, offered):
        outcome = offered.text("wrong number, stop texting me")

        assert outcome.phase_after is Phase.OPTED_OUT
        assert len(offered.sent()) == 1


class TestEmergency:
    def test_gets_the_approved_text_and_an_urgent_handoff_at_any_hour(self, offered):
        offered.clock.advance(timedelta(hours=14))

        outcome = offered.text(EMERGENCY)

        assert outcome.handoff.topics == (Topic.EMERGENCY,)
        assert outcome.handoff.urgency is Urgency.NOW
        assert outcome.handoff.due_at == offered.clock.now() + timedelta(minutes=5)
        assert outcome.interpretation is None
        assert offered.sent() == ["emergency"]
        assert "911" in offered.last_text()

    def test_while_staff_hold_the_thread_goes_out_all_the_same(self, offered):
        offered.text("cost is the issue")
        offered.sent()

        outcome = offered.text(EMERGENCY)

        assert outcome.handoff.urgency is Urgency.NOW
        assert offered.sent() == ["emergency"]
        assert offered.tasks() == [HandoffKind.HANDOFF, HandoffKind.HANDOFF]
        assert offered.coordinator.handoffs()[0].topics == (Topic.EMERGENCY,)

    def test_said_twice_gets_the_text_once_in_half_an_hour(self, offered):
        offered.text(EMERGENCY)
        offered.clock.advance(timedelta(minutes=10))
        offered.text("it is bleeding and won't stop")
        assert offered.sent() == ["emergency"]
        offered.clock.advance(timedelta(minutes=30))
        offered.text(EMERGENCY)
        assert offered.sent() == ["emergency"]

    def test_with_a_stop_in_it_honours_both(self, offered):
        outcome = offered.text(f"{EMERGENCY}. STOP")

        assert outcome.phase_after is Phase.OPTED_OUT
        assert "consent.revocation-wins" in outcome.rules
        assert offered.sent() == ["emergency"]
        assert offered.tasks() == [HandoffKind.HANDOFF]
        assert consent_of(offered) == [ConsentStatus.REVOKED]
        offered.text("see you")
        assert offered.sent() == []

    def test_of_the_mind_has_a_text_of_its_own(self, offered):
        outcome = offered.text("I want to kill myself")

        assert outcome.handoff.urgency is Urgency.NOW
        assert offered.sent() == ["crisis"]
        assert "988" in offered.last_text()
