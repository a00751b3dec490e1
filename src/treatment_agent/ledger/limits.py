"""The office's log, what went out lately, touches that wait, and approvals of new script versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, String, and_, cast, func, select, update

from treatment_agent.domain.books import ConversationRow, JournalEntry, OutboxStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.office import (
    Approval,
    ApprovalStatus,
    HeldBack,
    LogEntry,
    LogKind,
    Proof,
    ScriptKey,
    approval_id,
)
from treatment_agent.errors import NotFound
from treatment_agent.ledger import journal, reading
from treatment_agent.ledger.database import AnyRow, among, insert_into
from treatment_agent.ledger.office_tables import approvals, held_back, is_outreach, office_log
from treatment_agent.ledger.tables import consents, conversations, outbox, revocation

_WENT_OUT = (OutboxStatus.SENT.value, OutboxStatus.SENDING.value, OutboxStatus.DOUBTFUL.value)
_ANSWER_OPEN = (Phase.CONTACTED.value, Phase.IN_CONVERSATION.value, Phase.OFFER_OPEN.value)


def log(conn: Connection, entry: LogEntry) -> None:
    """Append a line to the office's log."""
    conn.execute(
        office_log.insert().values(
            at=entry.at,
            what=entry.what.value,
            value=entry.value,
            rule=entry.rule,
            by=entry.by,
            note=entry.note,
        )
    )


def last_log(conn: Connection, what: LogKind) -> LogEntry | None:
    """The newest line of a kind: the one written last, whatever its time."""
    query = select(office_log).where(office_log.c.what == what.value).order_by(office_log.c.seq.desc()).limit(1)
    row = conn.execute(query).first()
    return None if row is None else LogEntry(row.at, LogKind(row.what), row.value, row.rule, row.by, row.note)


def count_log(conn: Connection, what: LogKind, *, since: datetime, values: Sequence[str]) -> int:
    """Lines of a kind with one of these values."""
    table = office_log.c
    found = and_(table.what == what.value, table.at >= since, table.value.in_(list(values)))
    return conn.scalar(select(func.count()).select_from(office_log).where(found)) or 0


def outreach_sent(conn: Connection, *, since: datetime) -> int:
    """Outreach sent, on its way or in doubt. By the index of recent outreach."""
    sent = and_(is_outreach, outbox.c.status_at >= since, outbox.c.status.in_(_WENT_OUT))
    return conn.scalar(select(func.count()).select_from(outbox).where(sent)) or 0


def opt_outs(conn: Connection, *, since: datetime) -> int:
    """People who revoked; one with two numbers counts once, and so does a number that nobody knows."""
    who = func.coalesce(consents.c.patient_id, cast(consents.c.contact_id, String))
    query = select(func.count(who.distinct())).where(revocation, consents.c.recorded_at >= since)
    return conn.scalar(query) or 0


def invited(conn: Connection, *, since: datetime) -> tuple[ConversationRow, ...]:
    """Cases with recent outreach that are still open, in the order of their ids."""
    sent = and_(is_outreach, outbox.c.status_at >= since, outbox.c.status.in_(_WENT_OUT))
    recent = select(outbox.c.conversation_id).where(sent)
    table = conversations.c
    open_ones = select(table.id).where(table.id.in_(recent), table.phase.in_(_ANSWER_OPEN)).order_by(table.id)
    return reading.rows(conn, conn.scalars(open_ones).all())


def hold_back(conn: Connection, touches: Sequence[HeldBack], *, at: datetime) -> None:
    """Write what changed, and a journal entry for each of those: a touch that waits for days is told once."""
    if not touches:
        return
    found = conn.execute(
        select(held_back).where(among(held_back.c.conversation_id, [t.conversation_id for t in touches]))
    )
    known = {row.conversation_id: (row.rule, row.due_at) for row in found}
    new = [t for t in touches if known.get(t.conversation_id) != (t.rule, t.due_at)]
    if not new:
        return
    insert = insert_into(conn.dialect.name, held_back)
    columns = ("rule", "due_at", "at")
    conn.execute(
        insert.on_conflict_do_update(
            index_elements=["conversation_id"], set_={name: insert.excluded[name] for name in columns}
        ),
        [{"conversation_id": t.conversation_id, "rule": t.rule, "due_at": t.due_at, "at": at} for t in new],
    )
    entries = [JournalEntry(at=at, action="hold back", rule=t.rule, conversation_id=t.conversation_id) for t in new]
    journal.add_journal(conn, entries)


