"""A turn: everything it needs, read in one go, and everything it leads to, written in one transaction."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, literal, or_, select, update

from treatment_agent.domain.books import ConversationFacts, OutboxStatus, SentMark, TurnCommit
from treatment_agent.domain.conversation import Conversation, Disposition, Phase
from treatment_agent.domain.events import ChartChange, ChartChanged, Event, StaffAction, StaffVerb
from treatment_agent.domain.handoff import HandoffStatus
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.errors import NotFound
from treatment_agent.ledger import codec, desk
from treatment_agent.ledger import outbox as outbox_queries
from treatment_agent.ledger.database import AnyRow
from treatment_agent.ledger.journal import journal_row
from treatment_agent.ledger.people import change_consent, is_live, people
from treatment_agent.ledger.tables import (
    cases,
    conversations,
    events,
    journal,
    outbox,
    patient_contacts,
    patients,
    reasons,
)

SENT_MEMORY = timedelta(days=60)

# A doubtful text may have gone out, so it counts towards the caps like a sent one.
_WENT_OUT = (OutboxStatus.SENT.value, OutboxStatus.SENDING.value, OutboxStatus.DOUBTFUL.value)


def facts(conn: Connection, conversation_id: str, *, at: datetime) -> ConversationFacts:
    """Everything a turn needs, in six queries.

    Raises:
        NotFound: no such conversation.
    """
    table = conversations.c
    wrote = (events.c.conversation_id == table.id) & (events.c.kind == "patient_message")
    last_written = select(func.max(events.c.at)).where(wrote).scalar_subquery()
    row = conn.execute(
        select(
            table.state, table.contact_id, table.skip_rule, table.last_staff_at,
            cases.c.payload, patients.c.payload.label("patient"), patients.c.household_id,
            last_written.label("last_patient_at"),
        )
        .outerjoin(cases, cases.c.id == table.id)
        .outerjoin(patients, patients.c.id == table.patient_id)
        .where(table.id == conversation_id)
    ).first()  # fmt: skip
    if row is None:
        raise NotFound(f"no conversation {conversation_id!r} in this ledger")
    conversation = codec.load(Conversation, row.state)
    about = None if row.payload is None else codec.load_case(conversation_id, row.patient, row.payload)
    who = people(conn, patient_id=conversation.patient_id, contact_id=row.contact_id)
    staff = [row.last_staff_at, None if about is None else about.last_staff_contact_at]
    return ConversationFacts(
        conversation=conversation,
        case=about,
        contacts=who.contacts,
        sent=_sent(conn, conversation.patient_id, row.household_id, row.contact_id, since=at - SENT_MEMORY),
        shared_with=_shared_with(conn, conversation_id, who.current_ids),
        open_handoffs=desk.listed(conn, conversation_id=conversation_id, open_only=True),
        last_staff_at=max((moment for moment in staff if moment is not None), default=None),
        last_patient_at=row.last_patient_at,
        revoked_at=who.revoked_at,
        skip_rule=row.skip_rule,
    )


def _sent(
    conn: Connection, patient_id: str | None, household_id: str | None, contact_id: int | None, *, since: datetime
) -> tuple[SentMark, ...]:
    """What went out to the person's and the household's contact points, newest first."""
    links = patient_contacts.c
    if patient_id is None:
        reached: ColumnElement[bool] = outbox.c.contact_id == contact_id
    else:
        members: ColumnElement[bool] = links.patient_id == patient_id
        if household_id is not None:
            same = select(patients.c.id).where(patients.c.household_id == household_id)
            members = or_(members, links.patient_id.in_(same))
        reached = outbox.c.contact_id.in_(select(links.contact_id).where(members))
    rows = conn.execute(
        select(outbox.c.status_at, outbox.c.kind, outbox.c.conversation_id)
        .where(reached, outbox.c.status_at >= since, outbox.c.status.in_(_WENT_OUT))
        .order_by(outbox.c.status_at.desc(), outbox.c.seq.desc())
    )
    return tuple(SentMark(row.status_at, SendKind(row.kind), row.conversation_id) for row in rows)


def _shared_with(conn: Connection, conversation_id: str, points: tuple[int, ...]) -> tuple[str, ...]:
    table, links = conversations.c, patient_contacts.c
    sharing = select(links.patient_id).where(links.contact_id.in_(points), links.is_current)
    rows = conn.execute(
        select(table.id, table.state)
        .where(table.patient_id.in_(sharing), table.id != conversation_id, table.last_sent_at.is_not(None))
        .order_by(table.last_sent_at.desc(), table.id)
    )
    return tuple(row.id for row in rows if is_live(codec.load(Conversation, row.state)))


def commit_turn(conn: Connection, commit: TurnCommit, *, at: datetime) -> bool:
    """Write a whole turn; False, and nothing changed, if its event has an outcome already.

    Raises:
        NotFound: the event was never claimed.
    """
    record, conversation = commit.record, commit.conversation
    event = conn.execute(
        update(events)
        .where(events.c.id == record.id, events.c.outcome.is_(None))
        .values(outcome=codec.dump(record))
        .returning(events.c.kind, events.c.at, events.c.payload, events.c.body, events.c.sender_id)
    ).first()
    if event is None:
        if conn.scalar(select(events.c.id).where(events.c.id == record.id)) is None:
            raise NotFound(f"no event {record.id!r} in this ledger")
        return False
    _write_conversation(conn, commit, event)
    outbox_queries.add(conn, commit.outbox, event_id=record.id, at=at)
    _write_handoffs(conn, commit, event.body)
    if record.consent is not None:
        change_consent(
            conn, conversation, record.consent,
            event_id=record.id, sender=event.sender_id, said_at=event.at, at=at,
        )  # fmt: skip
    _write_reason(conn, commit, event.body)
    if commit.journal:
        conn.execute(journal.insert(), [journal_row(e, patient_id=conversation.patient_id) for e in commit.journal])
    return True


def _write_conversation(conn: Connection, commit: TurnCommit, event: AnyRow) -> None:
    after = commit.conversation
    values: dict[str, object] = {
        "phase": str(after.phase),
        "due_at": after.due_at,
        "held": after.held,
        "disposition": None if after.disposition is None else str(after.disposition),
        "state": codec.dump(after),
    }
    if _is_staff_contact(codec.load_event(event.kind, commit.record.id, event.at, event.payload)):
        values["last_staff_at"] = event.at
    changed = conn.execute(
        update(conversations).where(conversations.c.id == after.id).values(**values, **_booked(after, commit.record.at))
    )
    if changed.rowcount != 1:
        raise NotFound(f"no conversation {after.id!r} in this ledger")


def _is_staff_contact(event: Event) -> bool:
    """True for an event that means somebody of the office dealt with the patient."""
    if isinstance(event, StaffAction):
        return event.verb not in (StaffVerb.RECORD_CONSENT, StaffVerb.RECORD_REVOCATION)
    return isinstance(event, ChartChanged) and event.change is ChartChange.STAFF_CONTACT


def _booked(after: Conversation, at: datetime) -> dict[str, object]:
    """When a confirmed booking was first made, and the office's date then; cleared when it is given up.

    Kept through later turns: a patient who writes after booking is still booked.
    """
    booking = after.booking
    if booking is None or booking.status is not BookingStatus.CONFIRMED:
        return {"booked_at": None, "booked_on": None}
    if after.phase is not Phase.BOOKED and after.disposition is not Disposition.BOOKED:
        return {}
    table = conversations.c
    today: date = at.astimezone(booking.slot.start.tzinfo).date()
    return {
        "booked_at": func.coalesce(table.booked_at, literal(at, table.booked_at.type)),
        "booked_on": func.coalesce(table.booked_on, literal(today, table.booked_on.type)),
    }


def _write_handoffs(conn: Connection, commit: TurnCommit, text: str | None) -> None:
    record = commit.record
    status = record.desk

    def move() -> None:
        if status is not None:
            desk.move_holding(conn, record.conversation_id, status, by=record.desk_by, at=record.at)

    # Staff acknowledge what this turn opens (they took over), but let go only of what was open before it.
    if status is HandoffStatus.ACKNOWLEDGED:
        desk.put(conn, commit.handoffs)
        move()
    else:
        move()
        desk.put(conn, commit.handoffs)
    if commit.attach_words_to is not None and text:
        desk.attach_words(conn, commit.attach_words_to, text)


def _write_reason(conn: Connection, commit: TurnCommit, text: str | None) -> None:
    note = commit.record.reason
    if note is None:
        return
    heard = text or ""
    words = " ... ".join(span.of(heard) for span in note.evidence) if note.evidence else heard
    conn.execute(
        reasons.insert().values(
            event_id=commit.record.id,
            conversation_id=commit.conversation.id,
            code=str(note.code),
            until=note.until,
            at=commit.record.at,
            words=words,
        )
    )
