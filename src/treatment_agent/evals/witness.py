"""Ports that remember what passed over them and when: the world's own word, which the books are held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.messages import ApprovedMessage, Channel, InboundMessage, Lookup, Receipt
from treatment_agent.domain.scheduling import ApprovedBooking, Authority, Booking, BookingStatus, Slot, SlotRequest
from treatment_agent.domain.treatment import ChartStatus
from treatment_agent.ports import Chart, Clock, Ledger, Messenger, Scheduler


@dataclass(frozen=True, slots=True)
class Departure:
    """One text in the moment it was handed to the messenger.

    `chart` is what the system of record said then, `confirmed` the slots it had confirmed for this conversation; None
    when nobody asked it.
    """

    message: ApprovedMessage
    at: datetime
    chart: ChartStatus | None = None
    confirmed: tuple[Slot, ...] | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """One text of a patient in the moment it was first given to us."""

    message: InboundMessage
    at: datetime


class WitnessMessenger:
    """`ports.Messenger` around another one: every text that was taken is kept, with the truth of that moment."""

    def __init__(self, inner: Messenger, *, clock: Clock, ledger: Ledger, chart: Chart, bookings: BookingLog) -> None:
        """Watch `inner`. `chart` and `ledger` are asked past any fault that the coordinator may be under."""
        self._inner = inner
        self._clock = clock
        self._ledger = ledger
        self._chart = chart
        self._bookings = bookings
        self._departures: list[Departure] = []

    @property
    def channels(self) -> frozenset[Channel]:
        """As the watched one says."""
        return self._inner.channels

    @property
    def departures(self) -> tuple[Departure, ...]:
        """Everything that left, in order."""
        return tuple(self._departures)

    def send(self, message: ApprovedMessage) -> Receipt:
        """Send over the watched messenger; what it refuses did not leave."""
        receipt = self._inner.send(message)
        facts = self._ledger.facts(message.conversation_id, at=self._clock.now())
        confirmed = self._bookings.confirmed(message.conversation_id)
        self._departures.append(Departure(message, self._clock.now(), self._truth(facts), confirmed))
        return receipt

    def find(self, key: str) -> tuple[Lookup, Receipt | None]:
        """As the watched one says."""
        return self._inner.find(key)

    def _truth(self, facts: ConversationFacts) -> ChartStatus | None:
        return self._chart.check(facts.case) if facts.case is not None else None


class BookingLog:
    """`ports.Scheduler` around another one: keeps every slot it found and the keys of everything it booked."""

    def __init__(self, inner: Scheduler) -> None:
        """Watch `inner`."""
        self._inner = inner
        self._found: dict[Slot, None] = {}
        self._keys: dict[str, None] = {}

    @property
    def authority(self) -> Authority:
        """As the watched one says."""
        return self._inner.authority

    @property
    def can_reschedule(self) -> bool:
        """As the watched one says."""
        return self._inner.can_reschedule

    @property
    def found(self) -> tuple[Slot, ...]:
        """Every slot that a search ever returned."""
        return tuple(self._found)

    @property
    def bookings(self) -> tuple[Booking, ...]:
        """Everything ever booked, as it stands in the calendar now."""
        known = (self._inner.find_booking(key) for key in self._keys)
        return tuple(booking for booking in known if booking is not None)

    def confirmed(self, conversation_id: str) -> tuple[Slot, ...]:
        """The slots that the calendar holds as confirmed for this conversation now."""
        ours = (b for b in self.bookings if b.key.startswith(f"{conversation_id}:"))
        return tuple(b.slot for b in ours if b.status is BookingStatus.CONFIRMED)

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        """Search the watched calendar."""
        found = self._inner.find_slots(request)
        self._found |= dict.fromkeys(found)
        return found

    def book(self, booking: ApprovedBooking) -> Booking:
        """Book in the watched calendar. The key is kept first: an answer that got lost may hide a visit that stands."""
        self._keys[booking.key] = None
        return self._inner.book(booking)

    def find_booking(self, key: str) -> Booking | None:
        """As the watched one says."""
        return self._inner.find_booking(key)

    def release(self, key: str) -> None:
        """As the watched one does."""
        self._inner.release(key)
