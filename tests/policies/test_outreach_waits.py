"""What makes a due touch wait a day, and steps that differ by channel, age, family and kind of case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from policy_samples import CHICAGO, NOW, POLICY, SLOTS, case, contact, conversation, facts, patient, procedure

from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Disposition, Move, Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffPacket, HandoffStatus, Role, Urgency
from treatment_agent.domain.interpretation import Asked
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.private import EmailAddress
from treatment_agent.domain.treatment import Case, CaseKind, ChartStatus, Family, ProcedureStatus
from treatment_agent.domain.turn import Decision, DueChange, Search
from treatment_agent.policies import outreach
from treatment_agent.policies.eligibility import Eligibility
from treatment_agent.policies.practice import Cadence, CadenceVariant, PracticePolicy, Step

CLEAR = ChartStatus(procedures={"p1": ProcedureStatus.PLANNED})
THURSDAY_TEN = datetime(2026, 11, 26, 10, tzinfo=CHICAGO)


def touch(
    treated: Case | None = None,
    policy: PracticePolicy = POLICY,
    *,
    step: int = 0,
    phase: Phase = Phase.QUEUED,
    first_sent_at: datetime | None = None,
    **known: object,
) -> outreach.Touch:
    treated = treated or case()
    state = replace(conversation(phase=phase, offers=SLOTS if step else (), step=step), first_sent_at=first_sent_at)
    all_known = facts(conversation=state, case=treated, **known)
    return outreach.Touch(facts=all_known, case=treated, policy=policy, now=NOW, event_id="t1", step=step)


def task(kind: HandoffKind) -> HandoffPacket:
    return HandoffPacket(
        id="c1:review",
        kind=kind,
        conversation_id="c1",
        patient_id="ana",
        topics=(),
        urgency=Urgency.SOON,
        owner=Role.FRONT_DESK,
        opened_at=NOW,
        due_at=NOW,
        status=HandoffStatus.OPENED,
        summary="",
        suggestion="",
    )


def scripts_of(decision: Decision) -> tuple[str, ...]:
    if isinstance(decision.tool, Search):
        return decision.tool.scripts
    return tuple(say.script_id for say in decision.says)


class TestStaleChart:
    @pytest.mark.parametrize(("hours", "rule"), [(71, "outreach.touch"), (72, "queue.stale-data")])
    def test_sends_nothing_until_the_list_is_read_again(self, hours: int, rule: str) -> None:
        chart = CLEAR.model_copy(update={"as_of": NOW - timedelta(hours=hours)})

        decision = outreach.decide(touch(), chart)

        assert decision.rules == (rule,)
        if rule == "queue.stale-data":
            assert (decision.move, decision.due, decision.due_at) == (Move.STAY, DueChange.SET, THURSDAY_TEN)
            assert decision.handoff is None

    def test_is_told_by_the_chart_not_by_the_old_list(self) -> None:
        read_long_ago = case(synced_at=NOW - timedelta(days=9))

        assert outreach.decide(touch(read_long_ago), CLEAR).rules == ("outreach.touch",)

    def test_holds_reminders_too(self) -> None:
        chart = CLEAR.model_copy(update={"as_of": NOW - timedelta(days=9)})

        assert outreach.decide(touch(step=1, phase=Phase.CONTACTED), chart).rules == ("queue.stale-data",)


class TestOpenTask:
    @pytest.mark.parametrize("kind", [HandoffKind.REVIEW, HandoffKind.CHANGE, HandoffKind.CALL_BACK])
    def test_makes_the_touch_wait_a_day(self, kind: HandoffKind) -> None:
        decision = outreach.before_chart(touch(open_handoffs=(task(kind),)))

        assert decision is not None
        assert decision.rules == ("outreach.open-task",)
        assert (decision.move, decision.due_at) == (Move.STAY, THURSDAY_TEN)

    def test_lets_the_touch_pass_when_there_is_none(self) -> None:
        assert outreach.before_chart(touch()) is None


class TestOtherVisit:
    @pytest.mark.parametrize(("provider_id", "rule"), [("lee", "outreach.other-visit"), ("kim", "outreach.touch")])
    def test_counts_by_provider_where_the_office_says_so(self, provider_id: str, rule: str) -> None:
        policy = POLICY.model_copy(update={"eligibility": Eligibility(any_visit_counts=False)})
        chart = CLEAR.model_copy(
            update={"next_visit_at": NOW + timedelta(days=3), "next_visit_provider_id": provider_id}
        )

        assert outreach.decide(touch(policy=policy), chart).rules == (rule,)


CAREFUL = Cadence(
    variants=(
        CadenceVariant(families=(Family.FILLING,), steps=(Step(after_days=2, at=time(15), script_id="first-message"),)),
        CadenceVariant(from_age_days=60, steps=(Step(after_days=1, script_id="first-message"),), review_after_days=3),
    )
)


class TestVariants:
    def test_of_a_family_and_of_an_age_have_steps_of_their_own(self) -> None:
        policy = POLICY.model_copy(update={"cadence": CAREFUL})
        crown, filling = case(), case(procedure("p1", "D2392"))
        old = case(procedure("p1", "D2740", diagnosed_on=date(2026, 9, 1)))

        plain, single, aged = (outreach.decide(touch(c, policy), CLEAR) for c in (crown, filling, old))

        assert (plain.step, plain.due_at) == (1, datetime(2026, 11, 30, 10, tzinfo=CHICAGO))
        assert (single.step, single.due_at) == (1, datetime(2026, 12, 2, 15, tzinfo=CHICAGO))
        assert (aged.step, aged.due_at) == (1, datetime(2026, 11, 28, 10, tzinfo=CHICAGO))

    def test_stay_as_chosen_when_the_case_grows_old_on_the_way(self) -> None:
        policy = POLICY.model_copy(update={"cadence": CAREFUL})
        grown = case(procedure("p1", "D2740", diagnosed_on=date(2026, 9, 20)))
        asked = touch(grown, policy, step=1, phase=Phase.CONTACTED, first_sent_at=NOW - timedelta(days=10))

        assert scripts_of(outreach.decide(asked, CLEAR))[2] == "reminder-1"
        later = replace(asked, facts=replace(asked.facts, conversation=replace(asked.conversation, first_sent_at=NOW)))
        assert outreach.decide(later, CLEAR).rules == ("outreach.no-response",)


class TestChannel:
    def test_of_a_step_is_the_one_the_text_travels_by(self) -> None:
        mail = EmailAddress("ana@example.com")
        policy = POLICY.model_copy(
            update={"cadence": Cadence(steps=(Step(after_days=1, script_id="first-message", channel=Channel.EMAIL),))}
        )
        reachable = case(who=patient(email=mail, emailing=Permission.YES, sms=Permission.NO))
        known = contact(channel=Channel.EMAIL, address=mail)

        decision = outreach.decide(touch(reachable, policy, contacts=(known,)), CLEAR)

        assert decision.rules == ("outreach.touch",)
        assert isinstance(decision.tool, Search)
        assert decision.send_by is Channel.EMAIL
        refused = replace(known, consent=ConsentStatus.REVOKED, consent_at=NOW)
        assert outreach.decide(touch(reachable, policy, contacts=(refused,)), CLEAR).rules == (
            "contact.consent-revoked",
        )


def of_kind(kind: CaseKind, **changes: object) -> Case:
    return case(kind=kind, **changes)


class TestWorkflows:
    @pytest.mark.parametrize(
        ("kind", "first", "second"),
        [
            (CaseKind.CALL_BACK, ("first-message-call-back",), None),
            (CaseKind.PREAUTHORIZED, "first-message-approved", "reminder-1"),
            (CaseKind.MISSED_VISIT, "first-message-missed", "reminder-1"),
        ],
    )
    def test_have_texts_and_an_end_of_their_own(
        self, kind: CaseKind, first: str | tuple[str, ...], second: str | None
    ) -> None:
        opening = outreach.decide(touch(of_kind(kind)), CLEAR)
        following = outreach.decide(
            touch(of_kind(kind), step=1, phase=Phase.CONTACTED, first_sent_at=NOW - timedelta(days=6)), CLEAR
        )

        assert opening.rules == ("outreach.touch",)
        assert scripts_of(opening)[-1] == (first if isinstance(first, str) else first[0])
        if second is None:
            assert (following.rules, following.disposition) == (("outreach.no-response",), Disposition.NO_RESPONSE)
        else:
            assert scripts_of(following)[-1] == second

    def test_that_ask_for_a_call_offer_no_times(self) -> None:
        decision = outreach.decide(touch(of_kind(CaseKind.CALL_BACK)), CLEAR)

        assert decision.tool is None
        assert decision.offers == ()
        assert decision.asked is Asked.CALLBACK_ASK
        assert decision.says[0].kind is SendKind.OUTREACH
        assert decision.due_at == datetime(2026, 11, 27, 11, tzinfo=CHICAGO)

    def test_wake_from_a_deferral_with_their_own_softer_text(self) -> None:
        asleep = touch(of_kind(CaseKind.MISSED_VISIT), step=1, phase=Phase.DEFERRED, first_sent_at=NOW)

        assert scripts_of(outreach.decide(asleep, CLEAR)) == ("wake",)
