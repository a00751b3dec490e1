"""The quick search of a phrase book finds what trying every pattern would find."""

from __future__ import annotations

import pytest

from treatment_agent.policies.phrases import Hit, PhraseBook, phrase

SETS = {"day": ("monday", "friday night"), "num": ("#", "two")}
PATTERNS = (
    "cant (afford|pay [for] it)",
    "(how much|what) .. cost",
    "^ stop $",
    "(call|text*) me",
    "[please] not @day",
    "@num of (them|(those|these) ones)",
    "wait[s] ... long",
    "(a|b c) d",
    "10am .. or",
)
LINES = (
    " i cant pay it . ",
    " i cant pay it for you so call me or text me ",
    " what would that cost ",
    " stop ",
    " not friday night please ",
    " 2 of these ones ",
    " two of those ones or two of them ",
    " waits for so very long ",
    " b c d a d ",
    " 10am on tuesday or 3 ",
)
BOOK = [phrase(pattern, SETS, "here") for pattern in PATTERNS]


@pytest.mark.parametrize("line", LINES)
def test_finds_what_trying_every_pattern_finds(line):
    every = [
        Hit(number, found.start(), found.end())
        for number, one in enumerate(BOOK)
        for found in one.expression.finditer(line)
        if found.end() > found.start()
    ]
    assert every
    assert list(PhraseBook(BOOK).find(line)) == every


def test_asks_for_every_word_that_must_be_there():
    held = phrase("(how much|what) .. cost", SETS, "here")
    assert {held.keys, *held.needs} == {frozenset({"much", "what"}), frozenset({"cost"})}
