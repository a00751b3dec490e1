"""Short stories to be broken: what was before, and the steps that a crash may fall into.

A step may be done twice: a provider delivers again, a scheduled run starts again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from crash_world import ForgetfulMessenger, SlowCalendar, World
from office_samples import ANA_PHONE, CHICAGO, OPENINGS, ana, someone

from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.interpretation import Facts, Intent, Reason, Topic
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus
from treatment_agent.domain.scheduling import BookingStatus, Window
from treatment_agent.testing import understood

FRIDAY = Window(datetime(2026, 12, 4, tzinfo=CHICAGO), datetime(2026, 12, 5, tzinfo=CHICAGO))

READINGS = {
    "1": understood(Intent.ACCEPT, facts=Facts(option=1)),
    "2": understood(Intent.ACCEPT, facts=Facts(option=2)),
    "cost is the issue": understood(Topic.FINANCING),
    "friday please": understood(Intent.OTHER_TIMES, facts=Facts(windows=(FRIDAY,))),
    "move it to friday": understood(Intent.CHANGE, facts=Facts(windows=(FRIDAY,))),
    "after new year": understood(Intent.DEFER, facts=Facts(until=date(2027, 1, 5), reason=Reason.TIME)),
    "call me": understood(Intent.CALLBACK),
    "thanks": understood(Intent.ACK),
    "is anybody there": understood(Topic.HUMAN),
}

Step = Callable[[World], object]


@dataclass(frozen=True)
class Story:
    """`before` happens in peace, each of `steps` is broken, `names` are the patients to look at."""

    before: Step
    steps: tuple[Step, ...]
    calendar: Callable[[], object] | None = None
    names: tuple[str, ...] = ("ana",)
    sends: tuple[str, ...] = ()
    phase: str = ""


def says(words: str) -> Step:
    return lambda world: world.text(words)


def first_touch(world: World) -> None:
    world.first_touch()


def enrolled(world: World) -> None:
    world.enroll()
    world.clock.set(datetime(2026, 11, 25, 10, tzinfo=CHICAGO))


def booked(world: World) -> None:
    world.first_touch()
    world.text("2")


def handed_over(world: World) -> None:
    world.first_touch()
    world.text("cost is the issue")
    world.coordinator.acknowledge("case-ana", by="staff-1")


def family(world: World) -> None:
    world.first_touch(ana(), someone("ben", ANA_PHONE))


def run(world: World) -> None:
    world.coordinator.run_due()


def confirm(world: World) -> None:
    """The calendar confirms what was requested, and tells us, perhaps twice."""
    for requested in world.scheduler.bookings:
        world.scheduler.settle(requested.key, confirmed=True)
        world.coordinator.settle_booking(requested.key, BookingStatus.CONFIRMED, appointment_id="a-1")


def booked_by_phone(world: World) -> None:
    world.coordinator.chart_changed("ana", ChartChange.BOOKED, event_id="chart-1")


def undelivered(world: World) -> None:
    report = DeliveryReport(
        id="report-1",
        provider_message_id="memory-1",
        status=DeliveryStatus.UNDELIVERED,
        reported_at=world.clock.now(),
        error_code="30005",
    )
    world.coordinator.delivery(report)


def wake(world: World) -> None:
    world.clock.set(max(world.clock.now(), datetime(2027, 1, 5, 10, 1, tzinfo=CHICAGO)))
    world.coordinator.run_due()


def deferred(world: World) -> None:
    world.first_touch()
    world.text("after new year")


STORIES: dict[str, Story] = {
    "first touch": Story(enrolled, (run,), sends=("first-message",), phase="contacted"),
    "accept": Story(first_touch, (says("2"),), sends=("booked",), phase="booked"),
    "stop": Story(first_touch, (says("STOP"),), sends=("opt-out-confirmation",), phase="opted_out"),
    "stop on a shared number": Story(
        family, (says("STOP"),), names=("ana", "ben"), sends=("opt-out-confirmation",), phase="opted_out"
    ),
    "handoff": Story(first_touch, (says("cost is the issue"),), sends=("handoff-financing",), phase="with_staff"),
    "other times": Story(first_touch, (says("friday please"),), sends=("offer-one",), phase="offer_open"),
    "booking settled later": Story(
        first_touch,
        (says("2"), confirm),
        calendar=lambda: SlowCalendar(OPENINGS),
        sends=("booking-requested", "booked"),
        phase="booked",
    ),
    "deferral": Story(first_touch, (says("after new year"),), sends=("deferred-until",), phase="deferred"),
    "wake": Story(deferred, (wake,), sends=("wake",), phase="contacted"),
    "call back": Story(first_touch, (says("call me"),), sends=("callback-ask",), phase="callback_requested"),
    "reply while staff hold": Story(handed_over, (says("is anybody there"),), phase="with_staff"),
    "reschedule": Story(booked, (says("move it to friday"), says("1")), sends=("offer-one", "moved"), phase="booked"),
    "booked by phone": Story(first_touch, (booked_by_phone,), phase="closed"),
    "undelivered": Story(first_touch, (undelivered,), phase="contacted"),
}

__all__ = ["READINGS", "STORIES", "ForgetfulMessenger", "Story"]
