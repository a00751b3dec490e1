"""What can happen to a conversation. Each event is one graph run that ends."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from treatment_agent.domain.consent import ConsentHow, ConsentNote
from treatment_agent.domain.handoff import NextStep
from treatment_agent.domain.messages import Channel, DeliveryStatus
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.value import Value


class PatientMessage(Value):
    """The patient wrote. The words are in the ledger, not here. `carrier_opt_out`: a STOP the carrier answered."""

    kind: Literal["patient_message"] = "patient_message"
    id: str
    at: AwareDatetime
    channel: Channel = Channel.SMS
    media: int = 0
    carrier_opt_out: bool = False


class TouchDue(Value):
    """A cadence step, or the wake-up of a deferral, has fallen due."""

    kind: Literal["touch_due"] = "touch_due"
    id: str
    at: AwareDatetime
    step: int


class ChartChange(StrEnum):
    """What was seen in the system of record."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    DONE = "done"
    DECLINED = "declined"
    DECEASED = "deceased"
    DO_NOT_CONTACT = "do_not_contact"
    STAFF_CONTACT = "staff_contact"
    WRITE_REFUSED = "write_refused"


class ChartChanged(Value):
    """Somebody changed the chart outside this software."""

    kind: Literal["chart_changed"] = "chart_changed"
    id: str
    at: AwareDatetime
    change: ChartChange
    visit_at: AwareDatetime | None = None


class BookingSettled(Value):
    """The system of record answered a requested booking."""

    kind: Literal["booking_settled"] = "booking_settled"
    id: str
    at: AwareDatetime
    booking_key: str
    status: BookingStatus
    appointment_id: str | None = None


class StaffVerb(StrEnum):
    """What staff did."""

    TAKE_OVER = "take_over"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    RELEASE = "release"
    BOOK = "book"
    CLOSE = "close"
    RECORD_CONSENT = "record_consent"
    RECORD_REVOCATION = "record_revocation"
    APPROVE_TEXT = "approve_text"
    REJECT_TEXT = "reject_text"


class StaffAction(Value):
    """A member of staff acted on the conversation. `by` is a staff id; `note` goes with consent and revocation."""

    kind: Literal["staff_action"] = "staff_action"
    id: str
    at: AwareDatetime
    verb: StaffVerb
    by: str
    next: NextStep | None = None
    until: date | None = None
    visit_at: AwareDatetime | None = None
    how: ConsentHow = ConsentHow.STAFF
    note: ConsentNote = ConsentNote()


class DeliveryReported(Value):
    """A provider said what became of one of our texts."""

    kind: Literal["delivery_reported"] = "delivery_reported"
    id: str
    at: AwareDatetime
    send_key: str
    status: DeliveryStatus
    error_code: str = ""
    opted_out: bool = False


Event = Annotated[
    PatientMessage | TouchDue | ChartChanged | BookingSettled | StaffAction | DeliveryReported,
    Field(discriminator="kind"),
]


def event_at(event: Event) -> datetime:
    """When it happened."""
    return event.at
