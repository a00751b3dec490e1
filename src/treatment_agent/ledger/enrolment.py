"""Putting cases on the books, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from treatment_agent.domain.books import NOT_IN_EXPORT, Enrolment
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Contact, Patient
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.treatment import Case
from treatment_agent.ledger import codec, entering, families
from treatment_agent.ledger.database import among, insert_into, one_at_a_time, write_many
from treatment_agent.ledger.journal import journal_row
from treatment_agent.ledger.people import Address, consent_row, contact_ids, link_patients
from treatment_agent.ledger.tables import cases, consents, conversations, journal, patients, revocation
from treatment_agent.ledger.uniting import renew, strictest, unite

BATCH = 1000
_LIVE = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Telling:
    """Which export tells of these cases, and when reading it began. `export_id` is None for a call of its own."""

    export_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Known:
    """A case that is on the books already."""

    case: Case
    conversation: Conversation
    skip_rule: str | None
    score: int
    value_cents: int
    told: Telling | None

    @property
    def booked(self) -> tuple[str, ...]:
        """The procedures our own booking is for, while it stands."""
        ours = self.conversation.booking
        return ours.procedure_ids if ours is not None and ours.status in _LIVE else ()

    def as_told(self, case: Case, telling: Telling) -> Case:
        """The case after this telling of it: united within one export, else renewed."""
        again = self.told is not None and telling.export_id is not None and self.told.export_id == telling.export_id
        return unite(self.case, case) if again else renew(self.case, case, self.booked)

    @property
    def untouched(self) -> bool:
        """Nobody wrote to or heard from the patient yet, so enrolment still decides whether it is due."""
        return self.conversation.phase is Phase.QUEUED and self.conversation.first_sent_at is None


def enroll_batch(conn: Connection, rows: Mapping[str, Enrolment], telling: Telling) -> tuple[str, ...]:
    """Put up to `BATCH` rows, by case id, on the books; return the ids of the new cases in the order they came."""
    one_at_a_time(conn, "enroll")
    rows = entering.still_entered(conn, rows)
    known = _known(conn, rows)
    fresh = {
        case_id: replace(row, case=known[case_id].as_told(row.case, telling)) if case_id in known else row
        for case_id, row in rows.items()
    }
    owners = _owners(fresh.values())
    contacts = {patient_id: owner.contact_on(telling.at.date()) for patient_id, owner in owners.items()}
    points = contact_ids(conn, {a for contact in contacts.values() for a in _addresses(contact).values()})
    _write_patients(conn, owners)
    link_patients(conn, {patient_id: {points[a] for a in _addresses(c).values()} for patient_id, c in contacts.items()})
    _write_cases(conn, fresh, known, telling)
    new = [row for case_id, row in fresh.items() if case_id not in known]
    _start_conversations(conn, new, at=telling.at)
    _update_conversations(conn, [(row, known[case_id]) for case_id, row in fresh.items() if case_id in known])
    entering.mark(conn, fresh, at=telling.at)
    _record_consents(conn, fresh.values(), contacts, points, at=telling.at)
    write_many(conn, journal.insert(), [journal_row(entry) for row in fresh.values() for entry in row.journal])
    return tuple(row.case.id for row in new)


def one_row_per_case(rows: Sequence[Enrolment]) -> dict[str, Enrolment]:
    """Rows about one case become one: united, with the ruling of the last and journal and consents of all."""
    merged: dict[str, Enrolment] = {}
    for row in rows:
        first = merged.get(row.case.id)
        if first is not None:
            row = replace(
                row,
                case=unite(first.case, row.case),
                journal=first.journal + row.journal,
                consents=first.consents + row.consents,
            )
        merged[row.case.id] = row
    return merged


def _owners(rows: Iterable[Enrolment]) -> dict[str, Patient]:
    """The patients by id; who has several cases counts as the strictest row about them says."""
    owners: dict[str, Patient] = {}
    for row in rows:
        owner = row.case.patient
        owners[owner.id] = strictest(owners[owner.id], owner) if owner.id in owners else owner
    return owners


def _known(conn: Connection, rows: Mapping[str, Enrolment]) -> dict[str, _Known]:
    table = conversations.c
    found = conn.execute(
        select(
            cases.c.id, cases.c.payload, cases.c.value_cents, cases.c.export_id, cases.c.exported_at,
            patients.c.payload.label("patient"), table.state, table.skip_rule, table.score,
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
            told=None if row.exported_at is None else Telling(row.export_id, row.exported_at),
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


def _write_cases(
    conn: Connection, rows: Mapping[str, Enrolment], known: Mapping[str, _Known], telling: Telling
) -> None:
    insert = insert_into(conn.dialect.name, cases)
    columns = ("patient_id", "payload", "value_cents", "diagnosed_on", "export_id", "exported_at")
    told = {case_id: _latest(known[case_id].told if case_id in known else None, telling) for case_id in rows}
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
                "export_id": told[case_id].export_id,
                "exported_at": told[case_id].at,
            }
            for case_id, row in rows.items()
        ],
    )


def _latest(before: Telling | None, now: Telling) -> Telling:
    """Of two exports read at once, the one that began later: by it the other cannot find the case missing."""
    return before if before is not None and before.at > now.at else now


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
        conversation, skip_rule = _as_ruled(row, old)
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


def _as_ruled(row: Enrolment, old: _Known) -> tuple[Conversation, str | None]:
    """What a ruling changes: everything before the first text, afterwards only that the case is listed again."""
    conversation, before = old.conversation, old.skip_rule
    if not old.untouched:
        return conversation, None if before == NOT_IN_EXPORT else before
    if row.skip_rule:
        return replace(conversation, due_at=None), row.skip_rule
    if families.stays(conversation, before):
        return conversation, before
    if before and conversation.due_at is None:
        conversation = replace(conversation, due_at=row.due_at)
    return conversation, None


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
