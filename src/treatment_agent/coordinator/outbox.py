"""Dispatch: pending -> sending -> sent, never twice. What a crash leaves in doubt goes to a person (P8)."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime

from treatment_agent.coordinator.adapters import expected
from treatment_agent.coordinator.gates import Gates
from treatment_agent.coordinator.hold import Hold
from treatment_agent.domain.books import ConversationFacts, OutboxRow, OutboxStatus, SendCheck
from treatment_agent.domain.events import DeliveryReported
from treatment_agent.domain.messages import Channel, DeliveryReport, DeliveryStatus, Lookup, Receipt, SendKind
from treatment_agent.errors import AdapterRejected, AdapterUnavailable, NotPermitted
from treatment_agent.policies import dispatching
from treatment_agent.policies.channels import NEVER_CAPABLE
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Chart, Clock, Ledger, Messenger

log = logging.getLogger(__name__)

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}|[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Outbox:
    """Sends what the ledger holds for a conversation. Call it only while holding the conversation's lease."""

    policy: PracticePolicy
    messenger: Messenger
    ledger: Ledger
    clock: Clock
    chart: Chart
    gates: Gates

    def dispatch(self, conversation_id: str, *, hold: Hold, fresh: frozenset[str] = frozenset()) -> None:
        """Send every unsent text in order. What needs a person is claimed as an event *before* the row is settled.

        `fresh` are keys committed a moment ago under the same lease: nothing can have changed since they were checked,
        but for outreach, where the calendar and the chart took their time and others on the number may have written.

        Raises:
            ConversationBusy: the lease was lost; whoever has it goes on.
        """
        for row in self.ledger.outbox(conversation_id, unsent=True):
            hold.keep()
            if row.status is OutboxStatus.SENDING and not self._surely_unsent(row, conversation_id):
                continue
            self._send(row, hold, row.message.key in fresh)

    def _surely_unsent(self, row: OutboxRow, conversation_id: str) -> bool:
        """A row left in `sending` by a crash: ask the provider whether it left."""
        key, now = row.message.key, self.clock.now()
        answer, receipt = self._find(key)
        if answer is Lookup.SENT and receipt is not None:
            self.ledger.mark_sent(key, receipt, at=now)
            return False
        if answer is Lookup.NOT_SENT:
            self.ledger.mark_unsent(key, OutboxStatus.PENDING.value, "dispatch.not-sent-before", at=now)
            return True
        self._give_up(row, conversation_id, OutboxStatus.DOUBTFUL, "dispatch.in-doubt")
        return False

    def _find(self, key: str) -> tuple[Lookup, Receipt | None]:
        try:
            answer, receipt = self.messenger.find(key)
            return Lookup(answer), None if receipt is None else _receipt("messenger.find", receipt)
        except Exception as error:
            log.warning("dispatch.not-found key=%s error=%s", key, type(error).__name__)
            return Lookup.UNKNOWN, None

    def _send(self, row: OutboxRow, hold: Hold, fresh: bool) -> None:
        key, conversation_id, now = row.message.key, hold.conversation_id, self.clock.now()
        switched_off = self.gates.refusal(row.message.kind)
        if switched_off is not None:
            self._cancel(row, conversation_id, switched_off)
            return
        if not fresh or row.message.kind is SendKind.OUTREACH:
            facts = self.ledger.facts(conversation_id, at=now)
            rule = dispatching.refusal(row, facts, self.policy, now) or self._chart_says_no(row, facts, fresh)
            if rule is not None:
                self._cancel(row, conversation_id, rule)
                return
        try:
            if not self.ledger.mark_sending(key, at=now, check=self._last_check(row, now)):
                return
        except NotPermitted as error:
            self._cancel(row, conversation_id, error.rule)
            return
        try:
            receipt = _receipt("messenger.send", self.messenger.send(row.message))
        except AdapterUnavailable:
            # Nothing left; the row waits for the next run, which decides again whether it may still go. Unless the
            # answer took so long that another worker has the row by now: then it is theirs.
            hold.keep()
            self.ledger.mark_unsent(key, OutboxStatus.PENDING.value, "dispatch.unavailable", at=now)
        except AdapterRejected as error:
            # Only what looks like a code: an adapter may pass on a sentence, and a sentence may hold a number (P11).
            code = error.code if error.code and _CODE.fullmatch(error.code) else "unknown"
            self._give_up(row, conversation_id, OutboxStatus.FAILED, f"dispatch.rejected-{code}", code)
        except Exception as error:
            log.warning("dispatch.in-doubt key=%s error=%s", key, type(error).__name__)
            self._give_up(row, conversation_id, OutboxStatus.DOUBTFUL, "dispatch.in-doubt")
        else:
            self.ledger.mark_sent(key, receipt, at=self.clock.now())

    def _last_check(self, row: OutboxRow, now: datetime) -> SendCheck | None:
        """Caps and the daily limit, asked where no other worker can use them up meanwhile. Replies have none."""
        if row.message.kind is not SendKind.OUTREACH:
            return None
        most = self.policy.limits.texts_per_day

        def refusal(facts: ConversationFacts, sent_today: int) -> str | None:
            return "limit.daily" if sent_today >= most else dispatching.refusal(row, facts, self.policy, now)

        return SendCheck(self.gates.day_began(now), refusal)

    def _chart_says_no(self, row: OutboxRow, facts: ConversationFacts, fresh: bool) -> str | None:
        """P9: the chart is asked once more where its answer at the decision has grown old, and never assumed."""
        if not dispatching.asks_chart(row, facts, self.clock.now(), fresh=fresh) or facts.case is None:
            return None
        try:
            return dispatching.overtaken_by(self.chart.check(facts.case), facts.case)
        except Exception as error:
            log.warning("dispatch.chart-unavailable key=%s error=%s", row.message.key, type(error).__name__)
            return "dispatch.chart-unavailable"

    def delivered(self, row: OutboxRow, report: DeliveryReport) -> None:
        """Remember what the provider says became of a text; a number that can never receive one gets no other."""
        self.ledger.record_delivery(report)
        if row.message.channel is Channel.SMS and report.error_code in NEVER_CAPABLE:
            self.ledger.mark_incapable(row.message.to, f"delivery.code-{report.error_code}", at=report.reported_at)

    def _cancel(self, row: OutboxRow, conversation_id: str, rule: str) -> None:
        """Not sent because it may not be any more. An answer somebody waits for goes to a person."""
        kind = row.message.kind
        switched_off = rule.startswith("limit.")
        if (switched_off or rule in dispatching.DECIDED_AGAIN) and kind is SendKind.OUTREACH:
            cadences = (self.policy.cadence, *(w.cadence for w in self.policy.workflows))
            wakes = row.message.script_id in {c.wake_script_id for c in cadences}
            again = "dispatch.stale-wake" if wakes else "dispatch.stale-touch"
            noted = again if rule == "dispatch.stale" else rule
            self._give_up(row, conversation_id, OutboxStatus.CANCELLED, noted, said=again)
        elif (switched_off or rule == "dispatch.stale") and kind not in (SendKind.HANDOFF, SendKind.OPT_OUT):
            self._give_up(row, conversation_id, OutboxStatus.CANCELLED, rule)
        else:
            self.ledger.mark_unsent(row.message.key, OutboxStatus.CANCELLED.value, rule, at=self.clock.now())

    def _give_up(
        self,
        row: OutboxRow,
        conversation_id: str,
        status: OutboxStatus,
        rule: str,
        code: str | None = None,
        said: str | None = None,
    ) -> None:
        """Settle the row as `rule` says; `said` is what the conversation is told, if it is something else."""
        now = self.clock.now()
        event = DeliveryReported(
            id=f"{row.message.key}:{status.value}",
            at=now,
            send_key=row.message.key,
            status=DeliveryStatus.FAILED,
            error_code=said or rule,
            opted_out=code == "opted_out",
        )
        self.ledger.claim(conversation_id, event, at=now)
        if code == "unreachable":
            self.ledger.mark_incapable(row.message.to, rule, at=now)
        self.ledger.mark_unsent(row.message.key, status.value, rule, at=now)
        self.gates.carrier_said(code or "")


def _receipt(place: str, answer: Receipt) -> Receipt:
    """The messenger's answer, if it is one; else nobody knows whether the text left."""
    expected(f"{place} (provider_message_id)", expected(place, answer, Receipt).provider_message_id, str)
    return answer
