"""When a case first passed the queue's rules, and whether chance held it out then: noted once, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from treatment_agent.domain.books import Enrolment
from treatment_agent.domain.measured import HOLD_OUT_RULE
from treatment_agent.ledger.database import among
from treatment_agent.ledger.tables import conversations

_table = conversations.c


def still_entered(conn: Connection, rows: Mapping[str, Enrolment]) -> dict[str, Enrolment]:
    """The rows, but a case that entered before to be written to is not held out afterwards.

    Only newly entered cases are drawn (`queue.hold-out`): an office that begins holding out drops nobody.
    """
    drawn = [case_id for case_id, row in rows.items() if row.skip_rule == HOLD_OUT_RULE]
    if not drawn:
        return dict(rows)
    query = select(_table.id).where(among(_table.id, drawn), _table.entered_at.is_not(None))
    entered = set(conn.scalars(query.where(_table.held_out.is_not(True))))
    return {case_id: _let_in(row) if case_id in entered else row for case_id, row in rows.items()}


def _let_in(row: Enrolment) -> Enrolment:
    entries = (replace(e, action="queue", rule="queue.eligible") if e.rule == HOLD_OUT_RULE else e for e in row.journal)
    return replace(row, skip_rule=None, journal=tuple(entries))


def mark(conn: Connection, rows: Mapping[str, Enrolment], *, at: datetime) -> None:
    """Note the entry of those of these cases that enter now: eligible ones, and those held out by chance."""
    for held_out in (False, True):
        rule = HOLD_OUT_RULE if held_out else None
        entering = [case_id for case_id, row in rows.items() if row.skip_rule == rule]
        if not entering:
            continue
        query = update(conversations).where(among(_table.id, entering), _table.entered_at.is_(None))
        conn.execute(query.values(entered_at=at, held_out=held_out))
