"""The port to the ledger: the books of cases, events, texts, handoffs and consent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from treatment_agent.domain.books import (
    Claim,
    ConversationFacts,
    ConversationRow,
    Enrolment,
    FamilyChange,
    JournalEntry,
    OutboxRow,
    SendCheck,
    StoredEvent,
    Tally,
    TurnCommit,
)
from treatment_agent.domain.consent import ConsentRecord, ConsentWrite
from treatment_agent.domain.consent_file import ContactFile
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import Event
from treatment_agent.domain.handoff import HandoffPacket, HandoffStatus
from treatment_agent.domain.inputs import TurnInputs
from treatment_agent.domain.measured import MeasuredBooks
from treatment_agent.domain.messages import (
    DeliveryReport,
    Receipt,
)
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.review import PeriodBooks
from treatment_agent.ports.office import OfficeBooks


class Ledger(OfficeBooks, Protocol):
    """The books. Every method is one transaction; everything is safe to call again after a crash."""

    # -- enrolment and the work list
    def enroll(self, rows: Sequence[Enrolment], *, at: datetime, export: str | None = None) -> tuple[str, ...]:
        """Put cases on the books; return the ids that are new.

        A case already there is refreshed and keeps its conversation; consent is recorded only where none is. A newer
        export's procedures replace the older ones, except those our own booking is for. A case that comes twice in one
        export is united instead. `export` names the export over several calls, all with the same `at`; without it each
        call is an export of its own, and only a part.
        """
        ...

    def skip_missing(self, export: str, *, at: datetime) -> tuple[str, ...]:
        """Put on hold every case that `export` did not tell of and that has not ended; return their ids.

        `at` is that of the `enroll` calls: what a still newer export told of is not missing. Each gets a journal entry
        and the skip rule `queue.not-in-export`, and is not due until a later export has it again: then it goes on
        where it was. Calling it again changes nothing.
        """
        ...

    def on_shared_numbers(self) -> tuple[tuple[ConversationRow, ...], ...]:
        """Per phone number that several patients have: the cases that wait for their first text or ride along."""
        ...

    def change_families(self, changes: Sequence[FamilyChange]) -> int:
        """Write these changes, each only if the conversation still stands as it was read; return how many were."""
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
        """Store an event under its unique id, or say that it is a duplicate and return the first.

        An id that belongs to another kind of event or another sender's message makes no duplicate: this event gets an
        id of its own (`stored.event.id`), the same one when it is delivered again. A time after `at` becomes `at`.
        """
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

    def mark_sending(self, key: str, *, at: datetime, check: SendCheck | None = None) -> bool:
        """pending -> sending; False if it was not pending.

        `check` is asked in the same transaction, while no other worker can start a text that is checked. Raises
        NotPermitted with its rule if it refuses; nothing is changed then.
        """
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

    def record_delivery(self, report: DeliveryReport) -> bool:
        """Remember a delivery status; it only ever moves forward.

        False if nothing changed: the report is a repetition, comes after a later one, or speaks of no text of ours.
        """
        ...

    # -- consent and suppression
    def record_consent(self, address: PhoneNumber | EmailAddress, record: ConsentRecord, *, at: datetime) -> None:
        """Append a grant or revocation for a contact point."""
        ...

    def consent_writes(self) -> tuple[ConsentWrite, ...]:
        """Wishes that the chart has not heard of: the last one per patient and channel."""
        ...

    def settle_consent_write(self, write: ConsentWrite, status: str) -> None:
        """Note that the chart took it (`written`) or did not (`refused`)."""
        ...

    def contact_file(self, address: PhoneNumber | EmailAddress) -> ContactFile:
        """Everything about one contact point: consents with their proof, texts, messages. Raises NotFound."""
        ...

    def contact_addresses(self, *, patient_id: str | None = None) -> tuple[PhoneNumber | EmailAddress, ...]:
        """Every contact point on the books, or those a patient has and had."""
        ...

    def mark_incapable(self, address: PhoneNumber | EmailAddress, rule: str, *, at: datetime) -> None:
        """This number cannot receive texts (landline, unknown)."""
        ...

    # -- staff and reading
    def handoffs(self, *, conversation_id: str | None = None, open_only: bool = True) -> tuple[HandoffPacket, ...]:
        """Handoffs, most urgent first."""
        ...

    def undelivered(self, *, conversation_id: str | None = None) -> tuple[HandoffPacket, ...]:
        """Handoffs that the staff desk refused and has not taken since, as they stand now, most urgent first."""
        ...

    def mark_delivered(self, handoff_id: str) -> None:
        """The staff desk has taken it. Call it under the conversation's lease, so that no turn changes it meanwhile."""
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

    def inputs(self, conversation_id: str) -> dict[str, TurnInputs]:
        """What its turns were decided on, by event id. Turns of an older release are not there."""
        ...

    def tally(self, *, since: datetime | None = None, until: datetime | None = None) -> Tally:
        """Counts for the report; cases entered in `[since, until)`."""
        ...

    def measured(self, *, since: datetime | None = None, until: datetime | None = None) -> MeasuredBooks:
        """What measures are made of: cases that entered in `[since, until)`, and what happened to them until now."""
        ...

    def period(self, *, since: datetime, until: datetime) -> PeriodBooks:
        """What happened in `[since, until)`, with the words in which patients said why not yet."""
        ...

    def remember_policy(self, key: str, digest: str, *, at: datetime) -> str:
        """Note the digest of a policy's content under `id/version`; return the first digest noted for that key."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
