"""Documents name files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = (REPOSITORY, REPOSITORY / "src" / "treatment_agent")
DOCUMENTS = (
    "CONTRIBUTING.md", "DECISIONS.md", "docs/where-to-change.md", "docs/glossary.md", "docs/models.md",
    "docs/proofs.md",
)  # fmt: skip

_PATH = re.compile(r"`(?P<code>[\w./-]+(?:/|\.(?:py|toml|md|txt|csv|jsonl)))`|\]\((?P<link>[\w./-]+)\)")


def find_missing(text: str, roots: tuple[Path, ...], beside: Path) -> list[str]:
    """Paths in backticks and relative links that lead nowhere."""
    found = (match["code"] or match["link"] for match in _PATH.finditer(text))
    return [path for path in found if not any((root / path).exists() for root in (*roots, beside))]


class TestDocuments:
    @pytest.mark.parametrize("name", DOCUMENTS)
    def test_name_files_that_exist(self, name: str) -> None:
        document = REPOSITORY / name

        assert find_missing(document.read_text(encoding="utf-8"), ROOTS, document.parent) == []


class TestFindMissing:
    def test_finds_files_folders_and_links(self, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        (tmp_path / "there" / "a.py").touch()
        text = (
            "`there/a.py` `there/` [x](there/a.py) `gone.py` `gone/` [y](gone.md) `policy.scope` [z](https://a.example)"
        )

        assert find_missing(text, (tmp_path,), tmp_path) == ["gone.py", "gone/", "gone.md"]
