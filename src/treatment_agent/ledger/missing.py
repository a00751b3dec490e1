"""Cases that a complete export does not name any more."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, or_, select, update

from treatment_agent.domain.books import NOT_IN_EXPORT, JournalEntry
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import one_at_a_time, write_many
from treatment_agent.ledger.enrolment import Telling
from treatment_agent.ledger.journal import journal_row
from treatment_agent.ledger.people import is_live
from treatment_agent.ledger.tables import cases, conversations, journal


def skip_missing(conn: Connection, telling: Telling) -> tuple[str, ...]:
    """Put every case on hold that this complete export did not tell of; a still newer one's cases are not missing."""
    one_at_a_time(conn, "enroll")
    table = conversations.c
    earlier = or_(cases.c.exported_at.is_(None), cases.c.exported_at <= telling.at)
    other = or_(cases.c.export_id.is_(None), cases.c.export_id != telling.export_id)
    listed = or_(table.skip_rule.is_(None), table.skip_rule != NOT_IN_EXPORT)
    rows = conn.execute(
        select(table.id, table.patient_id, table.state)
        .join(cases, cases.c.id == table.id)
        .where(earlier, other, listed, table.disposition.is_(None))
        .order_by(table.id)
        .with_for_update(of=conversations)
    ).all()
    missing = {row.id: row.patient_id for row in rows if _goes_on(codec.load(Conversation, row.state))}
    if missing:
        held = update(conversations).where(table.id == bindparam("conversation")).values(skip_rule=NOT_IN_EXPORT)
        conn.execute(held, [{"conversation": case_id} for case_id in missing])
    entries = [
        JournalEntry(telling.at, "skip", NOT_IN_EXPORT, conversation_id=case_id, patient_id=patient_id)
        for case_id, patient_id in missing.items()
    ]
    write_many(conn, journal.insert(), [journal_row(entry) for entry in entries])
    return tuple(missing)


def _goes_on(conversation: Conversation) -> bool:
    """False once it has ended or a visit is on its way: then the list has no reason to name the case any more."""
    return is_live(conversation) and conversation.phase is not Phase.BOOKING_REQUESTED
