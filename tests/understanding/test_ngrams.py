"""The linear reader beside the encoder."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from treatment_agent.domain.interpretation import Situation
from treatment_agent.understanding.classifier import Classifier
from treatment_agent.understanding.ngrams import PLACES, Ngrams, blocks

NOW = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("America/Chicago"))


class TestBlocks:
    @pytest.mark.parametrize("text", ["", "ok", "\ud800", "thursday works", "a" * 5000])
    def test_are_never_empty_and_inside_the_table(self, text):
        for block in blocks(text, "offer"):
            assert len(block)
            assert 0 <= block.min() <= block.max() < PLACES
            assert len(set(block)) == len(block)

    def test_depend_on_what_was_asked(self):
        assert list(blocks("2", "offer")[1]) != list(blocks("2", "call")[1])

    def test_share_most_pieces_with_another_spelling(self):
        right, wrong = (set(blocks(text, "offer")[0]) for text in ("insurance", "insurence"))
        assert len(right & wrong) > len(right) / 3


class TestLogOdds:
    def test_is_a_sum_of_means_in_steps(self):
        weights = np.zeros(PLACES, dtype=np.int8)
        pieces, words = blocks("no", "offer")
        weights[words] = 10
        found = Ngrams(weights, 0.1, -1.0).log_odds("no", "offer")
        hit = int(weights[pieces].sum())
        assert found == pytest.approx(-1.0 + 0.1 * (hit / np.sqrt(len(pieces)) + 10 * np.sqrt(len(words))))

    def test_of_the_shipped_one_tells_a_question_of_cost_from_an_answer(self):
        shipped, situation = Classifier.load(), Situation(now=NOW)
        cost = shipped.linear_log_odds("how much is the crown going to cost me", situation)
        assert cost > 0 > shipped.linear_log_odds("thursday at 2 works for me, thanks", situation)
