"""Openings, what suits the patient, and bookings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from treatment_agent.domain.treatment import Family
from treatment_agent.domain.value import require_aware


def _later(one: datetime, other: datetime) -> bool:
    """Compare instants: Python compares times of one zone by the wall clock, which goes wrong in a DST night."""
    return one.timestamp() > other.timestamp()


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A stretch of time that suits the patient, half-open `[start, end)`, in the office's zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        require_aware(self.start, "Window.start")
        require_aware(self.end, "Window.end")
        if not _later(self.end, self.start):
            raise ValueError("Window: end must be after start")

    def holds(self, slot: Slot) -> bool:
        """True when the visit *starts* inside the window: patients name starting times."""
        return not _later(self.start, slot.start) and _later(self.end, slot.start)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """An opening the scheduler returned, with its times in the office's zone."""

    start: datetime
    end: datetime
    provider_id: str
    id: str
    family: Family = Family.OTHER

    def __post_init__(self) -> None:
        require_aware(self.start, "Slot.start")
        require_aware(self.end, "Slot.end")
        if not _later(self.end, self.start):
            raise ValueError("Slot: end must be after start")

    @property
    def length(self) -> timedelta:
        """How long the visit takes."""
        return self.end.astimezone(UTC) - self.start.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """Which procedures go into one visit, how long it takes and who may do it."""

    family: Family
    procedure_ids: tuple[str, ...]
    minutes: int
    provider_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """What to search for. `windows` empty means any time between `earliest` and `latest`.

    `exclude` names slot ids not to return again. At most `limit` slots come back, in order of time.
    """

    visit: VisitPlan
    earliest: datetime
    latest: datetime
    windows: tuple[Window, ...] = ()
    exclude: tuple[str, ...] = ()
    limit: int = 2


class Authority(StrEnum):
    """What an adapter may do: `PROPOSE` means staff complete the booking, `BOOK` writes to the calendar."""

    PROPOSE = "propose"
    BOOK = "book"


class BookingStatus(StrEnum):
    """`REQUESTED` until the system of record confirms; only then `CONFIRMED`."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ApprovedBooking:
    """The permit a scheduler needs to book. Only `policies.booking.approve` constructs one.

    `key` is the idempotency key: the same key is the same booking, written once, however often it is asked for.
    `replaces` names the appointment that this one moves (the old one is given up only if the new one is made).
    """

    key: str
    case_id: str
    patient_id: str
    slot: Slot
    visit: VisitPlan
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Booking:
    """Our request and what became of it. `appointment_id` is the calendar's own record, once there is one."""

    key: str
    slot: Slot
    status: BookingStatus
    procedure_ids: tuple[str, ...] = ()
    appointment_id: str | None = None
