"""Reading the whole file of one contact point: consents, texts and messages, in order of time."""

from __future__ import annotations

from sqlalchemy import Connection, select

from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.consent_file import ConsentEntry, ContactFile, ReceivedEntry, SentEntry
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import NotFound
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import AnyRow, among
from treatment_agent.ledger.people import Address, address_of
from treatment_agent.ledger.tables import consents, contact_points, events, outbox, patient_contacts

_MESSAGE = "patient_message"


def addresses(conn: Connection) -> tuple[Address, ...]:
    """Every contact point on the books, in the order in which they came."""
    points = contact_points.c
    rows = conn.execute(select(points.kind, points.address).order_by(points.id))
    return tuple(address_of(row.kind, row.address) for row in rows)


def addresses_of_patient(conn: Connection, patient_id: str) -> tuple[Address, ...]:
    """The contact points this patient has and had, the ones of today first."""
    points, links = contact_points.c, patient_contacts.c
    query = select(points.kind, points.address).join(patient_contacts, links.contact_id == points.id)
    rows = conn.execute(query.where(links.patient_id == patient_id).order_by(links.is_current.desc(), points.id))
    return tuple(address_of(row.kind, row.address) for row in rows)


def contact_file(conn: Connection, address: Address) -> ContactFile:
    """Everything about one contact point.

    Raises:
        NotFound: it is not on the books. The message does not repeat it.
    """
    point = conn.execute(select(contact_points).where(contact_points.c.address == address.reveal())).first()
    if point is None:
        raise NotFound("this number or address is not on the books; check it, or give the patient's id")
    links = patient_contacts.c
    owners = conn.execute(
        select(links.patient_id, links.is_current).where(links.contact_id == point.id).order_by(links.patient_id)
    ).all()
    return ContactFile(
        address=address,
        channel=Channel(point.kind),
        patients=tuple(row.patient_id for row in owners if row.is_current),
        former_patients=tuple(row.patient_id for row in owners if not row.is_current),
        incapable_rule=point.incapable_rule,
        consents=_consents(conn, point.id, tuple(row.patient_id for row in owners if row.is_current)),
        sent=_sent(conn, point.id),
        received=_received(conn, point.id),
    )


def _consents(conn: Connection, contact_id: int, owners: tuple[str, ...]) -> tuple[ConsentEntry, ...]:
    """What was said on this contact point, and what its owners of today revoked elsewhere."""
    table = consents.c
    here = table.contact_id == contact_id
    elsewhere = among(table.patient_id, owners) & (table.status == ConsentStatus.REVOKED.value)
    rows = conn.execute(select(consents).where(here | elsewhere).order_by(table.at, table.seq)).all()
    words = _words(conn, {name for row in rows for name in _events_of(row.evidence)})
    seen: set[tuple[object, ...]] = set()
    entries = []
    for row in rows:
        # One revocation is written down for each contact point of the person: it is one entry of this file.
        key = (row.at, row.status, row.evidence, row.patient_id)
        if key in seen:
            continue
        seen.add(key)
        said = next((words[name] for name in _events_of(row.evidence) if name in words), None)
        entries.append(_entry(row, said))
    return tuple(entries)


def _events_of(evidence: str) -> tuple[str, ...]:
    """The event an entry was recorded with, and the one on another conversation that it passes on."""
    return tuple(dict.fromkeys((evidence, evidence.rpartition(":")[0] or evidence)))


def _words(conn: Connection, event_ids: set[str]) -> dict[str, str]:
    table = events.c
    query = select(table.id, table.body).where(among(table.id, event_ids), table.kind == _MESSAGE)
    return {row.id: row.body or "" for row in conn.execute(query)}


def _entry(row: AnyRow, words: str | None) -> ConsentEntry:
    return codec.restore(
        ConsentEntry,
        {
            "at": row.at,
            "recorded_at": row.recorded_at,
            "status": ConsentStatus(row.status),
            "how": ConsentHow(row.how),
            "by": row.recorded_by,
            "purpose": row.purpose,
            "evidence": row.evidence,
            "patient_id": row.patient_id,
            "words": words,
        },
    )


def _sent(conn: Connection, contact_id: int) -> tuple[SentEntry, ...]:
    rows = conn.execute(select(outbox).where(outbox.c.contact_id == contact_id).order_by(outbox.c.seq))
    names = (
        "created_at", "status_at", "status", "script_id", "script_version", "language", "approved_by", "content_hash",
        "rule", "provider_message_id", "delivery", "body",
    )  # fmt: skip
    return tuple(
        codec.restore(SentEntry, {name: getattr(row, name) for name in names} | {"kind": SendKind(row.kind)})
        for row in rows
    )


def _received(conn: Connection, contact_id: int) -> tuple[ReceivedEntry, ...]:
    table = events.c
    query = select(table.at, table.id, table.outcome, table.body)
    rows = conn.execute(query.where(table.sender_id == contact_id, table.kind == _MESSAGE).order_by(table.seq))
    return tuple(
        codec.restore(
            ReceivedEntry,
            {"at": row.at, "event_id": row.id, "rules": _rules(row.outcome), "words": row.body or ""},
        )
        for row in rows
    )


def _rules(outcome: str | None) -> tuple[str, ...]:
    return ("turn.pending",) if outcome is None else codec.load(TurnRecord, outcome).rules
