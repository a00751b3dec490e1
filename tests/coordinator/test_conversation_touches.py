"""Writing first: asked again at the moment of sending, at decent hours, and not too often (P7, P9)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from office_samples import ANA_PHONE, CHICAGO, FIRST_MORNING, OPENINGS, ana, build, someone

from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.patients import Flag, Permission
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.treatment import ChartStatus, ProcedureStatus
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.policies.limits import Limits
from treatment_agent.policies.practice import Cadence, Step
from treatment_agent.tools.memory import MemoryChart, MemoryScheduler

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
OTHER_PHONE = PhoneNumber("+13125550118")


class TestChartAtTheMomentOfSending:
    @pytest.mark.parametrize(
        ("status", "rule", "disposition"),
        [
            (ChartStatus(patient_status="deceased"), "chart.deceased", Disposition.DECEASED),
            (ChartStatus(patient_status="inactive"), "chart.inactive", Disposition.NOT_ELIGIBLE),
            (ChartStatus(do_not_contact=True), "chart.do-not-contact", Disposition.NOT_ELIGIBLE),
            (
                ChartStatus(procedures={"p-ana": ProcedureStatus.SCHEDULED}),
                "chart.booked",
                Disposition.BOOKED_ELSEWHERE,
            ),
            (
                ChartStatus(procedures={"p-ana": ProcedureStatus.DECLINED}),
                "chart.treatment-changed",
                Disposition.TREATMENT_CHANGED,
            ),
            (
                ChartStatus(procedures={"p-ana": ProcedureStatus.COMPLETED}),
                "chart.treatment-changed",
                Disposition.TREATMENT_CHANGED,
            ),
        ],
    )
    def test_closes_the_case_unwritten(self, office, status, rule, disposition):
        office.enroll()
        office.chart.set_patient("ana", status)
        office.clock.set(FIRST_MORNING)

        (outcome,) = office.coordinator.run_due().outcomes

        assert outcome.rules[0] == rule
        assert office.conversation().phase is Phase.CLOSED
        assert office.conversation().disposition is disposition
        assert office.let_days_pass(40) == []

    def test_with_another_visit_coming_asks_staff_first(self, office):
        office.enroll()
        office.chart.set_patient("ana", ChartStatus(next_visit_at=FIRST_MORNING + timedelta(days=9)))
        office.run_at(FIRST_MORNING)

        assert office.coordinator.why("ana").lines[-1].rule == "outreach.other-visit"
        assert office.conversation().phase is Phase.NEEDS_REVIEW
        assert office.tasks() == [HandoffKind.REVIEW]
        assert office.sent() == []

    def test_between_two_texts_stops_the_second(self, office):
        office.first_touch()
        office.sent()
        office.chart.set_procedure("ana", "p-ana", ProcedureStatus.SCHEDULED)

        assert office.let_days_pass(40) == []
        assert office.conversation().disposition is Disposition.BOOKED_ELSEWHERE

    @pytest.mark.parametrize(
        "change", [ChartChange.BOOKED, ChartChange.DONE, ChartChange.DECLINED, ChartChange.DECEASED]
    )
    def test_event_stops_the_outreach_at_once(self, office, change):
        office.first_touch()
        office.sent()

        outcome = office.coordinator.chart_changed("ana", change)

        assert outcome.phase_after is Phase.CLOSED
        assert office.sent() == []
        assert office.let_days_pass(40) == []

    def test_staff_contact_puts_the_touch_off(self, office):
        office.enroll()

        outcome = office.coordinator.chart_changed("ana", ChartChange.STAFF_CONTACT)

        assert outcome.rules[0] == "chart.staff-contact"
        assert office.let_days_pass(6) == []
        assert office.let_days_pass(3) == ["first-message"]

    def test_new_export_can_take_a_case_out_before_the_first_text(self, office):
        office.enroll()
        protected = ana().patient.model_copy(update={"flags": frozenset({Flag.PROTECTED})})
        office.enroll(ana(patient=protected))

        assert office.let_days_pass(10) == []

    def test_says_no_to_texts_after_the_first_one(self, office):
        office.first_touch()
        office.sent()
        refused = ana().patient.model_copy(update={"sms": Permission.NO})
        office.enroll(ana(patient=refused))

        assert office.let_days_pass(40) == []
        assert office.conversation().phase is Phase.NEEDS_REVIEW


class _Flaky:
    """Raises `error` while `down`."""

    down: Exception | None = None

    def _fail(self):
        if self.down is not None:
            raise self.down


class _Chart(_Flaky, MemoryChart):
    def check(self, case):
        self._fail()
        return super().check(case)


class _Calendar(_Flaky, MemoryScheduler):
    def find_slots(self, request):
        self._fail()
        return super().find_slots(request)


class TestToolsDownAtATouch:
    @pytest.fixture
    def flaky(self, tmp_path, policy):
        self.chart, self.calendar = _Chart(), _Calendar(OPENINGS)
        office = build(tmp_path, policy, chart=self.chart, scheduler=self.calendar)
        office.enroll()
        yield office
        office.coordinator.close()

    @pytest.mark.parametrize(
        ("tool", "rule"), [("chart", "outreach.chart-unavailable"), ("calendar", "outreach.scheduler-unavailable")]
    )
    def test_sends_nothing_and_tries_again_in_half_an_hour(self, flaky, tool, rule):
        getattr(self, tool).down = AdapterUnavailable("timeout")
        flaky.run_at(FIRST_MORNING)

        assert flaky.sent() == []
        assert flaky.coordinator.why("ana").lines[-1].rule == rule
        assert flaky.conversation().due_at == FIRST_MORNING + timedelta(minutes=30)
        assert flaky.conversation().step == 0

        getattr(self, tool).down = None
        flaky.run_at(FIRST_MORNING + timedelta(minutes=29))
        assert flaky.sent() == []
        flaky.run_at(FIRST_MORNING + timedelta(minutes=30))
        assert flaky.sent() == ["first-message"]

    @pytest.mark.parametrize("tool", ["chart", "calendar"])
    def test_that_break_unexpectedly_are_for_a_person(self, flaky, tool):
        getattr(self, tool).down = RuntimeError("boom")
        flaky.run_at(FIRST_MORNING)

        assert flaky.sent() == []
        assert flaky.tasks() == [HandoffKind.REVIEW]
        assert flaky.conversation().due_at is None

    def test_without_openings_the_text_goes_without_times(self, tmp_path, policy):
        limits = Limits(invitations_per_opening=None)
        office = build(tmp_path, policy.model_copy(update={"limits": limits}), scheduler=MemoryScheduler())
        office.first_touch()

        assert office.sent() == ["first-message-none"]
        assert office.conversation().offers == ()
        office.coordinator.close()

    def test_without_openings_nobody_is_invited_by_default(self, flaky):
        for opening in OPENINGS:
            self.calendar.take(opening.id)
        flaky.run_at(FIRST_MORNING)

        assert flaky.sent() == []
        assert flaky.conversation().due_at == FIRST_MORNING
        assert flaky.coordinator.why("ana").lines[-1].rule == "limit.year-end"

    def test_with_one_opening_the_text_names_one(self, flaky):
        for opening in OPENINGS[1:]:
            self.calendar.take(opening.id)
        flaky.run_at(FIRST_MORNING)

        assert flaky.sent() == ["first-message-one"]
        assert flaky.text("yes").rules[0] in ("reply.accept", "reply.affirm-which")


class TestHours:
    def test_touch_found_at_night_waits_for_the_morning(self, office):
        office.enroll()
        office.run_at(datetime(2026, 11, 25, 22, tzinfo=CHICAGO))

        assert office.sent() == []
        assert office.coordinator.why("ana").lines[-1].rule == "contact.quiet-hours"
        assert office.conversation().due_at == datetime(2026, 11, 26, 9, tzinfo=CHICAGO)
        office.run_at(datetime(2026, 11, 26, 9, tzinfo=CHICAGO))
        assert office.sent() == ["first-message"]

    def test_morning_is_the_patients_not_the_offices(self, office):
        office.enroll(someone("ben", zone="America/Los_Angeles"))
        office.run_at(FIRST_MORNING)

        assert office.sent() == []
        due = office.conversation("case-ben").due_at
        assert due == datetime(2026, 11, 25, 9, tzinfo=LOS_ANGELES)
        office.run_at(due)
        assert office.sent() == ["first-message"]

    def test_sunday_waits_for_monday(self, office):
        office.enroll()
        office.run_at(datetime(2026, 11, 29, 12, tzinfo=CHICAGO))

        assert office.sent() == []
        assert office.coordinator.why("ana").lines[-1].rule == "contact.no-sunday"
        assert office.conversation().due_at == datetime(2026, 11, 30, 9, tzinfo=CHICAGO)

    def test_reply_at_night_is_immediate(self, office):
        office.first_touch()
        office.sent()
        office.clock.set(datetime(2026, 11, 25, 23, 30, tzinfo=CHICAGO))
        office.text("what about dec 11")
        assert office.sent() == ["offer-one"]

    def test_an_early_run_sends_nothing(self, office):
        office.enroll()
        office.run_at(FIRST_MORNING - timedelta(seconds=1))
        assert office.sent() == []


class TestCaps:
    def daily(self, policy):
        steps = tuple(Step(after_days=1, script_id=s) for s in ("first-message", "reminder-1", "reminder-2"))
        return policy.model_copy(update={"cadence": Cadence(steps=steps)})

    def test_of_a_week_put_the_third_text_off(self, tmp_path, policy):
        office = build(tmp_path, self.daily(policy))
        office.first_touch()
        office.run_at(FIRST_MORNING + timedelta(days=1))
        office.run_at(FIRST_MORNING + timedelta(days=2))

        assert office.sent() == ["first-message", "reminder-1"]
        assert office.coordinator.why("ana").lines[-1].rule == "contact.cap-week"
        assert office.conversation().due_at == FIRST_MORNING + timedelta(days=7)
        office.run_at(FIRST_MORNING + timedelta(days=7))
        assert office.sent() == ["reminder-2"]
        office.coordinator.close()

    def test_of_a_case_end_in_review(self, office):
        office.first_touch()
        office.text("I'm traveling until december 20")
        office.sent()

        assert office.let_days_pass(60) == ["wake", "reminder-1-none"]
        assert office.conversation().phase is Phase.NEEDS_REVIEW
        assert "contact.cap-case" in {line.rule for line in office.coordinator.why("ana").lines}

    def test_count_for_the_household(self, office):
        here = {"household_id": "h-1"}
        office.first_touch(someone("ben", ANA_PHONE, **here), someone("eva", OTHER_PHONE, **here))

        assert office.sent() == ["first-message"]
        rules = [office.coordinator.why(n).lines[-1].rule for n in ("ben", "eva")]
        assert sorted(rules) == ["contact.cap-day", "outbound.approved"]

    def test_count_not_what_the_patient_asked_for(self, tmp_path, policy):
        office = build(tmp_path, self.daily(policy))
        office.first_touch()
        for day in (4, 8, 9):
            office.text(f"what about dec {day}")
        office.sent()

        office.run_at(FIRST_MORNING + timedelta(days=1))

        assert office.sent() == ["reminder-1"]
        office.coordinator.close()


class TestConsentToTexts:
    def test_nobody_recorded_means_no_text(self, office):
        office.first_touch(someone("ben", sms=Permission.UNKNOWN))
        assert office.sent() == []
        assert office.coordinator.why("ben").lines[0].rule == "queue.no-consent"

    def test_recorded_in_the_chart_queues_the_case(self, office):
        office.enroll()
        line = office.coordinator.why("ana").lines[0]
        assert (line.action, line.rule) == ("queue", "queue.eligible")
        assert "priority.age" in line.detail
