"""The books about the whole office: late handoffs, the log, touches that wait, approvals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from ledger_samples import NOW, REVOKE, committed, enrolled, message, packet, record, sent, state, text_out
from test_ledger_database import execute

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffStatus, Role
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.office import Approval, ApprovalStatus, HeldBack, LogEntry, LogKind, ScriptKey
from treatment_agent.errors import NotFound
from treatment_agent.ledger.sql_ledger import SqlLedger

HOUR = timedelta(hours=1)
SCRIPT = ScriptKey("first-message", 2, "en")


class TestOverdueHandoffs:
    def test_are_those_nobody_acknowledged_in_time(self, ledger):
        enrolled(ledger)
        task = packet("t1", kind=HandoffKind.REVIEW, due_at=NOW)
        committed(ledger, handoffs=(task, packet("h1", due_at=NOW), packet("h2", due_at=NOW + HOUR)))
        ledger.set_handoff_status("t1", HandoffStatus.ACKNOWLEDGED, by="kim", at=NOW)

        assert [p.id for p in ledger.overdue_handoffs(at=NOW)] == ["h1"]
        assert ledger.overdue_handoffs(at=NOW - HOUR) == ()

    def test_are_escalated_once_and_keep_their_words(self, ledger):
        enrolled(ledger)
        committed(ledger, handoffs=(packet("h1", due_at=NOW, words=("hello there",)),))
        (late,) = ledger.overdue_handoffs(at=NOW)
        onward = replace(
            late, owner=Role.OFFICE_MANAGER, escalated_from=(late.owner,), due_at=NOW + HOUR, escalated_at=NOW
        )

        moved = ledger.escalate(onward, was_due_at=NOW, at=NOW, untold=True)

        assert moved is not None
        assert (moved.owner, moved.words) == (Role.OFFICE_MANAGER, ("hello there",))
        assert ledger.handoffs() == (moved,)
        assert ledger.undelivered() == (moved,)
        assert ledger.escalate(onward, was_due_at=NOW, at=NOW, untold=True) is None
        assert [e.rule for e in ledger.journal(patient_id="p17") if e.action == "escalate"] == ["handoff.escalated"]


class TestLog:
    def test_tells_the_newest_of_a_kind_whatever_its_time(self, ledger):
        assert ledger.last_log(LogKind.SWITCH) is None
        first = LogEntry(NOW, LogKind.SWITCH, "paused", "limit.paused", "kim", "trial")
        second = LogEntry(NOW - HOUR, LogKind.SWITCH, "on", "limit.resumed", "kim")
        for line in (first, second, LogEntry(NOW, LogKind.SYNC, "ok")):
            ledger.log(line)

        assert ledger.last_log(LogKind.SWITCH) == second

    def test_counts_values_since_a_moment(self, ledger):
        for at, code in ((NOW - HOUR, "30007"), (NOW, "30007"), (NOW, "30034")):
            ledger.log(LogEntry(at, LogKind.FILTERED, code))

        assert ledger.count_log(LogKind.FILTERED, since=NOW, values=("30007", "30004")) == 1
        assert ledger.count_log(LogKind.FILTERED, since=NOW - HOUR, values=("30007",)) == 2


class TestWhatWentOut:
    def test_counts_outreach_that_was_sent(self, ledger):
        enrolled(ledger)
        sent(ledger, text_out("a", kind=SendKind.OUTREACH), event=message("SM1"))
        sent(ledger, text_out("b", kind=SendKind.REPLY), event=message("SM2"))

        assert ledger.outreach_sent(since=NOW) == 1
        assert ledger.outreach_sent(since=NOW + HOUR) == 0

    def test_names_who_was_invited_and_has_not_settled_it(self, ledger):
        enrolled(ledger)
        sent(ledger, text_out("a", kind=SendKind.OUTREACH), event=message("SM1"))
        committed(ledger, event=message("SM2"), record=record("SM2"), conversation=state(phase=Phase.CONTACTED))
        assert [row.conversation.id for row in ledger.invited(since=NOW)] == ["c17"]
        assert ledger.invited(since=NOW + HOUR) == ()

        committed(ledger, event=message("SM3"), record=record("SM3"), conversation=state(phase=Phase.DECLINED))
        assert ledger.invited(since=NOW) == ()

    def test_counts_a_person_who_opts_out_once(self, ledger):
        enrolled(ledger)
        for number in (1, 2):
            committed(ledger, event=message(f"SM{number}"), record=record(f"SM{number}", consent=REVOKE))

        assert ledger.opt_outs(since=NOW) == 1
        assert ledger.opt_outs(since=NOW + HOUR) == 0


class TestHeldBack:
    def test_is_told_once_per_touch_and_rule(self, ledger):
        enrolled(ledger, due_at=NOW)
        paused = HeldBack("c17", "limit.paused", NOW)
        for at in (NOW, NOW + HOUR):
            ledger.hold_back([paused], at=at)
        ledger.hold_back([replace(paused, rule="limit.daily")], at=NOW + HOUR)

        told = [e.rule for e in ledger.journal(patient_id="p17") if e.action == "hold back"]
        assert told == ["limit.paused", "limit.daily"]
        assert ledger.held_back() == {"limit.daily": 1}

    def test_does_not_count_what_is_not_due_at_that_time_any_more(self, ledger):
        enrolled(ledger, due_at=NOW)
        ledger.hold_back([HeldBack("c17", "limit.paused", NOW)], at=NOW)
        committed(ledger, conversation=state(due_at=NOW + HOUR))

        assert ledger.held_back() == {}

    def test_of_nothing_writes_nothing(self, ledger):
        ledger.hold_back([], at=NOW)
        assert ledger.held_back() == {}


class TestApprovals:
    def test_are_asked_once_and_decided_once(self, ledger):
        enrolled(ledger)
        asked = Approval("c17", SCRIPT, ApprovalStatus.PENDING, NOW)
        for _ in range(2):
            ledger.ask_approval(asked)
        assert ledger.approvals() == (asked,)
        assert ledger.proof(SCRIPT, "c17").pending == 1

        decided = ledger.decide_approval(asked.id, ApprovalStatus.APPROVED, by="kim", at=NOW)
        again = ledger.decide_approval(asked.id, ApprovalStatus.REJECTED, by="lee", at=NOW + HOUR)

        assert (decided.status, decided.decided_by, decided.decided_at) == (ApprovalStatus.APPROVED, "kim", NOW)
        assert again == decided
        proof = ledger.proof(SCRIPT, "c17")
        assert (proof.approved, proof.pending, proof.mine) == (1, 0, ApprovalStatus.APPROVED)
        assert ledger.proof(SCRIPT, "c18").mine is None
        assert ledger.approvals(status=ApprovalStatus.PENDING) == ()

    def test_nobody_asked_for_are_not_found(self, ledger):
        with pytest.raises(NotFound, match="waits for approval"):
            ledger.decide_approval("nothing", ApprovalStatus.APPROVED, by="kim", at=NOW)

    def test_know_whether_another_version_went_out_before(self, ledger):
        enrolled(ledger)
        assert not ledger.proof(SCRIPT, "c17").changed
        old = text_out("a", kind=SendKind.OUTREACH, script_id="first-message", script_version=1, language="en")
        sent(ledger, old)

        assert ledger.proof(SCRIPT, "c17").changed
        assert not ledger.proof(replace(SCRIPT, version=1), "c17").changed
        assert not ledger.proof(replace(SCRIPT, language="es"), "c17").changed


class TestOlderRelease:
    def test_gets_the_tables_it_lacks(self, url):
        first = SqlLedger(url)
        enrolled(first, due_at=NOW)
        first.close()
        execute(
            url,
            "DROP TABLE office_log",
            "DROP TABLE approvals",
            "DROP TABLE held_back",
            "DROP INDEX outbox_outreach",
            "ALTER TABLE cases DROP COLUMN export_id",
            "ALTER TABLE cases DROP COLUMN exported_at",
            "ALTER TABLE handoffs DROP COLUMN undelivered",
            "ALTER TABLE consents DROP COLUMN chart_write",
            "UPDATE ledger_schema SET version = 1",
        )

        again = SqlLedger(url)

        again.log(LogEntry(NOW, LogKind.SYNC, "ok"))
        again.hold_back([HeldBack("c17", "limit.paused", NOW)], at=NOW)
        assert again.held_back() == {"limit.paused": 1}
        assert again.approvals() == ()
        again.close()
