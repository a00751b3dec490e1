"""Reference adapters in memory, one per port but the ledger: for tests, demos, and as the pattern for a new adapter."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.messages import ApprovedMessage, Channel, Lookup, Receipt
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.scheduling import (
    ApprovedBooking,
    Authority,
    Booking,
    BookingStatus,
    Slot,
    SlotRequest,
)
from treatment_agent.domain.treatment import Case, ChartStatus, Family, ProcedureStatus
from treatment_agent.errors import AdapterRejected, BadRow, NotFound, SlotTaken
from treatment_agent.tools.enrolled_chart import EnrolledChart

_LIVE = (BookingStatus.CONFIRMED, BookingStatus.REQUESTED)


class MemoryCaseSource:
    """`ports.CaseSource` over values."""

    def __init__(self, cases: Iterable[Case | BadRow]) -> None:
        """Hold these cases; a `BadRow` among them is yielded in its place."""
        self._cases = tuple(cases)

    def read(self) -> Iterator[Case | BadRow]:
        """Yield them in order; can be read again."""
        return iter(self._cases)


class MemoryScheduler:
    """`ports.Scheduler` over a fixed set of openings. Of racing bookings for overlapping times exactly one wins."""

    def __init__(
        self,
        openings: Iterable[Slot] = (),
        *,
        authority: Authority = Authority.BOOK,
        can_reschedule: bool = True,
    ) -> None:
        """Offer these openings; with `PROPOSE` bookings stay requested until `settle`."""
        self._openings = {slot.id: slot for slot in openings}
        self._authority = authority
        self._can_reschedule = can_reschedule
        self._taken: set[str] = set()
        self._bookings: dict[str, Booking] = {}
        self._moves: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def authority(self) -> Authority:
        """As given to the constructor."""
        return self._authority

    @property
    def can_reschedule(self) -> bool:
        """As given to the constructor."""
        return self._can_reschedule

    @property
    def bookings(self) -> tuple[Booking, ...]:
        """Every booking ever made, in order, whatever became of it."""
        with self._lock:
            return tuple(self._bookings.values())

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        """The first openings that suit, in order of time."""
        with self._lock:
            free = [slot for slot in self._openings.values() if self._is_free(slot) and _suits(slot, request)]
        free.sort(key=lambda slot: (slot.start.timestamp(), slot.id))
        return tuple(replace(slot, family=request.visit.family) for slot in free[: request.limit])

    def book(self, booking: ApprovedBooking) -> Booking:
        """Book, once per key.

        Raises:
            SlotTaken: somebody has the time, or it was never an opening.
            AdapterRejected: the appointment to be moved is not known (`unknown_appointment`), or this calendar does
                not move appointments (`no_reschedule`).
        """
        with self._lock:
            if booking.key in self._bookings:
                return self._bookings[booking.key]
            moved = self._moved(booking)
            opening = self._openings.get(booking.slot.id)
            same = opening is not None and (opening.start, opening.end) == (booking.slot.start, booking.slot.end)
            if not same or not self._is_free(booking.slot, besides=moved):
                raise SlotTaken(f"calendar: {booking.slot.id} is taken")
            confirmed = self._authority is Authority.BOOK
            made = Booking(
                key=booking.key,
                slot=booking.slot,
                status=BookingStatus.CONFIRMED if confirmed else BookingStatus.REQUESTED,
                procedure_ids=booking.visit.procedure_ids,
                appointment_id=self._next_id() if confirmed else None,
            )
            self._bookings[booking.key] = made
            if moved is not None and confirmed:
                self._set(moved, BookingStatus.CANCELLED)
            elif moved is not None:
                self._moves[booking.key] = moved
            return made

    def find_booking(self, key: str) -> Booking | None:
        """The booking with this key, or None."""
        with self._lock:
            return self._bookings.get(key)

    def release(self, key: str) -> None:
        """Give up a booking; unknown or released keys are fine."""
        with self._lock:
            if key in self._bookings and self._bookings[key].status in _LIVE:
                self._set(key, BookingStatus.CANCELLED)

    def settle(self, key: str, *, confirmed: bool) -> Booking:
        """Staff complete or refuse a requested booking; settling again changes nothing.

        Raises:
            NotFound: no booking has this key.
        """
        with self._lock:
            if key not in self._bookings:
                raise NotFound("calendar: no booking has this key")
            if self._bookings[key].status is BookingStatus.REQUESTED:
                self._set(key, BookingStatus.CONFIRMED if confirmed else BookingStatus.FAILED)
                if confirmed:
                    self._bookings[key] = replace(self._bookings[key], appointment_id=self._next_id())
                    if key in self._moves:
                        self._set(self._moves[key], BookingStatus.CANCELLED)
            return self._bookings[key]

    def add_opening(self, slot: Slot) -> None:
        """One more opening."""
        with self._lock:
            self._openings[slot.id] = slot
            self._taken.discard(slot.id)

    def take(self, slot_id: str) -> None:
        """Somebody at the desk takes an opening."""
        with self._lock:
            self._taken.add(slot_id)

    def _next_id(self) -> str:
        return f"appointment-{sum(1 for b in self._bookings.values() if b.appointment_id) + 1}"

    def _moved(self, booking: ApprovedBooking) -> str | None:
        if booking.replaces is None:
            return None
        if not self._can_reschedule:
            raise AdapterRejected("calendar: appointments cannot be moved here", code="no_reschedule")
        for key, known in self._bookings.items():
            if booking.replaces in (known.appointment_id, key):
                return key if known.status in _LIVE else None
        raise AdapterRejected("calendar: no such appointment to move", code="unknown_appointment")

    def _is_free(self, slot: Slot, *, besides: str | None = None) -> bool:
        return slot.id not in self._taken and not any(
            b.status in _LIVE and b.slot.provider_id == slot.provider_id and _overlap(b.slot, slot)
            for key, b in self._bookings.items()
            if key != besides
        )

    def _set(self, key: str, status: BookingStatus) -> None:
        self._bookings[key] = replace(self._bookings[key], status=status)


def _overlap(one: Slot, other: Slot) -> bool:
    return one.start.timestamp() < other.end.timestamp() and other.start.timestamp() < one.end.timestamp()


def _suits(slot: Slot, request: SlotRequest) -> bool:
    visit = request.visit
    return (
        slot.family in (visit.family, Family.OTHER)
        and slot.length.total_seconds() >= visit.minutes * 60
        and (not visit.provider_ids or slot.provider_id in visit.provider_ids)
        and request.earliest.timestamp() <= slot.start.timestamp() < request.latest.timestamp()
        and (not request.windows or any(window.holds(slot) for window in request.windows))
        and slot.id not in request.exclude
    )


class MemoryMessenger:
    """`ports.Messenger` that keeps what it was given. It does not hide a double send: tests must see it."""

    def __init__(self, channels: Iterable[Channel] = tuple(Channel)) -> None:
        """Take messages for these channels."""
        self._channels = frozenset(channels)
        self._sent: list[ApprovedMessage] = []
        self._refused: dict[PhoneNumber | EmailAddress, str] = {}
        self._lock = threading.Lock()

    @property
    def channels(self) -> frozenset[Channel]:
        """As given to the constructor."""
        return self._channels

    @property
    def sent(self) -> tuple[ApprovedMessage, ...]:
        """Everything handed over, in order."""
        with self._lock:
            return tuple(self._sent)

    def refuse(self, address: PhoneNumber | EmailAddress, code: str) -> None:
        """From now on this address is refused with `code`, for example `opted_out` or `unreachable`."""
        self._refused[address] = code

    def send(self, message: ApprovedMessage) -> Receipt:
        """Keep the message.

        Raises:
            AdapterRejected: the address was set to be refused, or the channel is not ours (`no_channel`).
        """
        code = self._refused.get(message.to, "" if message.channel in self._channels else "no_channel")
        if code:
            raise AdapterRejected(f"messenger: refused with {code}", code=code)
        with self._lock:
            self._sent.append(message)
            return Receipt(provider_message_id=f"memory-{len(self._sent)}")

    def find(self, key: str) -> tuple[Lookup, Receipt | None]:
        """Whether this key was sent; memory always knows."""
        with self._lock:
            for number, message in enumerate(self._sent, start=1):
                if message.key == key:
                    return Lookup.SENT, Receipt(provider_message_id=f"memory-{number}")
        return Lookup.NOT_SENT, None


class MemoryDesk:
    """`ports.StaffDesk` that keeps the last state of each packet."""

    def __init__(self) -> None:
        """Start empty."""
        self._packets: dict[str, HandoffPacket] = {}
        self._lock = threading.Lock()

    @property
    def packets(self) -> tuple[HandoffPacket, ...]:
        """The packets in the order in which they first came."""
        with self._lock:
            return tuple(self._packets.values())

    def deliver(self, packet: HandoffPacket) -> None:
        """Keep the packet, in place of the one with the same id."""
        with self._lock:
            self._packets[packet.id] = packet


class MemoryChart:
    """`ports.Chart` that agrees with the case until it is told otherwise."""

    def __init__(self) -> None:
        """Know nothing beyond the cases."""
        self._patients: dict[str, ChartStatus] = {}
        self._procedures: dict[tuple[str, str], ProcedureStatus] = {}
        self._permissions: dict[tuple[str, Channel], Permission] = {}
        self._lock = threading.Lock()

    def set_patient(self, patient_id: str, status: ChartStatus) -> None:
        """What the chart says about a patient; procedures not named in it stay as in the case."""
        with self._lock:
            self._patients[patient_id] = status

    def set_procedure(self, patient_id: str, procedure_id: str, status: ProcedureStatus) -> None:
        """Where one procedure stands."""
        with self._lock:
            self._procedures[patient_id, procedure_id] = status

    @property
    def permissions(self) -> dict[tuple[str, Channel], Permission]:
        """What was written back about texts and email, per patient."""
        with self._lock:
            return dict(self._permissions)

    def record_permission(self, patient_id: str, channel: Channel, permission: Permission) -> None:
        """Keep it; see `ports.ConsentChart`."""
        with self._lock:
            self._permissions[patient_id, channel] = permission

    def check(self, case: Case) -> ChartStatus:
        """What was set, over what the case says."""
        patient = case.patient
        with self._lock:
            status = self._patients.get(patient.id) or EnrolledChart().check(case)
            procedures = {p.id: p.status for p in case.procedures} | status.procedures
            procedures |= {p: s for (owner, p), s in self._procedures.items() if owner == patient.id}
        return status.model_copy(update={"procedures": procedures, "as_of": None})
