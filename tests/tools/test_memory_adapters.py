from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from treatment_agent.domain.handoff import HandoffKind, HandoffPacket, HandoffStatus, Role, Urgency
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import ApprovedMessage, Channel, Lookup, SendKind
from treatment_agent.domain.patients import Flag, Patient
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import (
    ApprovedBooking,
    Authority,
    BookingStatus,
    Slot,
    SlotRequest,
    VisitPlan,
    Window,
)
from treatment_agent.domain.treatment import Case, ChartStatus, Family, Procedure, ProcedureStatus
from treatment_agent.errors import AdapterRejected, BadRow, SlotTaken
from treatment_agent.tools.memory import MemoryCaseSource, MemoryChart, MemoryDesk, MemoryMessenger, MemoryScheduler

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
VISIT = VisitPlan(Family.CROWN, ("p1",), 90)


def slot(hours: float = 0, provider: str = "lee", name: str = "", family: Family = Family.CROWN) -> Slot:
    start = NOON + timedelta(hours=hours)
    return Slot(start, start + timedelta(minutes=90), provider, name or f"{provider}{hours}", family)


def search(**more) -> SlotRequest:
    return SlotRequest(
        **{"visit": VISIT, "earliest": NOON - timedelta(days=1), "latest": NOON + timedelta(days=9), "limit": 9} | more
    )


def permit(chosen: Slot, key: str = "k1", replaces: str | None = None) -> ApprovedBooking:
    return ApprovedBooking(key=key, case_id="c", patient_id="1", slot=chosen, visit=VISIT, replaces=replaces)


def message(key: str = "k1", channel: Channel = Channel.SMS) -> ApprovedMessage:
    return ApprovedMessage(
        key=key,
        conversation_id="c1",
        to=PhoneNumber("+13125550117"),
        channel=channel,
        body=_secret("Hello"),
        subject="",
        script_id="first-message",
        script_version=1,
        language="en",
        approved_by="staff",
        content_hash="0" * 64,
        kind=SendKind.OUTREACH,
    )


def _secret(text: str) -> SecretStr:
    return SecretStr(text)


