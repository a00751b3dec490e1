from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from treatment_agent.domain.patients import Patient
from treatment_agent.domain.scheduling import (
    ApprovedBooking,
    Authority,
    Booking,
    BookingStatus,
    Slot,
    SlotRequest,
    VisitPlan,
    Window,
)
from treatment_agent.domain.treatment import Case, ChartStatus, Family, Procedure, ProcedureStatus
from treatment_agent.errors import (
    AdapterRejected,
    AdapterUnavailable,
    ConfigurationError,
    NaiveDatetimeError,
    NotFound,
    SlotTaken,
)
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.calendar_chart import CalendarChart
from treatment_agent.tools.memory import MemoryChart
from treatment_agent.tools.office_template import Block, Closure, OfficeTemplate, public_holidays
from treatment_agent.tools.template_scheduler import TemplateScheduler

CHICAGO = ZoneInfo("America/Chicago")
CROWN = VisitPlan(Family.CROWN, ("p1",), 90)
MONDAY = date(2026, 11, 30)


def block(provider: str, weekday: int, start: int, end: int, *families: Family) -> Block:
    return Block(
        provider_id=provider, weekday=weekday, start=time(start), end=time(end), families=families or (Family.CROWN,)
    )


TEMPLATE = OfficeTemplate(
    zone="America/Chicago",
    blocks=(
        block("lee", 0, 8, 12),
        block("lee", 2, 13, 17),
        block("kim", 1, 9, 12, Family.CROWN, Family.FILLING),
        block("kim", 0, 8, 17, Family.FILLING),
    ),
)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=CHICAGO)


def request(visit: VisitPlan = CROWN, *, first: date = MONDAY, days: int = 14, **more) -> SlotRequest:
    start = at(first, 0)
    return SlotRequest(visit=visit, earliest=start, latest=start + timedelta(days=days), **{"limit": 100} | more)


