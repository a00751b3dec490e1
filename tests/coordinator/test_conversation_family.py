"""Families with several open cases: one conversation, one message."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from office_samples import CHICAGO, FIRST_MORNING, Office, ana, someone

from treatment_agent import Case, Phase, PracticePolicy
from treatment_agent.domain.conversation import Disposition
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.patients import Contact
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.policies.practice import ScriptBook

KID = {"born_on": date(2014, 5, 1), "guardian": Contact(first_name="Ana", mobile=PhoneNumber("+13125550117"))}


def mother() -> Case:
    plain = ana()
    return plain.model_copy(update={"patient": plain.patient.model_copy(update={"household_id": "h1"})})


def child(name: str = "leo", **changes: object) -> Case:
    return someone(name, None, **(KID | changes))


class TestFamily:
    def test_gets_one_text_about_everybody(self, office: Office) -> None:
        office.first_touch(child(), mother(), child("mia"))

        assert office.sent() == ["first-message-family"]
        assert office.last_text().startswith("Maple Dental automated assistant: Hi Ana, ")
        assert office.conversation().riders == ("case-leo", "case-mia")
        assert office.conversation("case-leo").rides_with == "case-ana"
        assert office.conversation("case-leo").phase is Phase.QUEUED

    def test_is_reminded_once_for_all_and_then_reviewed(self, office: Office) -> None:
        office.first_touch(child(), mother())

        assert office.let_days_pass(40) == ["first-message-family", "reminder-1-family", "reminder-2-family"]
        assert office.conversation().disposition is Disposition.NO_RESPONSE

    def test_plans_by_one_call_whatever_is_answered(self, office: Office) -> None:
        office.first_touch(child(), mother())
        office.sent()

        outcome = office.text("yes please, friday morning works")

        assert outcome.rules[0] == "reply.plan-by-call"
        assert outcome.phase_after is Phase.CALLBACK_REQUESTED
        assert outcome.booking is None
        assert office.tasks() == [HandoffKind.CALL_BACK]
        assert "also case-leo" in office.coordinator.handoffs()[0].suggestion

    def test_can_stop_all_texts_with_one_word(self, office: Office) -> None:
        office.first_touch(child(), mother())

        office.text("STOP")

        assert office.conversation().phase is Phase.OPTED_OUT
        assert office.conversation("case-leo").phase is Phase.OPTED_OUT

    def test_says_why_the_child_is_not_written_to(self, office: Office) -> None:
        office.enroll(child(), mother())

        line = office.coordinator.why("leo").lines[-1]

        assert (line.rule, line.detail) == ("queue.rides-along", "with case-ana")
        assert "family" in line.sentence

    def test_stays_one_when_the_list_is_read_again(self, office: Office) -> None:
        office.first_touch(child(), mother())
        office.sent()

        office.clock.advance(timedelta(hours=1))
        office.enroll(child(), mother())

        assert office.let_days_pass(3) == []
        assert office.conversation("case-leo").due_at is None

    def test_ends_when_the_leading_case_is_not_to_be_written_to(self, office: Office) -> None:
        office.enroll(child(), mother())
        booked = mother().model_copy(update={"next_visit_at": FIRST_MORNING + timedelta(days=9)})

        office.enroll(child(), booked)
        office.run_at(FIRST_MORNING)

        assert office.sent() == ["first-message"]
        assert office.conversation("case-leo").rides_with is None
        assert office.conversation("case-leo").first_sent_at is not None


class TestWhoIsNoFamily:
    def test_grown_ups_without_a_common_household_are_written_to_one_after_the_other(self, office: Office) -> None:
        office.first_touch(ana(), someone("bob"))

        assert office.sent() == ["first-message"]
        assert office.conversation().riders == ()
        assert office.conversation("case-bob").due_at == datetime(2026, 11, 28, 10, tzinfo=CHICAGO)

    def test_a_household_with_two_phones_has_two_conversations(self, office: Office) -> None:
        office.enroll(mother(), someone("bob", PhoneNumber("+13125550118"), household_id="h1"))

        assert office.conversation().riders == ()
        assert office.conversation("case-bob").due_at is not None

    def test_an_office_without_family_texts_writes_one_after_the_other(
        self, office: Office, policy: PracticePolicy
    ) -> None:
        plain = tuple(s for s in policy.scripts.scripts if not s.id.endswith("-family"))
        office.coordinator.policy = policy.model_copy(update={"scripts": ScriptBook(scripts=plain)})

        office.enroll(child(), mother())

        assert office.conversation().riders == ()
        assert office.conversation("case-leo").due_at is not None

    def test_a_baby_is_no_grown_up(self, office: Office) -> None:
        office.enroll(mother(), child("baby", born_on=date(2026, 8, 1)))

        assert office.conversation().riders == ("case-baby",)
