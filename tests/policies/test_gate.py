"""The consent gate, and what a handoff says and does not say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from policy_samples import NOW, POLICY, conversation, facts, mark

from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.conversation import Disposition, Move, Phase
from treatment_agent.domain.events import PatientMessage, TouchDue
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import ClauseReading, Intent, Interpretation, Span, Topic
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.text import normalize
from treatment_agent.domain.turn import Decision, Verdict
from treatment_agent.policies import gate, topics
from treatment_agent.policies.screening import Screening, Sign, screen

MESSAGE = PatientMessage(id="e1", at=NOW)


def talking(**changes):
    return facts(conversation=conversation(**{"phase": Phase.CONTACTED, **changes}))


def decide(screening: Screening, known=None, event=MESSAGE) -> Decision | None:
    return gate.decide(screening, event, known or talking(), POLICY)


STOPPED = Screening(opt_out=Sign("opt_out.keyword", Span(0, 4)))


class TestRevocation:
    def test_wins_at_once_with_one_confirmation(self):
        decision = decide(STOPPED)
        assert decision is not None
        assert decision.rules == ("consent.revocation-wins",)
        assert decision.move is Move.REVOKE
        assert [(s.script_id, s.kind) for s in decision.says] == [("opt-out-confirmation", SendKind.OPT_OUT)]
        assert decision.consent is not None
        assert decision.consent.status is ConsentStatus.REVOKED
        assert decision.disposition is Disposition.OPTED_OUT

    def test_is_silent_when_the_carrier_answered_already(self):
        decision = decide(Screening(), event=MESSAGE.model_copy(update={"carrier_opt_out": True}))
        assert decision is not None
        assert decision.move is Move.REVOKE
        assert decision.says == ()

    def test_is_silent_while_staff_hold_the_thread(self):
        decision = decide(STOPPED, talking(phase=Phase.WITH_STAFF, handoff_id="h1"))
        assert decision is not None
        assert decision.move is Move.REVOKE
        assert decision.says == ()

    def test_is_not_confirmed_twice(self):
        decision = decide(STOPPED, talking(phase=Phase.OPTED_OUT))
        assert decision is not None
        assert decision.rules == ("consent.already-revoked",)
        assert decision.says == ()

    def test_is_not_read_into_an_ordinary_message(self):
        assert decide(screen(normalize("can I stop by on tuesday"))) is None


class TestOptIn:
    def test_needs_the_whole_keyword_after_an_opt_out(self):
        opted_out = talking(phase=Phase.OPTED_OUT)
        decision = decide(screen(normalize("START")), opted_out)
        assert decision is not None
        assert decision.rules == ("consent.fresh-opt-in",)
        assert decision.move is Move.OPT_IN
        assert decision.consent is not None
        assert decision.consent.how is ConsentHow.KEYWORD
        assert decide(screen(normalize("yes")), opted_out) is None
        assert decide(screen(normalize("start the car")), opted_out) is None

    def test_means_nothing_to_someone_who_never_opted_out(self):
        assert decide(screen(normalize("START"))) is None


class TestHelp:
    def test_gets_the_office_name_and_number(self):
        decision = decide(screen(normalize("HELP")))
        assert decision is not None
        assert decision.rules == ("consent.help",)
        assert [s.script_id for s in decision.says] == ["help"]
        held = decide(screen(normalize("HELP")), talking(phase=Phase.WITH_STAFF, handoff_id="h1"))
        assert held is not None
        assert held.says == ()


def read(*intents: Intent) -> Interpretation:
    return Interpretation(
        tuple(ClauseReading(Span(0, 1), i, 0.9, "lexicon", f"{i.value}.x") for i in intents), "en", "test-1"
    )


class TestRoutine:
    def test_honours_an_opt_out_the_interpreter_found(self):
        decision = gate.routine(read(Intent.OPT_OUT, Intent.ACK), MESSAGE, talking())
        assert decision is not None
        assert decision.rules == ("consent.revocation-wins",)

    def test_only_attaches_while_staff_hold(self):
        decision = gate.routine(read(Intent.ACCEPT), MESSAGE, talking(phase=Phase.WITH_STAFF, handoff_id="h1"))
        assert decision is not None
        assert decision.rules == ("hold.attached",)
        assert decision.says == ()

    def test_is_silent_to_someone_who_opted_out(self):
        decision = gate.routine(read(Intent.ACCEPT), MESSAGE, talking(phase=Phase.OPTED_OUT))
        assert decision is not None
        assert decision.rules == ("consent.silent",)

    def test_lets_a_routine_message_go_on(self):
        assert gate.routine(read(Intent.ACCEPT), MESSAGE, talking()) is None

    def test_is_only_for_patients_messages(self):
        with pytest.raises(TypeError):
            gate.routine(read(Intent.ACK), TouchDue(id="t", at=NOW, step=0), talking())


def hand_off(*verdicts: Verdict, known=None, revokes: bool = False, now=NOW, policy=POLICY) -> Decision:
    known = known or talking()
    request = topics.request(
        verdicts, event_id="e1", conversation=known.conversation, interpretation=None, policy=policy, now=now
    )
    return gate.hand_off(request, verdicts, known, policy, revokes=revokes, now=now)


BLEEDING = Verdict(Topic.EMERGENCY, "emergency.bleeding")
COST = Verdict(Topic.FINANCING, "financing.price")


class TestHandOff:
    def test_sends_the_one_approved_text_of_the_topic(self):
        decision = hand_off(COST)
        assert decision.move is Move.HAND_OFF
        assert [(s.script_id, s.kind) for s in decision.says] == [("handoff-financing", SendKind.HANDOFF)]

    def test_says_after_hours_that_the_office_is_closed(self):
        night = NOW.replace(hour=22)
        assert hand_off(COST, now=night).says[0].script_id == "handoff-financing-closed"
        assert hand_off(COST, now=NOW.replace(hour=16, minute=59)).says[0].script_id == "handoff-financing"
        complaint = Verdict(Topic.COMPLAINT, "complaint.rude")
        assert hand_off(complaint, now=night).says[0].script_id == "handoff-complaint"
        assert hand_off(BLEEDING, now=night).says[0].script_id == "emergency"

    def test_answers_the_bot_question_truthfully_though_nobody_mapped_it(self):
        unmapped = POLICY.model_copy(update={"rule_scripts": {}})
        bot = Verdict(Topic.HUMAN, "human.bot-question")
        assert hand_off(bot, policy=unmapped).says[0].script_id == "bot-question"
        assert hand_off(Verdict(Topic.HUMAN, "human.person"), policy=unmapped).says[0].script_id == "handoff-human"

    def test_prefers_the_text_of_the_rule(self):
        assert hand_off(Verdict(Topic.HUMAN, "human.bot-question")).says[0].script_id == "bot-question"
        assert hand_off(Verdict(Topic.OTHER, "guardrail.language")).says[0].script_id == "handoff-language"
        assert hand_off(Verdict(Topic.CLINICAL, "guardrail.media")).says[0].script_id == "handoff-media"

    @pytest.mark.parametrize("topic", list(Topic))
    def test_keeps_silent_while_staff_hold_except_in_an_emergency(self, topic):
        held = talking(phase=Phase.WITH_STAFF, handoff_id="h1")
        decision = hand_off(Verdict(topic, "test.rule"), known=held)
        if topic is Topic.EMERGENCY:
            assert [s.kind for s in decision.says] == [SendKind.EMERGENCY]
            assert decision.handoff is not None
        else:
            assert decision.says == ()
            assert decision.rules[0] == "hold.attached"
            assert decision.handoff is None

    def test_says_nothing_to_someone_who_opted_out_but_tells_staff(self):
        decision = hand_off(BLEEDING, known=talking(phase=Phase.OPTED_OUT))
        assert decision.says == ()
        assert decision.handoff is not None
        assert decision.move is Move.STAY

    def test_honours_the_opt_out_in_an_emergency_too(self):
        decision = hand_off(BLEEDING, revokes=True)
        assert decision.move is Move.REVOKE
        assert decision.consent is not None
        assert [s.kind for s in decision.says] == [SendKind.EMERGENCY]
        assert "consent.revocation-wins" in decision.rules

    def test_does_not_repeat_the_emergency_text_within_half_an_hour(self):
        lately = facts(
            conversation=conversation(phase=Phase.WITH_STAFF, handoff_id="h1"),
            sent=(mark(timedelta(minutes=29), SendKind.EMERGENCY),),
        )
        assert hand_off(BLEEDING, known=lately).says == ()
        before = facts(
            conversation=conversation(phase=Phase.WITH_STAFF, handoff_id="h1"),
            sent=(mark(timedelta(minutes=30), SendKind.EMERGENCY),),
        )
        assert len(hand_off(BLEEDING, known=before).says) == 1

    def test_apologises_once_to_a_wrong_number_and_has_the_chart_repaired(self):
        decision = hand_off(Verdict(Topic.IDENTITY, "identity.wrong-number"))
        assert decision.move is Move.REVOKE
        assert [(s.script_id, s.kind) for s in decision.says] == [("wrong-number", SendKind.OPT_OUT)]
        assert decision.handoff is not None
        assert decision.handoff.kind is HandoffKind.CHART_REPAIR
        assert decision.consent is not None
        assert decision.consent.how is ConsentHow.WRONG_NUMBER

    def test_is_silent_to_strangers_and_on_shared_numbers_except_in_an_emergency(self):
        stranger = facts(conversation=conversation(case_id=None, patient_id=None), case=None)
        assert hand_off(Verdict(Topic.IDENTITY, "guardrail.stranger"), known=stranger).says == ()
        assert len(hand_off(BLEEDING, known=stranger).says) == 1
        shared = facts(conversation=conversation(phase=Phase.CONTACTED), shared_with=("c2",))
        assert hand_off(Verdict(Topic.IDENTITY, "guardrail.shared-number"), known=shared).says == ()


class TestWithoutTexts:
    def test_keeps_the_effect_and_drops_the_words(self):
        quiet = gate.without_texts(hand_off(COST))
        assert quiet.says == ()
        assert quiet.handoff is not None


class TestDangerBesideStop:
    @pytest.mark.parametrize(
        "words",
        [
            "it has been an hour and the blood will not stop please",
            "make it stop i cant take the pain my cheek is all swollen",
            "no para la sangre y tengo fiebre, no mas",
        ],
    )
    def test_is_an_emergency_and_no_opt_out(self, words):
        found = screen(normalize(words))
        assert found.emergency is not None
        assert found.opt_out is None

    def test_is_both_when_the_texts_are_meant_too(self):
        found = screen(normalize("my face is swollen and burning up. stop texting me and call an ambulance"))
        assert found.emergency is not None
        assert found.opt_out is not None


class TestMoreThanAnOptOut:
    def test_is_seen_by_the_screening(self):
        assert screen(normalize("stop texting me, you people ruined my tooth and I want a refund")).more
        assert not screen(normalize("please stop texting me thanks")).more
        assert not screen(normalize("can you do something on thursday or friday next week")).more

    def test_becomes_a_task_in_silence(self):
        decision = gate.revoke(talking(), MESSAGE)
        complaint = (Verdict(Topic.COMPLAINT, "complaint.refund"),)
        told = gate.revoked_and_more(decision, complaint, talking(), POLICY, NOW)
        assert told.handoff is not None
        assert told.handoff.rule == "consent.revocation-and-more"
        assert not told.handoff.kind.holds
        assert told.says == decision.says

    def test_is_a_task_too_when_the_rest_was_not_understood(self):
        unclear = (Verdict(Topic.OTHER, "guardrail.not-understood"),)
        assert gate.revoked_and_more(gate.revoke(talking(), MESSAGE), unclear, talking(), POLICY, NOW).handoff

    def test_is_no_task_when_the_rest_is_routine(self):
        assert gate.revoked_and_more(gate.revoke(talking(), MESSAGE), (), talking(), POLICY, NOW).handoff is None
