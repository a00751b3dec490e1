"""Reading the books: why, report, preview, the work list, handoffs (P10)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from office_samples import ANA_PHONE, FIRST_MORNING, ana, someone
from pydantic import SecretStr

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.handoff import HandoffKind, Role
from treatment_agent.domain.patients import Flag, Permission
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import NotFound
from treatment_agent.policies.rules import RULES
from treatment_agent.tools.memory import MemoryCaseSource

BEN_PHONE, EVA_PHONE = PhoneNumber("+13125550118"), PhoneNumber("+13125550119")


def rules(office, patient_id="ana"):
    return [line.rule for line in office.coordinator.why(patient_id).lines]


class TestWhy:
    def test_tells_the_story_in_order(self, office):
        office.first_touch()
        office.clock.advance(timedelta(minutes=3))
        office.text("what about dec 11")
        office.clock.advance(timedelta(minutes=3))
        office.text("1")

        assert rules(office) == [
            "queue.eligible",
            "outreach.touch",
            "outbound.approved",
            "reply.other-times",
            "outbound.approved",
            "reply.accept",
            "outbound.approved",
        ]
        why = office.coordinator.why("ana")
        assert why.phase is Phase.BOOKED
        assert [line.at for line in why.lines] == sorted(line.at for line in why.lines)
        assert why.lines[3].detail == "contacted -> offer_open"
        assert why.lines[2].detail == "first-message v1 en"

    def test_speaks_of_every_rule_in_words(self, office):
        office.first_touch()
        for words in ("HELP", "cost is the issue", "2", "STOP", "hello"):
            office.text(words)
        assert all(line.sentence for line in office.coordinator.why("ana").lines)

    def test_answers_for_who_was_never_written_to(self, office):
        office.enroll(someone("ben", flags=frozenset({Flag.PROTECTED})))

        (line,) = office.coordinator.why("ben").lines

        assert (line.action, line.rule) == ("skip", "queue.protected")
        assert line.sentence == RULES["queue.protected"]

    def test_says_when_the_next_touch_is_due(self, office):
        office.enroll()
        assert office.coordinator.why("ana").next_due_at == FIRST_MORNING

    def test_tells_what_led_there_whatever_was_said_later(self, office):
        office.first_touch()
        office.text("1")
        office.clock.advance(timedelta(minutes=3))
        office.text("thanks")

        why = office.coordinator.why("ana")

        assert (why.lines[-1].rule, why.because and why.because.rule) == ("reply.ack", "reply.accept")
        assert why.visit_at is not None

    def test_names_who_has_it_and_until_when(self, office):
        office.first_touch()
        office.text("cost is the issue")
        office.enroll()

        why = office.coordinator.why("ana")

        assert why.because is not None
        assert why.because.rule.startswith("financing.")
        (waiting,) = why.waits_for
        assert (waiting.what, waiting.owner) == ("financing", Role.TREATMENT_COORDINATOR)
        assert waiting.due_at > office.clock.now()

    def test_tells_why_nothing_was_sent_while_outreach_goes_on(self, office):
        office.first_touch()
        office.run_at(FIRST_MORNING + timedelta(days=40, hours=12))

        because = office.coordinator.why("ana").because

        assert because is not None
        assert because.rule == "contact.quiet-hours"

    def test_names_a_message_that_nobody_has_handled_yet(self, office):
        office.first_touch()
        office.clock.advance(timedelta(minutes=1))
        event = PatientMessage(id="waiting", at=office.clock.now())
        office.coordinator.ledger.claim("case-ana", event, at=office.clock.now(), text=SecretStr("2"))

        line = office.coordinator.why("ana").lines[-1]

        assert (line.action, line.rule) == ("waiting", "turn.pending")

    def test_holds_no_name_number_or_words(self, office):
        office.first_touch()
        office.text("I need to ask my wife Zebra-Marker")

        told = repr(office.coordinator.why("ana"))

        for hidden in ("Marker-Lastname", "Zebra-Marker", "0117", "my wife"):
            assert hidden not in told

    def test_of_somebody_unknown_says_where_to_look(self, office):
        with pytest.raises(NotFound, match="enroll the list"):
            office.coordinator.why("nobody")


class TestReport:
    def test_counts_the_funnel(self, office):
        office.first_touch(
            ana(),
            someone("ben", BEN_PHONE),
            someone("eva", EVA_PHONE),
            someone("tom", None),
        )
        office.text("1")
        office.text("no thanks", sender=BEN_PHONE)
        office.text("cost is the issue", sender=EVA_PHONE)

        tally = office.coordinator.report()

        assert (tally.entered, tally.contacted, tally.responded, tally.booked) == (3, 3, 3, 1)
        assert tally.skipped == {"queue.no-contact": 1}
        assert tally.declined_by_reason == {"unspecified": 1}
        assert tally.handoffs_by_topic == {"financing": 1}
        assert tally.days_to_scheduled == (1,)
        assert tally.value_booked_cents * 3 == tally.value_entered_cents == 375_000

    def test_of_another_period_is_empty(self, office):
        office.first_touch()
        assert office.coordinator.report(since=FIRST_MORNING).entered == 0
        assert office.coordinator.report(until=FIRST_MORNING).entered == 1

    def test_of_empty_books_is_zero(self, office):
        assert office.coordinator.report().entered == 0


class TestPreview:
    def test_shows_the_exact_text_and_sends_nothing(self, office):
        office.enroll()
        before = office.conversation()

        preview = office.coordinator.preview("ana")

        assert preview.due_at == FIRST_MORNING
        (text,) = preview.texts
        assert text.script_id == "first-message"
        assert office.messenger.sent == ()
        assert office.conversation() == before
        assert rules(office) == ["queue.eligible"]

        office.run_at(FIRST_MORNING)
        assert office.last_text() == text.body.get_secret_value()

    def test_shows_why_nothing_would_be_sent(self, office):
        office.first_touch()
        office.text("cost is the issue")

        preview = office.coordinator.preview("ana")

        assert preview.texts == ()
        assert preview.rules == ("outreach.held",)

    def test_of_who_opted_out_is_empty(self, office):
        office.first_touch()
        office.text("STOP")
        assert office.coordinator.preview("ana").texts == ()


class TestWorkList:
    def test_is_ranked_with_the_skipped_last(self, office):
        cheap = someone("ben", BEN_PHONE).procedures[0].model_copy(update={"fee_cents": 1000})
        office.enroll(
            someone("tom", None),
            someone("ben", BEN_PHONE).model_copy(update={"procedures": (cheap,)}),
            ana(),
            someone("eva", EVA_PHONE, sms=Permission.NO),
        )

        rows = list(office.coordinator.work_list())

        assert [row.conversation.id for row in rows][:2] == ["case-ana", "case-ben"]
        assert rows[0].score > rows[1].score
        assert {row.skip_rule for row in rows[2:]} == {"queue.no-contact", "queue.no-consent"}
        assert len(list(office.coordinator.work_list(limit=1))) == 1


class TestHandoffs:
    def test_are_listed_most_urgent_first(self, office):
        office.first_touch(ana(), someone("ben", BEN_PHONE), someone("eva", EVA_PHONE))
        office.text("cost is the issue")
        office.text("can you call me?", sender=BEN_PHONE)
        office.text("I can't breathe and my face is swollen", sender=EVA_PHONE)

        packets = office.coordinator.handoffs()

        assert [p.conversation_id for p in packets] == ["case-eva", "case-ben", "case-ana"]
        assert [p.kind for p in packets] == [HandoffKind.HANDOFF, HandoffKind.CALL_BACK, HandoffKind.HANDOFF]

    def test_leave_the_list_when_released(self, office):
        office.first_touch()
        office.text("cost is the issue")
        office.coordinator.release("case-ana", by="kim")

        assert office.coordinator.handoffs() == ()
        assert len(office.coordinator.handoffs(open_only=False)) == 1

    def test_packet_says_what_staff_need_without_being_printable(self, office):
        office.first_touch()
        office.text("cost is the issue")
        (packet,) = office.coordinator.handoffs()

        assert packet.summary == "The patient raises cost. Phase before: contacted. Rule: financing.price."
        assert packet.suggestion
        assert packet.words == ("cost is the issue",)
        assert "cost is the issue" not in repr(packet)


class TestEnrolment:
    def test_reports_new_refreshed_and_skipped(self, office):
        first = office.coordinator.enroll(MemoryCaseSource((ana(), someone("tom", None))))
        again = office.coordinator.enroll(MemoryCaseSource((ana(), someone("ben", BEN_PHONE))))

        assert (first.enrolled, first.refreshed, first.skipped) == (2, 0, {"queue.no-contact": 1})
        assert (again.enrolled, again.refreshed) == (1, 1)

    def test_again_keeps_the_conversation(self, office):
        office.first_touch()
        office.text("2")
        office.enroll()
        assert office.conversation().phase is Phase.BOOKED


class TestOutcome:
    def test_of_a_duplicate_is_the_first_one(self, office):
        office.first_touch()
        first = office.text("cost is the issue", id="m")
        again = office.text("cost is the issue", id="m")

        assert again.duplicate
        assert again.handoffs == first.handoffs
        assert [r.script_id for r in again.replies] == ["handoff-financing"]

    def test_keeps_the_record_free_of_words(self, office):
        office.first_touch()
        office.text("Zebra-Marker costs too much")
        history = office.coordinator.ledger.history("case-ana")
        records = [e.outcome for e in history]
        assert all(isinstance(r, TurnRecord) for r in records)
        assert "Zebra" not in repr(records)
        assert ANA_PHONE.e164 not in repr(records)
