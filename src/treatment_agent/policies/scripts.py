"""Approved scripts: the only words patients read."""

from __future__ import annotations

from treatment_agent.domain.value import Value


class Script(Value):
    """One approved text in one language."""

    id: str
    version: int
    language: str
    text: str
    subject: str = ""
    approved_by: str
    approved_on: str = ""


class ScriptBook(Value):
    """All scripts of an office."""

    scripts: tuple[Script, ...] = ()


def default_scripts() -> ScriptBook:
    """The shipped texts."""
    return ScriptBook()
