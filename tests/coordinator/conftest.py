"""The fixtures of the conversation tests; `office_samples` has what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from office_samples import Office, build, office_profile

from treatment_agent import PracticePolicy


@pytest.fixture
def policy() -> PracticePolicy:
    return PracticePolicy(id="maple", office=office_profile())


@pytest.fixture
def office(tmp_path: Path, policy: PracticePolicy) -> Iterator[Office]:
    made = build(tmp_path, policy)
    yield made
    made.coordinator.close()


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Callable[..., Office]]:
    """Builds offices with ports or a policy of the test's own, and closes them."""
    made: list[Office] = []

    def make(policy: PracticePolicy, **ports: object) -> Office:
        made.append(build(tmp_path, policy, **ports))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.coordinator.close()
