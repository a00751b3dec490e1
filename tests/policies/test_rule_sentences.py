from __future__ import annotations

import pytest

from treatment_agent.domain.interpretation import Topic
from treatment_agent.policies.rules import FAMILIES, RULES, sentence


class TestSentence:
    def test_is_the_rules_own(self):
        assert sentence("contact.held") == RULES["contact.held"]

    @pytest.mark.parametrize("topic", Topic)
    @pytest.mark.parametrize("rule", ["{}.some-list", "judge.{}", "classifier.{}"])
    def test_of_a_topic_is_told_however_it_was_found(self, rule, topic):
        assert sentence(rule.format(topic.value)) == FAMILIES[topic.value] != ""

    def test_is_empty_for_a_rule_of_the_offices_own(self):
        assert sentence("ours.vip") == ""
