"""Every labelled message is judged as `treatment-agent eval evals/messages` does, and held against thresholds.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from treatment_agent.demo.policy import maple_policy
from treatment_agent.evals.messages import judge_messages, read_messages
from treatment_agent.evals.table import Measure, measures
from treatment_agent.triage import Triage

HERE = Path(__file__).parent
LIMITS = tomllib.loads((HERE / "thresholds.toml").read_text(encoding="utf-8"))["messages"]


@pytest.fixture(scope="module")
def measured() -> dict[str, Measure]:
    judged = list(judge_messages(read_messages(HERE / "messages"), Triage(maple_policy())))
    return {measure.name: measure for measure in measures(judged, LIMITS)}


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_keeps_its_threshold(measured: dict[str, Measure], name: str) -> None:
    found = measured[name]

    assert found.share.total, f"nothing measures {name}"
    assert found.met, f"{found.title}: {found.share}, held to {found.limit}"
