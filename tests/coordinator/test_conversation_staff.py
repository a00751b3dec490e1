"""While staff have the thread: silence, what the patient writes meanwhile, and what happens after (P2)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from office_samples import CHICAGO

from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import HandoffKind, HandoffStatus, NextStep
from treatment_agent.domain.interpretation import Topic
from treatment_agent.errors import NotFound, NotPermitted


@pytest.fixture
def held(office):
    """Ana asked about the cost; the treatment coordinator has the thread."""
    office.first_touch()
    office.text("cost is the issue")
    office.sent()
    return office


class TestHandoffTopics:
    @pytest.mark.parametrize(
        ("words", "topic", "script"),
        [
            ("can it wait six months?", Topic.CLINICAL, "handoff-clinical"),
            ("do you take Delta Dental?", Topic.INSURANCE, "handoff-insurance"),
            ("do you have a payment plan?", Topic.FINANCING, "handoff-financing"),
            ("I'm scared of the dentist", Topic.SENSITIVE, "handoff-sensitive"),
            ("you people were so rude to me last time", Topic.COMPLAINT, "handoff-complaint"),
            ("I want to talk to a real person", Topic.HUMAN, "handoff-human"),
            ("Bonjour, je voudrais un rendez-vous", Topic.OTHER, "handoff-language"),
        ],
    )
    def test_get_their_approved_text_once_and_hold_the_thread(self, office, words, topic, script):
        office.first_touch()
        office.sent()

        outcome = office.text(words)

        assert outcome.handoff.topics[0] is topic
        assert outcome.phase_after is Phase.WITH_STAFF
        assert office.sent() == [script]
        assert office.conversation().due_at is None

    def test_of_one_message_are_all_in_the_packet_the_strictest_first(self, office):
        office.first_touch()
        office.sent()

        outcome = office.text("How much is it, and does it hurt?")

        assert outcome.handoff.topics == (Topic.CLINICAL, Topic.FINANCING)
        assert office.sent() == ["handoff-clinical"]

    def test_name_what_was_offered(self, held):
        (packet,) = held.coordinator.handoffs()
        assert [s.id for s in packet.offered] == ["s-12-1-9", "s-12-3-14"]


class TestSilence:
    @pytest.mark.parametrize("words", ["2", "what about dec 11", "no thanks", "thank you", "can you call me?"])
    def test_answers_nothing_and_attaches_what_comes(self, held, words):
        outcome = held.text(words)

        assert outcome.rules[0] == "hold.attached"
        assert outcome.phase_after is Phase.WITH_STAFF
        assert held.sent() == []
        assert held.scheduler.bookings == ()
        (packet,) = held.coordinator.handoffs()
        assert packet.words == ("cost is the issue", words)
        assert [p.words for p in held.desk.packets] == [packet.words]

    def test_another_topic_joins_the_same_handoff_without_a_second_text(self, held):
        outcome = held.text("and does it hurt?")

        assert outcome.rules[0] == "hold.attached"
        assert held.sent() == []
        (packet,) = held.coordinator.handoffs()
        assert packet.words == ("cost is the issue", "and does it hurt?")

    def test_due_touches_are_dropped(self, held):
        assert held.let_days_pass(40) == []
        assert held.conversation().phase is Phase.WITH_STAFF


class TestStaffActions:
    def test_take_over_holds_without_a_text(self, office):
        office.first_touch()
        office.sent()

        outcome = office.coordinator.take_over("case-ana", by="kim")

        assert outcome.rules[0] == "staff.take-over"
        assert outcome.phase_after is Phase.WITH_STAFF
        assert office.sent() == []
        (packet,) = office.coordinator.handoffs()
        assert (packet.status, packet.acknowledged_by) == (HandoffStatus.ACKNOWLEDGED, "kim")
        assert office.text("2").rules[0] == "hold.attached"

    def test_acknowledge_and_resolve_are_noted_on_the_packet(self, held):
        assert held.coordinator.acknowledge("case-ana", by="kim").rules[0] == "staff.acknowledge"
        (packet,) = held.coordinator.handoffs()
        assert packet.status is HandoffStatus.ACKNOWLEDGED
        assert held.coordinator.resolve("case-ana", by="kim").rules[0] == "staff.resolve"
        (packet,) = held.coordinator.handoffs(open_only=False)
        assert packet.status is HandoffStatus.RESOLVED
        assert held.conversation().phase is Phase.WITH_STAFF

    def test_a_handoff_that_holds_is_not_ticked_off_like_a_task(self, held):
        (packet,) = held.coordinator.handoffs()
        with pytest.raises(NotPermitted, match=r"handoff\.holds"):
            held.coordinator.complete_task(packet.id, by="kim")
        assert held.conversation().held

    def test_of_a_conversation_nobody_knows_is_an_error(self, held):
        with pytest.raises(NotFound, match="case-nobody"):
            held.coordinator.take_over("case-nobody", by="kim")

    def test_close_ends_the_follow_up(self, office):
        office.first_touch()
        office.sent()

        outcome = office.coordinator.close_case("case-ana", by="kim")

        assert outcome.rules[0] == "staff.close"
        assert office.conversation().disposition is Disposition.CLOSED_BY_STAFF
        assert office.let_days_pass(40) == []


class TestRelease:
    @pytest.mark.parametrize(
        ("step", "rule", "phase", "disposition"),
        [
            (NextStep.RESUME, "staff.release-resume", Phase.IN_CONVERSATION, None),
            (NextStep.CLOSE, "staff.release-close", Phase.CLOSED, Disposition.CLOSED_BY_STAFF),
            (NextStep.BOOKED, "staff.release-booked", Phase.BOOKED, Disposition.BOOKED_BY_STAFF),
            (NextStep.DECLINED, "staff.release-declined", Phase.DECLINED, Disposition.DECLINED),
            (NextStep.REVIEW, "staff.release-review", Phase.NEEDS_REVIEW, None),
        ],
    )
    def test_says_what_happens_next(self, held, step, rule, phase, disposition):
        outcome = held.coordinator.release("case-ana", by="kim", next=step)

        assert outcome.rules[0] == rule
        assert held.conversation().phase is phase
        assert held.conversation().disposition is disposition
        assert not held.conversation().held
        assert held.sent() == []

    def test_to_go_on_answers_again(self, held):
        held.coordinator.release("case-ana", by="kim")

        assert held.text("2").phase_after is Phase.BOOKED
        assert held.sent() == ["booked"]

    def test_to_go_on_waits_a_week_after_staff_spoke_to_the_patient(self, held):
        held.coordinator.release("case-ana", by="kim")
        released_at = held.clock.now()

        assert held.let_days_pass(6) == []
        assert held.let_days_pass(8) == ["reminder-1"]
        assert held.messenger.sent[-1].kind == "outreach"
        assert held.clock.now() - released_at > timedelta(days=7)

    def test_until_a_day_is_silent_until_then(self, held):
        held.coordinator.release("case-ana", by="kim", until=date(2027, 1, 18))

        assert held.conversation().due_at == datetime(2027, 1, 18, 10, tzinfo=CHICAGO)
        assert held.let_days_pass(50) == []

    def test_opens_a_task_for_what_nobody_has_read(self, held):
        held.clock.advance(timedelta(minutes=5))
        held.coordinator.acknowledge("case-ana", by="kim")
        held.clock.advance(timedelta(minutes=5))
        held.text("what about dec 11")

        held.coordinator.release("case-ana", by="kim")

        (task,) = held.coordinator.handoffs()
        assert task.kind is HandoffKind.REVIEW
        assert "staff.release-unread" in task.summary
        assert held.sent() == []

    def test_opens_no_task_for_what_was_read(self, held):
        held.clock.advance(timedelta(minutes=5))
        held.text("what about dec 11")
        held.clock.advance(timedelta(minutes=5))
        held.coordinator.acknowledge("case-ana", by="kim")

        held.coordinator.release("case-ana", by="kim")

        assert held.coordinator.handoffs() == ()

    def test_a_second_handoff_has_its_own_text(self, held):
        held.coordinator.release("case-ana", by="kim")

        held.text("do you take Delta Dental?")

        assert held.sent() == ["handoff-insurance"]

    @pytest.mark.parametrize(
        ("change", "phase"),
        [(ChartChange.BOOKED, Phase.CLOSED), (ChartChange.DECEASED, Phase.CLOSED)],
    )
    def test_remembers_what_the_chart_said_meanwhile(self, held, change, phase):
        outcome = held.coordinator.chart_changed("ana", change)
        assert outcome.phase_after is Phase.WITH_STAFF

        held.coordinator.release("case-ana", by="kim")

        assert held.conversation().phase is phase
        assert held.let_days_pass(30) == []

    def test_of_a_thread_nobody_holds_changes_nothing(self, office):
        office.first_touch()
        before = office.conversation().phase
        office.coordinator.release("case-ana", by="kim")
        assert office.conversation().phase is before


class TestMedia:
    def test_alone_is_for_the_care_team(self, office):
        office.first_touch()
        office.sent()

        outcome = office.text("", media=1)

        assert outcome.rules[0] == "guardrail.media"
        assert outcome.handoff.topics[0] is Topic.CLINICAL
        assert office.sent() == ["handoff-media"]
        assert "can not open it" in office.last_text()

    def test_with_a_routine_text_is_for_the_care_team_too(self, office):
        office.first_touch()
        office.sent()

        outcome = office.text("2", media=1)

        assert outcome.rules[0] == "guardrail.media"
        assert office.scheduler.bookings == ()
        assert outcome.handoff.words == ("2",)

    def test_with_a_stop_is_a_stop(self, office):
        office.first_touch()
        office.sent()
        assert office.text("STOP", media=1).phase_after is Phase.OPTED_OUT
        assert office.sent() == ["opt-out-confirmation"]
