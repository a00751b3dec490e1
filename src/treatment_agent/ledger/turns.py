"""A turn: everything it needs, read in one go, and everything it leads to, written in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, func, select, union_all, update
from sqlalchemy.sql.dml import ReturningUpdate

from treatment_agent.domain.books import ConversationFacts, OutboxStatus, SentMark, TurnCommit
from treatment_agent.domain.conversation import Conversation, Disposition, Phase
from treatment_agent.domain.events import ChartChange, ChartChanged, Event, StaffAction, StaffVerb
from treatment_agent.domain.handoff import HandoffKind, HandoffStatus
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.treatment import Case, CaseKind
from treatment_agent.errors import NotFound
from treatment_agent.ledger import codec, desk, inputs
from treatment_agent.ledger import outbox as outbox_queries
from treatment_agent.ledger.database import AnyRow, AnySelect
from treatment_agent.ledger.journal import journal_row
from treatment_agent.ledger.people import change_consent, conversation_ids_of_patient, is_live
from treatment_agent.ledger.standing import people
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
# What staff do about the books, not with the patient.
_NOT_CONTACT = (
    StaffVerb.RECORD_CONSENT,
    StaffVerb.RECORD_REVOCATION,
    StaffVerb.APPROVE_TEXT,
    StaffVerb.REJECT_TEXT,
)

# A doubtful text may have gone out, so it counts towards the caps like a sent one.
_WENT_OUT = (OutboxStatus.SENT.value, OutboxStatus.SENDING.value, OutboxStatus.DOUBTFUL.value)


def facts(conn: Connection, conversation_id: str, *, at: datetime) -> ConversationFacts:
    """Everything a turn needs, in six queries.

    Raises:
        NotFound: no such conversation.
    """
    row = conn.execute(_conversation_query(), {"conversation": conversation_id}).first()
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
        shared_with=_shared_with(conn, conversation_id, who.current_ids, about),
        open_handoffs=desk.listed(conn, conversation_id=conversation_id, open_only=True),
        last_staff_at=max((moment for moment in staff if moment is not None), default=None),
        last_patient_at=row.last_patient_at,
        revoked_at=who.revoked_at,
        skip_rule=row.skip_rule,
        call_made=about is not None and about.kind is CaseKind.CALL_BACK and _call_made(conn, conversation_id, about),
    )


def _call_made(conn: Connection, conversation_id: str, about: Case) -> bool:
    """True when our own books have this patient's call-back tasks and somebody has seen to every one of them.

    A case that came from elsewhere has no task here: whoever listed it answers for it.
    """
    others = [i for i in conversation_ids_of_patient(conn, about.patient.id) if i != conversation_id]
    calls = [
        packet
        for other in others
        for packet in desk.listed(conn, conversation_id=other, open_only=False)
        if packet.kind is HandoffKind.CALL_BACK
    ]
    return bool(calls) and all(not desk.is_open(c) or c.acknowledged_at is not None for c in calls)


@cache
def _conversation_query() -> AnySelect:
    table = conversations.c
    wrote = (events.c.conversation_id == table.id) & (events.c.kind == "patient_message")
    last_written = select(func.max(events.c.at)).where(wrote).scalar_subquery()
    columns = (
        table.state,
        table.contact_id,
        table.skip_rule,
        table.last_staff_at,
        cases.c.payload,
        patients.c.payload.label("patient"),
        patients.c.household_id,
        last_written.label("last_patient_at"),
    )
    query = select(*columns).outerjoin(cases, cases.c.id == table.id)
    return query.outerjoin(patients, patients.c.id == table.patient_id).where(table.id == bindparam("conversation"))


def _sent(
    conn: Connection, patient_id: str | None, household_id: str | None, contact_id: int | None, *, since: datetime
) -> tuple[SentMark, ...]:
    """What went out to the person's and the household's contact points, newest first."""
    whose = {"contact": contact_id} if patient_id is None else {"patient": patient_id, "household": household_id}
    rows = conn.execute(_sent_query(stranger=patient_id is None), {"since": since} | whose)
    return tuple(SentMark(row.status_at, SendKind(row.kind), row.conversation_id) for row in rows)


@cache
def _sent_query(*, stranger: bool) -> AnySelect:
    texts, links = outbox.c, patient_contacts.c
    if stranger:
        reached = texts.contact_id == bindparam("contact")
    else:
        # A household that is not known is NULL, which equals nothing.
        members = union_all(
            select(bindparam("patient", type_=patients.c.id.type)),
            select(patients.c.id).where(patients.c.household_id == bindparam("household")),
        )
        reached = texts.contact_id.in_(select(links.contact_id).where(links.patient_id.in_(members)))
    return (
        select(texts.status_at, texts.kind, texts.conversation_id)
        .where(reached, texts.status_at >= bindparam("since"), texts.status.in_(_WENT_OUT))
        .order_by(texts.status_at.desc(), texts.seq.desc())
    )


def _shared_with(
    conn: Connection, conversation_id: str, points: tuple[int, ...], about: Case | None
) -> tuple[str, ...]:
    rows = conn.execute(_sharing_query(), {"points": points, "conversation": conversation_id})
    found = [c for row in rows if is_live(c := codec.load(Conversation, row.state))]
    return tuple(c.id for c in found if not _waits_for_call(c, about))


def _waits_for_call(other: Conversation, about: Case | None) -> bool:
    """The conversation in which the patient asked for the call that this one is about: the same person waits in it."""
    owed = about is not None and about.kind is CaseKind.CALL_BACK and other.patient_id == about.patient.id
    return owed and other.phase is Phase.CALLBACK_REQUESTED and not other.held


@cache
def _sharing_query() -> AnySelect:
    """Other conversations on these contact points that were written to, the last one first."""
    table, links = conversations.c, patient_contacts.c
    on_point = links.contact_id.in_(bindparam("points", expanding=True))
    sharing = select(links.patient_id).where(on_point, links.is_current)
    return (
        select(table.id, table.state)
        .where(table.patient_id.in_(sharing), table.id != bindparam("conversation"), table.last_sent_at.is_not(None))
        .order_by(table.last_sent_at.desc(), table.id)
    )


def commit_turn(conn: Connection, commit: TurnCommit, *, at: datetime) -> bool:
    """Write a whole turn; False, and nothing changed, if its event has an outcome already.

    Raises:
        NotFound: the event was never claimed.
    """
    record, conversation = commit.record, commit.conversation
    event = conn.execute(_outcome_update(), {"event": record.id, "outcome": codec.dump(record)}).first()
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
    if commit.inputs is not None:
        inputs.add(conn, record.id, commit.inputs)
    if commit.journal:
        conn.execute(journal.insert(), [journal_row(e, patient_id=conversation.patient_id) for e in commit.journal])
    return True


@cache
def _outcome_update() -> ReturningUpdate[Any]:
    """The outcome, for an event that has none yet: of two workers, one gets the row."""
    table = events.c
    unhandled = update(events).where(table.id == bindparam("event"), table.outcome.is_(None))
    return unhandled.returning(table.kind, table.at, table.payload, table.body, table.sender_id)


def _write_conversation(conn: Connection, commit: TurnCommit, event: AnyRow) -> None:
    after = commit.conversation
    values: dict[str, object] = {
        "phase": str(after.phase),
        "due_at": after.due_at,
        "held": after.held,
        "disposition": None if after.disposition is None else str(after.disposition),
        "state": codec.dump(after),
    }
    happened = codec.load_event(event.kind, commit.record.id, event.at, event.payload)
    if _is_staff_contact(happened):
        values["last_staff_at"] = event.at
    # Work that was done had been booked: the booking stands, whoever made it.
    done = isinstance(happened, ChartChanged) and happened.change is ChartChange.DONE
    booked = {} if done else _booked(after, commit.record.at)
    query = _conversation_update(newly_booked=bool(booked.get("first_at")))
    changed = conn.execute(query, values | booked | {"conversation": after.id})
    if changed.rowcount != 1:
        raise NotFound(f"no conversation {after.id!r} in this ledger")


@cache
def _conversation_update(*, newly_booked: bool) -> Update:
    table = conversations.c
    query = update(conversations).where(table.id == bindparam("conversation"))
    if not newly_booked:
        return query
    return query.values(
        booked_at=func.coalesce(table.booked_at, bindparam("first_at", type_=table.booked_at.type)),
        booked_on=func.coalesce(table.booked_on, bindparam("first_on", type_=table.booked_on.type)),
    )


def _is_staff_contact(event: Event) -> bool:
    """True for an event that means somebody of the office dealt with the patient."""
    if isinstance(event, StaffAction):
        return event.verb not in _NOT_CONTACT
    return isinstance(event, ChartChanged) and event.change is ChartChange.STAFF_CONTACT


def _booked(after: Conversation, at: datetime) -> dict[str, object]:
    """When the visit was first booked, by us or by staff, and the office's date then; cleared when it is given up.

    Kept through later turns: a patient who writes after booking is still booked.
    """
    ours = any(b is not None and b.status is BookingStatus.CONFIRMED for b in (after.booking, after.standing))
    by_staff = after.disposition is Disposition.BOOKED_BY_STAFF
    if not ours and not by_staff:
        return {"booked_at": None, "booked_on": None}
    if not by_staff and after.phase is not Phase.BOOKED and after.disposition is not Disposition.BOOKED:
        return {}
    known = (after.booking.slot,) if after.booking else after.offers
    zone = known[0].start.tzinfo if known else at.tzinfo
    return {"first_at": at, "first_on": at.astimezone(zone).date()}


def _write_handoffs(conn: Connection, commit: TurnCommit, text: str | None) -> None:
    record = commit.record
    status = record.desk

    def move() -> None:
        if status is not None:
            desk.move_holding(conn, record.conversation_id, status, by=record.desk_by, at=record.at)

    # Staff acknowledge what this turn opens (they took over), but let go only of what was open before it.
    if status is HandoffStatus.ACKNOWLEDGED:
        desk.put(conn, commit.handoffs, undelivered=commit.undelivered)
        move()
    else:
        move()
        desk.put(conn, commit.handoffs, undelivered=commit.undelivered)
    if commit.attach_words_to is not None and text:
        refused = commit.attach_words_to in commit.undelivered
        desk.attach_words(conn, commit.attach_words_to, text, undelivered=refused)


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
