"""Every labelled message is judged as `treatment-agent eval evals/messages` does, and held against thresholds.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from treatment_agent.demo.policy import maple_policy
from treatment_agent.evals.messages import Judged, judge_messages, read_messages
from treatment_agent.evals.table import measures
from treatment_agent.triage import Triage

HERE = Path(__file__).parent
LIMITS = tomllib.loads((HERE / "thresholds.toml").read_text(encoding="utf-8"))["messages"]


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return list(judge_messages(read_messages(HERE / "messages"), Triage(maple_policy())))


@pytest.mark.xdist_group("messages")
@pytest.mark.parametrize("name", sorted(LIMITS))
def test_keeps_its_threshold(judged: list[Judged], name: str) -> None:
    (found,) = (measure for measure in measures(judged, LIMITS) if measure.name == name)

    assert found.share.total, f"nothing measures {name}"
    assert found.met, f"{found.title}: {found.share}, held to {found.limit}"
