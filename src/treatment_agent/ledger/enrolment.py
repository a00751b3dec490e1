"""Putting cases on the books, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from treatment_agent.domain.books import Enrolment
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Contact, Patient
from treatment_agent.domain.treatment import Case, Procedure
from treatment_agent.ledger import codec, entering
from treatment_agent.ledger.database import among, insert_into, one_at_a_time, write_many
from treatment_agent.ledger.journal import journal_row
from treatment_agent.ledger.people import Address, consent_row, contact_ids, link_patients
from treatment_agent.ledger.tables import cases, consents, conversations, journal, patients, revocation

BATCH = 1000


@dataclass(frozen=True, slots=True)
class _Known:
    """A case that is on the books already."""

    case: Case
    conversation: Conversation
    skip_rule: str | None
    score: int
    value_cents: int

    @property
    def untouched(self) -> bool:
        """Nobody wrote to or heard from the patient yet, so enrolment still decides whether it is due."""
        return self.conversation.phase is Phase.QUEUED and self.conversation.first_sent_at is None


def enroll_batch(conn: Connection, rows: Sequence[Enrolment], *, at: datetime) -> tuple[str, ...]:
    """Put up to `BATCH` rows on the books; return the ids of the new cases in the order they came."""
    one_at_a_time(conn, "enroll")
    merged = entering.still_entered(conn, _one_row_per_case(rows))
    known = _known(conn, merged)
    fresh = {
        case_id: replace(row, case=merge(known[case_id].case, row.case)) if case_id in known else row
        for case_id, row in merged.items()
    }
    contacts = {row.case.patient.id: row.case.patient.contact_on(at.date()) for row in fresh.values()}
    points = contact_ids(conn, {a for contact in contacts.values() for a in _addresses(contact).values()})
    _write_patients(conn, {row.case.patient.id: row.case.patient for row in fresh.values()})
    link_patients(conn, {patient_id: {points[a] for a in _addresses(c).values()} for patient_id, c in contacts.items()})
    _write_cases(conn, fresh, known)
    new = [row for case_id, row in fresh.items() if case_id not in known]
    _start_conversations(conn, new, at=at)
    _update_conversations(conn, [(row, known[case_id]) for case_id, row in fresh.items() if case_id in known])
    entering.mark(conn, fresh, at=at)
    _record_consents(conn, fresh.values(), contacts, points, at=at)
    write_many(conn, journal.insert(), [journal_row(entry) for row in fresh.values() for entry in row.journal])
    return tuple(row.case.id for row in new)


def merge(old: Case, new: Case) -> Case:
    """The newer data, with the procedures of both: same id, the newer one; the order of first appearance."""
    procedures: dict[str, Procedure] = {p.id: p for p in old.procedures}
    procedures |= {p.id: p for p in new.procedures}
    return new.model_copy(update={"procedures": tuple(procedures.values())})


def _one_row_per_case(rows: Sequence[Enrolment]) -> dict[str, Enrolment]:
    """Rows about one case become one: data and ruling of the last, journal and consents of all."""
    merged: dict[str, Enrolment] = {}
    for row in rows:
        first = merged.get(row.case.id)
        if first is not None:
            row = replace(
                row,
                case=merge(first.case, row.case),
                journal=first.journal + row.journal,
                consents=first.consents + row.consents,
            )
        merged[row.case.id] = row
    return merged


def _known(conn: Connection, rows: Mapping[str, Enrolment]) -> dict[str, _Known]:
    table = conversations.c
    found = conn.execute(
        select(
            cases.c.id, cases.c.payload, cases.c.value_cents, patients.c.payload.label("patient"),
            table.state, table.skip_rule, table.score,
        )
        .join(patients, patients.c.id == cases.c.patient_id)
        .join(conversations, table.id == cases.c.id)
        .where(among(cases.c.id, rows))
        .with_for_update(of=conversations)
    )  # fmt: skip
    return {
        row.id: _Known(
            case=codec.load_case(row.id, row.patient, row.payload),
            conversation=codec.load(Conversation, row.state),
            skip_rule=row.skip_rule,
            score=row.score,
            value_cents=row.value_cents,
        )
        for row in found
    }


def _addresses(contact: Contact) -> dict[Channel, Address]:
    found: dict[Channel, Address] = {}
    if contact.mobile is not None:
        found[Channel.SMS] = contact.mobile
    if contact.email is not None:
        found[Channel.EMAIL] = contact.email
    return found


def _write_patients(conn: Connection, people: Mapping[str, Patient]) -> None:
    insert = insert_into(conn.dialect.name, patients)
    refreshed = {"household_id": insert.excluded.household_id, "payload": insert.excluded.payload}
    write_many(
        conn,
        insert.on_conflict_do_update(index_elements=["id"], set_=refreshed),
        [
            {"id": p.id, "household_id": p.household_id, "payload": codec.dump_patient(p)}
            for p in people.values()
        ],
    )  # fmt: skip


def _write_cases(conn: Connection, rows: Mapping[str, Enrolment], known: Mapping[str, _Known]) -> None:
    insert = insert_into(conn.dialect.name, cases)
    columns = ("patient_id", "payload", "value_cents", "diagnosed_on")
    write_many(
        conn,
        insert.on_conflict_do_update(index_elements=["id"], set_={c: insert.excluded[c] for c in columns}),
        [
            {
                "id": case_id,
                "patient_id": row.case.patient.id,
                "payload": codec.dump_case(row.case),
                # Booked work is no longer open, yet its value entered the funnel: the most it was ever worth stands.
                "value_cents": max(row.case.value_cents, known[case_id].value_cents if case_id in known else 0),
                "diagnosed_on": row.case.diagnosed_on,
            }
            for case_id, row in rows.items()
        ],
    )


def _start_conversations(conn: Connection, rows: Sequence[Enrolment], *, at: datetime) -> None:
    starts = []
    for row in rows:
        due_at = None if row.skip_rule else row.due_at
        patient = row.case.patient
        started = Conversation(
            id=row.case.id, case_id=row.case.id, patient_id=patient.id, language=patient.language, due_at=due_at
        )
        starts.append({
            "id": row.case.id, "patient_id": patient.id, "phase": str(started.phase), "due_at": due_at,
            "score": row.score, "held": False, "skip_rule": row.skip_rule, "enrolled_at": at,
            "state": codec.dump(started),
        })  # fmt: skip
    write_many(conn, conversations.insert(), starts)


def _update_conversations(conn: Connection, rows: Iterable[tuple[Enrolment, _Known]]) -> None:
    changes = []
    for row, old in rows:
        conversation, skip_rule = old.conversation, old.skip_rule
        if old.untouched:
            skip_rule = row.skip_rule
            if row.skip_rule:
                conversation = replace(conversation, due_at=None)
            elif old.skip_rule:
                conversation = replace(conversation, due_at=row.due_at)
        if (conversation, skip_rule, row.score) == (old.conversation, old.skip_rule, old.score):
            continue
        changes.append({
            "conversation": conversation.id, "new_score": row.score, "new_skip": skip_rule,
            "new_due": conversation.due_at, "new_state": codec.dump(conversation),
        })  # fmt: skip
    if not changes:
        return
    conn.execute(
        update(conversations)
        .where(conversations.c.id == bindparam("conversation"))
        .values(
            score=bindparam("new_score"), skip_rule=bindparam("new_skip"),
            due_at=bindparam("new_due"), state=bindparam("new_state"),
        ),
        changes,
    )  # fmt: skip


def _record_consents(
    conn: Connection, rows: Iterable[Enrolment], contacts: Mapping[str, Contact], points: Mapping[Address, int],
    *, at: datetime,
) -> None:  # fmt: skip
    """Consent from the chart, only where nobody has spoken yet: the number's owner, or the person on another number."""
    wanted = []
    for row in rows:
        addresses = _addresses(contacts[row.case.patient.id])
        for record in row.consents:
            address = addresses.get(record.channel)
            if address is not None:
                wanted.append((points[address], row.case.patient.id, record))
    if not wanted:
        return
    spoken = set(conn.scalars(
        select(consents.c.contact_id).distinct().where(among(consents.c.contact_id, {point for point, _, _ in wanted}))
    ))  # fmt: skip
    refused = set(conn.scalars(
        select(consents.c.patient_id).distinct().where(
            among(consents.c.patient_id, {patient for _, patient, _ in wanted}),
            revocation,
        )
    ))  # fmt: skip
    entries = []
    for point, patient_id, record in wanted:
        if point not in spoken and not (record.status is ConsentStatus.GRANTED and patient_id in refused):
            entries.append(consent_row(record, point, patient_id, at))
            spoken.add(point)
    write_many(conn, consents.insert(), entries)
