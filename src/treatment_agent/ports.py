"""The seams: what the coordinator asks of the world, as small Protocols with synchronous methods.

Each adapter passes the conformance classes. Common rules: datetimes are aware; ids are the other system's own; an
error never repeats a name, number or text; `AdapterUnavailable` is raised only when nothing was written, so that a
retry is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from treatment_agent.domain.books import (
    Claim,
    ConversationFacts,
    ConversationRow,
    Enrolment,
    JournalEntry,
    OutboxRow,
    StoredEvent,
    Tally,
    TurnCommit,
)
from treatment_agent.domain.consent import ConsentRecord
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import Event
from treatment_agent.domain.handoff import HandoffPacket, HandoffStatus
from treatment_agent.domain.interpretation import Interpretation, Situation
from treatment_agent.domain.messages import (
    ApprovedMessage,
    Channel,
    DeliveryReport,
    Lookup,
    Receipt,
)
from treatment_agent.domain.private import EmailAddress, PhoneNumber
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


class Ledger(Protocol):
    """The books. Every method is one transaction; everything is safe to call again after a crash."""

    # -- enrolment and the work list
    def enroll(self, rows: Sequence[Enrolment], *, at: datetime) -> tuple[str, ...]:
        """Put cases on the books; return the ids that are new. A case already there gets its data refreshed
        (procedures merged by id) and keeps its conversation; consent is recorded only where none is.
        """
        ...

    def due(self, *, at: datetime, limit: int = 1000) -> tuple[str, ...]:
        """Ids of conversations whose `due_at` has passed, best score first. Reads due rows only (index)."""
        ...

    def work_list(self, *, limit: int | None = None) -> Iterator[ConversationRow]:
        """Every case on the books, best score first, skipped ones last."""
        ...

    # -- identity
    def conversations_of(self, address: PhoneNumber | EmailAddress) -> tuple[Conversation, ...]:
        """Conversations reached by this address, most recently written to first; empty if nobody knows it."""
        ...

    def stranger(self, address: PhoneNumber | EmailAddress, *, at: datetime) -> Conversation:
        """The conversation of a sender nobody knows; created once per address, with an opaque id."""
        ...

    def conversation_ids_of_patient(self, patient_id: str) -> tuple[str, ...]:
        """Conversations about this patient, newest first."""
        ...

    # -- events
    def claim(
        self,
        conversation_id: str,
        event: Event,
        *,
        at: datetime,
        text: SecretStr | None = None,
        sender: PhoneNumber | EmailAddress | None = None,
    ) -> Claim:
        """Store an event under its unique id, or say that it is a duplicate and return the first."""
        ...

    def pending(self, conversation_id: str) -> tuple[StoredEvent, ...]:
        """Events not yet handled, in the order they came."""
        ...

    def event(self, event_id: str) -> StoredEvent | None:
        """One event by id."""
        ...

    def unfinished(self, *, at: datetime) -> tuple[str, ...]:
        """Conversations with unhandled events or unsent texts whose lease is free or expired: work after a crash."""
        ...

    # -- the conversation's lock
    def lease(self, conversation_id: str, owner: str, *, at: datetime, ttl: timedelta) -> bool:
        """Take or renew the lease; False while somebody else's has not expired."""
        ...

    def free(self, conversation_id: str, owner: str) -> None:
        """Give the lease back, if `owner` has it."""
        ...

    # -- a turn
    def facts(self, conversation_id: str, *, at: datetime) -> ConversationFacts:
        """Everything a turn needs. Raises NotFound."""
        ...

    def commit_turn(self, commit: TurnCommit, *, at: datetime) -> bool:
        """Write a whole turn at once; False (and nothing changed) if that turn was committed before."""
        ...

    # -- the outbox
    def outbox(self, conversation_id: str, *, unsent: bool = False) -> tuple[OutboxRow, ...]:
        """Texts of a conversation in order; with `unsent`, only `pending` and `sending` ones."""
        ...

    def mark_sending(self, key: str, *, at: datetime) -> bool:
        """pending -> sending; False if it was not pending."""
        ...

    def mark_sent(self, key: str, receipt: Receipt, *, at: datetime) -> None:
        """sending -> sent."""
        ...

    def mark_unsent(self, key: str, status: str, rule: str, *, at: datetime) -> None:
        """To `failed`, `doubtful`, `cancelled`, or back to `pending`, with the rule that says why."""
        ...

    def find_sent(self, provider_message_id: str) -> OutboxRow | None:
        """The text a delivery report speaks of."""
        ...

    def record_delivery(self, report: DeliveryReport) -> None:
        """Remember a delivery status; it only ever moves forward."""
        ...

    # -- consent and suppression
    def record_consent(self, address: PhoneNumber | EmailAddress, record: ConsentRecord, *, at: datetime) -> None:
        """Append a grant or revocation for a contact point."""
        ...

    def mark_incapable(self, address: PhoneNumber | EmailAddress, rule: str, *, at: datetime) -> None:
        """This number cannot receive texts (landline, unknown)."""
        ...

    # -- staff and reading
    def handoffs(self, *, conversation_id: str | None = None, open_only: bool = True) -> tuple[HandoffPacket, ...]:
        """Handoffs, most urgent first."""
        ...

    def set_handoff_status(self, handoff_id: str, status: HandoffStatus, *, by: str, at: datetime) -> HandoffPacket:
        """Move a task (one that does not hold a conversation) along. Raises NotFound."""
        ...

    def journal(self, *, patient_id: str) -> tuple[JournalEntry, ...]:
        """Everything done and not done about a patient, oldest first."""
        ...

    def add_journal(self, entries: Iterable[JournalEntry]) -> None:
        """Append entries that belong to no turn."""
        ...

    def history(self, conversation_id: str) -> tuple[StoredEvent, ...]:
        """All events of a conversation in order, with their outcomes."""
        ...

    def tally(self, *, since: datetime | None = None, until: datetime | None = None) -> Tally:
        """Counts for the report; cases entered in `[since, until)`."""
        ...

    def remember_policy(self, key: str, digest: str, *, at: datetime) -> str:
        """Note the digest of a policy's content under `id/version`; return the first digest noted for that key."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
