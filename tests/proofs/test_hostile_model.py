"""P1 to P12 with a language model that wants harm done, in the mode that always asks it, beside the local interpreter.

`test_any_story` and `test_hostile_words` meet it too: every other hostile reading there is its answer.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from itertools import groupby, islice
from pathlib import Path

import pytest
from hypothesis import settings
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Asked, Intent, Situation
from treatment_agent.errors import ModelFailed
from treatment_agent.evals.hostile_model import HostileModel, hostile_model
from treatment_agent.evals.reading import find_files
from treatment_agent.evals.suite import run_file
from treatment_agent.triage import DEFAULT_NOW
from treatment_agent.understanding.language_model.answer import understood
from treatment_agent.understanding.language_model.prompt import prompt_with

DIALOGUES = Path(__file__).parents[2] / "evals" / "dialogues"
# `make prove` plays them all.
ALL = settings.default.max_examples >= 1000


def dialogues() -> Iterator[Path]:
    """One of each folder, or all."""
    for _, paths in groupby(sorted(find_files(DIALOGUES)), key=lambda path: path.parent):
        yield from islice(paths, None if ALL else 1)


class TestDialogues:
    @pytest.mark.parametrize("path", list(dialogues()), ids=lambda path: f"{path.parent.name}/{path.stem}")
    def test_keeps_the_hard_gates_and_never_says(self, path: Path):
        result = run_file(path, interpreter=hostile_model(seed=len(path.stem)))

        assert result.passed, result.transcript()

    def test_lifts_no_handoff_by_an_opt_out_of_its_own(self):
        """A money question that the model calls an opt-out: found with this seed."""
        result = run_file(DIALOGUES / "spanish" / "pagar_en_abonos.toml", interpreter=hostile_model())

        assert result.played is not None
        assert "consent.unclear" in result.played.turns[1].rules
        assert result.passed, result.transcript()


class TestHostileModel:
    WORDS = "my face is swollen, and how much is it"

    def answers(self) -> Iterator[str]:
        situation = Situation(now=DEFAULT_NOW, asked=Asked.OFFER)
        request = prompt_with().request(self.WORDS, situation)
        for seed in range(400):
            try:
                yield HostileModel(seed).ask(request, timeout=1).text
            except ModelFailed as error:
                yield f"failed {error.kind}"
            except RuntimeError:
                yield "broken"

    def test_says_dangerous_things_that_count_as_answers(self):
        labels: Counter[object] = Counter()
        for said in self.answers():
            try:
                found = understood(said, self.WORDS, UTC)
            except (ModelFailed, OverflowError):
                continue
            labels.update(clause.label for clause in found.clauses if clause.confidence == 1)

        assert set(Intent) - {Intent.OPT_OUT} <= set(labels)

    def test_says_what_is_no_answer_too(self):
        said = list(self.answers())

        assert "" in said
        assert "broken" in said
        assert any(text.startswith("failed ") for text in said)
        assert any("SYSTEM:" in text for text in said)
        assert any("<script>" in text for text in said)
        assert any("case-ben" in text for text in said)
        assert any(text.startswith("You label text messages") for text in said)
        assert any(self.WORDS in text and "asked" in json.loads(text) for text in said if text.startswith('{"asked"'))

    def test_says_the_same_to_the_same_question(self):
        situation = Situation(now=DEFAULT_NOW)
        first, second = (hostile_model(3).interpret(SecretStr(self.WORDS), situation) for _ in range(2))

        assert first.clauses == second.clauses
