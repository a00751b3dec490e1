"""The part of the ledger that is about the whole office: late handoffs, and what holds outreach back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from treatment_agent.domain.books import ConversationRow
from treatment_agent.domain.handoff import Draft, HandoffPacket
from treatment_agent.domain.office import (
    Approval,
    ApprovalStatus,
    HeldBack,
    LogEntry,
    LogKind,
    Proof,
    ScriptKey,
)


class OfficeBooks(Protocol):
    """Books beside those of single conversations. Every method is one transaction and may be called again."""

    def overdue_handoffs(self, *, at: datetime) -> tuple[HandoffPacket, ...]:
        """Handoffs and tasks that nobody acknowledged by their due time, most urgent first."""
        ...

    def escalate(
        self, packet: HandoffPacket, *, was_due_at: datetime, at: datetime, untold: bool
    ) -> HandoffPacket | None:
        """Write a packet with its next owner and a journal entry; None if it was acknowledged or escalated since.

        `untold`: the desk has yet to be shown it.
        """
        ...

    def save_draft(self, packet: HandoffPacket, draft: Draft, *, at: datetime, untold: bool) -> bool:
        """Keep a drafted summary, with a journal entry of what it took; False if the patient wrote since.

        `untold`: the desk has yet to be shown it.
        """
        ...

    # -- the office's log
    def log(self, entry: LogEntry) -> None:
        """Append a line."""
        ...

    def last_log(self, what: LogKind) -> LogEntry | None:
        """The newest line of a kind."""
        ...

    def count_log(self, what: LogKind, *, since: datetime, values: Sequence[str]) -> int:
        """Lines of a kind with one of these values, at or after `since`."""
        ...

    # -- what went out
    def outreach_sent(self, *, since: datetime) -> int:
        """Texts that nobody asked for, sent or perhaps sent, at or after `since`. Reads recent ones only (index)."""
        ...

    def opt_outs(self, *, since: datetime) -> int:
        """People who revoked their consent at or after `since`."""
        ...

    def invited(self, *, since: datetime) -> tuple[ConversationRow, ...]:
        """Conversations written to first at or after `since` whose patients have neither booked nor ended it."""
        ...

    # -- touches that wait
    def hold_back(self, touches: Sequence[HeldBack], *, at: datetime) -> None:
        """Note touches that were due and not made; a journal entry for each that was not held back so before."""
        ...

    def held_back(self) -> dict[str, int]:
        """Conversations that are due still and held back, by rule."""
        ...

    # -- approvals
    def proof(self, script: ScriptKey, conversation_id: str) -> Proof:
        """How far a script version is proven, and what was said about it in this conversation."""
        ...

    def ask_approval(self, approval: Approval) -> None:
        """Put a text before a person; once per patient and script version."""
        ...

    def approvals(self, *, status: ApprovalStatus | None = None) -> tuple[Approval, ...]:
        """Approvals in the order they were asked for."""
        ...

    def decide_approval(self, approval_id: str, status: ApprovalStatus, *, by: str, at: datetime) -> Approval:
        """A person decided. The first decision stands. Raises NotFound."""
        ...
