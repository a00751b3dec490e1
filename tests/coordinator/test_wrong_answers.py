"""Adapters that answer nonsense, and checkpoints that a disk has damaged: a person or a retry, never silence (P5)."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from office_samples import ANA_PHONE, FIRST_MORNING, OPENINGS, Office, slot
from pydantic import SecretStr

from treatment_agent import Coordinator, PracticePolicy, Tools
from treatment_agent.domain.books import OutboxStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.messages import Lookup, Receipt
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.errors import AdapterUnavailable, ConversationBusy
from treatment_agent.tools.memory import MemoryChart, MemoryMessenger, MemoryScheduler

Build = Callable[..., Office]


class Turncoat:
    """An adapter that works until the test gives one of its methods another answer."""

    def __init__(self, real: object) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def answers(self, method: str, answer: Callable[..., object]) -> None:
        setattr(self, method, answer)


@pytest.fixture
def calendar() -> Turncoat:
    return Turncoat(MemoryScheduler(OPENINGS))


@pytest.fixture
def offered(built: Build, policy: PracticePolicy, calendar: Turncoat) -> Office:
    office = built(policy, scheduler=calendar)
    office.first_touch()
    office.sent()
    return office


def statuses(office: Office) -> list[OutboxStatus]:
    return [row.status for row in office.coordinator.ledger.outbox("case-ana")]


class TestWrongType:
    """The answer is refused where it comes in: the books could not even write it down."""

    @pytest.mark.parametrize(
        ("method", "answer", "words", "told"),
        [
            ("book", object(), "2", "Scheduler.book answered object; make the adapter return Booking"),
            ("find_booking", "b-1", "2", "Scheduler.find_booking answered str; make the adapter return Booking"),
            ("find_slots", (object(),), "friday please", "Scheduler.find_slots answered object; make the adapter"),
            ("find_slots", None, "friday please", "Scheduler.find_slots answered NoneType; make the adapter"),
        ],
    )
    def test_of_the_calendar_means_a_person(
        self,
        offered: Office,
        calendar: Turncoat,
        caplog: pytest.LogCaptureFixture,
        method: str,
        answer: object,
        words: str,
        told: str,
    ) -> None:
        calendar.answers(method, lambda *_: answer)

        with caplog.at_level(logging.WARNING):
            outcome = offered.text(words)

        assert outcome.failures == ("turn.act-failed",)
        assert outcome.handoff is not None
        assert offered.sent() == ["handoff-other"]
        assert offered.coordinator.ledger.pending("case-ana") == ()
        assert told in caplog.text

    def test_of_the_calendar_that_is_a_list_of_slots_will_do(self, offered: Office, calendar: Turncoat) -> None:
        calendar.answers("find_slots", lambda _: [slot(4, 10)])
        assert offered.text("friday please").phase_after is Phase.OFFER_OPEN

    def test_of_the_chart_means_a_person(
        self, built: Build, policy: PracticePolicy, caplog: pytest.LogCaptureFixture
    ) -> None:
        chart = Turncoat(MemoryChart())
        office = built(policy, chart=chart)
        office.first_touch()
        chart.answers("check", lambda _: object())

        with caplog.at_level(logging.WARNING):
            outcome = office.text("2")

        assert outcome.handoff is not None
        assert "Chart.check answered object; make the adapter return ChartStatus" in caplog.text

    def test_of_the_chart_before_a_touch_is_for_staff_and_stops_no_run(
        self, built: Build, policy: PracticePolicy
    ) -> None:
        chart = Turncoat(MemoryChart())
        office = built(policy, chart=chart)
        office.enroll()
        chart.answers("check", lambda _: object())

        office.run_at(FIRST_MORNING)

        assert office.sent() == []
        assert office.tasks() != []

    def test_of_the_chart_just_before_sending_keeps_the_text_back(self, built: Build, policy: PracticePolicy) -> None:
        chart, messenger = Turncoat(MemoryChart()), Turncoat(MemoryMessenger())
        office = built(policy, chart=chart, messenger=messenger)
        office.enroll()

        def away(_: object) -> Receipt:
            raise AdapterUnavailable("away")

        messenger.answers("send", away)
        office.run_at(FIRST_MORNING)
        assert statuses(office) == [OutboxStatus.PENDING]
        chart.answers("check", lambda _: None)

        assert office.coordinator.resume() == ()
        assert statuses(office) == [OutboxStatus.CANCELLED]

    @pytest.mark.parametrize("receipt", [None, "SM1", Receipt(provider_message_id=5)])  # type: ignore[arg-type]
    def test_of_the_messenger_leaves_a_doubt_for_a_person(
        self, built: Build, policy: PracticePolicy, receipt: object
    ) -> None:
        messenger = Turncoat(MemoryMessenger())
        office = built(policy, messenger=messenger)
        office.first_touch()
        messenger.answers("send", lambda _: receipt)

        office.text("2")

        assert statuses(office)[1:] == [OutboxStatus.DOUBTFUL]
        assert office.tasks() != []

    @pytest.mark.parametrize("found", [None, (Lookup.SENT, "SM1"), ("yes", None)])
    def test_of_the_messenger_after_a_crash_does_not_block_the_conversation(
        self, built: Build, policy: PracticePolicy, found: object
    ) -> None:
        messenger = Turncoat(MemoryMessenger())
        office = built(policy, messenger=messenger)
        office.first_touch()
        row = office.coordinator.ledger.outbox("case-ana")[0]
        with sqlite3.connect(office.url.removeprefix("sqlite:///")) as file:
            file.execute("UPDATE outbox SET status = 'sending' WHERE key = ?", (row.message.key,))
        messenger.answers("find", lambda _: found)

        assert office.coordinator.resume() == ()
        assert statuses(office) == [OutboxStatus.DOUBTFUL]


class TestWrongBooking:
    """P6: the patient is told the time that the calendar has, or nothing."""

    @pytest.mark.parametrize(
        "changes",
        [{"slot": slot(20, 3)}, {"key": "of another call"}, {"status": BookingStatus.FAILED}],
    )
    def test_goes_to_a_person(self, offered: Office, calendar: Turncoat, changes: dict[str, object]) -> None:
        real = calendar.book
        calendar.answers("book", lambda permit: replace(real(permit), **changes))
        calendar.answers("find_booking", lambda _: None)

        outcome = offered.text("2")

        assert outcome.failures == ("turn.act-failed",)
        assert outcome.booking is None
        assert offered.sent() == ["handoff-other"]

    def test_is_looked_up_before_anybody_is_bothered(self, offered: Office, calendar: Turncoat) -> None:
        real = calendar.book
        calendar.answers("book", lambda permit: replace(real(permit), key="of another call"))

        assert offered.text("2").phase_after is Phase.BOOKED
        assert offered.sent() == ["booked"]


class TestWrongOffer:
    @pytest.mark.parametrize(
        "wrong",
        [slot(13, 10, month=11), slot(4, 10), slot(11, 8, minutes=10), replace(slot(11, 8), provider_id="nobody")],
        ids=["past", "the same again", "too short", "of nobody here"],
    )
    def test_is_not_put_to_the_patient(
        self, built: Build, policy: PracticePolicy, calendar: Turncoat, wrong: object
    ) -> None:
        office = built(policy, scheduler=calendar)
        calendar.answers("find_slots", lambda _: (slot(4, 10), wrong, slot(11, 13)))

        office.first_touch()

        assert office.conversation().offers == (slot(4, 10), slot(11, 13))


class TestSlowMessenger:
    def test_that_says_nothing_left_after_another_worker_took_over_sends_nothing_twice(
        self, built: Build, policy: PracticePolicy
    ) -> None:
        messenger = Turncoat(MemoryMessenger())
        office = built(policy, messenger=messenger)
        office.first_touch()
        other, theirs, done = Turncoat(MemoryMessenger()), threading.Event(), threading.Event()

        def second(message: Any) -> Receipt:
            theirs.set()
            assert done.wait(20)
            return MemoryMessenger.send(other._real, message)  # type: ignore[arg-type]

        other.answers("send", second)
        tools = Tools(scheduler=office.scheduler, messenger=other, chart=office.chart)
        worker = Coordinator(policy=policy, tools=tools, ledger=office.url, clock=office.clock)
        taking_over = threading.Thread(target=worker.resume)

        def first(_: object) -> Receipt:
            office.clock.advance(timedelta(minutes=3))
            taking_over.start()
            assert theirs.wait(20)
            raise AdapterUnavailable("timed out long after the lease")

        messenger.answers("send", first)
        with pytest.raises(ConversationBusy):
            office.text("2")
        done.set()
        taking_over.join()

        assert statuses(office) == [OutboxStatus.SENT, OutboxStatus.SENT]
        worker.resume()
        assert [m.script_id for m in other.sent] == ["booked"]
        worker.close()


class TestDamagedCheckpoint:
    @pytest.fixture(params=["substr(checkpoint, 1, 30)", "x''"], ids=["cut short", "empty"])
    def damaged(self, request: pytest.FixtureRequest, offered: Office) -> Office:
        with sqlite3.connect(offered.url.removeprefix("sqlite:///")) as file:
            assert file.execute(f"UPDATE checkpoints SET checkpoint = {request.param}").rowcount
        return offered

    def test_is_dropped_and_the_message_handled_from_the_books(self, damaged: Office) -> None:
        assert damaged.text("2").phase_after is Phase.BOOKED
        assert damaged.sent() == ["booked"]

    def test_does_not_keep_a_crashed_turn_from_being_finished(self, damaged: Office) -> None:
        now, words = damaged.clock.now(), SecretStr("2")
        event = PatientMessage(id="in-1", at=now)
        damaged.coordinator.ledger.claim("case-ana", event, at=now, text=words, sender=ANA_PHONE)

        assert damaged.coordinator.resume() == ()
        assert damaged.sent() == ["booked"]
