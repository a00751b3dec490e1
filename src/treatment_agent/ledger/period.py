"""Reads what happened in a period, for the weekly review. The patients' words go to the caller and nowhere else."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from treatment_agent.domain.handoff import HandoffKind, HandoffPacket
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.review import DueHandoff, Happening, PeriodBooks, SaidReason
from treatment_agent.domain.scheduling import Window
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import AnyRow
from treatment_agent.ledger.tables import conversations, events, handoffs, reasons

# Events in which something can go wrong. Named, so that the index on (kind, conversation, time) finds them.
_KINDS = ("patient_message", "touch_due", "booking_settled", "delivery_reported", "chart_changed")


def books(conn: Connection, *, since: datetime, until: datetime) -> PeriodBooks:
    """What happened in `[since, until)`, in order of time."""
    table = events.c
    during = and_(table.kind.in_(_KINDS), table.at >= since, table.at < until, table.outcome.is_not(None))
    rows = conn.execute(select(table.conversation_id, table.at, table.kind, table.outcome).where(during))
    happened = sorted((_happening(row) for row in rows), key=lambda one: (one.at, one.case_id))
    return PeriodBooks(
        happenings=tuple(happened),
        reasons=_reasons(conn, since, until),
        due=_due(conn, since, until),
        left_out=_left_out(conn),
    )


def _happening(row: AnyRow) -> Happening:
    # Plain JSON again: a whole record takes ten times as long to build, and only these parts are needed.
    told = json.loads(row.outcome)
    facts = (told.get("interpretation") or {}).get("facts", {})
    windows = (Window(_moment(w["start"]), _moment(w["end"])) for w in facts.get("windows", ()))
    return Happening(row.conversation_id, row.at, row.kind, tuple(told["rules"]), tuple(windows), facts.get("asks"))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _reasons(conn: Connection, since: datetime, until: datetime) -> tuple[SaidReason, ...]:
    """With the whole message: the words that were the evidence are often torn out of it."""
    table = reasons.c
    query = (
        select(table.conversation_id, table.at, table.code, table.words, events.c.body)
        .outerjoin(events, events.c.id == table.event_id)
        .where(table.at >= since, table.at < until)
        .order_by(table.at, table.event_id)
    )
    return tuple(
        SaidReason(row.conversation_id, row.at, row.code, row.body or row.words or "") for row in conn.execute(query)
    )


def _due(conn: Connection, since: datetime, until: datetime) -> tuple[DueHandoff, ...]:
    table = handoffs.c
    query = select(table.conversation_id, table.kind, table.topic, table.due_at, table.payload)
    rows = conn.execute(query.where(table.due_at >= since, table.due_at < until).order_by(table.due_at, table.id))
    found = []
    for row in rows:
        packet = codec.load(HandoffPacket, row.payload)
        named = row.topic or (Topic.OTHER.value if row.kind == HandoffKind.HANDOFF.value else row.kind)
        seen_at = packet.acknowledged_at or packet.resolved_at or packet.released_at
        found.append(DueHandoff(row.conversation_id, named, packet.owner.value, row.due_at, seen_at))
    return tuple(found)


def _left_out(conn: Connection) -> dict[str, int]:
    table = conversations.c
    query = select(table.skip_rule, func.count().label("size")).where(table.skip_rule.is_not(None))
    return {str(row.skip_rule): int(row.size) for row in conn.execute(query.group_by(table.skip_rule))}
