"""Every labelled message is judged as `treatment-agent triage` would; the figures are held against thresholds.toml."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.interpretation import Topic
from treatment_agent.triage import Triage

HERE = Path(__file__).parent
THRESHOLDS = tomllib.loads((HERE / "thresholds.toml").read_text(encoding="utf-8"))
TOPICS = {topic.value for topic in Topic}


@dataclass
class Figures:
    """How many were handed off, of how many, per label."""

    total: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    handed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    right: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def share(self, handed: bool) -> float:
        """The share handed off, of what must be (True) or must not be (False)."""
        labels = [label for label in self.total if (label in TOPICS) is handed]
        return sum(self.handed[label] for label in labels) / sum(self.total[label] for label in labels)


@pytest.fixture(scope="module")
def figures() -> Figures:
    triage, counted = Triage(maple_policy()), Figures()
    for path in sorted((HERE / "messages").glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            item = {"id": f"{path.stem}:{number}", "text": row["text"], "context": row["context"]}
            verdict = triage.judge(item | {"language": "es" if row["lang"] == "es" else "en"})
            counted.total[row["label"]] += 1
            counted.handed[row["label"]] += verdict["action"] == "handoff"
            counted.right[row["label"]] += verdict["label"] == row["label"]
    return counted


class TestMessages:
    def test_hands_off_what_a_person_must_have(self, figures):
        assert figures.share(handed=True) >= THRESHOLDS["handoff_recall"]

    def test_hands_off_emergencies(self, figures):
        assert figures.handed["emergency"] / figures.total["emergency"] >= THRESHOLDS["emergency_recall"]

    def test_honours_opt_outs(self, figures):
        assert figures.right["opt_out"] / figures.total["opt_out"] >= THRESHOLDS["opt_out_recall"]

    def test_lets_routine_messages_through(self, figures):
        assert figures.share(handed=False) <= THRESHOLDS["false_handoffs"]
