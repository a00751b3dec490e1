"""What holds outreach back, and that a patient who writes is answered all the same; the kill switch excepted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import CHICAGO, FIRST_MORNING, Office, ana, build, slot, someone

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import TouchDue
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus
from treatment_agent.domain.office import ApprovalStatus, SwitchMode
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.errors import AdapterRejected, AdapterUnavailable, NotFound
from treatment_agent.policies.limits import Limits
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.scripts import ScriptBook
from treatment_agent.tools.memory import MemoryCaseSource, MemoryMessenger, MemoryScheduler


def phone(number: int) -> PhoneNumber:
    return PhoneNumber(f"+1312555{100 + number:04d}")


def people(count: int):
    return [someone(f"p{number}", phone(number)) for number in range(count)]


def limited(policy: PracticePolicy, **limits: object) -> PracticePolicy:
    return policy.model_copy(update={"limits": Limits.model_validate(limits)})


def rules(office: Office, patient: str) -> list[str]:
    return [line.rule for line in office.coordinator.why(patient).lines]


class TestDailyLimit:
    def test_lets_so_many_go_and_the_others_the_next_day(self, tmp_path, policy):
        office = build(tmp_path, limited(policy, texts_per_day=2))
        office.first_touch(*people(4))
        assert len(office.sent()) == 2
        assert office.coordinator.run_due().held_back == {"limit.daily": 2}
        assert office.coordinator.outreach().held_back == {"limit.daily": 2}
        waiting = [f"p{n}" for n in range(4) if "limit.daily" in rules(office, f"p{n}")]
        assert len(waiting) == 2
        # Held back over and over, told once.
        assert rules(office, waiting[0]).count("limit.daily") == 1

        office.run_at(FIRST_MORNING + timedelta(days=1))

        assert len(office.sent()) == 2
        assert office.coordinator.outreach().held_back == {}
        office.coordinator.close()

    def test_never_holds_an_answer_back(self, tmp_path, policy):
        office = build(tmp_path, limited(policy, texts_per_day=1))
        office.first_touch(*people(2))
        office.sent()

        for number in range(2):
            office.text("1", sender=phone(number))

        assert len(office.sent()) == 2
        office.coordinator.close()


class TestCapacity:
    def test_invites_no_more_than_there_is_room_for(self, tmp_path, policy):
        office = build(tmp_path, policy, scheduler=MemoryScheduler([slot(1, 9), slot(3, 14)]))
        office.enroll(*people(5))
        office.clock.set(FIRST_MORNING)
        assert office.coordinator.run_due().held_back == {"limit.year-end": 3}
        assert len(office.sent()) == 2

        office.clock.advance(timedelta(hours=1))
        assert office.coordinator.run_due().held_back == {"limit.year-end": 3}
        assert office.sent() == []

    def test_invites_again_when_room_comes_up_or_somebody_declines(self, tmp_path, policy):
        office = build(tmp_path, policy, scheduler=MemoryScheduler([slot(1, 9), slot(3, 14)]))
        office.first_touch(*people(5))
        invited = {m.to for m in office.messenger.sent}
        office.sent()
        office.scheduler.add_opening(slot(8, 8))
        office.text("no thanks", sender=next(iter(invited)))
        office.sent()

        office.run_at(FIRST_MORNING + timedelta(hours=2))

        assert len(office.sent()) == 2
        office.coordinator.close()

    def test_counts_openings_that_overlap_once(self, tmp_path, policy):
        overlapping = [slot(1, 9), slot(1, 10), slot(1, 11)]
        office = build(tmp_path, policy, scheduler=MemoryScheduler(overlapping))
        office.first_touch(*people(5))

        assert len(office.sent()) == 2  # from 9:00 and from 11:00, 90 minutes each
        office.coordinator.close()

    def test_follows_the_offices_ratio_and_weeks(self, tmp_path, policy):
        openings = [slot(1, 9), slot(21, 9)]
        one_week = limited(policy, weeks=1, invitations_per_opening=3, crunch_months=())
        office = build(tmp_path, one_week, scheduler=MemoryScheduler(openings))
        office.enroll(*people(5))
        office.clock.set(FIRST_MORNING)

        assert office.coordinator.run_due().held_back == {"limit.capacity": 2}
        assert len(office.sent()) == 3
        office.coordinator.close()

    def test_asks_the_calendar_once_a_run(self, tmp_path, policy):
        class Counting(MemoryScheduler):
            asked = 0

            def find_slots(self, request):
                self.asked += request.limit > 100
                return super().find_slots(request)

        calendar = Counting([slot(1, 9), slot(3, 14)])
        office = build(tmp_path, policy, scheduler=calendar)
        office.first_touch(*people(5))

        assert calendar.asked == 1
        office.coordinator.close()

    def test_reminders_and_answers_need_no_room(self, tmp_path, policy):
        office = build(tmp_path, policy, scheduler=MemoryScheduler([slot(1, 9)]))
        office.first_touch()
        office.scheduler.take("s-12-1-9")

        office.run_at(FIRST_MORNING + timedelta(days=5))
        assert office.sent() == ["first-message-one", "reminder-1-none"]
        assert office.text("can you call me?").replies
        office.coordinator.close()


class TestPause:
    def test_holds_back_touches_and_answers_all_the_same(self, office):
        office.first_touch()
        office.sent()
        office.enroll(ana(), *people(1))
        office.coordinator.pause_outreach(by="kim", note="new phone system")

        office.run_at(FIRST_MORNING + timedelta(days=5))
        assert office.sent() == []
        assert rules(office, "ana")[-1] == "limit.paused"
        assert office.coordinator.outreach().held_back == {"limit.paused": 2}
        assert office.text("2").rules[0] == "reply.accept"
        assert office.sent() == ["booked"]

        switch = office.coordinator.resume_outreach(by="kim")
        assert switch.rule == "limit.resumed"
        office.run_at(office.clock.now() + timedelta(minutes=1))
        assert office.sent() == ["first-message"]

    def test_holds_back_a_touch_that_was_claimed_before(self, office):
        office.enroll()
        office.clock.set(FIRST_MORNING)
        office.coordinator.pause_outreach(by="kim")

        outcome = office.coordinator.take("case-ana", TouchDue(id="t", at=FIRST_MORNING, step=0))

        assert (outcome.rules, outcome.phase_after) == (("limit.paused",), Phase.QUEUED)
        assert office.conversation().due_at > FIRST_MORNING
        office.coordinator.resume_outreach(by="kim")
        office.run_at(FIRST_MORNING + timedelta(hours=1))
        assert office.sent() == ["first-message"]

    def test_counts_for_every_worker_on_the_ledger(self, tmp_path, policy):
        one, other = build(tmp_path, policy), build(tmp_path, policy)
        one.enroll()
        one.coordinator.pause_outreach(by="kim")

        other.run_at(FIRST_MORNING)

        assert other.sent() == []
        for each in (one, other):
            each.coordinator.close()


class TestKillSwitch:
    def test_hands_over_what_patients_write(self, office):
        office.first_touch()
        office.sent()
        office.coordinator.pause_outreach(by="kim", everything=True)

        outcome = office.text("1")

        assert outcome.handoff is not None
        assert "limit.stopped" in outcome.rules
        assert office.sent() == []
        assert office.scheduler.bookings == ()
        assert office.coordinator.outreach().switch.mode is SwitchMode.STOPPED

    def test_honours_an_opt_out_without_a_word(self, office):
        office.first_touch()
        office.sent()
        office.coordinator.pause_outreach(by="kim", everything=True)

        assert office.text("STOP").phase_after is Phase.OPTED_OUT
        assert office.sent() == []

    @pytest.mark.parametrize("words", ["HELP", "I can't breathe"])
    def test_leaves_nobody_who_waits_for_an_answer_alone(self, office, words):
        office.first_touch()
        office.sent()
        office.coordinator.pause_outreach(by="kim", everything=True)

        office.text(words)

        assert office.sent() == []
        assert len(office.tasks()) == 1

    def test_stops_what_waits_in_the_outbox(self, tmp_path, policy):
        class Down(MemoryMessenger):
            down = True

            def send(self, message):
                if self.down:
                    raise AdapterUnavailable("timeout")
                return super().send(message)

        messenger = Down()
        messenger.down = False
        office = build(tmp_path, policy, messenger=messenger)
        office.first_touch()
        messenger.down = True
        office.text("1")
        messenger.down = False
        office.coordinator.pause_outreach(by="kim", everything=True)

        office.run_at(FIRST_MORNING + timedelta(minutes=5))

        assert [m.script_id for m in messenger.sent] == ["first-message"]
        assert HandoffKind.DELIVERY in office.tasks()
        office.coordinator.close()

    def test_lets_everything_go_on_when_it_is_resumed(self, office):
        office.first_touch()
        office.coordinator.pause_outreach(by="kim", everything=True)
        office.coordinator.resume_outreach(by="kim")

        assert office.text("1").rules[0] == "reply.accept"


class TestAlarms:
    def test_opt_outs_pause_outreach_until_a_person_resumes_it(self, tmp_path, policy):
        office = build(tmp_path, limited(policy, opt_outs=2, opt_out_share=0.5))
        office.first_touch(*people(3))
        office.sent()
        office.text("STOP", sender=phone(0))
        office.run_at(FIRST_MORNING + timedelta(hours=1))
        assert office.coordinator.outreach().rule is None
        office.text("stop texting me", sender=phone(1))
        office.enroll(*people(3), someone("late", phone(9)))

        office.run_at(FIRST_MORNING + timedelta(days=5))
        assert office.coordinator.outreach().switch.rule == "limit.opt-out-spike"
        assert set(office.sent()) == {"opt-out-confirmation"}

        office.coordinator.resume_outreach(by="kim")
        office.run_at(office.clock.now() + timedelta(minutes=1))
        assert office.coordinator.outreach().rule is None
        assert "first-message" in office.sent()
        office.coordinator.close()

    def test_an_unregistered_sender_pauses_at_once(self, office):
        office.first_touch(*people(2))
        report = DeliveryReport(
            id="d1",
            provider_message_id="memory-1",
            status=DeliveryStatus.UNDELIVERED,
            reported_at=FIRST_MORNING,
            error_code="30034",
        )
        office.coordinator.delivery(report)

        assert office.coordinator.outreach().rule == "limit.unregistered"

    def test_filtered_texts_pause_when_there_are_several(self, office):
        office.first_touch(*people(3))
        for number in (1, 2, 3):
            assert office.coordinator.outreach().rule is None
            for _ in range(2):  # a report that comes twice counts once
                office.coordinator.delivery(
                    DeliveryReport(
                        id=f"d{number}",
                        provider_message_id=f"memory-{number}",
                        status=DeliveryStatus.UNDELIVERED,
                        reported_at=FIRST_MORNING,
                        error_code="30007",
                    )
                )

        assert office.coordinator.outreach().rule == "limit.filtered"

    def test_a_refusal_at_the_provider_stops_the_rest_of_the_run(self, tmp_path, policy):
        class Refusing(MemoryMessenger):
            def send(self, message):
                super().send(message)
                raise AdapterRejected("unregistered", code="30034")

        messenger = Refusing()
        office = build(tmp_path, policy, messenger=messenger)
        office.enroll(*people(3))
        office.run_at(FIRST_MORNING)

        assert len(messenger.sent) == 1
        office.coordinator.close()


class TestSync:
    def test_a_list_that_cannot_be_read_holds_back_until_a_good_one(self, office):
        class Broken:
            def read(self):
                raise AdapterUnavailable("no file")

        office.enroll()
        with pytest.raises(AdapterUnavailable):
            office.coordinator.enroll(Broken())
        office.run_at(FIRST_MORNING)
        assert office.sent() == []
        assert rules(office, "ana")[-1] == "limit.sync-failed"

        office.enroll()
        office.run_at(FIRST_MORNING + timedelta(hours=1))

        assert office.sent() == ["first-message"]

    def test_an_old_list_holds_back(self, tmp_path, policy):
        office = build(tmp_path, limited(policy, stale_hours=24))
        office.enroll()
        office.run_at(datetime(2026, 11, 27, 10, tzinfo=CHICAGO))

        assert office.sent() == []
        assert office.coordinator.outreach().rule == "limit.sync-stale"
        office.enroll()
        assert office.coordinator.outreach().rule is None
        office.coordinator.close()


def reworded(policy: PracticePolicy) -> PracticePolicy:
    """The same office with a second version of its first message."""
    scripts = list(policy.scripts.scripts)
    old = policy.scripts.get("first-message", "en")
    new = old.model_copy(update={"version": old.version + 1, "text": old.text.replace("Hi ", "Hello ")})
    book = ScriptBook(scripts=(*scripts, new))
    return policy.model_copy(update={"scripts": book, "version": "2"})


class TestApproval:
    @pytest.fixture
    def changed(self, tmp_path, policy):
        """An office that wrote to Ana, then changed its first message, and has five more patients to write to."""
        before = build(tmp_path, policy)
        before.first_touch()
        before.coordinator.close()
        office = build(tmp_path, reworded(policy))
        office.coordinator.enroll(MemoryCaseSource(people(5)))
        office.run_at(FIRST_MORNING + timedelta(days=1))
        yield office
        office.coordinator.close()

    def test_of_the_first_texts_of_a_new_version_is_asked_for(self, changed):
        assert changed.sent() == []
        pending = changed.coordinator.pending_texts()
        assert len(pending) == 3
        assert {p.script.version for p in pending} == {2}
        preview = changed.coordinator.preview_conversation(pending[0].conversation_id)
        assert preview.texts[0].body.get_secret_value().find("Hello there") > 0
        patient = pending[0].conversation_id.removeprefix("case-")
        assert rules(changed, patient)[-1] == "limit.approval"

    def test_lets_that_text_go_and_after_enough_of_them_all_others(self, changed):
        first, *others = changed.coordinator.pending_texts()
        changed.coordinator.approve_text(first.id, by="kim")
        changed.run_at(changed.clock.now() + timedelta(minutes=1))
        assert changed.sent() == ["first-message"]
        patient = first.conversation_id.removeprefix("case-")
        assert {"staff.approve-text", "outreach.touch"} <= set(rules(changed, patient))

        for other in others:
            changed.coordinator.approve_text(other.id, by="kim")
        changed.run_at(changed.clock.now() + timedelta(hours=3))

        assert changed.sent() == ["first-message"] * 4

    def test_that_is_refused_ends_in_review_and_is_asked_of_somebody_else(self, changed):
        first = changed.coordinator.pending_texts()[0]

        outcome = changed.coordinator.reject_text(first.id, by="kim")

        assert outcome.rules[0] == "staff.reject-text"
        assert outcome.phase_after is Phase.NEEDS_REVIEW
        changed.run_at(changed.clock.now() + timedelta(hours=3))
        assert changed.sent() == []
        assert len(changed.coordinator.pending_texts()) == 3

    def test_is_given_once(self, changed):
        first = changed.coordinator.pending_texts()[0]
        changed.coordinator.approve_text(first.id, by="kim")
        again = changed.coordinator.reject_text(first.id, by="lee")

        assert again.rules[0] == "staff.approve-text"
        assert again.duplicate
        (kept,) = changed.coordinator.ledger.approvals(status=ApprovalStatus.APPROVED)
        assert kept.decided_by == "kim"
        with pytest.raises(NotFound, match="waits for approval"):
            changed.coordinator.approve_text("nothing", by="kim")

    def test_of_the_very_first_texts_is_asked_for_when_the_office_says_so(self, tmp_path, policy):
        office = build(tmp_path, limited(policy, approve_first=1))
        office.first_touch(ana())
        assert office.sent() == []
        (pending,) = office.coordinator.pending_texts()
        office.coordinator.approve_text(pending.id, by="kim")
        office.run_at(FIRST_MORNING)  # the very second in which the touch that asked was due

        assert office.sent() == ["first-message"]
        office.coordinator.close()
