"""Measures of a small office, each number checked by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from office_samples import CHICAGO, FIRST_MORNING, Office, someone

from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import NextStep
from treatment_agent.domain.measures import Measures, Path
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.shares import Share
from treatment_agent.domain.treatment import Case, Family

PHONES = {name: PhoneNumber.parse(f"+131255501{n}") for n, name in enumerate(("bo", "cy", "di", "ed", "flo"), start=30)}


def patients(*names: str) -> list[Case]:
    return [someone(name, PHONES[name]) for name in names or PHONES]


@pytest.fixture
def week(office: Office) -> Office:
    """Bo books, Cy asks about money and is booked by staff, Di opts out, Ed's text is lost, Flo says nothing."""
    office.first_touch(*patients())
    lost = next(m for m in office.sent_messages() if m.conversation_id == "case-ed")
    office.clock.advance(timedelta(minutes=30))
    office.text("1", sender=PHONES["bo"])
    office.text("How much will I owe? Cost is the issue", sender=PHONES["cy"])
    office.text("STOP", sender=PHONES["di"])
    office.clock.advance(timedelta(hours=1))
    office.coordinator.acknowledge("case-cy", by="kay")
    office.clock.advance(timedelta(hours=2))
    office.coordinator.release("case-cy", by="kay", next=NextStep.BOOKED)
    row = office.coordinator.ledger.outbox("case-ed")[0]
    assert row.message.key == lost.key
    office.coordinator.delivery(
        DeliveryReport(
            id="r1",
            provider_message_id=row.provider_message_id or "",
            status=DeliveryStatus.UNDELIVERED,
            reported_at=office.clock.now(),
        )
    )
    return office


class TestFunnel:
    def test_has_each_rate_over_its_own_denominator(self, week: Office) -> None:
        funnel = week.coordinator.measure().funnel

        assert funnel.entered == 5
        assert funnel.contacted == Share(4, 5)
        assert funnel.responded == Share(3, 4)
        assert funnel.booked == Share(2, 5)
        assert funnel.booked_of_contacted == Share(2, 4)
        assert funnel.opted_out == Share(1, 4)
        assert funnel.handed_off == Share(1, 5)
        assert (funnel.value_entered_cents, funnel.value_booked_cents) == (625_000, 250_000)

    def test_counts_who_complained_and_who_should_not_have_been_written_to(self, office: Office) -> None:
        office.first_touch(*patients())
        office.clock.advance(timedelta(minutes=30))
        office.text("This is the worst office ever, I am very unhappy with you", sender=PHONES["bo"])
        office.text("wrong number", sender=PHONES["cy"])
        office.text("I already had that crown done last week", sender=PHONES["di"])

        measured = office.coordinator.measure()

        assert measured.funnel.complained == Share(1, 5)
        assert measured.funnel.false_contacts == Share(2, 5)

    def test_counts_a_visit_that_was_booked_later_as_no_false_contact(self, office: Office) -> None:
        office.first_touch(*patients("bo"))
        office.clock.advance(timedelta(hours=1))
        office.coordinator.chart_changed("bo", ChartChange.BOOKED)

        assert office.coordinator.measure().funnel.false_contacts == Share(0, 1)

    def test_spreads_the_time_of_staff_over_the_bookings(self, week: Office) -> None:
        measured = week.coordinator.measure()

        assert measured.staff_items == len(week.coordinator.ledger.handoffs(open_only=False))
        assert measured.staff_minutes_per_booking(6) == 6 * measured.staff_items / 2
        assert Measures(at=measured.at).staff_minutes_per_booking(6) is None

    def test_counts_money_as_kept_when_the_chart_calls_it_done(self, week: Office) -> None:
        assert week.coordinator.measure().funnel.value_kept_cents == 0
        for name in ("bo", "cy"):
            week.coordinator.chart_changed(name, ChartChange.DONE)

        funnel = week.coordinator.measure().funnel
        assert funnel.value_kept_cents == 250_000
        assert funnel.booked == Share(2, 5), "a visit that took place had been booked, by us or by staff"

    def test_keeps_what_was_booked_elsewhere_apart(self, week: Office) -> None:
        week.coordinator.chart_changed("flo", ChartChange.BOOKED)

        funnel = week.coordinator.measure().funnel
        assert (funnel.elsewhere, funnel.booked) == (Share(1, 5), Share(2, 5))

    def test_is_empty_of_an_empty_ledger(self, office: Office) -> None:
        measures = office.coordinator.measure()

        assert measures == Measures(at=office.clock.now())
        assert measures.funnel.booked.interval == (0.0, 1.0)

    def test_counts_only_those_who_entered_in_the_period(self, week: Office) -> None:
        later = week.clock.now() + timedelta(days=9)
        week.clock.set(later)
        week.enroll(someone("gus", PhoneNumber.parse("+13125550141")))

        assert week.coordinator.measure(since=later).funnel.entered == 1
        assert week.coordinator.measure(until=later).funnel.entered == 5
        assert week.coordinator.measure(since=later).paths == ()


