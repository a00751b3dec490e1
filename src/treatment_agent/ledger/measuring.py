"""Reads what the measures are made of: a handful of queries that each pass once over the period, whatever its size."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true

from treatment_agent.domain.books import OutboxStatus
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffPacket
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.measured import MeasuredBooks, MeasuredCase, MeasuredHandoff, MeasuredText
from treatment_agent.domain.messages import DeliveryStatus, SendKind
from treatment_agent.domain.treatment import ProcedureStatus
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import AnyRow
from treatment_agent.ledger.tables import cases, conversations, events, handoffs, journal, outbox, reasons

_NOT_DELIVERED = (DeliveryStatus.UNDELIVERED.value, DeliveryStatus.FAILED.value)
_table = conversations.c
_SETTLED = (ProcedureStatus.SCHEDULED.value, ProcedureStatus.COMPLETED.value)


def books(conn: Connection, *, since: datetime | None, until: datetime | None) -> MeasuredBooks:
    """The cases that entered in `[since, until)` (None: open), with everything that happened to them until now."""
    period = _within(_table.entered_at, since, until)
    found: dict[str, MeasuredCase] = {}
    exported: set[str] = set()
    for row in conn.execute(_cases(period)):
        told = json.loads(row.payload)
        found[row.id] = _case(row, told)
        if any(line.get("status") in _SETTLED for line in told["procedures"]):
            exported.add(row.id)
    texts = _texts(conn, period, found)
    _answers(conn, period, found)
    _settled_in_the_chart(conn, period, found)
    _settled_in_exports(conn, found, exported)
    return MeasuredBooks(
        texts=texts,
        handoffs=_handoffs(conn, period),
        reasons=_reasons(conn, period, found),
        left_out=_left_out(conn, since, until),
        cases=tuple(found.values()),
    )


def _within(column: ColumnElement[datetime], since: datetime | None, until: datetime | None) -> ColumnElement[bool]:
    first = true() if since is None else column >= since
    return and_(column.is_not(None), first, true() if until is None else column < until)


def _cases(period: ColumnElement[bool]) -> Any:
    columns = (
        _table.id, _table.entered_at, _table.held_out, _table.skip_rule, _table.phase, _table.disposition,
        _table.booked_at, _table.booked_on, cases.c.payload, cases.c.value_cents, cases.c.diagnosed_on,
    )  # fmt: skip
    return select(*columns).join(cases, cases.c.id == _table.id).where(period)


def _case(row: AnyRow, told: dict[str, Any]) -> MeasuredCase:
    """From plain JSON: building whole `Case` values of a hundred thousand rows takes a minute."""
    lines = told["procedures"]
    leading = max(lines, key=lambda line: int(line.get("fee_cents", 0)))
    completed = [line for line in lines if line.get("status") == ProcedureStatus.COMPLETED.value]
    return MeasuredCase(
        id=row.id,
        entered_at=row.entered_at,
        held_out=bool(row.held_out),
        skip_rule=row.skip_rule,
        provider_id=told.get("provider_id") or leading.get("provider_id", ""),
        family=leading.get("family", "other"),
        value_cents=row.value_cents,
        completed_cents=sum(int(line.get("fee_cents", 0)) for line in completed),
        diagnosed_on=row.diagnosed_on,
        phase=Phase(row.phase),
        disposition=Disposition(row.disposition) if row.disposition else None,
        booked_at=row.booked_at,
        booked_on=row.booked_on,
    )


def _texts(conn: Connection, period: ColumnElement[bool], found: dict[str, MeasuredCase]) -> tuple[MeasuredText, ...]:
    """Outreach texts, and with them which case was written to when."""
    texts = outbox.c
    rows = conn.execute(
        select(
            texts.conversation_id, texts.status_at, texts.script_id, texts.channel, texts.delivery,
            events.c.kind, events.c.payload,
        )
        .join(conversations, _table.id == texts.conversation_id)
        .outerjoin(events, events.c.id == texts.event_id)
        .where(period, texts.kind == SendKind.OUTREACH.value, texts.status == OutboxStatus.SENT.value)
        .order_by(texts.seq)
    )  # fmt: skip
    made = []
    for row in rows:
        arrived = row.delivery not in _NOT_DELIVERED
        step = _step(row.payload) if row.kind == "touch_due" else 0
        made.append(MeasuredText(row.conversation_id, row.status_at, step, row.script_id, row.channel, arrived))
        about = found.get(row.conversation_id)
        if about is not None:
            about.first_sent_at = min(about.first_sent_at or row.status_at, row.status_at)
            about.arrived = about.arrived or arrived
    return tuple(made)


@lru_cache(maxsize=1000)
def _step(payload: str) -> int:
    """The step that a touch's payload tells; there are only as many payloads as steps."""
    return int(json.loads(payload).get("step", 0))


