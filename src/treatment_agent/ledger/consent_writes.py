"""Grants and revocations that the chart has not heard of: an outbox of its own, in the rows of `consents`."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from treatment_agent.domain.consent import EVERYTHING, ConsentHow, ConsentRecord, ConsentStatus, ConsentWrite
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Permission
from treatment_agent.ledger.database import among
from treatment_agent.ledger.tables import consents, contact_points

PENDING = "pending"
# What the chart said itself, and what a stranger on a wrong number said, is no news for the patient's chart.
_NO_NEWS = (ConsentHow.CHART, ConsentHow.WRONG_NUMBER)


def first_status(record: ConsentRecord, patient_id: str | None) -> str | None:
    """`pending` for what the chart should hear; None for what it should not.

    A revocation of one purpose is no "no texts" for the whole office.
    """
    narrow = record.status is ConsentStatus.REVOKED and record.purpose != EVERYTHING
    return None if patient_id is None or record.how in _NO_NEWS or narrow else PENDING


def pending(conn: Connection) -> tuple[ConsentWrite, ...]:
    """What to tell the chart: the last wish per patient and channel, in the order in which they came."""
    table, points = consents.c, contact_points.c
    query = select(table.seq, table.patient_id, table.status, points.kind).join(
        contact_points, points.id == table.contact_id
    )
    found: dict[tuple[str, str], ConsentWrite] = {}
    for row in conn.execute(query.where(table.chart_write == PENDING).order_by(table.seq)):
        key = (row.patient_id, row.kind)
        earlier = found.pop(key, None)
        granted = row.status == ConsentStatus.GRANTED.value
        found[key] = ConsentWrite(
            numbers=(*(earlier.numbers if earlier else ()), row.seq),
            patient_id=row.patient_id,
            channel=Channel(row.kind),
            permission=Permission.YES if granted else Permission.NO,
        )
    return tuple(found.values())


def settle(conn: Connection, write: ConsentWrite, status: str) -> None:
    """Note what became of it: `written` or `refused`."""
    conn.execute(update(consents).where(among(consents.c.seq, write.numbers)).values(chart_write=status))
