"""What holds outreach back: the switch, the age of the list, the daily limit, alarms, approvals of new texts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from treatment_agent.coordinator.answers import EnrolmentReport
from treatment_agent.domain.messages import ApprovedMessage, SendKind
from treatment_agent.domain.office import (
    Approval,
    ApprovalStatus,
    LogEntry,
    LogKind,
    ScriptKey,
    Switch,
    SwitchMode,
)
from treatment_agent.errors import TreatmentAgentError
from treatment_agent.policies import limits
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Clock, Ledger

log = logging.getLogger(__name__)

BY_ITSELF = "coordinator"


@dataclass(frozen=True, slots=True)
class Gates:
    """Asked before anything is written first, and before each text leaves. The ledger remembers, so all workers agree.

    `live_chart`: a chart is asked at the moment of sending. `shadow`: nothing leaves, so nobody has to approve it.
    """

    policy: PracticePolicy
    ledger: Ledger
    clock: Clock
    live_chart: bool
    shadow: bool = False

    # -- the switch

    def switch(self) -> Switch:
        """Where the outreach switch stands."""
        found = self.ledger.last_log(LogKind.SWITCH)
        if found is None:
            return Switch(SwitchMode.ON, self.clock.now(), "limit.resumed", BY_ITSELF)
        return Switch(SwitchMode(found.value), found.at, found.rule, found.by, found.note)

    def turn(self, mode: SwitchMode, *, rule: str, by: str, note: str = "") -> Switch:
        """Turn the switch. It counts from the next text on, for every worker on this ledger."""
        entry = LogEntry(self.clock.now(), LogKind.SWITCH, mode.value, rule, by, note)
        self.ledger.log(entry)
        log.log(logging.WARNING if by == BY_ITSELF else logging.INFO, "outreach.%s rule=%s", mode.value, rule)
        return Switch(mode, entry.at, rule, by, note)

    def stopped(self) -> bool:
        """True while the kill switch is thrown."""
        return self.switch().mode is SwitchMode.STOPPED

    def refusal(self, kind: SendKind) -> str | None:
        """The rule by which the switch keeps a text of this kind from leaving, or None."""
        switch = self.switch()
        outreach = switch.mode is SwitchMode.PAUSED and kind is SendKind.OUTREACH
        return switch.rule if outreach or switch.mode is SwitchMode.STOPPED else None

    # -- the office as a whole

    def closed(self, now: datetime) -> str | None:
        """The rule that holds back all outreach now, or None."""
        office = limits.Office(
            now=now,
            switch=self.switch(),
            last_sync=self.ledger.last_log(LogKind.SYNC),
            sent_today=self.sent_today(now),
            live_chart=self.live_chart,
        )
        return limits.closed(office, self.policy.limits)

    def sent_today(self, now: datetime) -> int:
        """Texts that nobody asked for on this day of the office."""
        return self.ledger.outreach_sent(since=self.day_began(now))

    def day_began(self, now: datetime) -> datetime:
        """Midnight of the office's day."""
        zone = self.policy.office.tz
        return datetime.combine(now.astimezone(zone).date(), time(0), zone)

    def watch(self) -> None:
        """Pause outreach if something is wrong with what we send. What was before the last resumption is forgiven."""
        resumed, now = self.ledger.last_log(LogKind.SWITCH), self.clock.now()
        if resumed is not None and resumed.value != SwitchMode.ON:
            return

        def since(window: timedelta) -> datetime:
            return max(now - window, resumed.at) if resumed else now - window

        days, day = since(timedelta(days=self.policy.limits.window_days)), since(timedelta(days=1))
        count = self.ledger.count_log
        signs = limits.Warnings(
            opt_outs=self.ledger.opt_outs(since=days),
            sent=self.ledger.outreach_sent(since=days),
            filtered=count(LogKind.FILTERED, since=day, values=tuple(limits.FILTERED)),
            unregistered=count(LogKind.FILTERED, since=day, values=tuple(limits.UNREGISTERED)),
        )
        rule = limits.alarm(signs, self.policy.limits)
        if rule is not None:
            self.turn(SwitchMode.PAUSED, rule=rule, by=BY_ITSELF)

    def carrier_said(self, code: str) -> None:
        """Take in a carrier's or provider's error code; those of filtering may pause outreach at once."""
        if code in limits.FILTERED or code in limits.UNREGISTERED:
            self.ledger.log(LogEntry(self.clock.now(), LogKind.FILTERED, code))
            self.watch()

    def reading(self, read: Callable[[], EnrolmentReport]) -> EnrolmentReport:
        """Read a list and remember whether that went well: outreach waits after a list that did not."""
        try:
            report = read()
        except TreatmentAgentError as error:
            self._synced("failed", type(error).__name__)
            raise
        rows, bad = report.enrolled + report.refreshed, len(report.rejected)
        good = bad <= (rows + bad) * self.policy.limits.unreadable
        self._synced("ok" if good else "failed", f"{rows} cases, {bad} rows not read")
        return report

    def _synced(self, value: str, note: str) -> None:
        rule = "" if value == "ok" else "limit.sync-failed"
        self.ledger.log(LogEntry(self.clock.now(), LogKind.SYNC, value, rule, note=note))

    # -- approvals

    def awaits_approval(self, messages: tuple[ApprovedMessage, ...]) -> bool:
        """True when a text is one of the first of a new script version and no person has approved it: that is asked."""
        return any(self._unproven(m) for m in messages if m.kind is SendKind.OUTREACH and not self.shadow)

    def _unproven(self, message: ApprovedMessage) -> bool:
        script = ScriptKey(message.script_id, message.script_version, message.language)
        proof = self.ledger.proof(script, message.conversation_id)
        if not limits.unproven(proof, self.policy.limits):
            return False
        if limits.asks(proof, self.policy.limits):
            now = self.clock.now()
            self.ledger.ask_approval(Approval(message.conversation_id, script, ApprovalStatus.PENDING, now))
        return True
