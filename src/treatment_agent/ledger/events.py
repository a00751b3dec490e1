"""Events: claimed once, kept in order, and the lease that lets one worker at a time handle them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

from pydantic import SecretStr
from sqlalchemy import Connection, Delete, Select, bindparam, or_, select, union_all
from sqlalchemy.sql.dml import ReturningInsert

from treatment_agent.domain.books import Claim, Freshness, StoredEvent
from treatment_agent.domain.events import Event
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import AdapterRejected, NotFound
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import AnyRow, AnySelect, insert_into
from treatment_agent.ledger.people import Address, address_of, contact_ids
from treatment_agent.ledger.tables import contact_points, conversations, events, leases, outbox, unsent


def claim(
    conn: Connection, conversation_id: str, event: Event, *, at: datetime, text: SecretStr | None,
    sender: Address | None,
) -> Claim:  # fmt: skip
    """Store an event under its unique id, or hand back the first one with that id.

    The unique index decides between two processes at once; the loser waits for the winner's commit. An id is the
    provider's, so it may belong to another kind of event or to another sender's message already: then this one is not
    a duplicate, and is stored under an id of its own that a redelivery finds again. A time after `at` becomes `at`.

    Raises:
        NotFound: no such conversation.
    """
    if event.at > at:
        # A sender's clock that runs ahead must not make a later START older than this STOP.
        event = event.model_copy(update={"at": at})
    if conn.scalar(_conversation_query(), {"conversation": conversation_id}) is None:
        raise NotFound(f"no conversation {conversation_id!r} in this ledger")
    sender_id = None if sender is None else contact_ids(conn, [sender])[sender]
    row: dict[str, object] = {
        "id": event.id,
        "conversation_id": conversation_id,
        "kind": event.kind,
        "at": event.at,
        "payload": codec.dump_event(event),
        "body": None if text is None else text.get_secret_value(),
        "sender_id": sender_id,
    }
    claimed = _insert(conn, row)
    if not _same_event(claimed.stored, event, sender):
        claimed = _insert(conn, row | {"id": _own_id(event, sender_id)})
        if not _same_event(claimed.stored, event, sender):
            raise AdapterRejected(f"event {event.id!r}: its id, and the one made for it, belong to other events")
    return claimed


def _insert(conn: Connection, row: Mapping[str, object]) -> Claim:
    new = conn.scalar(_claim_insert(conn.dialect.name), row)
    stored = find(conn, str(row["id"]))
    if stored is None:
        raise NotFound(f"event {row['id']!r} vanished while it was claimed")
    return Claim(Freshness.DUPLICATE if new is None else Freshness.NEW, stored)


def _same_event(stored: StoredEvent, event: Event, sender: Address | None) -> bool:
    """True if `event` may be what is stored: the same kind, and from the same sender where both are known."""
    strangers = sender is not None and stored.sender is not None and stored.sender != sender
    return stored.event.kind == event.kind and not strangers


def _own_id(event: Event, sender_id: int | None) -> str:
    """An id that only this sender, with this kind of event and this provider id, arrives at.

    Made of the contact point's row number: a hash of a phone number could be reversed by trying them all.
    """
    digest = hashlib.sha256(f"{event.kind} {sender_id} {event.id}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{event.id}~{digest[:16]}"


@cache
def _conversation_query() -> Select[str]:
    return select(conversations.c.id).where(conversations.c.id == bindparam("conversation"))


@cache
def _claim_insert(dialect: str) -> ReturningInsert[int]:
    return insert_into(dialect, events).on_conflict_do_nothing(index_elements=["id"]).returning(events.c.seq)


def _events() -> AnySelect:
    points = contact_points.c
    columns = (*events.c, points.kind.label("sender_kind"), points.address)
    return select(*columns).outerjoin(contact_points, points.id == events.c.sender_id)


@cache
def _event_query() -> AnySelect:
    return _events().where(events.c.id == bindparam("event"))


@cache
def _history_query(*, pending_only: bool) -> AnySelect:
    query = _events().where(events.c.conversation_id == bindparam("conversation")).order_by(events.c.seq)
    return query.where(events.c.outcome.is_(None)) if pending_only else query


def _stored(row: AnyRow) -> StoredEvent:
    return StoredEvent(
        seq=row.seq,
        conversation_id=row.conversation_id,
        event=codec.load_event(row.kind, row.id, row.at, row.payload),
        text=None if row.body is None else SecretStr(row.body),
        outcome=None if row.outcome is None else codec.load(TurnRecord, row.outcome),
        sender=None if row.address is None else address_of(row.sender_kind, row.address),
    )


def find(conn: Connection, event_id: str) -> StoredEvent | None:
    """One event by id."""
    row = conn.execute(_event_query(), {"event": event_id}).first()
    return None if row is None else _stored(row)


def pending(conn: Connection, conversation_id: str) -> tuple[StoredEvent, ...]:
    """Events without an outcome, in the order they came."""
    rows = conn.execute(_history_query(pending_only=True), {"conversation": conversation_id})
    return tuple(_stored(row) for row in rows)


def history(conn: Connection, conversation_id: str) -> tuple[StoredEvent, ...]:
    """All events of a conversation in order."""
    rows = conn.execute(_history_query(pending_only=False), {"conversation": conversation_id})
    return tuple(_stored(row) for row in rows)


def unfinished_query(*, at: datetime) -> Select[str]:
    """Conversations with an event without an outcome or a text that has not left, unless somebody holds them."""
    left = union_all(
        select(events.c.conversation_id).where(events.c.outcome.is_(None)),
        select(outbox.c.conversation_id).where(unsent),
    ).subquery()
    return (
        select(left.c.conversation_id)
        .distinct()
        .outerjoin(leases, leases.c.conversation_id == left.c.conversation_id)
        .where(or_(leases.c.expires_at.is_(None), leases.c.expires_at <= at))
        .order_by(left.c.conversation_id)
    )


def unfinished(conn: Connection, *, at: datetime) -> tuple[str, ...]:
    """Ids of what `unfinished_query` finds."""
    return tuple(conn.scalars(unfinished_query(at=at)))


def lease(conn: Connection, conversation_id: str, owner: str, *, at: datetime, ttl: timedelta) -> bool:
    """Take or renew the lease in one statement; a lease expires at its end exactly (`expires_at <= at` is free)."""
    wanted = {"conversation_id": conversation_id, "owner": owner, "expires_at": at + ttl, "now": at}
    return conn.scalar(_lease_upsert(conn.dialect.name), wanted) is not None


@cache
def _lease_upsert(dialect: str) -> ReturningInsert[str]:
    insert = insert_into(dialect, leases)
    now = bindparam("now", type_=leases.c.expires_at.type)
    return insert.on_conflict_do_update(
        index_elements=["conversation_id"],
        set_={"owner": insert.excluded.owner, "expires_at": insert.excluded.expires_at},
        where=or_(leases.c.owner == insert.excluded.owner, leases.c.expires_at <= now),
    ).returning(leases.c.owner)


def free(conn: Connection, conversation_id: str, owner: str) -> None:
    """Give the lease back, if `owner` has it."""
    conn.execute(_lease_delete(), {"conversation": conversation_id, "worker": owner})


@cache
def _lease_delete() -> Delete:
    return leases.delete().where(
        leases.c.conversation_id == bindparam("conversation"), leases.c.owner == bindparam("worker")
    )
