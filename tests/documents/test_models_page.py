"""`docs/models.md` names a test for what a model can and cannot do, and each one exists."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
CLAIMS = [line for line in PAGE.splitlines() if line.startswith("| ") and "`Test" in line]
FOLDERS = ("tests/understanding/language_model", "tests/coordinator")


def written() -> set[str]:
    """Classes and test functions of the suites that the page speaks of."""
    texts = (path.read_text(encoding="utf-8") for folder in FOLDERS for path in (REPOSITORY / folder).glob("test_*.py"))
    return {name for text in texts for name in re.findall(r"(?:class|def) (\w+)", text)}


class TestPage:
    def test_makes_claims(self):
        assert len(CLAIMS) > 15

    def test_names_tests_that_exist(self):
        named = {name for line in CLAIMS for name in re.findall(r"(?<![/\w])(?:Test\w+|test_\w+)(?!\w*\.py)", line)}

        assert named - written() == set()
