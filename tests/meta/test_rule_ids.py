"""Every rule id in the source is declared once, and every declared one is tested."""

from __future__ import annotations

from pathlib import Path

import pytest
import rule_ids

REPOSITORY = Path(__file__).resolve().parents[2]
SUITES = [REPOSITORY / "tests", REPOSITORY / "evals"]
DECLARED = frozenset({"contact.quiet-hours", "contact.cap", "understanding.language.es"})


@pytest.fixture
def declared() -> frozenset[str]:
    from treatment_agent.policies.rules import RULES

    return frozenset(RULES)


class TestRules:
    def test_are_written_as_family_and_name(self, declared: frozenset[str]) -> None:
        assert [rule for rule in declared if not rule_ids.RULE_ID.fullmatch(rule)] == []

    def test_are_declared_before_they_are_used(self, declared: frozenset[str]) -> None:
        complaints = rule_ids.find_undeclared(REPOSITORY / "src" / "treatment_agent", declared)

        assert not complaints, "\n" + "\n".join(complaints)

    def test_are_each_used(self, declared: frozenset[str]) -> None:
        complaints = rule_ids.find_unused(REPOSITORY / "src" / "treatment_agent", declared)

        assert not complaints, "\n" + "\n".join(complaints)

    def test_are_each_mentioned_by_a_test(self, declared: frozenset[str]) -> None:
        complaints = rule_ids.find_untested(declared, SUITES)

        assert not complaints, "\n" + "\n".join(complaints)


class TestFindUndeclared:
    @pytest.mark.parametrize(
        "source",
        [
            "x = 'contact.quiet-hour'",
            "Verdict(topic=t, rule='brand-new.rule')",
            "Decision(move=m, rules=('contact.cap', 'brand-new.rule'))",
            "raise NotPermitted('brand-new.rule')",
            "TABLE = {'contact.caps': 3}",
        ],
    )
    def test_complains(self, tmp_path: Path, source: str) -> None:
        (tmp_path / "a.py").write_text(source)

        assert len(rule_ids.find_undeclared(tmp_path, DECLARED)) == 1

    @pytest.mark.parametrize(
        "source",
        [
            "x = 'contact.quiet-hours'",
            "Verdict(topic=t, rule=found.rule)",
            "'contact.made-up in a docstring'",
            "'''contact.made-up'''",
            "x = f'contact.{name}'",
            "x = 'pyproject.toml'",
        ],
    )
    def test_keeps_declared_ids_and_other_words(self, tmp_path: Path, source: str) -> None:
        (tmp_path / "a.py").write_text(source)

        assert rule_ids.find_undeclared(tmp_path, DECLARED) == []


class TestFindUnused:
    def test_lists_ids_that_only_the_catalogue_mentions(self, tmp_path: Path) -> None:
        (tmp_path / "rules.py").write_text("RULES = {'contact.cap': '', 'lint.price': '', 'contact.quiet-hours': ''}")
        (tmp_path / "a.py").write_text("x = 'contact.quiet-hours'\ny = f'lint.{name}'")

        assert rule_ids.find_unused(tmp_path, ["contact.cap", "contact.quiet-hours", "lint.price"]) == [
            "contact.cap: declared, but no code or word list uses it"
        ]


class TestFindUntested:
    def test_lists_ids_that_only_meta_tests_or_longer_ids_mention(self, tmp_path: Path) -> None:
        (tmp_path / "meta").mkdir()
        (tmp_path / "meta" / "test_a.py").write_text("'contact.cap'")
        (tmp_path / "test_b.py").write_text("'contact.quiet-hours-not', 'contact.cap.more'")
        (tmp_path / "c.toml").write_text("rules = ['understanding.language.es']")

        assert rule_ids.find_untested(DECLARED, [tmp_path]) == [
            "contact.cap: no test or dialogue mentions this rule id",
            "contact.quiet-hours: no test or dialogue mentions this rule id",
        ]
