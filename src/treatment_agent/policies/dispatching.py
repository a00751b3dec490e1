"""Send-time truth: a text waiting in the outbox is checked once more in the moment it would leave (P1, P2, P7, P9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from treatment_agent.domain.books import ConversationFacts, OutboxRow
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.treatment import Case, ChartStatus
from treatment_agent.policies.contact import Allowed, decide_outreach
from treatment_agent.policies.outreach import changed
from treatment_agent.policies.practice import PracticePolicy

# An outreach text is decided and sent in one breath. Found later, the chart must be asked afresh.
OUTREACH_LIFETIME = timedelta(minutes=10)
REPLY_LIFETIME = timedelta(hours=12)
# As long as this the chart's answer at the decision counts as given just before sending: every text asks it once.
CHART_ANSWER_LIFETIME = timedelta(seconds=10)
# Outreach refused for these is decided again from the start, where the chart closes or reroutes the case.
DECIDED_AGAIN = frozenset({"dispatch.stale", "dispatch.chart-changed", "dispatch.chart-unavailable"})


def refusal(row: OutboxRow, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> str | None:
    """The rule that forbids sending this row now, or None.

    `dispatch.stale` rows were decided too long ago: outreach is decided again, a reply goes to a person.
    `dispatch.overtaken` rows no longer fit where the conversation stands: they are dropped.
    """
    kind, age = row.message.kind, now - row.created_at
    contact = next((c for c in facts.contacts if c.address == row.message.to), None)
    revoked_at = contact.consent_at if contact and contact.consent is ConsentStatus.REVOKED else None
    if kind is SendKind.OPT_OUT:
        late = now - (revoked_at or row.created_at) > timedelta(minutes=policy.contact.opt_out_confirmation_minutes)
        return "dispatch.opt-out-late" if late else None
    if kind is SendKind.EMERGENCY:
        # It may answer the very message that revoked; a revocation that came after it stands (P1).
        if revoked_at is not None and revoked_at > row.created_at:
            return "contact.consent-revoked"
        return "dispatch.stale" if age > REPLY_LIFETIME else None
    if contact is None or contact.consent is ConsentStatus.REVOKED:
        return "contact.consent-revoked"
    if facts.conversation.held is not (kind is SendKind.HANDOFF):
        return "contact.held" if facts.conversation.held else "dispatch.overtaken"
    if kind is SendKind.OUTREACH:
        return _outreach(row, facts, policy, now)
    return "dispatch.stale" if age > REPLY_LIFETIME else None


def asks_chart(row: OutboxRow, facts: ConversationFacts, now: datetime, *, fresh: bool) -> bool:
    """True when the chart must be asked once more before this text may leave: we write first, and time has passed.

    `fresh`: the text was decided in this very run, with the chart asked after `row.created_at`.
    """
    if row.message.kind is not SendKind.OUTREACH or facts.case is None:
        return False
    return not fresh or now - row.created_at > CHART_ANSWER_LIFETIME


def overtaken_by(chart: ChartStatus, case: Case) -> str | None:
    """`dispatch.chart-changed` if the chart would close or reroute the case by now."""
    return "dispatch.chart-changed" if changed(case, chart) or chart.next_visit_at is not None else None


def _outreach(row: OutboxRow, facts: ConversationFacts, policy: PracticePolicy, now: datetime) -> str | None:
    """A touch still stands only in the phase it led to, at once, and while we may still write first."""
    if facts.conversation.phase is not Phase.CONTACTED:
        return "dispatch.overtaken"
    verdict = decide_outreach(now=now, facts=facts, policy=policy, channel=row.message.channel)
    allowed = not facts.unlisted and isinstance(verdict, Allowed)
    return None if allowed and now - row.created_at <= OUTREACH_LIFETIME else "dispatch.stale"