def _answers(conn: Connection, period: ColumnElement[bool], found: dict[str, MeasuredCase]) -> None:
    """When each patient first wrote, and first wrote after we did."""
    wrote = events.c.kind == "patient_message"
    rows = conn.execute(
        select(events.c.conversation_id, events.c.at)
        .join(conversations, _table.id == events.c.conversation_id)
        .where(wrote, period)
        .order_by(events.c.at)
    )
    for row in rows:
        about = found.get(row.conversation_id)
        if about is None:
            continue
        about.replied_at = about.replied_at or row.at
        if about.first_sent_at is not None and row.at >= about.first_sent_at:
            about.reply_after_at = about.reply_after_at or row.at


def _settled_in_the_chart(conn: Connection, period: ColumnElement[bool], found: dict[str, MeasuredCase]) -> None:
    """When the chart showed the treatment as booked or done: we were told, or saw it before a touch."""
    payload = events.c.payload
    told = and_(events.c.kind == "chart_changed", or_(payload.contains('"booked"'), payload.contains('"done"')))
    seen = and_(
        events.c.kind == "touch_due",
        _table.disposition == Disposition.BOOKED_ELSEWHERE.value,
        events.c.outcome.contains('"chart.booked"'),
    )
    for kind in (told, seen):
        rows = conn.execute(
            select(events.c.conversation_id, events.c.at, payload)
            .join(conversations, _table.id == events.c.conversation_id)
            .where(kind, period)
        )
        for row in rows:
            about = found.get(row.conversation_id)
            if about is None:
                continue
            if '"done"' in row.payload:
                about.completed_cents = max(about.completed_cents, about.value_cents)
            if about.booked_at is None:
                about.elsewhere_at = min(about.elsewhere_at or row.at, row.at)


def _settled_in_exports(conn: Connection, found: dict[str, MeasuredCase], exported: set[str]) -> None:
    """When an export first showed it, for cases whose last export does: its ruling is in the journal."""
    unknown = {name for name in exported if found[name].booked_at is None and found[name].elsewhere_at is None}
    if not unknown:
        return
    rules = ("queue.already-booked", "queue.no-open-procedures")
    query = select(journal.c.conversation_id, journal.c.at).where(journal.c.rule.in_(rules)).order_by(journal.c.at)
    for row in conn.execute(query):
        if row.conversation_id in unknown:
            found[row.conversation_id].elsewhere_at = max(row.at, found[row.conversation_id].entered_at)
            unknown.discard(row.conversation_id)


def _handoffs(conn: Connection, period: ColumnElement[bool]) -> tuple[MeasuredHandoff, ...]:
    """Handoffs and tasks; a take-over without a topic counts as `other`, a task without one has none."""
    table = handoffs.c
    query = select(table.conversation_id, table.kind, table.topic, table.due_at, table.payload)
    rows = conn.execute(query.join(conversations, _table.id == table.conversation_id).where(period))
    return tuple(_handoff(row) for row in rows)


def _handoff(row: AnyRow) -> MeasuredHandoff:
    packet = codec.load(HandoffPacket, row.payload)
    holds = row.kind == HandoffKind.HANDOFF.value
    return MeasuredHandoff(
        case_id=row.conversation_id,
        kind=row.kind,
        topic=row.topic or (Topic.OTHER.value if holds else None),
        owner=packet.owner.value,
        opened_at=packet.opened_at,
        due_at=row.due_at,
        acknowledged_at=packet.acknowledged_at or packet.resolved_at or packet.released_at,
        closed_at=packet.released_at or packet.resolved_at,
    )


def _reasons(
    conn: Connection, period: ColumnElement[bool], found: dict[str, MeasuredCase]
) -> tuple[tuple[str, str], ...]:
    query = select(reasons.c.conversation_id, reasons.c.code).join(
        conversations, _table.id == reasons.c.conversation_id
    )
    rows = conn.execute(query.where(period).order_by(reasons.c.at, reasons.c.event_id))
    told: dict[tuple[str, str], None] = {}
    for row in rows:
        told[row.conversation_id, row.code] = None
        about = found.get(row.conversation_id)
        if about is not None:
            about.reason = row.code
    return tuple(told)


def _left_out(conn: Connection, since: datetime | None, until: datetime | None) -> dict[str, int]:
    query = select(_table.skip_rule, func.count().label("size")).where(
        _table.skip_rule.is_not(None), _table.entered_at.is_(None), _within(_table.enrolled_at, since, until)
    )
    rows = conn.execute(query.group_by(_table.skip_rule))
    return {str(row.skip_rule): int(row.size) for row in rows}