def permit(slot: Slot, key: str = "k1", *, patient: str = "1", visit: VisitPlan = CROWN, replaces: str | None = None):
    return ApprovedBooking(
        key=key, case_id=f"case-{patient}", patient_id=patient, slot=slot, visit=visit, replaces=replaces
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/calendar.db"


@pytest.fixture
def scheduler(url: str) -> Iterator[TemplateScheduler]:
    scheduler = TemplateScheduler(url, TEMPLATE)
    yield scheduler
    scheduler.close()


@pytest.fixture
def proposer(url: str) -> Iterator[TemplateScheduler]:
    scheduler = TemplateScheduler(url, TEMPLATE, authority=Authority.PROPOSE)
    yield scheduler
    scheduler.close()


class TestFindSlots:
    def test_stays_within_blocks_of_the_family(self, scheduler: TemplateScheduler) -> None:
        slots = scheduler.find_slots(request(days=7))

        monday = [s.start.strftime("%H:%M") for s in slots if s.start.date() == MONDAY]
        assert monday == ["08:00", "08:30", "09:00", "09:30", "10:00", "10:30"]
        assert {(s.provider_id, s.start.weekday()) for s in slots} == {("lee", 0), ("lee", 2), ("kim", 1)}
        assert {s.length for s in slots} == {timedelta(minutes=90)}
        assert {s.start.tzinfo for s in slots} == {CHICAGO}
        assert list(slots) == sorted(slots, key=lambda s: s.start)

    def test_keeps_to_the_providers_windows_and_range_of_the_request(self, scheduler: TemplateScheduler) -> None:
        kim = VisitPlan(Family.CROWN, (), 90, ("kim",))
        window = Window(at(MONDAY, 10), at(MONDAY, 10, 30))

        assert {s.provider_id for s in scheduler.find_slots(request(kim))} == {"kim"}
        assert [s.start for s in scheduler.find_slots(request(windows=(window,)))] == [at(MONDAY, 10)]
        late = SlotRequest(CROWN, earliest=at(MONDAY, 9, 1), latest=at(MONDAY, 10), limit=9)
        assert [s.start for s in scheduler.find_slots(late)] == [at(MONDAY, 9, 30)]
        assert scheduler.find_slots(request(VisitPlan(Family.IMPLANT, (), 60))) == ()
        assert scheduler.find_slots(request(VisitPlan(Family.CROWN, (), 300))) == ()

    def test_leaves_out_holidays_closed_days_and_excluded_slots(self, url: str) -> None:
        template = TEMPLATE.model_copy(
            update={
                "holidays": (MONDAY,),
                "closures": (
                    Closure(first=date(2026, 12, 1), last=date(2026, 12, 2), provider_id="kim"),
                    Closure(first=date(2026, 12, 9), last=date(2026, 12, 31)),
                ),
            }
        )
        scheduler = TemplateScheduler(url, template)

        slots = scheduler.find_slots(request())
        rest = scheduler.find_slots(request(exclude=(slots[0].id,)))
        scheduler.close()

        assert {s.start.date() for s in slots} == {date(2026, 12, 2), date(2026, 12, 7), date(2026, 12, 8)}
        assert slots[0].id not in {s.id for s in rest}
        assert len(rest) == len(slots) - 1

    def test_offers_a_choice_of_days_and_halves_when_two_are_asked_for(self, scheduler: TemplateScheduler) -> None:
        first, second = scheduler.find_slots(request(limit=2))

        assert (first.start, second.start) == (at(MONDAY, 8), at(date(2026, 12, 2), 13))

    def test_offers_times_that_do_not_overlap_when_only_one_half_day_suits(self, scheduler: TemplateScheduler) -> None:
        window = Window(at(MONDAY, 8), at(MONDAY, 12))

        slots = scheduler.find_slots(request(limit=2, windows=(window,)))

        assert [s.start for s in slots] == [at(MONDAY, 8), at(MONDAY, 9, 30)]

    def test_gives_the_same_ids_in_every_search_and_object(self, scheduler: TemplateScheduler, url: str) -> None:
        other = TemplateScheduler(url, TEMPLATE)

        assert [s.id for s in other.find_slots(request())] == [s.id for s in scheduler.find_slots(request())]
        assert len({s.id for s in scheduler.find_slots(request())}) == len(scheduler.find_slots(request()))
        other.close()

    def test_leaves_out_what_staff_booked(self, scheduler: TemplateScheduler) -> None:
        booked = scheduler.add_appointment("lee", at(MONDAY, 9), at(MONDAY, 9, 30))
        starts = [s.start for s in scheduler.find_slots(request(days=1))]
        scheduler.cancel_appointment(booked)

        assert starts == [at(MONDAY, 9, 30), at(MONDAY, 10), at(MONDAY, 10, 30)]
        assert len(scheduler.find_slots(request(days=1))) == 6


class TestDstNights:
    """The clocks of Chicago go back on 2026-11-01 and forward on 2027-03-14, both at 02:00."""

    @pytest.mark.parametrize(
        ("sunday", "count"), [(date(2026, 11, 1), 5), (date(2027, 3, 14), 3), (date(2026, 11, 8), 4)]
    )
    def test_visits_keep_their_length_and_do_not_overlap(self, url: str, sunday: date, count: int) -> None:
        night = Block(provider_id="lee", weekday=6, start=time(0), end=time(4), families=(Family.CROWN,))
        scheduler = TemplateScheduler(url, OfficeTemplate(zone="America/Chicago", blocks=(night,), step_minutes=60))
        visit = VisitPlan(Family.CROWN, (), 60)

        slots = scheduler.find_slots(request(visit, first=sunday, days=1))
        for number, slot in enumerate(slots):
            booking = scheduler.book(permit(slot, f"k{number}", visit=visit))
            assert booking.slot.start.timestamp() == slot.start.timestamp()
        scheduler.close()

        assert len(slots) == count
        assert {s.length for s in slots} == {timedelta(hours=1)}
        assert len({s.id for s in slots}) == count
        for slot in slots:
            assert slot.start == slot.start.astimezone(UTC).astimezone(CHICAGO)

    def test_the_office_opens_by_the_wall_clock_on_both_sides(self, scheduler: TemplateScheduler) -> None:
        before, after = (
            scheduler.find_slots(request(first=monday, days=1))[0] for monday in (date(2026, 10, 26), date(2026, 11, 2))
        )

        assert (before.start.hour, after.start.hour) == (8, 8)
        assert (before.start.astimezone(UTC).hour, after.start.astimezone(UTC).hour) == (13, 14)


class TestBook:
    def test_confirms_and_is_found_again_by_another_process_object(self, scheduler, url: str) -> None:
        slot = scheduler.find_slots(request())[0]
        booking = scheduler.book(permit(slot))
        other = TemplateScheduler(url, TEMPLATE)

        assert booking.status is BookingStatus.CONFIRMED
        assert booking.appointment_id is not None
        assert booking.procedure_ids == ("p1",)
        assert booking.slot == slot
        assert other.find_booking("k1") == booking
        assert other.find_booking("k2") is None
        other.close()

    def test_is_the_same_booking_for_the_same_key(self, scheduler: TemplateScheduler) -> None:
        first, second = scheduler.find_slots(request(limit=2))

        assert scheduler.book(permit(first)) == scheduler.book(permit(second)) == scheduler.book(permit(first))
        assert len(scheduler.appointments()) == 1

    def test_refuses_overlaps_and_allows_neighbours(self, scheduler: TemplateScheduler) -> None:
        slots = {s.start.strftime("%H:%M"): s for s in scheduler.find_slots(request(days=1))}
        scheduler.book(permit(slots["08:00"]))

        with pytest.raises(SlotTaken, match="taken"):
            scheduler.book(permit(slots["09:00"], "k2"))
        assert scheduler.book(permit(slots["09:30"], "k3")).status is BookingStatus.CONFIRMED

    @pytest.mark.parametrize(
        "change",
        [
            lambda s: Slot(s.start.replace(hour=15), s.end.replace(hour=16, minute=30), s.provider_id, "x"),
            lambda s: Slot(s.start, s.end, "kim", "x"),
            lambda s: Slot(s.start - timedelta(days=1), s.end - timedelta(days=1), s.provider_id, "x"),
        ],
        ids=["other hours", "other provider", "a Sunday"],
    )
    def test_refuses_what_no_block_allows(self, scheduler: TemplateScheduler, change) -> None:
        slot = scheduler.find_slots(request())[0]

        with pytest.raises(SlotTaken, match="not open"):
            scheduler.book(permit(change(slot)))
        assert scheduler.appointments() == ()

    def test_refuses_a_day_that_was_closed_after_the_offer(self, scheduler: TemplateScheduler, url: str) -> None:
        slot = scheduler.find_slots(request())[0]
        later = TemplateScheduler(url, TEMPLATE.model_copy(update={"holidays": (slot.start.date(),)}))

        with pytest.raises(SlotTaken):
            later.book(permit(slot))
        later.close()

    def test_refuses_a_slot_of_another_length(self, scheduler: TemplateScheduler) -> None:
        slot = scheduler.find_slots(request())[0]

        with pytest.raises(AdapterRejected) as caught:
            scheduler.book(permit(slot, visit=VisitPlan(Family.CROWN, (), 120)))
        assert caught.value.code == "length"

    def test_release_frees_the_time_and_can_be_repeated(self, scheduler: TemplateScheduler) -> None:
        slot = scheduler.find_slots(request())[0]
        scheduler.book(permit(slot))

        scheduler.release("k1")
        scheduler.release("k1")
        scheduler.release("never")

        released = scheduler.find_booking("k1")
        assert released is not None
        assert released.status is BookingStatus.CANCELLED
        assert scheduler.book(permit(slot, "k2")).status is BookingStatus.CONFIRMED


class TestMove:
    def test_gives_up_the_old_time_for_the_new_even_when_they_overlap(self, scheduler: TemplateScheduler) -> None:
        old, new = scheduler.find_slots(request(days=1))[:2]
        booked = scheduler.book(permit(old))

        moved = scheduler.book(permit(new, "k2", replaces=booked.appointment_id))

        assert moved.status is BookingStatus.CONFIRMED
        assert [a.key for a in scheduler.appointments()] == ["k2"]

    def test_keeps_the_old_time_when_the_new_is_taken(self, scheduler: TemplateScheduler) -> None:
        slots = scheduler.find_slots(request(days=1))
        booked = scheduler.book(permit(slots[0]))
        scheduler.add_appointment("lee", slots[4].start, slots[4].end)

        with pytest.raises(SlotTaken):
            scheduler.book(permit(slots[4], "k2", replaces=booked.appointment_id))

        assert [a.key for a in scheduler.appointments()] == ["k1", None]

    def test_never_touches_an_appointment_of_somebody_else(self, scheduler: TemplateScheduler) -> None:
        slots = scheduler.find_slots(request(days=1))
        booked = scheduler.book(permit(slots[0], patient="2"))

        for name in (booked.appointment_id, "appointment-99", "x"):
            with pytest.raises(AdapterRejected) as caught:
                scheduler.book(permit(slots[4], "k2", replaces=name))
            assert caught.value.code == "unknown_appointment"
        assert [a.key for a in scheduler.appointments()] == ["k1"]

    def test_moves_what_staff_booked_for_the_patient(self, scheduler: TemplateScheduler) -> None:
        slots = scheduler.find_slots(request(days=1))
        name = scheduler.add_appointment("lee", slots[4].start, slots[4].end, patient_id="1")

        scheduler.book(permit(slots[0], replaces=name))

        assert [a.key for a in scheduler.appointments(patient_id="1")] == ["k1"]


class TestPropose:
    def test_holds_the_time_until_staff_settle(self, proposer: TemplateScheduler) -> None:
        slot = proposer.find_slots(request())[0]

        booking = proposer.book(permit(slot))

        assert proposer.authority is Authority.PROPOSE
        assert (booking.status, booking.appointment_id) == (BookingStatus.REQUESTED, None)
        with pytest.raises(SlotTaken):
            proposer.book(permit(slot, "k2"))
        settled = proposer.settle("k1", confirmed=True)
        assert settled.status is BookingStatus.CONFIRMED
        assert settled.appointment_id is not None
        assert proposer.settle("k1", confirmed=False) == settled

    def test_frees_the_time_when_staff_refuse(self, proposer: TemplateScheduler) -> None:
        slot = proposer.find_slots(request())[0]
        proposer.book(permit(slot))

        assert proposer.settle("k1", confirmed=False).status is BookingStatus.FAILED
        assert proposer.find_slots(request())[0].id == slot.id
        with pytest.raises(NotFound):
            proposer.settle("k9", confirmed=True)

    def test_gives_up_the_old_time_only_when_settled(self, proposer: TemplateScheduler) -> None:
        slots = proposer.find_slots(request(days=1))
        proposer.book(permit(slots[0]))
        old = proposer.settle("k1", confirmed=True)

        proposer.book(permit(slots[4], "k2", replaces=old.appointment_id))
        held = [a.key for a in proposer.appointments()]
        proposer.settle("k2", confirmed=True)

        assert held == ["k1", "k2"]
        assert [a.key for a in proposer.appointments()] == ["k2"]


def race(url: str, number: int) -> str:
    """One racer, in a process of its own: half of them want a time that only overlaps."""
    scheduler = TemplateScheduler(url, TEMPLATE)
    slot = scheduler_slot(number % 2)
    try:
        return scheduler.book(permit(slot, f"k{number}", patient=str(number))).status.value
    except SlotTaken:
        return "taken"
    finally:
        scheduler.close()


def scheduler_slot(late: int) -> Slot:
    start = at(MONDAY, 9, 30 * late)
    return Slot(start, start + timedelta(minutes=90), "lee", f"slot-{late}", Family.CROWN)


class TestRaces:
    def test_exactly_one_of_twenty_threads_wins(self, scheduler: TemplateScheduler) -> None:
        results: list[str] = []
        barrier = threading.Barrier(20)

        def racer(number: int) -> None:
            barrier.wait()
            try:
                results.append(
                    scheduler.book(permit(scheduler_slot(number % 2), f"k{number}", patient=str(number))).status.value
                )
            except SlotTaken:
                results.append("taken")

        threads = [threading.Thread(target=racer, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(results) == ["confirmed"] + ["taken"] * 19
        assert len(scheduler.appointments()) == 1

    def test_exactly_one_of_twenty_in_four_processes_wins(self, url: str, scheduler: TemplateScheduler) -> None:
        with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
            results = list(pool.map(race, [url] * 20, range(20)))

        assert sorted(results) == ["confirmed"] + ["taken"] * 19
        assert len(scheduler.appointments()) == 1

    def test_one_key_from_twenty_threads_is_one_booking(self, scheduler: TemplateScheduler) -> None:
        bookings: list[Booking] = []
        threads = [
            threading.Thread(target=lambda: bookings.append(scheduler.book(permit(scheduler_slot(0)))))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(bookings) == 20
        assert len({b.appointment_id for b in bookings}) == 1


class TestOpening:
    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://host/x", "calendar.db"])
    def test_explains_a_url_that_is_no_file(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match=r"sqlite:///calendar\.db"):
            TemplateScheduler(url, TEMPLATE)

    def test_is_unavailable_when_the_folder_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(AdapterUnavailable):
            TemplateScheduler(f"sqlite:///{tmp_path}/no/calendar.db", TEMPLATE)

    def test_is_unavailable_when_the_file_is_no_calendar(self, tmp_path: Path) -> None:
        (tmp_path / "calendar.db").write_text("patients of this office: Qz7Zebra" * 100, encoding="utf-8")

        with pytest.raises(AdapterUnavailable) as caught:
            TemplateScheduler(f"sqlite:///{tmp_path}/calendar.db", TEMPLATE)
        assert "Zebra" not in str(caught.value)

    def test_makes_the_tables_once_when_many_open_it_together(self, tmp_path: Path) -> None:
        url, start = f"sqlite:///{tmp_path}/calendar.db", threading.Barrier(6)

        def opened(_: int) -> int:
            start.wait()
            return len(TemplateScheduler(url, TEMPLATE).appointments())

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(opened, range(6))) == [0] * 6

    def test_refuses_naive_times(self, scheduler: TemplateScheduler) -> None:
        naive = datetime(2026, 12, 1, 9)  # noqa: DTZ001  naive is the mistake

        with pytest.raises(NaiveDatetimeError):
            scheduler.find_slots(SlotRequest(CROWN, earliest=naive, latest=at(MONDAY, 9)))
        with pytest.raises(NaiveDatetimeError):
            scheduler.add_appointment("lee", naive, at(MONDAY, 9))

    def test_refuses_templates_that_cannot_be_meant(self) -> None:
        with pytest.raises(ValueError, match="end must be after start"):
            block("lee", 0, 12, 8)
        with pytest.raises(ValueError, match="families"):
            Block(provider_id="lee", weekday=0, start=time(8), end=time(12), families=())
        with pytest.raises(ValueError, match="IANA"):
            OfficeTemplate(zone="Chicago", blocks=())
        with pytest.raises(ValueError, match="last"):
            Closure(first=date(2026, 1, 2), last=date(2026, 1, 1))

    def test_knows_public_holidays(self) -> None:
        assert date(2026, 11, 26) in public_holidays([2026], state="IL")
        assert MONDAY not in public_holidays([2026], state="IL")


class TestCalendarChart:
    CASE = Case(
        id="case-1",
        patient=Patient(id="1", first_name="Ann"),
        procedures=(Procedure(id="p1", code="D2740"), Procedure(id="p2", code="D2392")),
    )

    def test_sees_bookings_of_ours_and_of_staff(self, scheduler: TemplateScheduler) -> None:
        chart = CalendarChart(scheduler, FrozenClock(at(MONDAY, 0)))
        before = chart.check(self.CASE)
        slot = scheduler.find_slots(request(limit=1))[0]
        scheduler.book(permit(slot))
        scheduler.add_appointment("kim", at(MONDAY, 7), at(MONDAY, 8), patient_id="1", procedure_ids=["p2"])
        scheduler.add_appointment("kim", at(MONDAY, 1), at(MONDAY, 2), patient_id="2")

        after = chart.check(self.CASE)

        assert before.next_visit_at is None
        assert before.procedures == {"p1": ProcedureStatus.PLANNED, "p2": ProcedureStatus.PLANNED}
        assert after.next_visit_at == at(MONDAY, 7)
        assert after.procedures == {"p1": ProcedureStatus.SCHEDULED, "p2": ProcedureStatus.SCHEDULED}

    def test_forgets_appointments_that_are_over_or_given_up(self, scheduler: TemplateScheduler) -> None:
        scheduler.book(permit(scheduler.find_slots(request(limit=1))[0]))
        later = CalendarChart(scheduler, FrozenClock(at(MONDAY, 8)))
        over = later.check(self.CASE)
        scheduler.release("k1")
        given_up = CalendarChart(scheduler, FrozenClock(at(MONDAY, 0))).check(self.CASE)

        assert over.next_visit_at is None
        assert given_up.next_visit_at is None
        assert given_up.procedures["p1"] is ProcedureStatus.PLANNED

    def test_leaves_the_word_of_the_chart_below_where_it_is_stronger(self, scheduler: TemplateScheduler) -> None:
        below = MemoryChart()
        below.set_patient("1", ChartStatus(patient_status="deceased", next_visit_at=at(MONDAY, 6)))
        below.set_procedure("1", "p1", ProcedureStatus.COMPLETED)
        scheduler.book(permit(scheduler.find_slots(request(limit=1))[0]))

        status = CalendarChart(scheduler, FrozenClock(at(MONDAY, 0)), below=below).check(self.CASE)

        assert status.patient_status == "deceased"
        assert status.procedures["p1"] is ProcedureStatus.COMPLETED
        assert status.next_visit_at == at(MONDAY, 6)
