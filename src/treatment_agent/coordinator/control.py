"""Steering the whole office: the outreach switch, approvals of new texts, and single tasks of staff."""

from __future__ import annotations

from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.coordinator.drafting import Drafting
from treatment_agent.coordinator.gates import Gates
from treatment_agent.coordinator.inbox import Inbox
from treatment_agent.coordinator.shadow import ShadowCase, compare, in_shadow
from treatment_agent.domain.events import StaffAction, StaffVerb
from treatment_agent.domain.handoff import HandoffPacket, HandoffStatus
from treatment_agent.domain.office import Approval, ApprovalStatus, LogKind, OutreachStatus, Switch, SwitchMode
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Clock, Ledger


class OfficeControl:
    """What `Coordinator` offers beyond single conversations."""

    policy: PracticePolicy
    clock: Clock
    ledger: Ledger
    _gates: Gates
    _inbox: Inbox
    _drafting: Drafting | None

    # -- the switch

    def pause_outreach(self, *, by: str, note: str = "", everything: bool = False) -> Switch:
        """Write to nobody first until `resume_outreach`; patients who write are answered as always.

        With `everything` it is the kill switch: from the next text on nothing leaves at all, and staff get what
        patients write. Opt-outs are honoured and emergencies handed over all the same.
        """
        if everything:
            return self._gates.turn(SwitchMode.STOPPED, rule="limit.stopped", by=by, note=note)
        return self._gates.turn(SwitchMode.PAUSED, rule="limit.paused", by=by, note=note)

    def resume_outreach(self, *, by: str, note: str = "") -> Switch:
        """Let everything go on, whoever or whatever had stopped it. What is due goes out within the usual limits."""
        return self._gates.turn(SwitchMode.ON, rule="limit.resumed", by=by, note=note)

    def outreach(self) -> OutreachStatus:
        """What holds outreach back now, and how far the limits are used up."""
        now = self.clock.now()
        return OutreachStatus(
            switch=self._gates.switch(),
            rule=self._gates.closed(now),
            sent_today=self._gates.sent_today(now),
            texts_per_day=self.policy.limits.texts_per_day,
            last_sync=self.ledger.last_log(LogKind.SYNC),
            held_back=self.ledger.held_back(),
            pending=self.ledger.approvals(status=ApprovalStatus.PENDING),
        )

    # -- approvals

    def pending_texts(self) -> tuple[Approval, ...]:
        """Texts of new script versions that a person must approve. `preview_conversation` shows each as it would go."""
        return self.ledger.approvals(status=ApprovalStatus.PENDING)

    def approve_text(self, approval_id: str, *, by: str) -> TurnOutcome:
        """Let this text go at the next run; it is made anew then, with times that are open then.

        Raises:
            NotFound: nothing with this id waits for approval.
        """
        return self._decided(approval_id, ApprovalStatus.APPROVED, by)

    def reject_text(self, approval_id: str, *, by: str) -> TurnOutcome:
        """Do not send this text; a person reviews the case.

        Raises:
            NotFound: nothing with this id waits for approval.
        """
        return self._decided(approval_id, ApprovalStatus.REJECTED, by)

    def _decided(self, approval_id: str, status: ApprovalStatus, by: str) -> TurnOutcome:
        now = self.clock.now()
        decided = self.ledger.decide_approval(approval_id, status, by=by, at=now)
        verb = StaffVerb.APPROVE_TEXT if decided.status is ApprovalStatus.APPROVED else StaffVerb.REJECT_TEXT
        # One event per decision: a repeated click finds the first.
        action = StaffAction(id=f"{decided.id}:{decided.status.value}", at=now, verb=verb, by=decided.decided_by)
        return self._inbox.take(decided.conversation_id, action)

    # -- shadow mode

    def start_shadow(self) -> None:
        """Keep this ledger in shadow mode from the next start on: whoever opens it records and lets nothing leave.

        Raises:
            ConfigurationError: it has live cases.
        """
        in_shadow(self.ledger, True, now=self.clock.now())

    def shadow_cases(self) -> tuple[ShadowCase, ...]:
        """What would have been sent, case by case, beside what staff really did."""
        return compare(self.ledger)

    # -- drafted summaries

    def draft_summaries(self, *, limit: int = 20) -> int:
        """Have `Tools.drafter` sum up open handoffs for staff, most urgent first; return how many it did.

        `run_due` ends with it. Call it after `receive` too, in a thread or job of your own, for drafts within seconds.
        """
        return self._drafting.run(limit=limit) if self._drafting is not None else 0

    # -- tasks

    def acknowledge_task(self, handoff_id: str, *, by: str) -> HandoffPacket:
        """A call-back, change or review task was seen: it is not escalated.

        Raises:
            NotFound: no such task.
            NotPermitted: it holds a conversation; acknowledge that instead.
        """
        return self.ledger.set_handoff_status(handoff_id, HandoffStatus.ACKNOWLEDGED, by=by, at=self.clock.now())

    def complete_task(self, handoff_id: str, *, by: str) -> HandoffPacket:
        """A call-back, change or review task is done."""
        return self.ledger.set_handoff_status(handoff_id, HandoffStatus.RESOLVED, by=by, at=self.clock.now())
