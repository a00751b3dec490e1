"""Texts on their way. Each step is guarded by the status it starts from, so that a step is taken once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Update, bindparam, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from treatment_agent.domain.books import OutboxRow, OutboxStatus
from treatment_agent.domain.messages import ApprovedMessage, DeliveryReport, DeliveryStatus, Receipt
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import AnyRow, AnySelect, insert_into
from treatment_agent.ledger.people import address_of, contact_ids
from treatment_agent.ledger.tables import contact_points, conversations, outbox
from treatment_agent.ledger.tables import unsent as is_unsent

# New status -> statuses it may follow. Anything else changes nothing.
_MAY_FOLLOW = {
    OutboxStatus.PENDING: (OutboxStatus.SENDING,),
    OutboxStatus.FAILED: (OutboxStatus.SENDING, OutboxStatus.PENDING),
    OutboxStatus.DOUBTFUL: (OutboxStatus.SENDING,),
    OutboxStatus.CANCELLED: (OutboxStatus.SENDING, OutboxStatus.PENDING),
}


def add(conn: Connection, messages: Sequence[ApprovedMessage], *, event_id: str, at: datetime) -> None:
    """Put texts in the outbox as `pending`. A key that is there already stays as it is."""
    if not messages:
        return
    points = contact_ids(conn, {m.to for m in messages})
    conn.execute(
        insert_into(conn.dialect.name, outbox).on_conflict_do_nothing(index_elements=["key"]),
        [
            {
                "key": m.key,
                "conversation_id": m.conversation_id,
                "event_id": event_id,
                "contact_id": points[m.to],
                "channel": str(m.channel),
                "kind": str(m.kind),
                "script_id": m.script_id,
                "script_version": m.script_version,
                "language": m.language,
                "approved_by": m.approved_by,
                "content_hash": m.content_hash,
                "subject": m.subject,
                "body": m.body.get_secret_value(),
                "status": OutboxStatus.PENDING.value,
                "status_at": at,
                "created_at": at,
                "rule": "",
            }
            for m in messages
        ],
    )


def _rows() -> AnySelect:
    points = contact_points.c
    return select(*outbox.c, points.kind.label("point_kind"), points.address).join(
        contact_points, points.id == outbox.c.contact_id
    )


_PERMIT = (
    "key", "conversation_id", "channel", "body", "subject", "script_id", "script_version", "language", "approved_by",
    "content_hash", "kind",
)  # fmt: skip


def _outbox_row(row: AnyRow) -> OutboxRow:
    # The permit is restored, not issued: `policies.outbound` gave it before the turn was committed.
    permit = {name: getattr(row, name) for name in _PERMIT} | {"to": address_of(row.point_kind, row.address)}
    status = OutboxStatus(row.status)
    return OutboxRow(
        message=codec.restore(ApprovedMessage, permit),
        event_id=row.event_id,
        status=status,
        created_at=row.created_at,
        sent_at=row.status_at if status is OutboxStatus.SENT else None,
        provider_message_id=row.provider_message_id,
        delivery=None if row.delivery is None else DeliveryStatus(row.delivery),
        rule=row.rule,
        seq=row.seq,
    )


def texts(conn: Connection, conversation_id: str, *, unsent: bool) -> tuple[OutboxRow, ...]:
    """Texts of a conversation in the order they were committed."""
    rows = conn.execute(_texts_query(unsent=unsent), {"conversation": conversation_id})
    return tuple(_outbox_row(row) for row in rows)


@cache
def _texts_query(*, unsent: bool) -> AnySelect:
    query = _rows().where(outbox.c.conversation_id == bindparam("conversation")).order_by(outbox.c.seq)
    return query.where(is_unsent) if unsent else query


def find_sent(conn: Connection, provider_message_id: str) -> OutboxRow | None:
    """The text with the provider's own id."""
    query = _rows().where(outbox.c.provider_message_id == provider_message_id).order_by(outbox.c.seq).limit(1)
    row = conn.execute(query).first()
    return None if row is None else _outbox_row(row)


def mark_sending(conn: Connection, key: str, *, at: datetime) -> bool:
    """pending -> sending; False if it was not pending."""
    moved = conn.execute(
        _step_update(OutboxStatus.PENDING), {"text": key, "status": OutboxStatus.SENDING.value, "status_at": at}
    )
    return moved.first() is not None


@cache
def _step_update(start: OutboxStatus) -> ReturningUpdate[str]:
    """A step of the text with this key, if it stands at `start`; returns its conversation."""
    standing = update(outbox).where(outbox.c.key == bindparam("text"), outbox.c.status == start.value)
    return standing.returning(outbox.c.conversation_id)


def mark_sent(conn: Connection, key: str, receipt: Receipt, *, at: datetime) -> None:
    """sending -> sent, and the conversation was last written to now."""
    sent = {"status": OutboxStatus.SENT.value, "provider_message_id": receipt.provider_message_id, "rule": ""}
    conversation_id = conn.scalar(_step_update(OutboxStatus.SENDING), {"text": key, "status_at": at} | sent)
    if conversation_id is not None:
        conn.execute(_last_sent_update(), {"conversation": conversation_id, "now": at, "last_sent_at": at})


@cache
def _last_sent_update() -> Update:
    table = conversations.c
    earlier = or_(table.last_sent_at.is_(None), table.last_sent_at < bindparam("now"))
    return update(conversations).where(table.id == bindparam("conversation"), earlier)


def mark_unsent(conn: Connection, key: str, status: str, rule: str, *, at: datetime) -> None:
    """To `failed`, `doubtful`, `cancelled` or back to `pending`.

    Raises:
        ValueError: another status was asked for.
    """
    try:
        allowed = _MAY_FOLLOW[OutboxStatus(status)]
    except (KeyError, ValueError):
        raise ValueError("mark_unsent: the status must be pending, failed, doubtful or cancelled") from None
    conn.execute(
        update(outbox)
        .where(outbox.c.key == key, outbox.c.status.in_([s.value for s in allowed]))
        .values(status=str(status), rule=rule, status_at=at)
    )


def record_delivery(conn: Connection, report: DeliveryReport) -> bool:
    """Remember a delivery status; True if it changed. A report that comes late never undoes a later one."""
    order = [s.value for s in DeliveryStatus]
    before = order[: order.index(report.status)]
    moved = conn.execute(
        update(outbox)
        .where(
            outbox.c.provider_message_id == report.provider_message_id,
            or_(outbox.c.delivery.is_(None), outbox.c.delivery.in_(before)),
        )
        .values(delivery=report.status.value)
    )
    return moved.rowcount > 0
