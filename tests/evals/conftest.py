"""Dialogues written in a test, read and played as files are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from treatment_agent.evals.suite import Result, run_file

HEAD = 'claim = "A claim made in a test."\nnow = "2026-11-25T10:00:00-06:00"\n'

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Play the rest of a file, after claim and now; the same text is played once."""
    folder = tmp_path_factory.mktemp("dialogues")
    known: dict[str, Result] = {}

    def play(body: str, *, head: str = HEAD, **more: object) -> Result:
        key = f"{head}{body}{more}"
        if key not in known:
            path: Path = folder / f"d{len(known)}.toml"
            path.write_text(head + body, encoding="utf-8")
            known[key] = run_file(path, **more)  # type: ignore[arg-type]
        return known[key]

    return play