def held_back_counts(conn: Connection) -> dict[str, int]:
    """By rule; a conversation whose touch was made since, or moved, does not count any more."""
    still = and_(conversations.c.id == held_back.c.conversation_id, conversations.c.due_at == held_back.c.due_at)
    query = (
        select(held_back.c.rule, func.count().label("size"))
        .select_from(held_back.join(conversations, still))
        .group_by(held_back.c.rule)
        .order_by(held_back.c.rule)
    )
    return {row.rule: row.size for row in conn.execute(query)}


def proof(conn: Connection, script: ScriptKey, conversation_id: str) -> Proof:
    """Approvals of this version, and whether another version of the same text went out before."""
    table = approvals.c
    same = and_(
        table.script_id == script.script_id, table.language == script.language, table.script_version == script.version
    )
    rows = conn.execute(select(table.status, func.count().label("size")).where(same).group_by(table.status))
    counts = {row.status: row.size for row in rows}
    mine = conn.scalar(select(table.status).where(table.id == approval_id(conversation_id, script)))
    return Proof(
        approved=counts.get(ApprovalStatus.APPROVED.value, 0),
        pending=counts.get(ApprovalStatus.PENDING.value, 0),
        changed=_changed(conn, script),
        mine=None if mine is None else ApprovalStatus(mine),
    )


def _changed(conn: Connection, script: ScriptKey) -> bool:
    """True when another version went out first. The newest outreach is looked at first, so it is found at once."""
    other = and_(
        is_outreach,
        outbox.c.script_id == script.script_id,
        outbox.c.language == script.language,
        outbox.c.script_version != script.version,
        outbox.c.status.in_(_WENT_OUT),
    )
    return conn.scalar(select(outbox.c.seq).where(other).order_by(outbox.c.status_at.desc()).limit(1)) is not None


def ask_approval(conn: Connection, approval: Approval) -> None:
    """Put it on the list; one that is there stays as it is."""
    insert = insert_into(conn.dialect.name, approvals).values(
        id=approval.id,
        conversation_id=approval.conversation_id,
        script_id=approval.script.script_id,
        script_version=approval.script.version,
        language=approval.script.language,
        status=approval.status.value,
        asked_at=approval.asked_at,
        decided_by="",
    )
    conn.execute(insert.on_conflict_do_nothing(index_elements=["id"]))


def listed_approvals(conn: Connection, status: ApprovalStatus | None) -> tuple[Approval, ...]:
    """In the order they were asked for."""
    query = select(approvals).order_by(approvals.c.asked_at, approvals.c.id)
    if status is not None:
        query = query.where(approvals.c.status == status.value)
    return tuple(_approval(row) for row in conn.execute(query))


def decide_approval(
    conn: Connection, wanted: str, status: ApprovalStatus, *, by: str, at: datetime
) -> Approval:  # fmt: skip
    """Write a person's decision; the first one stands.

    Raises:
        NotFound: nothing with this id waits for approval.
    """
    table = approvals.c
    conn.execute(
        update(approvals)
        .where(table.id == wanted, table.status == ApprovalStatus.PENDING.value)
        .values(status=status.value, decided_by=by, decided_at=at)
    )
    row = conn.execute(select(approvals).where(table.id == wanted)).first()
    if row is None:
        raise NotFound(f"no text {wanted!r} waits for approval; `treatment-agent outreach` lists those that do")
    return _approval(row)


def _approval(row: AnyRow) -> Approval:
    return Approval(
        conversation_id=row.conversation_id,
        script=ScriptKey(row.script_id, row.script_version, row.language),
        status=ApprovalStatus(row.status),
        asked_at=row.asked_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )
