"""Finds words in a dialogue that mean nothing: a script, rule or tool that does not exist can never be seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.evals.dialogue import Dialogue
from treatment_agent.policies.lexicon import lexicon
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.rules import RULES

_PORTS = {
    "scheduler": ("find_slots", "book", "find_booking", "release"),
    "messenger": ("send", "find"),
    "chart": ("check", "record_permission"),
    "desk": ("deliver",),
    "interpreter": ("interpret",),
}
TOOLS = frozenset(f"{port}.{method}" for port, methods in _PORTS.items() for method in methods)

# Rules of the interpreter, which end in the label that was found.
_WEIGHED = frozenset({"judge", "classifier", "routine", "script"})

Mistake = tuple[tuple[str | int, ...], str]
"""Where in the file, and what is wrong."""


def unknown_words(dialogue: Dialogue, policy: PracticePolicy) -> Iterator[Mistake]:
    """Every script, rule and tool of the file that there is not, with its place."""
    scripts = {script.id for script in policy.scripts.scripts}
    rules = _rules(policy)
    for number, turn in enumerate(dialogue.turn):
        place, expect = ("turn", number, "expect"), turn.expect
        for key in ("sent", "not_sent"):
            yield from _unknown((*place, key), getattr(expect, key) or (), scripts, "script")
        for key in ("rules", "not_rules"):
            yield from _unknown((*place, key), getattr(expect, key), rules, "rule")
        if expect.decision is not None:
            yield from _unknown((*place, "decision"), (expect.decision,), rules, "rule")
        for key in ("tools", "not_tools"):
            yield from _unknown((*place, key), getattr(expect, key), TOOLS, "tool")
    yield from _unknown(("end", "sent"), dialogue.end.sent, scripts, "script")
    yield from _people(dialogue)
    others = {other.id for other in dialogue.other} | {"stranger"}
    for name, end in dialogue.end.others.items():
        yield from _unknown(("end", "others"), (name,), others, "other patient")
        yield from _unknown(("end", "others"), end.sent, scripts, "script")


def _people(dialogue: Dialogue) -> Iterator[Mistake]:
    """Whom a turn means: a patient of the file, or for a sender also any address."""
    people = {dialogue.patient.id, *(other.id for other in dialogue.other)}
    for number, turn in enumerate(dialogue.turn):
        if turn.about is not None:
            yield from _unknown(("turn", number, "about"), (turn.about,), people, "patient")
        if turn.sender is not None and turn.sender not in people:
            try:
                address_of(turn.sender)
            except ValueError:
                yield from _unknown(("turn", number, "sender"), (turn.sender,), people, "number, mailbox or patient")


def address_of(text: str) -> PhoneNumber | EmailAddress:
    """Read a phone number or a mailbox.

    Raises:
        ValueError: it is neither.
    """
    return EmailAddress.parse(text) if "@" in text else PhoneNumber.parse(text)


def _rules(policy: PracticePolicy) -> set[str]:
    """Every rule that can speak: of the catalogue, of the word lists, and the office's own guardrails."""
    lists = {group.rule for group in lexicon().topic_groups}
    return set(RULES) | lists | {guardrail.id for guardrail in policy.guardrails}


def _unknown(
    place: tuple[str | int, ...], names: Collection[str], known: Collection[str], what: str
) -> Iterator[Mistake]:
    for name in names:
        if name in known or (what == "rule" and name.partition(".")[0] in _WEIGHED):
            continue
        close = get_close_matches(name, known, n=1)
        yield place, f"there is no {what} {name!r}{f'; did you mean {close[0]!r}?' if close else ''}"
