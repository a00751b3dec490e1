"""`SqlLedger`: the `Ledger` port over SQLAlchemy Core, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

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
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import Event
from treatment_agent.domain.handoff import HandoffPacket, HandoffStatus
from treatment_agent.domain.inputs import TurnInputs
from treatment_agent.domain.measured import MeasuredBooks
from treatment_agent.domain.messages import DeliveryReport, Receipt
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.review import PeriodBooks
from treatment_agent.ledger import (
    desk,
    enrolment,
    events,
    families,
    inputs,
    journal,
    measuring,
    missing,
    outbox,
    people,
    period,
    reading,
    report,
    sending,
    turns,
)
from treatment_agent.ledger.consents import SqlConsents
from treatment_agent.ledger.database import Database
from treatment_agent.ledger.office import SqlOffice


class SqlLedger(SqlConsents, SqlOffice):
    """The books in a database. Each method is one transaction; `enroll` is one per thousand rows.

    Safe to share between threads, and between processes that each open their own. A failed call wrote nothing (or,
    if the connection broke at the very end, all of it): every call may be repeated.

    Args:
        url: `sqlite:///practice.db`, `sqlite://` (in memory, for tests) or `postgresql+psycopg://user@host/practice`.

    Raises:
        ConfigurationError: the address is wrong (here), or the database cannot be opened (at the first call).
        StateTooNew: at the first call: a newer release made the tables.
        AdapterUnavailable: from any call: the database did not answer or stayed locked; nothing was written.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def close(self) -> None:
        """Let go of files and connections."""
        self._database.dispose()

    # -- enrolment and the work list

    def enroll(self, rows: Sequence[Enrolment], *, at: datetime, export: str | None = None) -> tuple[str, ...]:
        """Put cases on the books, a thousand to a transaction; return the ids that are new, in order."""
        new: list[str] = []
        told = list(enrolment.one_row_per_case(rows).items())
        for start in range(0, len(told), enrolment.BATCH):
            batch = dict(told[start : start + enrolment.BATCH])
            with self._database.write() as conn:
                new += enrolment.enroll_batch(conn, batch, enrolment.Telling(export, at))
        return tuple(new)

    def skip_missing(self, export: str, *, at: datetime) -> tuple[str, ...]:
        """Put on hold every case that this complete export left out; return their ids."""
        with self._database.write() as conn:
            return missing.skip_missing(conn, enrolment.Telling(export, at))

    def on_shared_numbers(self) -> tuple[tuple[ConversationRow, ...], ...]:
        """Per phone number that several patients have: the cases that wait for their first text."""
        with self._database.read() as conn:
            return families.on_shared_numbers(conn)

    def change_families(self, changes: Sequence[FamilyChange]) -> int:
        """Write these changes, each only if the conversation still stands as it was read."""
        with self._database.write() as conn:
            return families.change(conn, changes)

    def due(self, *, at: datetime, limit: int = 1000) -> tuple[str, ...]:
        """Ids of conversations whose `due_at` has passed, best score first."""
        with self._database.read() as conn:
            return reading.due(conn, at=at, limit=limit)

    def work_list(self, *, limit: int | None = None) -> Iterator[ConversationRow]:
        """Every case on the books, best score first, skipped ones last; strangers have no case and are not listed.

        Read in pages: the caller may write to the ledger between two rows.
        """
        with self._database.read() as conn:
            ids = reading.ranked_ids(conn, limit=limit)
        for start in range(0, len(ids), reading.PAGE):
            with self._database.read() as conn:
                page = reading.rows(conn, ids[start : start + reading.PAGE])
            yield from page

    # -- identity

    def conversations_of(self, address: PhoneNumber | EmailAddress) -> tuple[Conversation, ...]:
        """Conversations reached by this address: live ones first, then by our last text, newest first."""
        with self._database.read() as conn:
            return people.conversations_of(conn, address)

    def stranger(self, address: PhoneNumber | EmailAddress, *, at: datetime) -> Conversation:
        """The conversation of a sender nobody knows; created once per address."""
        with self._database.write() as conn:
            return people.stranger(conn, address, at=at)

    def conversation_ids_of_patient(self, patient_id: str) -> tuple[str, ...]:
        """Conversations about this patient, newest first."""
        with self._database.read() as conn:
            return people.conversation_ids_of_patient(conn, patient_id)

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
        """Store an event under its unique id, or hand back the first. Raises NotFound."""
        # The turn that follows is durable before the sender is answered, and makes this durable with it.
        with self._database.write(durable=False) as conn:
            return events.claim(conn, conversation_id, event, at=at, text=text, sender=sender)

    def pending(self, conversation_id: str) -> tuple[StoredEvent, ...]:
        """Events not yet handled, in the order they came."""
        with self._database.read() as conn:
            return events.pending(conn, conversation_id)

    def event(self, event_id: str) -> StoredEvent | None:
        """One event by id."""
        with self._database.read() as conn:
            return events.find(conn, event_id)

    def unfinished(self, *, at: datetime) -> tuple[str, ...]:
        """Conversations with unhandled events or unsent texts whose lease is free or expired."""
        with self._database.read() as conn:
            return events.unfinished(conn, at=at)

    def history(self, conversation_id: str) -> tuple[StoredEvent, ...]:
        """All events of a conversation in order, with their outcomes."""
        with self._database.read() as conn:
            return events.history(conn, conversation_id)

    def inputs(self, conversation_id: str) -> dict[str, TurnInputs]:
        """What its turns were decided on, by event id; none for those of an older release."""
        with self._database.read() as conn:
            return inputs.of_conversation(conn, conversation_id)

    # -- the conversation's lock

    def lease(self, conversation_id: str, owner: str, *, at: datetime, ttl: timedelta) -> bool:
        """Take or renew the lease; False while somebody else's has not expired."""
        with self._database.write(durable=False) as conn:
            return events.lease(conn, conversation_id, owner, at=at, ttl=ttl)

    def free(self, conversation_id: str, owner: str) -> None:
        """Give the lease back, if `owner` has it."""
        with self._database.write(durable=False) as conn:
            events.free(conn, conversation_id, owner)

    # -- a turn

    def facts(self, conversation_id: str, *, at: datetime) -> ConversationFacts:
        """Everything a turn needs. Raises NotFound."""
        with self._database.read() as conn:
            return turns.facts(conn, conversation_id, at=at)

    def commit_turn(self, commit: TurnCommit, *, at: datetime) -> bool:
        """Write a whole turn at once; False if it was committed before. Raises NotFound for an unclaimed event."""
        # With texts to send, `mark_sending` is the durable commit that comes before the first one leaves.
        with self._database.write(durable=not commit.outbox) as conn:
            return turns.commit_turn(conn, commit, at=at)

    # -- the outbox

    def outbox(self, conversation_id: str, *, unsent: bool = False) -> tuple[OutboxRow, ...]:
        """Texts of a conversation in order; with `unsent`, only `pending` and `sending` ones."""
        with self._database.read() as conn:
            return outbox.texts(conn, conversation_id, unsent=unsent)

    def mark_sending(self, key: str, *, at: datetime, check: SendCheck | None = None) -> bool:
        """pending -> sending; False if it was not pending. Raises NotPermitted if `check` refuses."""
        with self._database.write() as conn:
            if check is not None:
                sending.ask(conn, key, check, at=at)
            return outbox.mark_sending(conn, key, at=at)

    def mark_sent(self, key: str, receipt: Receipt, *, at: datetime) -> None:
        """sending -> sent; anything else stays as it is."""
        # Lost in a power cut, the row is found in `sending` and the provider is asked, as after any crash.
        with self._database.write(durable=False) as conn:
            outbox.mark_sent(conn, key, receipt, at=at)

    def mark_unsent(self, key: str, status: str, rule: str, *, at: datetime) -> None:
        """To `failed`, `doubtful`, `cancelled` or back to `pending`; a text that was sent stays sent."""
        with self._database.write() as conn:
            outbox.mark_unsent(conn, key, status, rule, at=at)

    def find_sent(self, provider_message_id: str) -> OutboxRow | None:
        """The text a delivery report speaks of."""
        with self._database.read() as conn:
            return outbox.find_sent(conn, provider_message_id)

    def record_delivery(self, report: DeliveryReport) -> bool:
        """Remember a delivery status; it only ever moves forward. False if nothing changed."""
        with self._database.write() as conn:
            return outbox.record_delivery(conn, report)

    # -- staff and reading

    def handoffs(self, *, conversation_id: str | None = None, open_only: bool = True) -> tuple[HandoffPacket, ...]:
        """Handoffs, most urgent first, then by when they are due."""
        with self._database.read() as conn:
            return desk.listed(conn, conversation_id=conversation_id, open_only=open_only)

    def undelivered(self, *, conversation_id: str | None = None) -> tuple[HandoffPacket, ...]:
        """Handoffs that the staff desk has not taken yet, most urgent first."""
        with self._database.read() as conn:
            return desk.undelivered_packets(conn, conversation_id=conversation_id)

    def mark_delivered(self, handoff_id: str) -> None:
        """The staff desk has taken this handoff."""
        with self._database.write() as conn:
            desk.mark_delivered(conn, handoff_id)

    def set_handoff_status(
        self, handoff_id: str, status: HandoffStatus, *, by: str, at: datetime
    ) -> HandoffPacket:  # fmt: skip
        """Move a task along, never backwards. Raises NotFound; NotPermitted if it holds a conversation."""
        with self._database.write() as conn:
            return desk.set_status(conn, handoff_id, status, by=by, at=at)

    def journal(self, *, patient_id: str) -> tuple[JournalEntry, ...]:
        """Everything done and not done about a patient, oldest first."""
        with self._database.read() as conn:
            return journal.journal_of(conn, patient_id)

    def add_journal(self, entries: Iterable[JournalEntry]) -> None:
        """Append entries that belong to no turn."""
        with self._database.write() as conn:
            journal.add_journal(conn, tuple(entries))

    def remember_policy(self, key: str, digest: str, *, at: datetime) -> str:
        """Note the digest of a policy's content under `id/version`; return the first digest noted for that key."""
        with self._database.write() as conn:
            return journal.remember_policy(conn, key, digest, at=at)

    def tally(self, *, since: datetime | None = None, until: datetime | None = None) -> Tally:
        """Counts for the report; cases entered in `[since, until)`."""
        with self._database.read() as conn:
            return report.tally(conn, since=since, until=until)

    def measured(self, *, since: datetime | None = None, until: datetime | None = None) -> MeasuredBooks:
        """What measures are made of: cases that entered in `[since, until)`, and what happened to them until now."""
        with self._database.read() as conn:
            return measuring.books(conn, since=since, until=until)

    def period(self, *, since: datetime, until: datetime) -> PeriodBooks:
        """What happened in `[since, until)`, with the words in which patients said why not yet."""
        with self._database.read() as conn:
            return period.books(conn, since=since, until=until)
