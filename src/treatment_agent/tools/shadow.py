"""Shadow mode's adapters: everything is read from the real ones, nothing is handed to them."""

from __future__ import annotations

from treatment_agent.domain.messages import ApprovedMessage, Channel, Lookup, Receipt
from treatment_agent.domain.scheduling import (
    ApprovedBooking,
    Authority,
    Booking,
    BookingStatus,
    Slot,
    SlotRequest,
)
from treatment_agent.ports import Messenger, Scheduler

SHADOW_ID = "shadow:"
"""What the provider's id of a text begins with that was only recorded."""


class ShadowMessenger:
    """`ports.Messenger` that sends nothing: the ledger's outbox is the record."""

    def __init__(self, real: Messenger) -> None:
        """Pretend to be this messenger; it is only asked for its channels."""
        self._channels = real.channels

    @property
    def channels(self) -> frozenset[Channel]:
        """Those of the real messenger."""
        return self._channels

    def send(self, message: ApprovedMessage) -> Receipt:
        """A receipt, and nothing else."""
        return Receipt(provider_message_id=f"{SHADOW_ID}{message.key}")

    def find(self, key: str) -> tuple[Lookup, Receipt | None]:
        """Nothing ever left."""
        return Lookup.NOT_SENT, None


class ShadowScheduler:
    """`ports.Scheduler` that looks at the real calendar and writes nothing into it."""

    def __init__(self, real: Scheduler) -> None:
        """Ask this calendar for openings."""
        self._real = real

    @property
    def authority(self) -> Authority:
        """That of the real calendar, so that the texts are those that would have been sent."""
        return self._real.authority

    @property
    def can_reschedule(self) -> bool:
        """As the real calendar."""
        return self._real.can_reschedule

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        """What is open in the real calendar."""
        return self._real.find_slots(request)

    def book(self, booking: ApprovedBooking) -> Booking:
        """The booking as it would have been made. The same key gives the same booking."""
        confirmed = self._real.authority is Authority.BOOK
        return Booking(
            key=booking.key,
            slot=booking.slot,
            status=BookingStatus.CONFIRMED if confirmed else BookingStatus.REQUESTED,
            procedure_ids=booking.visit.procedure_ids,
            appointment_id=f"{SHADOW_ID}{booking.key}" if confirmed else None,
        )

    def find_booking(self, key: str) -> Booking | None:
        """The calendar never saw one of ours."""
        return None

    def release(self, key: str) -> None:
        """There is nothing to give up."""
