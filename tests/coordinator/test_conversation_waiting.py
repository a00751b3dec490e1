"""Not now: call-backs, deferrals, refusals, and the reasons that stay on the books."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from office_samples import CHICAGO, FIRST_MORNING

from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind, Role
from treatment_agent.domain.interpretation import Reason
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family


@pytest.fixture
def offered(office):
    office.first_touch()
    office.sent()
    return office


class TestCallBack:
    def test_opens_a_task_at_once_and_asks_when(self, offered):
        outcome = offered.text("can you call me?")

        assert outcome.rules[0] == "reply.call-back"
        assert outcome.phase_after is Phase.CALLBACK_REQUESTED
        assert offered.sent() == ["callback-ask"]
        (task,) = offered.coordinator.handoffs()
        assert (task.kind, task.owner, task.call_at) == (HandoffKind.CALL_BACK, Role.FRONT_DESK, None)
        assert task.words == ("can you call me?",)
        assert outcome.handoff is None

    def test_takes_a_time_that_comes_with_it(self, offered):
        offered.text("can you call me tomorrow at 3pm?")

        assert offered.sent() == ["callback-confirmed-at"]
        assert "Thu Nov 26 at 3:00 PM" in offered.last_text()
        (task,) = offered.coordinator.handoffs()
        assert task.call_at == datetime(2026, 11, 26, 15, tzinfo=CHICAGO)

    def test_puts_a_time_given_afterwards_on_the_same_task(self, offered):
        offered.text("can you call me?")
        offered.sent()

        offered.text("tomorrow at 3")

        assert offered.sent() == ["callback-confirmed-at"]
        (task,) = offered.coordinator.handoffs()
        assert task.call_at == datetime(2026, 11, 26, 15, tzinfo=CHICAGO)
        assert task.words == ("can you call me?", "tomorrow at 3")
        assert [p.call_at for p in offered.desk.packets] == [task.call_at]

    def test_stops_the_reminders(self, offered):
        offered.text("can you call me?")
        offered.sent()
        assert offered.let_days_pass(30) == []

    def test_is_dealt_with_when_staff_say_so(self, offered):
        offered.text("can you call me?")
        (task,) = offered.coordinator.handoffs()

        offered.coordinator.complete_task(task.id, by="kim")

        assert offered.coordinator.handoffs() == ()


class TestDecline:
    @pytest.mark.parametrize("words", ["no thanks", "not interested", "we decided not to do it"])
    def test_ends_the_follow_up_with_a_thank_you(self, offered, words):
        outcome = offered.text(words)

        assert outcome.rules[0] == "reply.decline"
        assert outcome.phase_after is Phase.DECLINED
        assert offered.sent() == ["declined"]
        assert offered.conversation().disposition is Disposition.DECLINED
        assert offered.let_days_pass(60) == []
        assert offered.reasons() == [("unspecified", words)]

    def test_with_another_dentist_keeps_that_as_the_reason(self, offered):
        offered.text("I already got it done elsewhere")

        assert offered.reasons() == [("doing_elsewhere", "I already got it done elsewhere")]
        assert offered.coordinator.report().declined_by_reason == {"doing_elsewhere": 1}

    def test_is_no_locked_door(self, offered):
        offered.text("no thanks")

        outcome = offered.text("what about dec 11")

        assert outcome.phase_after is Phase.OFFER_OPEN
        assert offered.conversation().disposition is None
        assert offered.coordinator.report().dispositions == {}
        assert offered.text("1").phase_after is Phase.BOOKED


class TestDefer:
    def test_until_a_day_is_silent_until_that_day(self, offered):
        outcome = offered.text("can we do it in march")

        assert outcome.rules[0] == "reply.defer"
        assert offered.sent() == ["deferred-until"]
        assert "Mon Mar 1" in offered.last_text()
        conversation = offered.conversation()
        assert (conversation.phase, conversation.until) == (Phase.DEFERRED, date(2027, 3, 1))
        assert conversation.due_at == datetime(2027, 3, 1, 10, tzinfo=CHICAGO)
        assert offered.let_days_pass(95) == []

    def test_wakes_on_that_day_with_a_text_of_its_own_and_goes_on(self, offered):
        offered.text("can we do it in march")
        offered.sent()

        offered.run_at(datetime(2027, 3, 1, 10, tzinfo=CHICAGO))

        assert offered.sent() == ["wake"]
        assert offered.conversation().phase is Phase.CONTACTED
        assert offered.coordinator.why("ana").lines[-1].rule in ("outreach.wake", "outbound.approved")
        start = datetime(2027, 3, 4, 9, tzinfo=CHICAGO)
        later = Slot(start, start + timedelta(minutes=90), "lee", "s-march", Family.CROWN)
        offered.scheduler.add_opening(later)
        outcome = offered.text("do you have anything this week?")
        assert outcome.phase_after is Phase.OFFER_OPEN
        assert offered.conversation().offers == (later,)

    def test_that_nobody_answers_goes_on_with_the_reminders_to_a_person(self, offered):
        offered.text("can we do it in march")
        offered.sent()
        offered.run_at(datetime(2027, 3, 1, 10, tzinfo=CHICAGO))
        offered.sent()

        offered.let_days_pass(40)

        assert offered.conversation().phase is Phase.NEEDS_REVIEW

    def test_without_a_day_or_a_reason_asks_once_what_is_in_the_way(self, offered):
        outcome = offered.text("not right now")

        assert outcome.rules[0] == "reply.defer-ask-reason"
        assert offered.sent() == ["ask-reason"]
        assert offered.conversation().due_at == FIRST_MORNING + timedelta(days=30)

        answer = offered.text("I can't right now, too busy at work")

        assert answer.rules[0] == "reply.defer"
        assert offered.sent() == ["deferred-time-work-childcare"]
        assert answer.reason is Reason.TIME
        assert [code for code, _ in offered.reasons()] == ["unspecified", "time_work_childcare"]

    def test_can_be_taken_back_at_any_time(self, offered):
        offered.text("can we do it in march")
        assert offered.text("what about dec 11").phase_after is Phase.OFFER_OPEN


class TestReasons:
    """Each is a deferral: the case sleeps, and the books keep why, in the patient's words."""

    @pytest.mark.parametrize(
        ("words", "reason", "script"),
        [
            ("I need to ask my wife", Reason.ASK_OTHERS, "deferred-needs-spouse-or-caregiver"),
            ("I need to check with my husband", Reason.ASK_OTHERS, "deferred-needs-spouse-or-caregiver"),
            ("I'm traveling until december 20", Reason.TIME, "deferred-until"),
            ("I'll be on vacation until January 5", Reason.TIME, "deferred-until"),
            ("I live too far away", Reason.TRAVEL, "deferred-travel-distance"),
            ("I don't have time right now", Reason.TIME, "deferred-time-work-childcare"),
        ],
    )
    def test_are_kept_with_the_words(self, offered, words, reason, script):
        outcome = offered.text(words)

        assert outcome.phase_after is Phase.DEFERRED
        assert outcome.reason is reason
        assert offered.sent() == [script]
        assert offered.reasons() == [(reason.value, words)]
        assert offered.coordinator.report().reasons == {reason.value: 1}

    def test_of_a_handoff_are_kept_too(self, offered):
        outcome = offered.text("cost is the issue")

        assert outcome.reason is Reason.COST
        assert [code for code, _ in offered.reasons()] == ["cost"]

    def test_are_kept_one_after_the_other(self, offered):
        offered.text("I need to ask my wife")
        offered.text("no thanks")

        assert [code for code, _ in offered.reasons()] == ["needs_spouse_or_caregiver", "unspecified"]
        assert offered.conversation().reasons == (Reason.ASK_OTHERS, Reason.UNSPECIFIED)


class TestQuestions:
    @pytest.mark.parametrize(
        ("words", "rule", "script"),
        [
            ("who is this?", "reply.who", "who"),
            ("send me the link", "reply.link", "link"),
            ("what's your address?", "reply.logistics", "logistics"),
            ("is there parking", "reply.logistics", "logistics-parking"),
        ],
    )
    def test_get_their_approved_answer_and_change_nothing(self, offered, words, rule, script):
        outcome = offered.text(words)

        assert outcome.rules[0] == rule
        assert offered.sent() == [script]
        assert outcome.phase_after is Phase.CONTACTED
        assert offered.text("2").phase_after is Phase.BOOKED

    def test_bot_question_is_answered_truthfully_and_given_to_a_person(self, offered):
        outcome = offered.text("is this a bot?")

        assert outcome.rules[0] == "human.bot-question"
        assert offered.sent() == ["bot-question"]
        assert "not a person" in offered.last_text()
        assert outcome.handoff is not None
