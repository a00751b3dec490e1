"""A due touch: sent, put off, handed to a person, or the case closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from policy_samples import CHICAGO, NOW, POLICY, case, contact_rules, conversation, facts, mark, procedure

from treatment_agent.domain.conversation import Disposition, Move, Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Asked
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.treatment import ChartStatus, ProcedureStatus
from treatment_agent.domain.turn import Decision, DueChange, Search
from treatment_agent.policies import outreach

CLEAR = ChartStatus(procedures={"p1": ProcedureStatus.PLANNED})


def touch(policy=POLICY, *, now=NOW, step: int = 0, treated=None, sent=(), **changes) -> outreach.Touch:
    state = replace(conversation(phase=Phase.QUEUED, offers=(), step=step), **changes)
    known = facts(conversation=state, sent=sent, case=treated or case())
    return outreach.Touch(facts=known, case=treated or case(), policy=policy, now=now, event_id="t1", step=step)


def decide(chart: ChartStatus = CLEAR, **changes) -> Decision:
    return outreach.decide(touch(**changes), chart)


class TestBeforeChart:
    def test_drops_a_touch_while_staff_hold(self):
        decision = outreach.before_chart(touch(phase=Phase.WITH_STAFF, handoff_id="h1"))
        assert decision is not None
        assert decision.rules == ("outreach.held",)
        assert decision.due is DueChange.CLEAR

    @pytest.mark.parametrize("phase", list(Phase))
    def test_lets_through_only_phases_in_which_we_may_write_first(self, phase):
        decision = outreach.before_chart(touch(phase=phase))
        if phase in outreach.TOUCHABLE:
            assert decision is None
        else:
            assert decision is not None
            assert decision.rules == ("outreach.phase",)
            assert decision.says == ()

    def test_ignores_a_step_that_was_handled(self):
        decision = outreach.before_chart(replace(touch(step=1), step=0))
        assert decision is not None
        assert decision.rules == ("outreach.stale-touch",)


class TestSending:
    def test_looks_for_two_times_and_moves_the_cadence_on(self):
        decision = decide()
        assert decision.rules == ("outreach.touch",)
        assert isinstance(decision.tool, Search)
        assert decision.tool.scripts == ("first-message-none", "first-message-one", "first-message")
        assert decision.tool.kind is SendKind.OUTREACH
        assert decision.tool.asked is Asked.FIRST_MESSAGE
        assert decision.step == 1
        assert decision.due_at == datetime(2026, 11, 30, 10, tzinfo=CHICAGO)

    def test_reminds_with_the_reminder(self):
        decision = decide(step=1, phase=Phase.CONTACTED, now=NOW + timedelta(days=5))
        assert isinstance(decision.tool, Search)
        assert decision.tool.scripts[2] == "reminder-1"
        assert decision.tool.asked is Asked.REMINDER

    def test_wakes_a_deferral_softly_and_without_times(self):
        decision = decide(step=1, phase=Phase.DEFERRED, now=NOW + timedelta(days=30))
        assert decision.rules == ("outreach.wake",)
        assert [s.script_id for s in decision.says] == ["wake"]
        assert decision.tool is None
        assert decision.offers == ()

    def test_leaves_visits_booked_by_hand_to_a_person(self):
        assert decide(treated=case(procedure("p1", "D5110")), step=1, phase=Phase.CONTACTED).rules == (
            "outreach.no-template",
        )

    def test_waits_for_the_contact_rules(self):
        night = NOW.replace(hour=22)
        decision = decide(now=night)
        assert decision.rules == ("contact.quiet-hours",)
        assert decision.due is DueChange.SET
        assert decision.due_at is not None
        assert decision.due_at > night
        assert decision.tool is None

    def test_asks_a_person_when_the_contact_rules_deny(self):
        three = tuple(mark(timedelta(days=9 * n)) for n in (1, 2, 3))
        decision = decide(sent=three, step=1, phase=Phase.CONTACTED, policy=contact_rules(max_per_case=3))
        assert decision.rules == ("contact.cap-case",)
        assert decision.move is Move.REVIEW

    def test_asks_a_person_after_the_last_reminder(self):
        decision = decide(step=3, phase=Phase.CONTACTED)
        assert decision.rules == ("outreach.no-response",)
        assert decision.disposition is Disposition.NO_RESPONSE
        assert decision.handoff is not None
        assert decision.handoff.kind is HandoffKind.REVIEW

    def test_judges_a_case_again_before_its_first_touch(self):
        # Without a word to the patient: the chart changed its mind since the case was enrolled.
        old = case(procedure("p1", "D2740", diagnosed_on=date(2026, 1, 5)))
        decision = decide(treated=old)
        assert decision.move is Move.REVIEW
        assert decision.rules == ("queue.confirm-first",)


class TestChart:
    @pytest.mark.parametrize(
        ("chart", "rule", "disposition"),
        [
            ({"procedures": {"p1": "scheduled"}}, "chart.booked", Disposition.BOOKED_ELSEWHERE),
            ({"procedures": {"p1": "completed"}}, "chart.treatment-changed", Disposition.TREATMENT_CHANGED),
            ({"procedures": {"p1": "declined"}}, "chart.treatment-changed", Disposition.TREATMENT_CHANGED),
            ({"patient_status": "deceased"}, "chart.deceased", Disposition.DECEASED),
            ({"patient_status": "inactive"}, "chart.inactive", Disposition.NOT_ELIGIBLE),
            ({"do_not_contact": True}, "chart.do-not-contact", Disposition.NOT_ELIGIBLE),
        ],
    )
    def test_closes_a_case_that_is_over(self, chart, rule, disposition):
        decision = decide(ChartStatus.model_validate(chart))
        assert decision.rules == (rule,)
        assert decision.move is Move.CLOSE
        assert decision.disposition is disposition
        assert decision.says == ()

    def test_asks_a_person_about_another_visit(self):
        visit = ChartStatus(procedures={"p1": ProcedureStatus.PLANNED}, next_visit_at=NOW + timedelta(days=3))
        assert decide(visit).rules == ("outreach.other-visit",)

    def test_sends_nothing_unasked(self):
        for rule in ("outreach.chart-unavailable", "outreach.scheduler-unavailable"):
            decision = outreach.unavailable(rule, NOW)
            assert decision.rules == (rule,)
            assert decision.due_at == NOW + timedelta(minutes=30)
            assert decision.says == ()

    def test_a_broken_turn_becomes_a_task(self):
        decision = outreach.failed(facts(), POLICY, NOW, ("turn.touch-gate-failed",))
        assert decision.handoff is not None
        assert decision.handoff.rule == "turn.touch-gate-failed"
        assert decision.says == ()


def test_a_talk_that_only_the_chart_knows_of_holds_the_text_back():
    talked = CLEAR.model_copy(update={"last_staff_contact_at": NOW - timedelta(days=1)})
    decision = decide(talked, phase=Phase.CONTACTED, step=1)
    assert decision.rules == ("contact.staff-recent",)
    assert decision.due_at == NOW + timedelta(days=6)
    long_ago = CLEAR.model_copy(update={"last_staff_contact_at": NOW - timedelta(days=8)})
    assert decide(long_ago, phase=Phase.CONTACTED, step=1).rules == ("outreach.touch",)
