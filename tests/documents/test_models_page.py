"""`docs/models.md` names a test for what a model can and cannot do, and each one exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
HERE = "tests/understanding/language_model/test_beside.py"


def claims() -> list[str]:
    """The lines of the tables that say what it can and cannot do."""
    section = PAGE.partition("## What it can and cannot do")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [line for line in lines if not line.endswith("| test |")]


def named(line: str) -> Iterator[tuple[str, str, str]]:
    """File, class and test that a line names; a name without a file is in `HERE`, one without a class in the last."""
    file, group = HERE, ""
    for word in re.findall(r"tests/[\w/]+\.py|Test\w+(?:\.test_\w+)?|test_\w+", line.rpartition(" | ")[2]):
        if word.endswith(".py"):
            file = word
        elif word.startswith("Test"):
            group, _, test = word.partition(".")
            yield file, group, test
        else:
            yield file, group, word


def written(file: str) -> set[tuple[str, str]]:
    """Classes, and classes with their tests, of a file."""
    tree = ast.parse((REPOSITORY / file).read_text(encoding="utf-8"))
    groups = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    tests = {(g.name, node.name) for g in groups for node in g.body if isinstance(node, ast.FunctionDef)}
    return tests | {(g.name, "") for g in groups}


class TestPage:
    def test_makes_claims(self):
        assert len(claims()) > 20

    def test_names_a_test_for_each(self):
        assert [line for line in claims() if not list(named(line))] == []

    def test_names_tests_that_exist(self):
        told = {each for line in claims() for each in named(line)}

        assert {each for each in told if each[1:] not in written(each[0])} == set()

    def test_is_checked_by_a_check_that_can_fail(self):
        line = "| it can fly | `TestCan.test_add_a_topic`, `test_fly`; `tests/proofs/test_noise.py`, `TestNone` |"

        assert [each for each in named(line) if each[1:] not in written(each[0])] == [
            (HERE, "TestCan", "test_fly"),
            ("tests/proofs/test_noise.py", "TestNone", ""),
        ]
