"""Unwritten cases that share a phone number: read together, and changed only if nobody touched them meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection, Select, func, or_, select, update

from treatment_agent.domain.books import ConversationRow, FamilyChange
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.messages import Channel
from treatment_agent.ledger import codec, reading
from treatment_agent.ledger.database import among
from treatment_agent.ledger.journal import journal_row
from treatment_agent.ledger.tables import contact_points, conversations, journal, patient_contacts

_RIDES_ALONG = "queue.rides-along"


def on_shared_numbers(conn: Connection) -> tuple[tuple[ConversationRow, ...], ...]:
    """Per phone number: the cases that wait for their first text, where several patients have the number.

    A case that rides along comes also when it is the only one left; it does not come while the case it rides with is
    being written to.
    """
    pairs = conn.execute(_pairs_query()).all()
    rows = {row.conversation.id: row for row in reading.rows(conn, sorted({p.id for p in pairs}))}
    written = _written(conn, {row.conversation.rides_with for row in rows.values()})
    groups = (
        tuple(rows[p.id] for p in group if p.id in rows and rows[p.id].conversation.rides_with not in written)
        for _, group in groupby(pairs, key=lambda p: p.contact_id)
    )
    return tuple(group for group in groups if group)


def _pairs_query() -> Select[tuple[int, str]]:
    table, links, points = conversations.c, patient_contacts.c, contact_points.c
    unwritten = (table.phase == Phase.QUEUED.value) & table.last_sent_at.is_(None)
    standing = or_(table.skip_rule.is_(None), table.skip_rule == _RIDES_ALONG)
    shared = (
        select(links.contact_id)
        .join(contact_points, points.id == links.contact_id)
        .where(links.is_current, points.kind == Channel.SMS.value)
        .group_by(links.contact_id)
        .having(func.count() > 1)
    )
    return (
        select(links.contact_id, table.id)
        .join(conversations, table.patient_id == links.patient_id)
        .where(links.is_current, links.contact_id.in_(shared), unwritten, standing)
        .order_by(links.contact_id, table.id)
    )


def _written(conn: Connection, leaders: set[str | None]) -> set[str | None]:
    """Those of these conversations that were written to and so speak for whoever rides with them."""
    table = conversations.c
    query = select(table.id).where(among(table.id, sorted(i for i in leaders if i)), table.last_sent_at.is_not(None))
    return set(conn.scalars(query)) if leaders else set()


def change(conn: Connection, changes: Sequence[FamilyChange]) -> int:
    """Write these changes, each only if the conversation still stands as it was read; return how many were."""
    done = 0
    table = conversations.c
    for item in changes:
        moved = conn.execute(
            update(conversations)
            .where(
                table.id == item.after.id,
                table.state == codec.dump(item.before),
                table.phase == Phase.QUEUED.value,
                table.last_sent_at.is_(None),
            )
            .values(state=codec.dump(item.after), due_at=item.after.due_at, skip_rule=item.skip_rule)
        )
        if moved.rowcount == 1:
            conn.execute(journal.insert(), [journal_row(item.entry)])
            done += 1
    return done


def stays(conversation: Conversation, skip_rule: str | None) -> bool:
    """True for a case that rides along: reading the list again does not give it a conversation of its own."""
    return skip_rule == _RIDES_ALONG and conversation.rides_with is not None
