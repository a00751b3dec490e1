"""The weekly review of a small office: what patients said against it, and what got in their way."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import CHICAGO, FIRST_MORNING, Office, someone

from treatment_agent.coordinator import reviewing
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.review import AskedTime, DueHandoff, Fault, Happening, PeriodBooks, Review, SaidReason
from treatment_agent.domain.scheduling import Window
from treatment_agent.policies.practice import PracticePolicy

PHONES = {name: PhoneNumber.parse(f"+131255501{n}") for n, name in enumerate(("bo", "cy", "di"), start=30)}
WEEK = timedelta(days=7)


def office_review(office: Office) -> Review:
    until = office.clock.now() + timedelta(seconds=1)
    return reviewing.review(office.coordinator.ledger, office.coordinator.policy, since=until - WEEK, until=until)


def happened(name: str, *rules: str, windows: tuple[Window, ...] = (), **more: object) -> Happening:
    return Happening(name, FIRST_MORNING, "patient_message", rules, windows, **more)  # type: ignore[arg-type]


def saturdays(start: int = 0, end: int = 0, weeks: int = 2) -> tuple[Window, ...]:
    first = datetime(2026, 11, 28, tzinfo=CHICAGO)
    days = (first + timedelta(days=7 * n) for n in range(weeks))
    return tuple(Window(d + timedelta(hours=start), d + timedelta(hours=end or 24)) for d in days)


MORNINGS = tuple(
    Window(FIRST_MORNING + timedelta(days=n), FIRST_MORNING + timedelta(days=n, hours=2)) for n in range(5)
)


def of(policy: PracticePolicy, **books: object) -> Review:
    return reviewing.of_period(
        PeriodBooks(**books),  # type: ignore[arg-type]
        policy,
        since=FIRST_MORNING - WEEK,
        until=FIRST_MORNING + WEEK,
    )


def faults(review: Review) -> list[tuple[str, str, int, int]]:
    return [(f.id, f.detail, f.times, f.patients) for f in review.faults]


class TestOfAnOffice:
    def test_finds_saturdays_that_nobody_offers_in_what_patients_wrote(self, office: Office) -> None:
        office.first_touch(*(someone(name, phone) for name, phone in PHONES.items()))
        for name in ("bo", "cy"):
            office.text("Do you have anything on a Saturday?", sender=PHONES[name])

        review = office_review(office)
        assert review.messages == 2
        assert review.asked_times == (AskedTime("Saturday", 2, 2),)
        assert ("fault.time-not-open", "Saturday", 2, 2) in faults(review)

    def test_quotes_the_patients_newest_first(self, office: Office) -> None:
        office.first_touch(*(someone(name, phone) for name, phone in PHONES.items()))
        office.text("Cost is the issue right now", sender=PHONES["bo"])
        office.clock.advance(timedelta(hours=1))
        office.text("How much is this going to cost me?", sender=PHONES["cy"])

        (cost,) = office_review(office).objections
        assert (cost.code, cost.patients, cost.repeats) == ("cost", 2, True)
        assert cost.words == ("How much is this going to cost me?", "Cost is the issue right now")
        assert "issue" not in repr(office_review(office)), "words are shown where they are asked for, and not in a log"

    def test_leaves_out_what_lies_outside_the_period(self, office: Office) -> None:
        office.first_touch(someone("bo", PHONES["bo"]))
        office.text("Cost is the issue right now", sender=PHONES["bo"])
        office.clock.advance(timedelta(days=8))

        review = office_review(office)
        assert (review.messages, review.objections) == (0, ())

    def test_is_empty_of_an_empty_ledger(self, office: Office) -> None:
        review = office_review(office)

        assert (review.messages, review.objections, review.asked_times, review.faults) == (0, (), (), ())


class TestAskedTimes:
    @pytest.mark.parametrize(
        ("windows", "when"),
        [
            (saturdays(), "Saturday"),
            (saturdays(17, 20), "Saturday evening"),
            (saturdays(13, 17), "Saturday afternoon"),
            (saturdays(8, 12), "Saturday morning"),
            (saturdays(7, 9), "Saturday early morning"),
            (MORNINGS, "morning"),
        ],
    )  # fmt: skip
    def test_are_named_as_a_person_would(self, policy: PracticePolicy, windows: tuple[Window, ...], when: str) -> None:
        review = of(policy, happenings=(happened("c", "reply.other-times", windows=windows),))

        assert review.asked_times == (AskedTime(when, 1, 0),)
        assert review.faults == ()

    def test_count_every_asking_and_each_patient_once(self, policy: PracticePolicy) -> None:
        asked = [happened(name, "reply.nearest-times", windows=saturdays()) for name in ("a", "a", "b")]

        assert faults(of(policy, happenings=tuple(asked))) == [("fault.time-not-open", "Saturday", 3, 2)]

    def test_do_not_count_the_time_of_a_call(self, policy: PracticePolicy) -> None:
        assert (
            of(policy, happenings=(happened("c", "reply.call-back", windows=saturdays(10, 11, 1)),)).asked_times == ()
        )


class TestFaults:
    @pytest.mark.parametrize(
        ("rule", "fault"),
        [
            ("reply.no-slots", "fault.no-opening"),
            ("reply.too-many-rounds", "fault.many-rounds"),
            ("booking.slot-taken", "fault.slot-taken"),
            ("delivery.failed", "fault.not-delivered"),
            ("identity.wrong-number", "fault.wrong-number"),
            ("chart.booked", "fault.list-behind"),
            ("reply.already-unconfirmed", "fault.chart-behind"),
            ("guardrail.language", "fault.language"),
            ("outreach.chart-unavailable", "fault.tools-down"),
            ("turn.act-failed", "fault.software"),
        ],
    )
    def test_are_found_by_the_rules_that_spoke(self, policy: PracticePolicy, rule: str, fault: str) -> None:
        assert faults(of(policy, happenings=(happened("c", "x.y", rule),))) == [(fault, "", 1, 1)]

    def test_do_not_see_one_in_what_went_well(self, policy: PracticePolicy) -> None:
        assert of(policy, happenings=(happened("c", "reply.accept"), happened("d", "reply.who"))).faults == ()

    def test_count_staff_who_looked_too_late_and_not_those_in_time(self, policy: PracticePolicy) -> None:
        def due(name: str, seen_after_hours: float | None) -> DueHandoff:
            seen = None if seen_after_hours is None else FIRST_MORNING + timedelta(hours=seen_after_hours)
            return DueHandoff(name, "financing", "front_desk", FIRST_MORNING, seen)

        review = of(policy, due=(due("a", -1), due("b", 2), due("c", None)))
        assert faults(review) == [("fault.staff-late", "financing", 2, 2)]

    def test_tell_questions_that_several_patients_ask(self, policy: PracticePolicy) -> None:
        asked = [
            happened(name, "reply.logistics", asks=ask)
            for name, ask in (("a", "parking"), ("b", "parking"), ("c", "hours"))
        ]

        assert faults(of(policy, happenings=tuple(asked))) == [("fault.asked-often", "parking", 2, 2)]

    def test_tell_what_the_chart_lacks(self, policy: PracticePolicy) -> None:
        review = of(policy, left_out={"queue.no-consent": 4, "queue.declined": 9})

        assert faults(review) == [("fault.no-consent", "", 4, 4)]

    def test_come_with_those_that_met_most_patients_first(self, policy: PracticePolicy) -> None:
        told = [happened(name, "delivery.failed") for name in "ab"] + [happened("c", "booking.slot-taken")]

        assert [f.id for f in of(policy, happenings=tuple(reversed(told))).faults] == [
            "fault.not-delivered",
            "fault.slot-taken",
        ]
        assert isinstance(of(policy, happenings=tuple(told)).faults[0], Fault)


class TestQuotes:
    def test_hide_numbers_and_addresses_and_stay_short(self, policy: PracticePolicy) -> None:
        words = "Call my  wife at (312) 555-0199 or ana@example.com,\nnot me. " + "Money is tight. " * 30
        said = SaidReason("c", FIRST_MORNING, "cost", words)

        ((quote,),) = (o.words for o in of(policy, reasons=(said,)).objections)
        assert quote.startswith("Call my wife at … or …, not me. Money")
        assert len(quote) < 190

    def test_keep_times_and_prices(self, policy: PracticePolicy) -> None:
        said = SaidReason("c", FIRST_MORNING, "cost", "Can't pay $1,200 before 10:30 on 12/15")

        assert of(policy, reasons=(said,)).objections[0].words == ("Can't pay $1,200 before 10:30 on 12/15",)

    def test_are_at_most_three_and_never_the_same_twice(self, policy: PracticePolicy) -> None:
        said = [SaidReason(f"c{n}", FIRST_MORNING + n * WEEK, "cost", w) for n, w in enumerate("aabcde")]

        assert of(policy, reasons=tuple(said)).objections[0].words == ("e", "d", "c")
