"""What thumbs, phones and mail programs add must not lose a handoff; for the exact kinds, not one."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.text import normalize
from treatment_agent.evals.messages import LabelledMessage
from treatment_agent.evals.noise import NOISES, measure, safe
from treatment_agent.triage import Triage

VOICES = Path(__file__).parents[2] / "training" / "data" / "voices"
EXACT = tuple(noise for noise in NOISES if noise.exact)
FOLDED = tuple(noise for noise in EXACT if noise.name not in ("emoji",))


@cache
def triage() -> Triage:
    return Triage(maple_policy())


@cache
def rows() -> tuple[LabelledMessage, ...]:
    """Messages of people that nobody trained on, each in the first context it was written for."""
    found = []
    for name in ("v40", "v41", "v42", "v43"):
        for line in (VOICES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            fields = {key: row[key] for key in ("text", "label", "lang", "voice")}
            found.append(LabelledMessage(**fields, context="offer" if "offer" in row["contexts"] else "first_message"))
    return tuple(found)


def verdict(message: LabelledMessage, text: str) -> dict[str, object]:
    language = "es" if message.lang == "es" else "en"
    return triage().judge({"id": "1", "text": text, "context": message.context, "language": language})


class TestExactNoise:
    @settings(max_examples=max(settings.default.max_examples // 2, 20))
    @given(message=st.sampled_from(rows()), noise=st.sampled_from(EXACT), seed=st.integers(0, 10**6))
    def test_never_loses_a_handoff(self, message, noise, seed):
        if safe(verdict(message, message.text)):
            assert safe(verdict(message, noise.change(message.text, message.lang, Random(seed)))), noise.name

    @given(message=st.sampled_from(rows()), noise=st.sampled_from(FOLDED), seed=st.integers(0, 10**6))
    def test_is_gone_before_anything_is_matched(self, message, noise, seed):
        noisy = noise.change(message.text, message.lang, Random(seed))
        assert normalize(noisy).folded.lower() == normalize(message.text).folded.lower()


class TestMeasure:
    def test_counts_what_a_noise_loses(self, monkeypatch):
        """A noise that makes everything an "ok" loses every handoff."""
        deaf = replace(NOISES[0], change=lambda text, language, chance: "ok thanks")
        monkeypatch.setattr("treatment_agent.evals.noise.NOISES", (deaf,))
        hurt = LabelledMessage(text="is it going to hurt?", label="clinical", context="offer", lang="en", voice="x")
        fine = LabelledMessage(text="2", label="accept", context="offer", lang="en", voice="x")
        (heard,) = measure((hurt, fine), triage())
        assert (heard.lost.hits, heard.lost.total) == (1, 1)
        assert [text for _, text in heard.rows] == ["ok thanks"]

    @pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.name)
    def test_changes_the_text_and_says_the_same_twice(self, noise):
        text = "Is it going to hurt a lot on Tuesday?"
        one, two = (noise.change(text, "en", Random(3)) for _ in range(2))
        assert one == two != text
