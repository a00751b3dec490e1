"""The fixtures of the conversation tests; `office_samples` has what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
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
