"""`SqlOffice`: the part of the ledger that is about the whole office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from treatment_agent.domain.books import ConversationRow, JournalEntry
from treatment_agent.domain.handoff import Draft, HandoffPacket
from treatment_agent.domain.office import Approval, ApprovalStatus, HeldBack, LogEntry, LogKind, Proof, ScriptKey
from treatment_agent.ledger import desk, journal, limits
from treatment_agent.ledger.database import Database


class SqlOffice:
    """`ports.OfficeBooks` over SQLAlchemy Core; `SqlLedger` is made of it."""

    _database: Database

    # -- late handoffs

    def overdue_handoffs(self, *, at: datetime) -> tuple[HandoffPacket, ...]:
        """Handoffs and tasks that nobody acknowledged by their due time, most urgent first."""
        with self._database.read() as conn:
            return desk.overdue(conn, at=at)

    def escalate(
        self, packet: HandoffPacket, *, was_due_at: datetime, at: datetime, untold: bool
    ) -> HandoffPacket | None:
        """Write a packet with its next owner and a journal entry; None if it was acknowledged or escalated since.

        `untold`: the desk has yet to be shown it.
        """
        with self._database.write() as conn:
            moved = desk.escalate(conn, packet, was_due_at=was_due_at, untold=untold)
            if moved is not None:
                entry = JournalEntry(
                    at=at,
                    action="escalate",
                    rule="handoff.escalated",
                    detail=f"{moved.escalated_from[-1].value} -> {moved.owner.value}",
                    conversation_id=moved.conversation_id,
                    patient_id=moved.patient_id,
                )
                journal.add_journal(conn, (entry,))
            return moved

    def save_draft(self, packet: HandoffPacket, draft: Draft, *, at: datetime, untold: bool) -> bool:
        """Keep a drafted summary, with a journal entry of what it took; False if the patient wrote since.

        `untold`: the desk has yet to be shown it.
        """
        use = draft.use
        took = f"{use.calls} calls, {use.input_tokens} + {use.output_tokens} tokens, {use.milliseconds} ms"
        failed = f", failed: {', '.join(use.failures)}" if use.failures else ""
        with self._database.write() as conn:
            kept = desk.save_draft(conn, packet.id, draft, untold=untold)
            entry = JournalEntry(
                at=at,
                action="draft",
                rule="handoff.drafted" if draft.text else "handoff.not-drafted",
                detail=f"model {use.model} {use.prompt}, {took}{failed}",
                conversation_id=packet.conversation_id,
                patient_id=packet.patient_id,
            )
            journal.add_journal(conn, (entry,))
            return kept

    # -- the office's log

    def log(self, entry: LogEntry) -> None:
        """Append a line."""
        with self._database.write() as conn:
            limits.log(conn, entry)

    def last_log(self, what: LogKind) -> LogEntry | None:
        """The newest line of a kind."""
        with self._database.read() as conn:
            return limits.last_log(conn, what)

    def count_log(self, what: LogKind, *, since: datetime, values: Sequence[str]) -> int:
        """Lines of a kind with one of these values, at or after `since`."""
        with self._database.read() as conn:
            return limits.count_log(conn, what, since=since, values=values)

    # -- what went out

    def outreach_sent(self, *, since: datetime) -> int:
        """Texts that nobody asked for, sent or perhaps sent, at or after `since`."""
        with self._database.read() as conn:
            return limits.outreach_sent(conn, since=since)

    def opt_outs(self, *, since: datetime) -> int:
        """People who revoked their consent at or after `since`."""
        with self._database.read() as conn:
            return limits.opt_outs(conn, since=since)

    def invited(self, *, since: datetime) -> tuple[ConversationRow, ...]:
        """Conversations written to first at or after `since` whose patients have neither booked nor ended it."""
        with self._database.read() as conn:
            return limits.invited(conn, since=since)

    # -- touches that wait

    def hold_back(self, touches: Sequence[HeldBack], *, at: datetime) -> None:
        """Note touches that were due and not made; a journal entry for each that was not held back so before."""
        with self._database.write() as conn:
            limits.hold_back(conn, touches, at=at)

    def held_back(self) -> dict[str, int]:
        """Conversations that are due still and held back, by rule."""
        with self._database.read() as conn:
            return limits.held_back_counts(conn)

    # -- approvals

    def proof(self, script: ScriptKey, conversation_id: str) -> Proof:
        """How far a script version is proven, and what was said about it in this conversation."""
        with self._database.read() as conn:
            return limits.proof(conn, script, conversation_id)

    def ask_approval(self, approval: Approval) -> None:
        """Put a text before a person; once per patient and script version."""
        with self._database.write() as conn:
            limits.ask_approval(conn, approval)

    def approvals(self, *, status: ApprovalStatus | None = None) -> tuple[Approval, ...]:
        """Approvals in the order they were asked for."""
        with self._database.read() as conn:
            return limits.listed_approvals(conn, status)

    def decide_approval(self, approval_id: str, status: ApprovalStatus, *, by: str, at: datetime) -> Approval:
        """A person decided. The first decision stands. Raises NotFound."""
        with self._database.write() as conn:
            return limits.decide_approval(conn, approval_id, status, by=by, at=at)
