"""Guardrails: what a person must have."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from policy_samples import CHICAGO, NOW, POLICY, conversation

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import Role, Urgency
from treatment_agent.domain.interpretation import (
    ClauseReading,
    Facts,
    Intent,
    Interpretation,
    Reason,
    Situation,
    Span,
    Topic,
)
from treatment_agent.domain.text import normalize
from treatment_agent.domain.turn import Verdict
from treatment_agent.policies import topics
from treatment_agent.policies.lexicon import lexicon

SITUATION = Situation(now=NOW)


def clause(label: Topic | Intent | None, *, confidence: float = 0.95, rule: str = "test.rule") -> ClauseReading:
    return ClauseReading(Span(0, 4), label, confidence, "lexicon", rule)


def heard(*labels: Topic | Intent | None, **changes: object) -> topics.Heard:
    interpretation = Interpretation(tuple(clause(label) for label in labels), "en", "test-1")
    plain = topics.Heard(
        text="some words",
        media=0,
        interpretation=interpretation,
        conversation=conversation(phase=Phase.CONTACTED),
        situation=SITUATION,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def rules(said: topics.Heard, policy=POLICY) -> list[str]:
    return [v.rule for v in topics.judge(said, policy)]


class TestJudge:
    @pytest.mark.parametrize("intent", list(Intent))
    def test_lets_a_confident_routine_message_pass(self, intent):
        assert rules(heard(intent)) == []

    @pytest.mark.parametrize("topic", list(Topic))
    def test_stops_any_topic_in_any_clause(self, topic):
        verdicts = topics.judge(heard(Intent.ACCEPT, topic), POLICY)
        assert [v.topic for v in verdicts] == [topic]

    def test_stops_what_was_not_understood(self):
        assert rules(heard(Intent.ACCEPT, None)) == ["guardrail.not-understood"]
        assert rules(heard()) == ["guardrail.not-understood"]

    def test_stops_a_label_below_its_threshold(self):
        weak = Interpretation((clause(Intent.ACCEPT, confidence=0.4),), "en", "test-1")
        assert rules(heard(interpretation=weak)) == ["guardrail.not-understood"]
        enough = Interpretation((clause(Intent.ACCEPT, confidence=0.5),), "en", "test-1")
        assert rules(heard(interpretation=enough)) == []

    @pytest.mark.parametrize("other", [Intent.DECLINE, Intent.ALREADY, Intent.DEFER])
    def test_stops_a_contradiction(self, other):
        assert rules(heard(Intent.ACCEPT, other)) == ["guardrail.contradiction"]
        assert rules(heard(other)) == []

    def test_stops_a_language_without_scripts(self):
        french = Interpretation((clause(Intent.ACCEPT),), "fr", "test-1")
        assert rules(heard(interpretation=french)) == ["guardrail.language"]
        spanish = Interpretation((clause(Intent.ACCEPT),), "es", "test-1")
        assert rules(heard(interpretation=spanish)) == []

    def test_stops_pictures(self):
        assert rules(heard(Intent.ACCEPT, media=1)) == ["guardrail.media"]

    def test_stops_very_long_texts(self):
        assert rules(heard(Intent.ACK, text="x" * 5001)) == ["guardrail.too-long"]
        assert rules(heard(Intent.ACK, text="x" * 5000)) == []

    def test_stops_strangers_and_shared_numbers(self):
        assert rules(heard(Intent.ACCEPT, conversation=conversation(case_id=None))) == ["guardrail.stranger"]
        assert rules(heard(Intent.ACCEPT, shared_with=("c2",))) == ["guardrail.shared-number"]

    def test_stops_news_on_a_closed_case_but_not_a_thank_you(self):
        closed = conversation(phase=Phase.CLOSED)
        assert rules(heard(Intent.ACCEPT, conversation=closed)) == ["guardrail.closed"]
        assert rules(heard(Intent.ACK, conversation=closed)) == []

    @pytest.mark.parametrize(
        ("text", "topic"),
        [
            ("i want to die", Topic.SENSITIVE),
            ("will it hurt", Topic.CLINICAL),
            ("does delta cover it", Topic.INSURANCE),
        ],
    )
    def test_keeps_what_the_word_lists_find_whatever_the_interpreter_says(self, text, topic):
        for intent in (Intent.ACCEPT, Intent.ACK):
            assert topic in {v.topic for v in topics.judge(heard(intent, text=text), POLICY)}

    def test_keeps_a_topic_of_the_lists_when_a_reading_only_borrows_its_rule(self):
        said = Interpretation((clause(Intent.ACK, rule="clinical.pain"),), "en", "test-1")
        assert set(rules(heard(interpretation=said, text="it hurts when I bite"))) == {"clinical.pain"}

    def test_lets_the_judge_name_what_the_lists_found_unless_it_is_grave(self):
        for text, found in (
            ("how much is it", {"judge.insurance"}),
            ("i want to die", {"judge.insurance", "sensitive.self-harm"}),
        ):
            spans = tuple(f.span for f in lexicon().find(normalize(text)))
            named = replace(clause(Topic.INSURANCE, rule="judge.insurance"), part="judge", evidence=spans)
            said = Interpretation((named,), "en", "test-1")
            assert set(rules(heard(interpretation=said, text=text))) == found

    @pytest.mark.parametrize(("text", "stopped"), [("2", True), ("option 2", True), ("thanks", False), ("2 pm", False)])
    def test_stops_a_bare_pick_after_booking(self, text, stopped):
        booked = conversation(phase=Phase.BOOKED)
        found = rules(heard(Intent.ACK, text=text, conversation=booked))
        assert found == (["guardrail.pick-after-booking"] if stopped else [])
        assert rules(heard(Intent.ACK, text=text)) == []

    def test_runs_the_offices_own_guardrails(self):
        class Shuttle:
            id = "guardrail.shuttle"

            def check(self, text, interpretation, conversation, situation):
                return Verdict(Topic.CLINICAL, self.id) if "shuttle" in text else None

        policy = POLICY.model_copy(update={"guardrails": (Shuttle(),)})
        assert rules(heard(Intent.ACCEPT, text="2, is there a shuttle"), policy) == ["guardrail.shuttle"]
        assert rules(heard(Intent.ACCEPT), policy) == []


class TestDeciding:
    def test_puts_emergencies_first_then_what_is_urgent_then_the_strictest(self):
        harm = Verdict(Topic.SENSITIVE, "sensitive.self-harm", Urgency.NOW)
        pain, bleeding = Verdict(Topic.CLINICAL, "clinical.pain"), Verdict(Topic.EMERGENCY, "emergency.bleeding")
        grief = Verdict(Topic.SENSITIVE, "sensitive.grief")
        assert topics.deciding((pain, harm, bleeding)) is bleeding
        assert topics.deciding((pain, grief, harm)) is harm
        assert topics.deciding((pain, grief)) is grief

    def test_puts_a_wrong_number_before_what_else_is_about_identity(self):
        other, wrong = (
            Verdict(Topic.IDENTITY, "identity.another-person"),
            Verdict(Topic.IDENTITY, "identity.wrong-number"),
        )
        assert topics.deciding((other, wrong)) is wrong
        assert topics.deciding((wrong, Verdict(Topic.CLINICAL, "clinical.pain"))).topic is Topic.CLINICAL

    def test_marks_self_harm_as_urgent(self):
        said = Interpretation((clause(Topic.SENSITIVE, rule="sensitive.self-harm"),), "en", "test-1")
        (verdict,) = topics.judge(heard(interpretation=said), POLICY)
        assert verdict.urgency is Urgency.NOW


class TestRequest:
    def request(self, *verdicts: Verdict, **facts: object):
        interpretation = Interpretation((), "en", "test-1", Facts(**facts))  # type: ignore[arg-type]
        return topics.request(
            verdicts,
            event_id="e1",
            conversation=conversation(),
            interpretation=interpretation,
            policy=POLICY,
            now=NOW,
        )

    def test_goes_to_the_owner_of_the_strictest_topic(self):
        made = self.request(Verdict(Topic.FINANCING, "financing.price"), Verdict(Topic.CLINICAL, "clinical.pain"))
        assert made.topics == (Topic.CLINICAL, Topic.FINANCING)
        assert (made.owner, made.rule, made.urgency) == (Role.CLINICIAN, "clinical.pain", Urgency.TODAY)

    def test_logs_cost_as_the_reason_of_a_financing_topic(self):
        assert self.request(Verdict(Topic.FINANCING, "financing.price")).reason is Reason.COST
        assert self.request(Verdict(Topic.FINANCING, "financing.price"), reason=Reason.FEAR).reason is Reason.FEAR


class TestDueAt:
    def test_counts_open_office_minutes(self):
        friday = datetime(2026, 12, 4, 16, tzinfo=CHICAGO)
        assert topics.due_at(friday, 120, POLICY, Urgency.TODAY) == datetime(2026, 12, 7, 9, tzinfo=CHICAGO)

    def test_counts_every_minute_when_it_is_urgent(self):
        night = datetime(2026, 12, 4, 23, tzinfo=CHICAGO)
        assert topics.due_at(night, 5, POLICY, Urgency.NOW) == night + timedelta(minutes=5)

    def test_skips_holidays(self):
        closed = POLICY.model_copy(
            update={"office": POLICY.office.model_copy(update={"holidays": (date(2026, 11, 26),)})}
        )
        evening = datetime(2026, 11, 25, 16, 30, tzinfo=CHICAGO)
        assert topics.due_at(evening, 60, closed, Urgency.SOON) == datetime(2026, 11, 27, 8, 30, tzinfo=CHICAGO)
