"""Contact points, whose they are, and consent for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, bindparam, select, update

from treatment_agent.domain.consent import EVERYTHING, FOLLOW_UP, ConsentHow, ConsentRecord, ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.turn import ConsentChange
from treatment_agent.ledger import codec, consent_writes
from treatment_agent.ledger.database import AnySelect, among, insert_into, write_many
from treatment_agent.ledger.tables import consents, contact_points, conversations, patient_contacts

Address = PhoneNumber | EmailAddress


def address_of(kind: str, address: str) -> Address:
    """The address in a row of `contact_points`, as it was parsed when it came in."""
    return PhoneNumber(address) if kind == Channel.SMS else EmailAddress(address)


def channel_of(address: Address) -> Channel:
    """How texts reach this address."""
    return Channel.SMS if isinstance(address, PhoneNumber) else Channel.EMAIL


def contact_ids(conn: Connection, addresses: Iterable[Address]) -> dict[Address, int]:
    """The ids of these contact points; the ones nobody knew are written first."""
    wanted = {a.reveal(): a for a in addresses}
    found = _ids_of(conn, wanted)
    if new := [a for a in wanted.values() if a not in found]:
        rows = [{"kind": str(channel_of(a)), "address": a.reveal()} for a in new]
        write_many(
            conn,
            insert_into(conn.dialect.name, contact_points).on_conflict_do_nothing(index_elements=["address"]),
            rows,
        )
        found |= _ids_of(conn, {a.reveal(): a for a in new})
    return found


def _ids_of(conn: Connection, wanted: Mapping[str, Address]) -> dict[Address, int]:
    if not wanted:
        return {}
    rows = conn.execute(_ids_query(), {"addresses": list(wanted)})
    return {wanted[row.address]: row.id for row in rows}


@cache
def _ids_query() -> AnySelect:
    points = contact_points.c
    return select(points.id, points.address).where(points.address.in_(bindparam("addresses", expanding=True)))


def is_live(conversation: Conversation) -> bool:
    """True while the conversation may still lead somewhere."""
    ended = conversation.phase in (Phase.CLOSED, Phase.OPTED_OUT)
    return not ended and conversation.disposition is None


def conversations_of(conn: Connection, address: Address) -> tuple[Conversation, ...]:
    """Conversations about the patients who have this address now, live ones first, then by our last text.

    A former owner of the number is not among them: whoever writes from it now may be somebody else.
    """
    rows = conn.execute(_reached_query(), {"address_text": address.reveal()})
    found = [codec.load(Conversation, row.state) for row in rows]
    return tuple(sorted(found, key=lambda c: not is_live(c)))


@cache
def _reached_query() -> AnySelect:
    table, links = conversations.c, patient_contacts.c
    return (
        select(table.state)
        .join(patient_contacts, links.patient_id == table.patient_id)
        .join(contact_points, contact_points.c.id == links.contact_id)
        .where(contact_points.c.address == bindparam("address_text"), links.is_current)
        .order_by(table.last_sent_at.desc().nulls_last(), table.enrolled_at.desc(), table.score.desc(), table.id)
    )


def stranger(conn: Connection, address: Address, *, at: datetime) -> Conversation:
    """The conversation of an address nobody knows.

    Its id is made of the contact point's row number: a hash of a phone number could be reversed by trying them all.
    """
    contact_id = contact_ids(conn, [address])[address]
    conversation = Conversation(id=f"stranger-{contact_id}")
    conn.execute(
        insert_into(conn.dialect.name, conversations)
        .values(
            id=conversation.id,
            contact_id=contact_id,
            phase=conversation.phase,
            score=0,
            held=False,
            enrolled_at=at,
            state=codec.dump(conversation),
        )
        .on_conflict_do_nothing(index_elements=["id"])
    )
    state = conn.execute(select(conversations.c.state).where(conversations.c.id == conversation.id)).scalar_one()
    return codec.load(Conversation, state)


def conversation_ids_of_patient(conn: Connection, patient_id: str) -> tuple[str, ...]:
    """Conversations about this patient, newest first."""
    table = conversations.c
    query = select(table.id).where(table.patient_id == patient_id).order_by(table.enrolled_at.desc(), table.id)
    return tuple(conn.scalars(query))


def mark_incapable(conn: Connection, address: Address, rule: str, *, at: datetime) -> None:
    """This address cannot receive texts."""
    contact_id = contact_ids(conn, [address])[address]
    conn.execute(
        update(contact_points)
        .where(contact_points.c.id == contact_id)
        .values(incapable_rule=rule, incapable_at=at)
    )  # fmt: skip


# -- consent


def record_consent(conn: Connection, address: Address, record: ConsentRecord, *, at: datetime) -> None:
    """Append a grant or revocation for a contact point, in the name of everybody who has it or ever had it.

    We cannot know which of several people on one number spoke, so a revocation binds each of them everywhere.
    """
    contact_id = contact_ids(conn, [address])[address]
    owners: list[str | None] = list(
        conn.scalars(select(patient_contacts.c.patient_id).where(patient_contacts.c.contact_id == contact_id))
    )
    conn.execute(consents.insert(), [consent_row(record, contact_id, owner, at) for owner in owners or [None]])


def change_consent(
    conn: Connection, conversation: Conversation, change: ConsentChange, *, event_id: str, sender: int | None,
    said_at: datetime, at: datetime,
) -> None:  # fmt: skip
    """Append what a turn learned: a revocation for every contact point of the person, a grant for the one that spoke.

    Without a sender, a grant is for the contact points of today, or those of the channel staff named. A number the
    person no longer has belongs to somebody else by now: nothing is recorded there, but the person's own revocation
    follows them. "Wrong number" is said by somebody who is not the patient: it binds only the number it came from.
    """
    record = _record(change, event_id, said_at)
    if change.how is ConsentHow.WRONG_NUMBER and sender is not None:
        conn.execute(consents.insert(), [consent_row(record, sender, None, at)])
        return
    points = set() if sender is None else {sender}
    if conversation.patient_id is None:
        points |= set(conn.scalars(select(conversations.c.contact_id).where(conversations.c.id == conversation.id)))
    elif sender is None or change.status is ConsentStatus.REVOKED:
        points |= _current_points(conn, conversation.patient_id, change.channel)
    rows = [consent_row(record, point, conversation.patient_id, at) for point in sorted(points - {None})]
    if rows:
        conn.execute(consents.insert(), rows)


def _record(change: ConsentChange, event_id: str, said_at: datetime) -> ConsentRecord:
    default = EVERYTHING if change.status is ConsentStatus.REVOKED else FOLLOW_UP
    return ConsentRecord(
        status=change.status,
        at=said_at,
        how=change.how,
        by=change.by,
        evidence=change.evidence or event_id,
        purpose=change.purpose or default,
    )


def _current_points(conn: Connection, patient_id: str, channel: Channel | None) -> set[int]:
    links, points = patient_contacts.c, contact_points.c
    query = select(links.contact_id).join(contact_points, points.id == links.contact_id)
    query = query.where(links.patient_id == patient_id, links.is_current)
    return set(conn.scalars(query.where(points.kind == str(channel)) if channel else query))


def consent_row(
    record: ConsentRecord, contact_id: int, patient_id: str | None, recorded_at: datetime
) -> dict[str, object]:
    """A row of `consents`."""
    return {
        "contact_id": contact_id,
        "patient_id": patient_id,
        "status": str(record.status),
        "at": record.at,
        "how": str(record.how),
        "recorded_by": record.by,
        "evidence": record.evidence,
        "purpose": record.purpose,
        "recorded_at": recorded_at,
        "chart_write": consent_writes.first_status(record, patient_id),
    }


def link_patients(conn: Connection, wanted: Mapping[str, set[int]]) -> None:
    """Make these the current contact points of these patients; the ones they had before stay as former ones."""
    links = patient_contacts.c
    rows = conn.execute(
        select(links.patient_id, links.contact_id, links.is_current).where(among(links.patient_id, wanted))
    )
    known = {(row.patient_id, row.contact_id): row.is_current for row in rows}
    new = [(p, c) for p, points in wanted.items() for c in points if (p, c) not in known]
    if new:
        write_many(
            conn,
            insert_into(conn.dialect.name, patient_contacts).on_conflict_do_nothing(
                index_elements=["patient_id", "contact_id"]
            ),
            [{"patient_id": p, "contact_id": c, "is_current": True} for p, c in new],
        )
    changed = [(p, c) for (p, c), current in known.items() if current != (c in wanted[p])]
    if changed:
        conn.execute(
            update(patient_contacts)
            .where(links.patient_id == bindparam("p"), links.contact_id == bindparam("c"))
            .values(is_current=bindparam("now")),
            [{"p": p, "c": c, "now": c in wanted[p]} for p, c in changed],
        )
