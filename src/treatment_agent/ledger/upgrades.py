"""Bringing the tables of an older release up to date."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Index, inspect, update

from treatment_agent.ledger import office_tables, tables
from treatment_agent.ledger.tables import conversations

# Indexes and columns that came after version 1, by the version that brought them.
_ADDED_INDEXES: dict[int, tuple[Index, ...]] = {3: (tables.events_measured,)}
_ADDED: dict[int, tuple[Column[Any], ...]] = {
    2: (
        tables.cases.c.export_id,
        tables.cases.c.exported_at,
        tables.handoffs.c.undelivered,
        tables.consents.c.chart_write,
    ),
    3: (conversations.c.entered_at, conversations.c.held_out),
    4: (tables.handoffs.c.draft,),
}


def bring_up_to_date(conn: Connection, found: int) -> None:
    """Bring the tables of an older release up to date; a new column is empty in every row."""
    there = inspect(conn)
    for column in (c for added in _ADDED.values() for c in added):
        if any(known["name"] == column.name for known in there.get_columns(column.table.name)):
            continue
        kind = column.type.compile(dialect=conn.dialect)
        conn.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}")
    tables.metadata.create_all(conn)
    office_tables.outbox_outreach.create(conn, checkfirst=True)
    for index in (i for version, added in _ADDED_INDEXES.items() if version > found for i in added):
        index.create(conn, checkfirst=True)
    if found < 3:
        # Whoever is not left out entered when enrolled: what measures count from.
        listed = update(conversations).where(conversations.c.skip_rule.is_(None))
        conn.execute(listed.values(entered_at=conversations.c.enrolled_at))
    conn.execute(tables.schema_version.update().values(version=tables.SCHEMA_VERSION))
