"""Who is reached by one conversation, and what consent stands for each contact point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, bindparam, func, or_, select

from treatment_agent.domain.books import ContactFacts
from treatment_agent.domain.consent import BY_STAFF, EVERYTHING, FOLLOW_UP, PASSED_ON, ConsentHow, ConsentStatus
from treatment_agent.domain.messages import Channel
from treatment_agent.ledger.database import AnyRow, AnySelect
from treatment_agent.ledger.people import address_of
from treatment_agent.ledger.tables import consents, contact_points, patient_contacts, revocation


@dataclass(frozen=True, slots=True)
class People:
    """Who is reached by one conversation: contact points now and formerly, and consent for the ones now."""

    contacts: tuple[ContactFacts, ...]
    current_ids: tuple[int, ...]
    revoked_at: datetime | None


def people(conn: Connection, *, patient_id: str | None, contact_id: int | None) -> People:
    """Read the contact points of a patient, or of a stranger, with the consent that stands for each."""
    whose = {"contact": contact_id} if patient_id is None else {"patient": patient_id}
    rows = conn.execute(_points_query(stranger=patient_id is None), whose).all()
    log = conn.execute(_consent_query(), {"points": [row.id for row in rows], "patient": patient_id}).all()
    facts = tuple(_facts(row, log, patient_id) for row in rows)
    if any(f.told_staff for f in facts):
        facts = tuple(replace(f, shared=_is_shared(conn, row.id)) for f, row in zip(facts, rows, strict=True))
    revoked = [f.consent_at for f in facts if f.consent is ConsentStatus.REVOKED and f.consent_at]
    return People(facts, tuple(row.id for row in rows), max(revoked, default=None))


def _is_shared(conn: Connection, contact_id: int) -> bool:
    links = patient_contacts.c
    have = select(func.count()).where(links.contact_id == contact_id, links.is_current)
    return conn.execute(have).scalar_one() > 1


@cache
def _points_query(*, stranger: bool) -> AnySelect:
    """Phones before mailboxes, so that the first contact is the one a text would use."""
    points, links = contact_points.c, patient_contacts.c
    query = select(points.id, points.kind, points.address, points.incapable_rule)
    if stranger:
        query = query.where(points.id == bindparam("contact"))
    else:
        query = query.join(patient_contacts, links.contact_id == points.id)
        query = query.where(links.patient_id == bindparam("patient"), links.is_current)
    return query.order_by(points.kind.desc(), points.id)


@cache
def _consent_query() -> AnySelect:
    """What was said on these contact points, and what the person revoked anywhere, in order of time.

    Only what concerns our texts: a grant for another purpose is no grant here.
    """
    table = consents.c
    ours = table.purpose.in_((FOLLOW_UP, EVERYTHING))
    on_point = table.contact_id.in_(bindparam("points", expanding=True))
    by_person = (table.patient_id == bindparam("patient")) & revocation
    columns = (table.contact_id, table.patient_id, table.status, table.at, table.how, table.recorded_by)
    return select(*columns).where(or_(on_point, by_person), ours).order_by(table.at, table.seq)


def _facts(point: AnyRow, log: Sequence[AnyRow], patient_id: str | None) -> ContactFacts:
    """Consent for one contact point: the latest of what was said on it, and of the person's own revocations.

    What somebody else on the number says later does not lift a revocation that this person told the office.
    """
    standing: AnyRow | None = None
    wrong_number = False
    for entry in log:
        own = entry.contact_id == point.id
        if own:
            granted = entry.status == ConsentStatus.GRANTED and entry.how in BY_STAFF
            wrong_number = entry.how == ConsentHow.WRONG_NUMBER or (wrong_number and not granted)
        by_person = patient_id is not None and entry.patient_id == patient_id
        if own and not by_person and _told_staff(standing, patient_id):
            continue
        if own or (by_person and entry.status == ConsentStatus.REVOKED):
            standing = entry
    return ContactFacts(
        channel=Channel(point.kind),
        address=address_of(point.kind, point.address),
        consent=ConsentStatus.NONE if standing is None else ConsentStatus(standing.status),
        consent_at=None if standing is None else standing.at,
        capable=point.incapable_rule is None,
        told_staff=_told_staff(standing, patient_id),
        wrong_number=wrong_number,
    )


def _told_staff(standing: AnyRow | None, patient_id: str | None) -> bool:
    """True for a revocation that this patient told a person; one passed on from the same number is not."""
    return (
        standing is not None
        and patient_id is not None
        and standing.patient_id == patient_id
        and standing.status == ConsentStatus.REVOKED
        and standing.how in BY_STAFF
        and standing.recorded_by != PASSED_ON
    )
