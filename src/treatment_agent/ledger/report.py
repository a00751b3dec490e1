"""The funnel, counted in the database. The denominator is the cases that entered in the period."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, true

from treatment_agent.domain.books import OutboxStatus, Tally
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Reason, Topic
from treatment_agent.domain.messages import DeliveryStatus, SendKind
from treatment_agent.ledger.database import AnySelect
from treatment_agent.ledger.model_use import model_tally
from treatment_agent.ledger.tables import cases, conversations, events, handoffs, outbox, reasons

_NOT_DELIVERED = (DeliveryStatus.UNDELIVERED.value, DeliveryStatus.FAILED.value)
_ARRIVED = or_(outbox.c.delivery.is_(None), outbox.c.delivery.not_in(_NOT_DELIVERED))
_OUTREACH = and_(
    outbox.c.conversation_id == conversations.c.id,
    outbox.c.kind == SendKind.OUTREACH.value,
    outbox.c.status == OutboxStatus.SENT.value,
)


def tally(conn: Connection, *, since: datetime | None, until: datetime | None) -> Tally:
    """Count the cases enrolled in `[since, until)`; None leaves that side open. Skipped cases are counted apart.

    A case that was written to has entered, even if a later export does not name it any more.
    """
    table = conversations.c
    period = _period(since, until)
    entered = and_(period, or_(table.skip_rule.is_(None), table.last_sent_at.is_not(None)))
    declined = or_(table.phase == Phase.DECLINED.value, table.disposition == Disposition.DECLINED.value)
    opted_out = or_(table.phase == Phase.OPTED_OUT.value, table.disposition == Disposition.OPTED_OUT.value)
    booked = table.booked_at.is_not(None)
    wrote = exists().where(events.c.conversation_id == table.id, events.c.kind == "patient_message")
    counts = conn.execute(
        _of_cases(
            func.count().label("entered"),
            func.count().filter(exists().where(_OUTREACH, _ARRIVED)).label("contacted"),
            func.count().filter(wrote).label("responded"),
            func.count().filter(booked).label("booked"),
            func.count().filter(opted_out).label("opted_out"),
            func.coalesce(func.sum(cases.c.value_cents), 0).label("value"),
            func.coalesce(func.sum(cases.c.value_cents).filter(booked), 0).label("value_booked"),
        ).where(entered)
    ).one()
    dispositions = _grouped(conn, table.disposition, and_(entered, table.disposition.is_not(None)))
    return Tally(
        entered=counts.entered,
        skipped=_grouped(
            conn, table.skip_rule, and_(period, table.skip_rule.is_not(None), table.last_sent_at.is_(None))
        ),
        contacted=counts.contacted,
        responded=counts.responded,
        booked=counts.booked,
        dispositions={Disposition(name): count for name, count in dispositions.items()},
        phases=_grouped(conn, table.phase, entered),
        reasons=_reasons(conn, entered),
        declined_by_reason=_declined_by_reason(conn, and_(entered, declined)),
        handoffs_by_topic=_handoffs_by_topic(conn, entered),
        booked_by_path=_booked_by_path(conn, and_(entered, booked)),
        days_to_scheduled=_days_to_scheduled(conn, and_(entered, booked)),
        opted_out=counts.opted_out,
        value_entered_cents=int(counts.value),
        value_booked_cents=int(counts.value_booked),
        model=model_tally(conn, entered),
    )


def _period(since: datetime | None, until: datetime | None) -> ColumnElement[bool]:
    enrolled_at = conversations.c.enrolled_at
    first = true() if since is None else enrolled_at >= since
    return and_(true(), first, true() if until is None else enrolled_at < until)


def _of_cases(*columns: ColumnElement[Any]) -> AnySelect:
    return select(*columns).select_from(conversations.join(cases, cases.c.id == conversations.c.id))


def _grouped(conn: Connection, column: ColumnElement[str], where: ColumnElement[bool]) -> dict[str, int]:
    rows = conn.execute(_of_cases(column.label("name"), func.count().label("size")).where(where).group_by(column))
    return {row.name: row.size for row in sorted(rows, key=lambda row: str(row.name))}


def _reasons(conn: Connection, where: ColumnElement[bool]) -> dict[str, int]:
    """Conversations per reason; one that gave two counts under both."""
    people = func.count(conversations.c.id.distinct()).label("size")
    query = _of_cases(reasons.c.code, people).join(reasons, reasons.c.conversation_id == conversations.c.id)
    rows = conn.execute(query.where(where).group_by(reasons.c.code).order_by(reasons.c.code))
    return {row.code: row.size for row in rows}


def _declined_by_reason(conn: Connection, where: ColumnElement[bool]) -> dict[str, int]:
    """Declined conversations by the last reason given."""
    query = _of_cases(conversations.c.id, reasons.c.code).outerjoin(
        reasons, reasons.c.conversation_id == conversations.c.id
    )
    rows = conn.execute(query.where(where).order_by(reasons.c.at, reasons.c.event_id))
    last = {row.id: row.code or Reason.UNSPECIFIED.value for row in rows}
    return dict(sorted(Counter(last.values()).items()))


def _handoffs_by_topic(conn: Connection, where: ColumnElement[bool]) -> dict[str, int]:
    """Handoffs by the topic that names them; a take-over without one counts as `other`, a task without one not."""
    topic = func.coalesce(handoffs.c.topic, Topic.OTHER.value)
    named = or_(handoffs.c.topic.is_not(None), handoffs.c.kind == HandoffKind.HANDOFF.value)
    query = _of_cases(topic.label("topic")).join(handoffs, handoffs.c.conversation_id == conversations.c.id)
    found = Counter(row.topic for row in conn.execute(query.where(where, named)))
    return {t.value: found[t.value] for t in Topic if found[t.value]}


def _booked_by_path(conn: Connection, where: ColumnElement[bool]) -> dict[str, int]:
    """Bookings by the outreach before them: `step-2/reminder`, or `none` where the patient wrote first."""
    before = and_(_OUTREACH, outbox.c.status_at <= conversations.c.booked_at)
    query = (
        _of_cases(conversations.c.id, outbox.c.script_id, events.c.payload)
        .outerjoin(outbox, before)
        .outerjoin(events, events.c.id == outbox.c.event_id)
        .where(where)
        .order_by(outbox.c.status_at, outbox.c.seq)
    )
    paths: dict[str, str] = {}
    for row in conn.execute(query):
        step = json.loads(row.payload or "{}").get("step", 0)
        paths[row.id] = f"step-{step}/{row.script_id}" if row.script_id else "none"
    return dict(sorted(Counter(paths.values()).items()))


def _days_to_scheduled(conn: Connection, where: ColumnElement[bool]) -> tuple[int, ...]:
    """Days from diagnosis to the day the booking was made, in order; cases without a day of diagnosis are left out."""
    query = _of_cases(cases.c.diagnosed_on, conversations.c.booked_on)
    rows = conn.execute(query.where(where, cases.c.diagnosed_on.is_not(None), conversations.c.booked_on.is_not(None)))
    return tuple(sorted((row.booked_on - row.diagnosed_on).days for row in rows))