class TestMemoryScheduler:
    def test_returns_what_suits_in_order_of_time(self) -> None:
        openings = [slot(4), slot(0), slot(2, "kim"), slot(6, family=Family.FILLING), slot(8, family=Family.OTHER)]
        scheduler = MemoryScheduler(openings)

        assert [s.id for s in scheduler.find_slots(search())] == ["lee0", "kim2", "lee4", "lee8"]
        assert {s.family for s in scheduler.find_slots(search())} == {Family.CROWN}
        assert [s.id for s in scheduler.find_slots(search(limit=1))] == ["lee0"]
        assert [s.id for s in scheduler.find_slots(search(exclude=("lee0",)))] == ["kim2", "lee4", "lee8"]
        kim = VisitPlan(Family.CROWN, (), 90, ("kim",))
        assert [s.id for s in scheduler.find_slots(search(visit=kim))] == ["kim2"]
        window = Window(NOON + timedelta(hours=2), NOON + timedelta(hours=4))
        assert [s.id for s in scheduler.find_slots(search(windows=(window,)))] == ["kim2"]
        assert scheduler.find_slots(search(visit=VisitPlan(Family.CROWN, (), 91))) == ()
        assert scheduler.find_slots(search(latest=NOON)) == ()

    def test_books_once_per_key_and_refuses_the_second_patient(self) -> None:
        scheduler = MemoryScheduler([slot(0), slot(1, name="overlapping")])

        booked = scheduler.book(permit(slot(0)))

        assert booked.status is BookingStatus.CONFIRMED
        assert scheduler.book(permit(slot(0))) == booked == scheduler.find_booking("k1")
        for taken in (slot(0), slot(1, name="overlapping"), slot(5, name="never an opening")):
            with pytest.raises(SlotTaken):
                scheduler.book(permit(taken, "k2"))
        assert scheduler.find_slots(search()) == ()
        scheduler.release("k1")
        assert len(scheduler.find_slots(search())) == 2

    def test_lets_one_of_twenty_racers_win(self) -> None:
        scheduler = MemoryScheduler([slot(0)])
        results: list[str] = []

        def racer(number: int) -> None:
            try:
                results.append(scheduler.book(permit(slot(0), f"k{number}")).status)
            except SlotTaken:
                results.append("taken")

        threads = [threading.Thread(target=racer, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(results) == ["confirmed"] + ["taken"] * 19

    def test_moves_a_booking_or_keeps_it(self) -> None:
        scheduler = MemoryScheduler([slot(0), slot(1, name="near"), slot(4)])
        first = scheduler.book(permit(slot(0)))
        scheduler.take("lee4")

        with pytest.raises(SlotTaken):
            scheduler.book(permit(slot(4), "k2", first.appointment_id))
        assert scheduler.find_booking("k1") == first
        scheduler.book(permit(slot(1, name="near"), "k3", first.appointment_id))

        assert [b.status for b in scheduler.bookings] == [BookingStatus.CANCELLED, BookingStatus.CONFIRMED]
        with pytest.raises(AdapterRejected):
            scheduler.book(permit(slot(0), "k4", "appointment-77"))

    def test_proposes_until_settled(self) -> None:
        scheduler = MemoryScheduler([slot(0), slot(4)], authority=Authority.PROPOSE)

        requested = scheduler.book(permit(slot(0)))

        assert (requested.status, requested.appointment_id) == (BookingStatus.REQUESTED, None)
        confirmed = scheduler.settle("k1", confirmed=True)
        assert confirmed.appointment_id == "appointment-1"
        scheduler.book(permit(slot(4), "k2", "appointment-1"))
        assert scheduler.find_booking("k1") == confirmed
        scheduler.settle("k2", confirmed=True)
        assert scheduler.bookings[0].status is BookingStatus.CANCELLED


class TestMemoryMessenger:
    def test_keeps_every_send_in_order_even_twice(self) -> None:
        messenger = MemoryMessenger()

        for key in ("a", "b", "a"):
            messenger.send(message(key))

        assert [m.key for m in messenger.sent] == ["a", "b", "a"]
        assert messenger.find("b")[0] is Lookup.SENT
        assert messenger.find("c") == (Lookup.NOT_SENT, None)

    def test_refuses_as_told(self) -> None:
        messenger = MemoryMessenger([Channel.SMS])
        messenger.refuse(PhoneNumber("+13125550117"), "opted_out")

        with pytest.raises(AdapterRejected) as caught:
            messenger.send(message())
        assert caught.value.code == "opted_out"
        assert "0117" not in str(caught.value)
        with pytest.raises(AdapterRejected, match="no_channel"):
            MemoryMessenger([Channel.SMS]).send(message(channel=Channel.EMAIL))
        assert messenger.sent == ()


class TestMemoryDesk:
    def test_replaces_a_packet_with_the_same_id(self) -> None:
        desk = MemoryDesk()

        for name, status in (
            ("h1", HandoffStatus.OPENED),
            ("h2", HandoffStatus.OPENED),
            ("h1", HandoffStatus.RESOLVED),
        ):
            desk.deliver(packet(name, status))

        assert [(p.id, p.status) for p in desk.packets] == [("h1", "resolved"), ("h2", "opened")]


def packet(
    name: str = "h1", status: HandoffStatus = HandoffStatus.OPENED, words: tuple[str, ...] = ()
) -> HandoffPacket:
    return HandoffPacket(
        id=name,
        conversation_id="c1",
        patient_id="1",
        kind=HandoffKind.HANDOFF,
        status=status,
        topics=(Topic.CLINICAL,),
        urgency=Urgency.TODAY,
        owner=Role.CLINICIAN,
        opened_at=NOON,
        due_at=NOON + timedelta(hours=2),
        summary="A clinical question.",
        suggestion="Call the patient.",
        words=words,
    )


class TestMemoryChart:
    CASE = Case(
        id="case-1",
        patient=Patient(id="1", first_name="Ann", flags=frozenset({Flag.DO_NOT_CONTACT})),
        procedures=(Procedure(id="p1", code="D2740"), Procedure(id="p2", code="D2740")),
        next_visit_at=NOON,
    )

    def test_agrees_with_the_case_until_told_otherwise(self) -> None:
        chart = MemoryChart()
        agreed = chart.check(self.CASE)
        chart.set_procedure("1", "p2", ProcedureStatus.COMPLETED)
        chart.set_procedure("2", "p1", ProcedureStatus.DECLINED)
        told = chart.check(self.CASE)
        chart.set_patient("1", ChartStatus(patient_status="inactive"))

        assert (agreed.patient_status, agreed.do_not_contact, agreed.next_visit_at) == ("active", True, NOON)
        assert told.procedures == {"p1": ProcedureStatus.PLANNED, "p2": ProcedureStatus.COMPLETED}
        assert chart.check(self.CASE).patient_status == "inactive"
        assert chart.check(self.CASE).procedures == told.procedures


class TestMemoryCaseSource:
    def test_yields_in_order_and_again(self) -> None:
        bad = BadRow("line 2", None, "fix")
        source = MemoryCaseSource([TestMemoryChart.CASE, bad])

        assert list(source.read()) == list(source.read()) == [TestMemoryChart.CASE, bad]
