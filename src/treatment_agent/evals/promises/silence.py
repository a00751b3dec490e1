"""P1 and P2: when nothing may leave by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from treatment_agent.domain.books import OutboxRow, StoredEvent
from treatment_agent.domain.consent import ConsentStatus, concerns_us
from treatment_agent.domain.consent_file import ConsentEntry, ContactFile
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.evals.evidence import Books, Thread
from treatment_agent.evals.promises.breach import Broken
from treatment_agent.evals.witness import Departure

_WHILE_HELD: Final = (SendKind.HANDOFF, SendKind.EMERGENCY)


def nothing_after_a_revocation(books: Books) -> Iterator[Broken]:
    """P1: after a revocation one confirmation within the allowed minutes leaves, and nothing else until an opt-in.

    A text that answers an emergency in the very message that revoked may leave. A revocation counts from when it first
    reached us, on every address of the person, and on the number for everybody who shares it.
    """
    files = {file.address: file for file in books.files}
    confirmed: dict[tuple[PhoneNumber | EmailAddress, datetime], int] = {}
    for thread, row, departure in books.left():
        spoken = _spoken_before(books, thread, row, departure) or _written_before(files, departure)
        if spoken is None:
            continue
        event_id, said_at = spoken
        kind = departure.message.kind
        if kind is SendKind.OPT_OUT:
            key = (departure.message.to, said_at)
            confirmed[key] = confirmed.get(key, 0) + 1
            minutes = timedelta(minutes=books.policy.contact.opt_out_confirmation_minutes)
            if departure.at - said_at > minutes:
                yield Broken("P1", thread.id, f"confirmation {row.message.key} left late")
            if confirmed[key] > 1:
                yield Broken("P1", thread.id, f"second confirmation {row.message.key}")
        elif kind is not SendKind.EMERGENCY or row.event_id != event_id:
            yield Broken("P1", thread.id, f"{kind} {row.message.script_id} {row.message.key} after a revocation")


def _spoken_before(books: Books, thread: Thread, row: OutboxRow, departure: Departure) -> tuple[str, datetime] | None:
    """The revocation in this conversation that stood when the text left: the event's id and when it reached us."""
    changes = [(books.heard_at(s), s, r) for s, r in thread.handled if r.consent and concerns_us(r.consent.purpose)]
    changes = [c for c in changes if _came_before(c[0], c[1], row, departure, thread)]
    if not changes:
        return None
    # Who says stop and start in one breath is heard in the order in which it was decided.
    heard_at, stored, record = max(changes, key=lambda c: (c[2].at, c[1].seq))
    revoked = record.consent is not None and record.consent.status is ConsentStatus.REVOKED
    return (stored.event.id, heard_at) if revoked else None


def _came_before(heard_at: datetime, stored: StoredEvent, row: OutboxRow, departure: Departure, thread: Thread) -> bool:
    """True when the event came before the text left. In one instant, the order of events decides."""
    if heard_at != departure.at:
        return heard_at < departure.at
    own = next((e.seq for e in thread.events if e.event.id == row.event_id), 0)
    return stored.seq <= own


def _written_before(
    files: Mapping[PhoneNumber | EmailAddress, ContactFile], departure: Departure
) -> tuple[str, datetime] | None:
    """The revocation that the file of the address held by then, whoever on the number said it."""
    file = files.get(departure.message.to)
    entries = [e for e in file.consents if concerns_us(e.purpose) and e.recorded_at < departure.at] if file else []
    last: ConsentEntry | None = max(entries, key=lambda e: e.recorded_at, default=None)
    return (last.evidence, last.at) if last is not None and last.status is ConsentStatus.REVOKED else None


def nothing_while_staff_hold(books: Books) -> Iterator[Broken]:
    """P2: while staff hold a conversation one handoff text leaves at most, and emergency texts; nothing else."""
    for thread in books.threads:
        holds = list(_holds(books, thread))
        said: dict[datetime, int] = {}
        for owner, row, departure in books.left():
            if owner is not thread:
                continue
            hold = next((h for h in holds if _within(h, departure.at)), None)
            if hold is None:
                continue
            kind = departure.message.kind
            if kind not in _WHILE_HELD:
                yield Broken("P2", thread.id, f"{kind} {row.message.script_id} {row.message.key} while staff held it")
            elif kind is SendKind.HANDOFF:
                said[hold[0]] = said.get(hold[0], 0) + 1
                if said[hold[0]] > 1:
                    yield Broken("P2", thread.id, f"second handoff text {row.message.key} in one hold")


def _holds(books: Books, thread: Thread) -> Iterator[tuple[datetime, datetime | None]]:
    """From when to when staff held the conversation: from the event that gave it to them to its release."""
    packets = {p.id: p for p in thread.handoffs if p.kind.holds}
    for stored, record in thread.handled:
        opened = [packets[h.id] for h in record.handoffs if h.id in packets and h.kind.holds]
        if opened and not _held_already(record):
            yield books.heard_at(stored), opened[0].released_at


def _held_already(record: TurnRecord) -> bool:
    return "hold.attached" in record.rules


def _within(hold: tuple[datetime, datetime | None], at: datetime) -> bool:
    start, end = hold
    return start < at and (end is None or at < end)
