"""The work list: what is due, and everything on the books in order of priority."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, or_, select

from treatment_agent.domain.books import NOT_IN_EXPORT, ConversationRow
from treatment_agent.domain.conversation import Conversation
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import among
from treatment_agent.ledger.tables import cases, conversations, patients

PAGE = 500


def due_query(*, at: datetime, limit: int) -> Select[tuple[str]]:
    """Conversations whose time has come, best score first; equal scores by how long they have been due.

    One that the last complete export left out is not due, whatever its time.
    """
    table = conversations.c
    listed = or_(table.skip_rule.is_(None), table.skip_rule != NOT_IN_EXPORT)
    query = select(table.id).where(table.due_at <= at, listed)
    return query.order_by(table.score.desc(), table.due_at, table.id).limit(limit)


def due(conn: Connection, *, at: datetime, limit: int) -> tuple[str, ...]:
    """Ids of what `due_query` finds."""
    return tuple(conn.scalars(due_query(at=at, limit=limit)))


def ranked_ids(conn: Connection, *, limit: int | None) -> Sequence[str]:
    """Ids of every case on the books: eligible ones by score, then the skipped ones."""
    table = conversations.c
    query = (
        select(table.id)
        .join(cases, cases.c.id == table.id)
        .order_by(table.skip_rule.is_not(None), table.score.desc(), table.id)
    )
    return conn.scalars(query if limit is None else query.limit(limit)).all()


def rows(conn: Connection, ids: Sequence[str]) -> tuple[ConversationRow, ...]:
    """These cases, in this order."""
    table = conversations.c
    found = conn.execute(
        select(
            table.id, table.state, table.score, table.enrolled_at, table.skip_rule,
            cases.c.payload, patients.c.payload.label("patient"),
        )
        .join(cases, cases.c.id == table.id)
        .join(patients, patients.c.id == cases.c.patient_id)
        .where(among(table.id, ids))
    )  # fmt: skip
    by_id = {
        row.id: ConversationRow(
            conversation=codec.load(Conversation, row.state),
            case=codec.load_case(row.id, row.patient, row.payload),
            score=row.score,
            enrolled_at=row.enrolled_at,
            skip_rule=row.skip_rule,
        )
        for row in found
    }
    return tuple(by_id[case_id] for case_id in ids if case_id in by_id)
