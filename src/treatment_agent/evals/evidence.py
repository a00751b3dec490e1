"""What promises are judged on: the whole books of an office, and what the world outside saw, if somebody watched it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from treatment_agent.coordinator import Coordinator
from treatment_agent.coordinator.answers import Why
from treatment_agent.domain.books import ConversationFacts, OutboxRow, OutboxStatus, StoredEvent
from treatment_agent.domain.consent_file import ContactFile
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.messages import ApprovedMessage
from treatment_agent.domain.scheduling import Booking, Slot
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.evals.witness import Arrival, BookingLog, Departure, WitnessMessenger
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Ledger


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation: its events in order, its texts in order, and every handoff it ever had."""

    facts: ConversationFacts
    events: tuple[StoredEvent, ...]
    outbox: tuple[OutboxRow, ...]
    handoffs: tuple[HandoffPacket, ...]

    @property
    def id(self) -> str:
        """The conversation's id."""
        return self.facts.conversation.id

    @property
    def handled(self) -> tuple[tuple[StoredEvent, TurnRecord], ...]:
        """Events with what they led to."""
        return tuple((stored, stored.outcome) for stored in self.events if stored.outcome is not None)

    def before(self, event_id: str) -> tuple[tuple[StoredEvent, TurnRecord], ...]:
        """Events that were decided before this one, in the order they were decided."""
        ordered = sorted(self.handled, key=lambda pair: pair[1].at)
        ids = [stored.event.id for stored, _ in ordered]
        return tuple(ordered[: ids.index(event_id)]) if event_id in ids else tuple(ordered)


@dataclass(frozen=True, slots=True)
class Watched:
    """What the world outside saw. `slots` are all that the calendar ever offered, `bookings` as they stand in it now.

    `exposed` are pieces of text that must hold nothing of a patient (log lines, checkpoints), each with its place;
    `secrets` what they must not hold.
    """

    departures: tuple[Departure, ...]
    arrivals: tuple[Arrival, ...] = ()
    slots: tuple[Slot, ...] = ()
    bookings: tuple[Booking, ...] = ()
    exposed: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Books:
    """Everything on the books at one moment. `settled`: nothing is under way, so nothing may be unfinished."""

    at: datetime
    policy: PracticePolicy
    threads: tuple[Thread, ...]
    files: tuple[ContactFile, ...]
    whys: tuple[Why, ...]
    watched: Watched | None = None
    settled: bool = True

    def left(self) -> Iterator[tuple[Thread, OutboxRow, Departure]]:
        """Every text that left, with its conversation and its row; by the outbox's word where nobody watched."""
        for thread in self.threads:
            rows = {row.message.key: row for row in thread.outbox}
            for departure in self._departures(thread):
                if departure.message.key in rows:
                    yield thread, rows[departure.message.key], departure

    def heard_at(self, stored: StoredEvent) -> datetime:
        """When an event first reached us: what came later could not be known before."""
        arrivals = self.watched.arrivals if self.watched else ()
        first = next((a.at for a in arrivals if a.message.id == stored.event.id), None)
        decided = stored.outcome.at if stored.outcome else self.at
        return min(first, decided) if first else decided

    def _departures(self, thread: Thread) -> Iterable[Departure]:
        if self.watched is not None:
            return (d for d in self.watched.departures if d.message.conversation_id == thread.id)
        sent = (row for row in thread.outbox if row.status is OutboxStatus.SENT)
        return (Departure(row.message, row.sent_at or row.created_at) for row in sent)


def read_books(coordinator: Coordinator, *, watched: Watched | None = None, settled: bool = True) -> Books:
    """Read everything the coordinator's ledger holds now. Strangers are found by what they wrote: a person has it."""
    ledger, now = coordinator.ledger, coordinator.clock.now()
    ids = {row.conversation.id: row.conversation.patient_id for row in ledger.work_list()}
    ids |= {h.conversation_id: h.patient_id for h in ledger.handoffs(open_only=False)}
    for arrival in watched.arrivals if watched else ():
        stored = ledger.event(arrival.message.id)
        if stored is not None:
            ids.setdefault(stored.conversation_id, None)
    patients = dict.fromkeys(p for p in ids.values() if p is not None)
    return Books(
        at=now,
        policy=coordinator.policy,
        threads=tuple(_thread(ledger, conversation_id, now) for conversation_id in ids),
        files=tuple(ledger.contact_file(address) for address in ledger.contact_addresses()),
        whys=tuple(coordinator.why(patient) for patient in patients),
        watched=watched,
        settled=settled,
    )


def watched_by(
    messenger: WitnessMessenger,
    bookings: BookingLog,
    *,
    arrivals: Iterable[Arrival] = (),
    exposed: Iterable[tuple[str, str]] = (),
    secrets: Iterable[str] = (),
) -> Watched:
    """What these witnesses saw so far."""
    return Watched(
        departures=messenger.departures,
        arrivals=tuple(arrivals),
        slots=bookings.found,
        bookings=bookings.bookings,
        exposed=tuple(exposed),
        secrets=tuple(secrets),
    )


def words_sent(messages: Iterable[ApprovedMessage]) -> tuple[str, ...]:
    """The bodies, for a person or a test who may read them."""
    return tuple(message.body.get_secret_value() for message in messages)


def _thread(ledger: Ledger, conversation_id: str, now: datetime) -> Thread:
    return Thread(
        facts=ledger.facts(conversation_id, at=now),
        events=ledger.history(conversation_id),
        outbox=ledger.outbox(conversation_id),
        handoffs=ledger.handoffs(conversation_id=conversation_id, open_only=False),
    )
