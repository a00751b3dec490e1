"""From a model's answer to readings of the message: quotes must stand in it, and what no quote covers was not read."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from treatment_agent.domain.interpretation import Intent, ModelFailure, Span, Topic
from treatment_agent.errors import ModelFailed
from treatment_agent.testing import answer
from treatment_agent.understanding.language_model.answer import schema, understood

CHICAGO = ZoneInfo("America/Chicago")
TEXT = "The 2nd one works, and my jaw's sore"


def kind_of(reply: str, text: str = TEXT) -> str:
    with pytest.raises(ModelFailed) as caught:
        understood(reply, text, CHICAGO)
    assert text not in str(caught.value)
    assert caught.value.__context__ is None or isinstance(caught.value.__context__, ModelFailed)
    return caught.value.kind


class TestClauses:
    def test_are_found_by_their_words_whatever_case_spaces_and_apostrophes(self):
        reply = answer(("the 2nd  one works", Intent.ACCEPT), ("My jaw’s sore", Topic.CLINICAL))

        found = understood(reply, TEXT, CHICAGO).clauses

        assert [(c.label, c.span.of(TEXT)) for c in found] == [
            (Intent.ACCEPT, "The 2nd one works"),
            (Topic.CLINICAL, "my jaw's sore"),
        ]
        assert found[1].rule == "model.clinical"

    def test_that_no_quote_covers_are_not_understood(self):
        found = understood(answer(("The 2nd one works", Intent.ACCEPT)), TEXT, CHICAGO).clauses

        assert [c.label for c in found] == [Intent.ACCEPT, None]
        assert found[1].rule == "model.unread"

    def test_may_leave_out_what_only_joins_them(self):
        found = understood(answer(("yes", Intent.AFFIRM), ("2", Intent.ACCEPT)), "yes, and... 2!", CHICAGO).clauses

        assert [c.label for c in found] == [Intent.AFFIRM, Intent.ACCEPT]

    def test_must_come_in_the_order_of_the_message(self):
        reply = answer(("my jaw's sore", Topic.CLINICAL), ("The 2nd one works", Intent.ACCEPT))

        assert kind_of(reply) == ModelFailure.NOT_IN_TEXT

    def test_below_their_threshold_are_not_understood_when_routine_and_count_when_a_topic(self):
        reply = answer(("The 2nd one works", Intent.ACCEPT), ("my jaw's sore", Topic.CLINICAL), confidence=0.5)

        found = understood(reply, TEXT, CHICAGO).clauses

        assert [c.label for c in found] == [None, Topic.CLINICAL]
        assert found[1].confidence >= found[1].threshold

    def test_need_evidence_from_their_own_words(self):
        told = json.loads(answer(("The 2nd one works", Intent.ACCEPT)))
        told["clauses"][0]["evidence"] = ["sore"]

        assert kind_of(json.dumps(told)) == ModelFailure.NOT_IN_TEXT

    def test_treat_the_words_as_words_and_not_as_a_pattern(self):
        found = understood(answer(("(a+)+$", None)), "(a+)+$", CHICAGO).clauses

        assert found[0].span == Span(0, 6)


class TestFacts:
    def test_are_in_the_offices_zone(self):
        facts = {
            "windows": [{"start": "2026-12-01T09:00:00", "end": "2026-12-01T12:00:00"}],
            "call_at": "2026-12-01T16:00:00Z",
            "until": "2026-12-05",
            "reason": "cost",
            "asks": "parking",
        }

        found = understood(answer((TEXT, None), facts=facts), TEXT, CHICAGO).facts

        assert found.windows[0].start == datetime(2026, 12, 1, 9, tzinfo=CHICAGO)
        assert found.call_at == datetime(2026, 12, 1, 10, tzinfo=CHICAGO)

    def test_leave_out_windows_that_end_before_they_begin(self):
        facts = {"windows": [{"start": "2026-12-01T12:00:00", "end": "2026-12-01T09:00:00"}]}

        assert understood(answer((TEXT, None), facts=facts), TEXT, CHICAGO).facts.windows == ()


class TestAnswer:
    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            ("", ModelFailure.EMPTY),
            ("  \n", ModelFailure.EMPTY),
            ("null", ModelFailure.MALFORMED),
            ("[]", ModelFailure.MALFORMED),
            ("{}", ModelFailure.MALFORMED),
            ("<b>Hello!</b>", ModelFailure.MALFORMED),
            ("[" * 100_000, ModelFailure.MALFORMED),
            ('{"language": "en", "clauses": [{"quote": "The 2', ModelFailure.TRUNCATED),
            (answer(("", Intent.ACK)), ModelFailure.NOT_IN_TEXT),
            (answer((TEXT, None), confidence=2), ModelFailure.MALFORMED),
            (answer((TEXT, None), facts={"option": True}), ModelFailure.MALFORMED),
            (answer((TEXT, None), facts={"patient_id": "ben"}), ModelFailure.MALFORMED),
            (answer((TEXT, None), facts={"until": "someday"}), ModelFailure.MALFORMED),
            (answer((TEXT, None), language="Spanish"), ModelFailure.LANGUAGE),
            (answer(*[("The", None)] * 41), ModelFailure.MALFORMED),
        ],
    )
    def test_that_is_wrong_does_not_count(self, reply: str, kind: ModelFailure):
        assert kind_of(reply) == kind

    def test_may_stand_in_a_code_fence(self):
        assert understood(f"```json\n{answer((TEXT, None))}\n```", TEXT, CHICAGO).language == "en"


class TestSchema:
    def test_is_strict_everywhere(self):
        def objects(node: object) -> list[dict[str, object]]:
            if isinstance(node, list):
                return [found for each in node for found in objects(each)]
            if isinstance(node, dict):
                own = [node] if node.get("type") == "object" else []
                return own + [found for each in node.values() for found in objects(each)]
            return []

        found = objects(schema())

        assert len(found) == 4
        for each in found:
            assert each["additionalProperties"] is False
            assert set(each["required"]) == set(each["properties"])  # type: ignore[call-overload]

    def test_names_every_label(self):
        labels = schema()["$defs"]["Label"]["enum"]  # type: ignore[index]

        assert set(labels) == {*Topic, *Intent, "unclear"}
