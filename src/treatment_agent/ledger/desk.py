"""Handoffs: opened by turns, moved along by staff, never backwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, bindparam, select, update

from treatment_agent.domain.handoff import Draft, HandoffKind, HandoffPacket, HandoffStatus, Urgency
from treatment_agent.errors import NotFound, NotPermitted
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import AnyRow, AnySelect, insert_into
from treatment_agent.ledger.tables import handoffs, still_open

_STATUSES = list(HandoffStatus)
_URGENCIES = list(Urgency)
_PACKET = handoffs.c.payload, handoffs.c.words, handoffs.c.draft


def is_open(packet: HandoffPacket) -> bool:
    """True while somebody must still do something: a held conversation until release, a task until resolved."""
    if packet.kind.holds:
        return packet.status is not HandoffStatus.RELEASED
    return packet.status in (HandoffStatus.OPENED, HandoffStatus.ACKNOWLEDGED)


def moved(packet: HandoffPacket, status: HandoffStatus, *, by: str, at: datetime) -> HandoffPacket:
    """The packet at a later status with the times of the steps it took; unchanged when it is there already.

    Resolving what nobody acknowledged acknowledges it too.
    """
    if _STATUSES.index(status) <= _STATUSES.index(packet.status):
        return packet
    return replace(
        packet,
        status=status,
        acknowledged_at=packet.acknowledged_at or at,
        acknowledged_by=packet.acknowledged_by or by,
        resolved_at=packet.resolved_at or (at if status is not HandoffStatus.ACKNOWLEDGED else None),
        released_at=packet.released_at or (at if status is HandoffStatus.RELEASED else None),
    )


def put(conn: Connection, packets: Sequence[HandoffPacket], *, undelivered: Collection[str] | None = None) -> None:
    """Write packets; one that is there already is replaced.

    `undelivered` are the ids that the desk refused just now; None leaves that mark as it is.
    """
    if not packets:
        return
    insert = insert_into(conn.dialect.name, handoffs)
    kept = ("id", "draft") if undelivered is not None else ("id", "draft", "undelivered")
    columns = [c.name for c in handoffs.c if c.name not in kept]
    conn.execute(
        insert.on_conflict_do_update(index_elements=["id"], set_={c: insert.excluded[c] for c in columns}),
        [
            {
                "id": p.id,
                "conversation_id": p.conversation_id,
                "kind": str(p.kind),
                "status": str(p.status),
                "is_open": is_open(p),
                "urgency": _URGENCIES.index(p.urgency),
                "due_at": p.due_at,
                "topic": str(p.topics[0]) if p.topics else None,
                "payload": codec.dump_packet(p),
                "words": codec.dump_words(p.words),
            }
            | ({} if undelivered is None else {"undelivered": p.id in undelivered})
            for p in packets
        ],
    )


def _packet(row: AnyRow) -> HandoffPacket:
    packet = replace(codec.load(HandoffPacket, row.payload), words=codec.load_words(row.words))
    draft = codec.load(Draft, row.draft) if row.draft else None
    # The patient wrote since: it does not tell everything any more.
    return replace(packet, draft=draft) if draft and draft.of_words == len(packet.words) else packet


def listed(conn: Connection, *, conversation_id: str | None, open_only: bool) -> tuple[HandoffPacket, ...]:
    """Handoffs by urgency, then by when they are due."""
    query = _listed_query(one_conversation=conversation_id is not None, open_only=open_only)
    rows = conn.execute(query, {} if conversation_id is None else {"conversation": conversation_id})
    return tuple(_packet(row) for row in rows)


@cache
def _listed_query(*, one_conversation: bool, open_only: bool) -> AnySelect:
    table = handoffs.c
    query = select(*_PACKET).order_by(table.urgency, table.due_at, table.id)
    if one_conversation:
        query = query.where(table.conversation_id == bindparam("conversation"))
    return query.where(still_open) if open_only else query


def move_holding(conn: Connection, conversation_id: str, status: HandoffStatus, *, by: str, at: datetime) -> None:
    """Move every open handoff that holds this conversation."""
    table = handoffs.c
    rows = conn.execute(
        select(*_PACKET).where(
            table.conversation_id == conversation_id, still_open, table.kind == HandoffKind.HANDOFF.value
        )
    )
    put(conn, [moved(_packet(row), status, by=by, at=at) for row in rows.all()])


def set_status(conn: Connection, handoff_id: str, status: HandoffStatus, *, by: str, at: datetime) -> HandoffPacket:
    """Move a task along.

    Raises:
        NotFound: no such handoff.
        NotPermitted: it holds a conversation; only a staff action on the conversation moves it.
    """
    packet = _locked(conn, handoff_id)
    if packet is None:
        raise NotFound(f"no handoff {handoff_id!r} in this ledger")
    if packet.kind.holds:
        raise NotPermitted("handoff.holds", "acknowledge, resolve or release the conversation instead")
    packet = moved(packet, status, by=by, at=at)
    put(conn, [packet])
    return packet


def attach_words(conn: Connection, handoff_id: str, text: str, *, undelivered: bool) -> None:
    """Add what the patient wrote meanwhile. An unknown id is left alone: the text stands in the history anyway."""
    packet = _locked(conn, handoff_id)
    if packet is not None:
        words = codec.dump_words((*packet.words, text))
        changes = {"words": words, "undelivered": undelivered}
        conn.execute(update(handoffs).where(handoffs.c.id == handoff_id).values(changes))


def save_draft(conn: Connection, handoff_id: str, draft: Draft, *, untold: bool) -> bool:
    """Keep a draft, with what earlier ones took added to its use; False if the patient wrote meanwhile.

    `untold`: the desk has yet to be shown it.
    """
    packet = _locked(conn, handoff_id)
    if packet is None or len(packet.words) != draft.of_words:
        return False
    found = conn.execute(select(handoffs.c.draft).where(handoffs.c.id == handoff_id)).scalar_one()
    if found:
        draft = replace(draft, use=codec.load(Draft, found).use.and_more(draft.use))
    changes: dict[str, object] = {"draft": codec.dump(draft)}
    if untold and draft.text:
        changes["undelivered"] = True
    conn.execute(update(handoffs).where(handoffs.c.id == handoff_id).values(changes))
    return True


def undelivered_packets(conn: Connection, *, conversation_id: str | None) -> tuple[HandoffPacket, ...]:
    """What the desk has not taken yet, most urgent first."""
    table = handoffs.c
    query = select(*_PACKET).where(table.undelivered.is_(True))
    if conversation_id is not None:
        query = query.where(table.conversation_id == conversation_id)
    rows = conn.execute(query.order_by(table.urgency, table.due_at, table.id))
    return tuple(_packet(row) for row in rows)


def mark_delivered(conn: Connection, handoff_id: str) -> None:
    """The desk has taken it."""
    conn.execute(update(handoffs).where(handoffs.c.id == handoff_id).values(undelivered=False))


def overdue(conn: Connection, *, at: datetime) -> tuple[HandoffPacket, ...]:
    """Open handoffs and tasks that nobody acknowledged by their due time, most urgent first."""
    table = handoffs.c
    late = still_open, table.status == HandoffStatus.OPENED.value, table.due_at <= at
    query = select(*_PACKET).where(*late).order_by(table.urgency, table.due_at, table.id)
    return tuple(_packet(row) for row in conn.execute(query))


def escalate(conn: Connection, packet: HandoffPacket, *, was_due_at: datetime, untold: bool) -> HandoffPacket | None:
    """Give it to its new owner, unless somebody acknowledged or escalated it meanwhile: then None.

    `untold`: the desk has yet to be shown it.
    """
    found = _locked(conn, packet.id)
    if found is None or found.status is not HandoffStatus.OPENED or found.due_at != was_due_at:
        return None
    moved_on = replace(packet, words=found.words)
    put(conn, [moved_on], undelivered={packet.id} if untold else ())
    return moved_on


def _locked(conn: Connection, handoff_id: str) -> HandoffPacket | None:
    table = handoffs.c
    row = conn.execute(select(*_PACKET).where(table.id == handoff_id).with_for_update()).first()
    return None if row is None else _packet(row)
