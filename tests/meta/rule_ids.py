"""Finds rule ids in source: those nobody declared, those nobody uses, and those nobody tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from house_rules import modules, place

RULE_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+")

# Arguments that hold rule ids, whatever they begin with.
_RULE_KEYWORDS = frozenset({"rule", "rules", "skip_rule"})


def find_undeclared(root: Path, declared: Collection[str]) -> list[str]:
    """Literals that are used as rule ids, or look like one of a declared family, and are not declared."""
    families = {rule.partition(".")[0] for rule in declared}
    return [
        f"{place(root, path, node)}: rule {node.value!r} is not in policies.rules.RULES"
        for path, tree in modules(root)
        for node, certain in _literals(tree)
        if RULE_ID.fullmatch(node.value)
        and node.value not in declared
        and (certain or node.value.partition(".")[0] in families)
    ]


def find_unused(root: Path, declared: Iterable[str], catalogue: str = "rules.py") -> list[str]:
    """Declared ids that no source or data file mentions, so that a reader would look for a rule that is not there.

    An id that is put together at run time (`f"lint.{name}"`) counts as used if its family is written that way.
    """
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.suffix in {".py", ".toml"} and path.name != catalogue
    )
    mentioned = {found.group() for found in RULE_ID.finditer(text)}
    built = set(re.findall(r"f[\"']([a-z-]+)\.\{", text))
    return [
        f"{rule}: declared, but no code or word list uses it"
        for rule in sorted(declared)
        if rule not in mentioned and rule.partition(".")[0] not in built
    ]


def find_untested(declared: Iterable[str], folders: Iterable[Path]) -> list[str]:
    """Declared ids that no file of the suites mentions. Files that only talk about rules (`meta`) do not count."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".py", ".toml", ".jsonl"} and "meta" not in path.parts
    )
    mentioned = {found.group() for found in RULE_ID.finditer(text)}
    return [f"{rule}: no test or dialogue mentions this rule id" for rule in sorted(declared) if rule not in mentioned]


def _literals(tree: ast.Module) -> Iterator[tuple[ast.Constant, bool]]:
    """Each string literal, and whether it stands where only a rule id can. Docstrings and f-strings are left out."""
    certain: set[int] = set()
    ignored: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in _RULE_KEYWORDS:
            certain |= {id(part) for part in ast.walk(node.value)}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NotPermitted" and node.args:
            certain.add(id(node.args[0]))
        elif isinstance(node, ast.JoinedStr):
            ignored |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.Expr):
            ignored.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in ignored:
            yield node, id(node) in certain
