"""The journal: every action and every non-action, with its reason (P10), and under which policies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from treatment_agent.domain.books import JournalEntry
from treatment_agent.ledger.database import insert_into
from treatment_agent.ledger.tables import conversations, journal, policies


def journal_row(entry: JournalEntry, *, patient_id: str | None = None) -> dict[str, object]:
    """A row of `journal`; `patient_id` fills in for an entry that names only its conversation."""
    return {
        "at": entry.at,
        "action": entry.action,
        "rule": entry.rule,
        "detail": entry.detail,
        "conversation_id": entry.conversation_id,
        "patient_id": entry.patient_id or patient_id,
        "event_id": entry.event_id,
    }


def add_journal(conn: Connection, entries: Sequence[JournalEntry]) -> None:
    """Append entries that belong to no turn; those that name only a conversation are put under its patient."""
    if not entries:
        return
    orphans = {e.conversation_id for e in entries if e.patient_id is None and e.conversation_id is not None}
    owners: dict[str | None, str | None] = {}
    if orphans:
        table = conversations.c
        rows = conn.execute(select(table.id, table.patient_id).where(table.id.in_(orphans)))
        owners = {row.id: row.patient_id for row in rows}
    conn.execute(journal.insert(), [journal_row(e, patient_id=owners.get(e.conversation_id)) for e in entries])


def journal_of(conn: Connection, patient_id: str) -> tuple[JournalEntry, ...]:
    """Everything done and not done about a patient, oldest first."""
    table = journal.c
    rows = conn.execute(select(journal).where(table.patient_id == patient_id).order_by(table.at, table.seq))
    return tuple(
        JournalEntry(
            at=row.at,
            action=row.action,
            rule=row.rule,
            detail=row.detail,
            conversation_id=row.conversation_id,
            patient_id=row.patient_id,
            event_id=row.event_id,
        )
        for row in rows
    )


def remember_policy(conn: Connection, key: str, digest: str, *, at: datetime) -> str:
    """Note a policy's digest; of two that are noted under one key, the first stays."""
    insert = insert_into(conn.dialect.name, policies).values(key=key, digest=digest, first_used_at=at)
    conn.execute(insert.on_conflict_do_nothing(index_elements=["key"]))
    return str(conn.execute(select(policies.c.digest).where(policies.c.key == key)).scalar_one())