class TestCohorts:
    def test_begin_on_mondays_and_firsts_in_the_offices_zone(self, week: Office) -> None:
        # Sunday evening in Chicago is Monday in UTC.
        week.clock.set(datetime(2026, 12, 6, 22, tzinfo=CHICAGO))
        week.enroll(someone("gus", PhoneNumber.parse("+13125550141")))

        measures = week.coordinator.measure()
        assert [(c.starts_on, c.funnel.entered) for c in measures.by_week] == [
            (date(2026, 11, 23), 5),
            (date(2026, 11, 30), 1),
        ]
        assert [(c.starts_on, c.funnel.entered) for c in measures.by_month] == [
            (date(2026, 11, 1), 5),
            (date(2026, 12, 1), 1),
        ]

    def test_are_running_until_the_last_reminder_had_its_time(self, week: Office) -> None:
        assert week.coordinator.measure().by_week[0].is_running
        week.clock.advance(timedelta(days=30))
        assert not week.coordinator.measure().by_week[0].is_running


class TestGroups:
    def test_go_by_provider_and_by_the_family_of_the_dearest_procedure(self, office: Office) -> None:
        bo, cy = patients("bo", "cy")
        filling = cy.procedures[0].model_copy(
            update={"id": "f", "code": "D2392", "family": Family.FILLING, "fee_cents": 900}
        )
        office.enroll(bo, cy.model_copy(update={"procedures": (filling, *cy.procedures), "provider_id": "lee"}))

        measures = office.coordinator.measure()
        assert [(g.code, g.funnel.entered) for g in measures.by_provider] == [("lee", 2)]
        assert [(g.code, g.funnel.entered) for g in measures.by_family] == [("crown", 2)]


class TestPaths:
    def test_credit_the_last_text_before_the_answer_and_before_the_booking(self, office: Office) -> None:
        office.first_touch(*patients("bo", "cy", "di"))
        office.text("1", sender=PHONES["bo"])
        office.let_days_pass(6)
        office.text("I would like the first time", sender=PHONES["cy"])

        first, reminder = office.coordinator.measure().paths[:2]
        assert first == Path(0, "first-message", "sms", 3, answered=Share(1, 3), booked=Share(1, 3))
        assert (reminder.step, reminder.script_id, reminder.sent) == (1, "reminder-1", 2)
        assert reminder.answered == Share(1, 2)

    def test_leave_out_texts_that_did_not_arrive(self, week: Office) -> None:
        path = week.coordinator.measure().paths[0]

        assert (path.sent, path.answered.total) == (5, 4)


class TestReasonsAndStaff:
    def test_counts_reasons_and_those_of_declined_cases(self, office: Office) -> None:
        office.first_touch(*patients("bo", "cy"))
        office.text("No thanks, I am doing it elsewhere", sender=PHONES["bo"])

        measures = office.coordinator.measure()
        assert sum(measures.declined_by_reason.values()) == measures.funnel.declined.hits == 1

    def test_times_staff_from_opening_to_acknowledging_and_closing(self, week: Office) -> None:
        (topic,) = week.coordinator.measure().handoffs

        assert (topic.topic, topic.count, topic.open, topic.cases) == ("financing", 1, 0, Share(1, 5))
        assert (topic.to_acknowledge.median, topic.to_close.median) == (1.0, 3.0)
        assert topic.on_time == Share(1, 1)

    def test_counts_an_open_handoff_as_waiting(self, office: Office) -> None:
        office.first_touch(*patients("bo"))
        office.text("How much will I owe?", sender=PHONES["bo"])
        office.clock.advance(timedelta(days=9))

        (topic,) = office.coordinator.measure().handoffs
        assert (topic.open, topic.to_acknowledge.median, topic.to_acknowledge.waiting) == (1, None, 1)
        assert topic.on_time == Share(0, 1)


class TestDays:
    def test_from_diagnosis_counts_those_still_waiting(self, week: Office) -> None:
        days = week.coordinator.measure().days_to_scheduled

        assert (days.happened, days.waiting) == (2, 3)
        assert days.median is None
        assert days.steps[0].time == (FIRST_MORNING.date() - date(2026, 11, 24)).days == 1
