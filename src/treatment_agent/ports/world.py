"""The ports to the world outside: time, lists, calendar, messages, staff, chart, understanding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.interpretation import Interpretation, ModelUse, Situation, Topic
from treatment_agent.domain.messages import (
    ApprovedMessage,
    Channel,
    Lookup,
    Receipt,
)
from treatment_agent.domain.scheduling import ApprovedBooking, Authority, Booking, Slot, SlotRequest
from treatment_agent.domain.treatment import Case, ChartStatus
from treatment_agent.errors import BadRow


class Clock(Protocol):
    """The only place where time is read."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...

    def sleep(self, duration: timedelta) -> None:
        """Wait. Used between retries and while another worker holds a conversation."""
        ...

    def new_id(self) -> str:
        """A fresh opaque id (hex), unique across processes."""
        ...


class CaseSource(Protocol):
    """Where the list of unscheduled treatment comes from."""

    def read(self) -> Iterator[Case | BadRow]:
        """Yield cases one by one, and a `BadRow` for each row that cannot be read; never stop at one.

        The same patient may be yielded more than once (rows apart in a file): the ledger merges by case id.

        Raises:
            AdapterUnavailable: the source cannot be opened or reached.
            ConfigurationError: a required column is missing; names it and what was found.
        """
        ...


class Scheduler(Protocol):
    """The calendar."""

    @property
    def authority(self) -> Authority:
        """`BOOK`: writes appointments. `PROPOSE`: bookings stay requested until staff complete them."""
        ...

    @property
    def can_reschedule(self) -> bool:
        """True when `ApprovedBooking.replaces` is honoured."""
        ...

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        """Openings that fit the template of the visit's family, in order of time; empty when there are none."""
        ...

    def book(self, booking: ApprovedBooking) -> Booking:
        """Book, once per `booking.key`: asking again with the same key returns the same booking.

        Returns:
            `CONFIRMED` only if the system of record has it; otherwise `REQUESTED`.

        Raises:
            SlotTaken: somebody else has it, or it is no longer open.
            AdapterUnavailable: nothing was written.
        """
        ...

    def find_booking(self, key: str) -> Booking | None:
        """What became of the booking with this key, or None if the calendar never saw it."""
        ...

    def release(self, key: str) -> None:
        """Give up the booking with this key. Unknown or already released keys are fine."""
        ...


class Messenger(Protocol):
    """Sends one approved text."""

    @property
    def channels(self) -> frozenset[Channel]:
        """Channels this messenger can use."""
        ...

    def send(self, message: ApprovedMessage) -> Receipt:
        """Hand the message to the provider, once.

        Raises:
            AdapterUnavailable: it surely did not leave; a retry is safe.
            AdapterRejected: the provider refused; `code` is `opted_out`, `unreachable` or the provider's own.
            DeliveryInDoubt: it may have left.
        """
        ...

    def find(self, key: str) -> tuple[Lookup, Receipt | None]:
        """Did the message with this key go out? Asked after a crash."""
        ...


class StaffDesk(Protocol):
    """Where staff see handoffs, beside the ledger's own list."""

    def deliver(self, packet: HandoffPacket) -> None:
        """Show or update a handoff. Idempotent by `packet.id`: delivering again replaces."""
        ...


ConversationLine = tuple[str, SecretStr]
"""Who wrote (`patient` or `office`), and what."""


class SummaryDrafter(Protocol):
    """Drafts handoff summaries for staff. No patient reads one, and none decides anything."""

    @property
    def remote(self) -> bool:
        """True unless the conversation surely stays on this machine."""
        ...

    def draft(
        self, lines: Sequence[ConversationLine], topics: Sequence[Topic], situation: Situation
    ) -> tuple[str, ModelUse]:
        """A summary of the lines, oldest first, and what it took; an empty one where there is none. Never raises."""
        ...


class Chart(Protocol):
    """The system of record, asked again at the moment of sending (P9)."""

    def check(self, case: Case) -> ChartStatus:
        """What it says now about this patient and these procedures."""
        ...


@runtime_checkable
class Interpreter(Protocol):
    """Understands one message. Never writes a word that a patient reads."""

    @property
    def version(self) -> str:
        """Name and version, recorded with every turn."""
        ...

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """Read the message, clause by clause. Abstains (label None) where it is not sure."""
        ...
