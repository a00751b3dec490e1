"""How lists, parsers and classifier are weighed together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from treatment_agent.domain.interpretation import Asked, ClauseReading, Intent, Situation, Span, Topic
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.policies.lexicon import Group, Match
from treatment_agent.understanding.classifier import Reading
from treatment_agent.understanding.evidence import Evidence, features, log_odds
from treatment_agent.understanding.judge import Judge, Limits, shipped_judge
from treatment_agent.understanding.options import OptionPick
from treatment_agent.understanding.times.reading import TimeReading

NOW = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("America/Chicago"))
OFFERS = tuple(
    Slot(NOW + timedelta(days=n), NOW + timedelta(days=n, hours=1), "lee", f"o{n}", Family.CROWN) for n in (7, 9)
)
ASKED = Situation(now=NOW, asked=Asked.OFFER, offers=OFFERS)
LABELS = (*Topic, *Intent)
MESSAGE = "some words that stand here and others that stand there"
FIRST, SECOND = Span(0, 26), Span(27, len(MESSAGE))
HINT = Match(Group("clinical", "pain", ("x",), {}, hint=True), range(1))
JUDGE = Judge({"bias": 0.0, "whole": 1.0, "hints": 2.0}, Limits(0.3, 0.15, 0.8, 0.2, 0.8))


def reading(**shares: float) -> Reading:
    rest = (1 - sum(shares.values())) / (len(LABELS) - len(shares))
    pairs = [(label, shares.get(label.value, rest)) for label in LABELS]
    return Reading(tuple(sorted(pairs, key=lambda pair: -pair[1])))


def clause(span: Span, label: Topic | Intent | None, rule: str = "routine.unexplained") -> ClauseReading:
    return ClauseReading(span, label, 0.4, "lexicon", rule)


SEEN = Evidence(
    text=MESSAGE,
    situation=ASKED,
    language="en",
    clauses=(clause(FIRST, None),),
    hints=(),
    pick=OptionPick(None),
    leans=None,
    times=TimeReading(),
    whole=reading(defer=0.9),
    parts=(reading(defer=0.9),),
    linear=0.0,
    unknown=0.0,
    asks=0,
)


def seen(whole: Reading, *clauses: ClauseReading, part: Reading | None = None, **changes: object) -> Evidence:
    parts = (part or whole,) * len(clauses)
    return replace(SEEN, whole=whole, clauses=clauses, parts=parts, **changes)  # type: ignore[arg-type]


class TestProbability:
    def test_grows_with_what_the_classifier_gives_to_topics(self):
        low, high = (JUDGE.probability(seen(reading(clinical=share), clause(FIRST, None))) for share in (0.02, 0.6))
        assert low < 0.5 < high

    def test_a_hint_makes_it_likelier(self):
        plain = seen(reading(defer=0.95), clause(FIRST, None))
        assert JUDGE.probability(replace(plain, hints=(HINT,))) > JUDGE.probability(plain)

    def test_stays_between_0_and_1_whatever_the_weights(self):
        wild = replace(JUDGE, weights={"bias": 1e6})
        assert 0 <= wild.probability(SEEN) <= 1

    def test_log_odds_are_finite(self):
        assert log_odds(0.5) == 0
        assert -10 < log_odds(0.0) < 0 < log_odds(1.0) < 10

    def test_the_shipped_weights_name_every_figure(self):
        assert set(shipped_judge().weights) == {"bias", *features(SEEN)}


class TestSettle:
    def test_explains_what_lists_leave_open_when_sure(self):
        (found,) = JUDGE.settle(seen(reading(defer=0.9), clause(FIRST, None)))
        assert (found.label, found.part, found.rule) == (Intent.DEFER, "classifier", "classifier.defer")
        assert (found.confidence, found.threshold) == (0.9, JUDGE.limits.intent)

    def test_hands_off_from_the_limit_on_and_says_why(self):
        found = JUDGE.settle(seen(reading(clinical=0.5), clause(FIRST, Intent.ACCEPT, "routine.accept")))[-1]
        assert (found.label, found.part, found.rule) == (Topic.CLINICAL, "judge", "judge.clinical")
        assert found.confidence >= found.threshold == JUDGE.limits.person

    def test_a_hint_names_the_rule_and_can_turn_the_scale(self):
        routine = reading(defer=0.75, clinical=0.1)
        assert JUDGE.settle(seen(routine, clause(FIRST, None)))[-1].label is Intent.DEFER
        found = JUDGE.settle(seen(routine, clause(FIRST, None), hints=(HINT,)))[-1]
        assert (found.label, found.rule) == (Topic.CLINICAL, "clinical.pain")

    def test_abstains_when_no_intent_is_likely(self):
        shares = {intent.value: 0.99 / len(Intent) for intent in Intent}
        (found,) = JUDGE.settle(seen(reading(**shares), clause(FIRST, None)))
        assert found.label is None

    def test_an_opt_out_in_no_list_is_honoured(self):
        assert JUDGE.settle(seen(reading(opt_out=0.95), clause(FIRST, None)))[-1].label is Intent.OPT_OUT

    def test_an_emergency_is_stronger_than_an_opt_out(self):
        found = JUDGE.settle(seen(reading(opt_out=0.8, emergency=0.17), clause(FIRST, None)))
        assert found[-1].label is Topic.EMERGENCY
        found = JUDGE.settle(seen(reading(emergency=0.97), clause(FIRST, Intent.OPT_OUT, "opt_out.words")))
        assert [c.label for c in found] == [Intent.OPT_OUT, Topic.EMERGENCY]

    @pytest.mark.parametrize("label", [Topic.OTHER, Intent.OPT_OUT])
    def test_sure_topics_and_opt_outs_of_the_lists_stay(self, label):
        clauses = (clause(FIRST, label, "list"), clause(SECOND, None))
        assert JUDGE.settle(seen(reading(accept=0.99), *clauses)) == clauses

    def test_a_sure_topic_hides_no_other_one_in_the_next_clause(self):
        clauses = (clause(FIRST, Topic.HUMAN, "human.bot-question"), clause(SECOND, None))
        evidence = replace(seen(reading(human=0.7), *clauses), parts=(reading(human=0.9), reading(clinical=0.9)))
        assert [c.label for c in JUDGE.settle(evidence)] == [Topic.HUMAN, None, Topic.CLINICAL]

    def test_one_clause_can_be_the_topic(self):
        clauses = (clause(FIRST, Intent.ACCEPT, "routine.accept"), clause(SECOND, None))
        judge = replace(JUDGE, weights={"bias": 0.0, "worst_part": 1.0})
        evidence = replace(seen(reading(accept=0.95), *clauses), parts=(reading(accept=0.9), reading(clinical=0.9)))
        found = judge.settle(evidence)[-1]
        assert (found.label, found.span) == (Topic.CLINICAL, SECOND)

    def test_an_aside_does_not_repeat_the_answer(self):
        clauses = (clause(FIRST, Intent.OTHER_TIMES, "routine.other_times"), clause(SECOND, None))
        found = JUDGE.settle(seen(reading(other_times=0.95), *clauses))
        assert [c.label for c in found] == [Intent.OTHER_TIMES, Intent.ACK]

    def test_a_sure_classifier_overrules_what_lists_explained(self):
        clauses = (clause(FIRST, Intent.ACCEPT, "routine.accept"),)
        assert [c.label for c in JUDGE.settle(seen(reading(defer=0.9), *clauses))] == [Intent.DEFER]
        assert [c.label for c in JUDGE.settle(seen(reading(ack=0.6), *clauses))] == [Intent.ACCEPT]

    def test_nothing_is_booked_when_the_message_as_a_whole_waits(self):
        clauses = (clause(FIRST, Intent.ACCEPT, "routine.accept"), clause(SECOND, None))
        assert {c.label for c in JUDGE.settle(seen(reading(defer=0.7), *clauses))} == {Intent.DEFER}

    @pytest.mark.parametrize("other", [Intent.DEFER, Intent.DECLINE, Intent.ALREADY])
    def test_half_a_yes_keeps_both_halves(self, other):
        clauses = (clause(FIRST, Intent.ACCEPT, "routine.accept"), clause(SECOND, other, "routine.other"))
        found = JUDGE.settle(seen(reading(accept=0.7), *clauses, pick=OptionPick(1)))
        assert {c.label for c in found} == {Intent.ACCEPT, other}

    def test_a_pick_beside_a_wish_to_wait_is_not_booked(self):
        clauses = (clause(FIRST, Intent.ACCEPT, "routine.accept"), clause(SECOND, Intent.DEFER, "routine.defer"))
        found = JUDGE.settle(seen(reading(defer=0.7), *clauses, pick=OptionPick(1)))
        assert {c.label for c in found} == {Intent.ACK, Intent.DEFER}

    def test_a_clause_that_means_something_else_by_itself_contradicts_nothing(self):
        clauses = (clause(FIRST, Intent.ACCEPT, "routine.accept"), clause(SECOND, Intent.DEFER, "routine.defer"))
        evidence = seen(reading(accept=0.7), *clauses, pick=OptionPick(1))
        found = JUDGE.settle(replace(evidence, parts=(reading(accept=0.9), reading(ack=0.9))))
        assert [c.label for c in found] == [Intent.ACCEPT, Intent.ACK]

    def test_what_is_sighed_before_a_sure_pick_contradicts_nothing(self):
        first, last = (FIRST, Intent.DEFER, "routine.defer"), (SECOND, Intent.ACCEPT, "routine.accept")
        for share, booked in ((0.95, True), (0.7, False)):
            found = JUDGE.settle(seen(reading(accept=share), clause(*first), clause(*last), pick=OptionPick(1)))
            assert (Intent.DEFER not in {c.label for c in found}) is booked

    def test_the_classifier_alone_finds_a_refusal_beside_a_pick(self):
        clauses = (clause(FIRST, Intent.OTHER_TIMES, "routine.other_times"), clause(SECOND, None))
        evidence = seen(reading(decline=0.9), *clauses, pick=OptionPick(1))
        found = JUDGE.settle(replace(evidence, parts=(reading(accept=0.9), reading(decline=0.9))))
        assert {c.label for c in found} == {Intent.ACCEPT, Intent.DECLINE}

    def test_a_better_name_comes_with_a_rule_of_its_own(self):
        clauses = (
            clause(FIRST, Topic.CLINICAL, "clinical.procedure"),
            clause(SECOND, Topic.SENSITIVE, "sensitive.grief"),
        )
        found = JUDGE.settle(seen(reading(sensitive=0.95), *clauses))
        assert [(c.label, c.rule) for c in found] == [
            (Topic.SENSITIVE, "judge.sensitive"),
            (Topic.SENSITIVE, "sensitive.grief"),
        ]

    def test_another_question_keeps_its_name(self):
        clauses = (clause(FIRST, Topic.FINANCING, "financing.price"), clause(SECOND, Topic.CLINICAL, "clinical.pain"))
        evidence = seen(reading(clinical=0.95), *clauses)
        found = JUDGE.settle(replace(evidence, parts=(reading(financing=0.9), reading(clinical=0.9))))
        assert found == clauses

    @pytest.mark.parametrize(
        ("names", "share", "rule"),
        [
            (["wrong-number"], 0.9, "identity.wrong-number"),
            (["wrong-number"], 0.6, "judge.identity"),
            (["wrong-number", "another-person"], 0.9, "identity.another-person"),
        ],
    )
    def test_a_hint_of_a_wrong_number_must_be_sure_and_alone(self, names, share, rule):
        hints = tuple(Match(Group("identity", name, ("x",), {}, hint=True), range(1)) for name in names)
        found = JUDGE.settle(seen(reading(identity=share), clause(FIRST, None), hints=hints))
        assert found[-1].rule == rule

    def test_accepting_what_nobody_offered_is_not_booked(self):
        (found,) = JUDGE.settle(seen(reading(accept=0.95), clause(FIRST, None)))
        assert found.label is Intent.AFFIRM

    def test_an_offered_time_is_an_answer_though_the_classifier_does_not_know_it_was_offered(self):
        clauses = (clause(FIRST, Intent.ACCEPT, "routine.accept"), clause(SECOND, None))
        evidence = seen(reading(other_times=0.95), *clauses, pick=OptionPick(1))
        assert [c.label for c in JUDGE.settle(evidence)] == [Intent.ACCEPT, Intent.ACK]

    def test_a_change_before_anything_is_booked_is_a_search(self):
        (found,) = JUDGE.settle(seen(reading(change=0.95), clause(FIRST, None)))
        assert found.label is Intent.OTHER_TIMES
