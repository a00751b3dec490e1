"""Tells days and hours that are mentioned in passing: greetings, good wishes, the past, daily routine."""

from __future__ import annotations

from treatment_agent.understanding.times.calendar_words import weekday_of
from treatment_agent.understanding.times.page import Page, phrase_at

_PAST_VERBS = frozenset("was were came saw went called texted spoke talked estuve fui llame".split())
_PAST_EXCEPT = frozenset(
    "thinking hoping wondering able going planning looking free pensando available if trying wanting".split()
)
_WISHED = frozenset("happy merry feliz felices buenas buenos buen".split())
_NICE = frozenset(
    """
    good great nice wonderful lovely blessed safe awesome amazing fantastic lindo bonito buen excelente feliz
    """.split()
)
_ARTICLES = frozenset("a an your un una".split())
_AHEAD = frozenset("until after by from before hasta despues starting".split())
_EVERY = frozenset("every each cada".split())


def is_greeting(page: Page, index: int, part: bool) -> bool:
    """True for "good morning", "happy thanksgiving", "have a great weekend"."""
    before, two_before = page.word(index - 1), page.word(index - 2)
    if before in _WISHED or (part and before == "good" and page.word(index - 2) not in ("is", "are")):
        return True
    return (before in _NICE and two_before in _ARTICLES) or (before in ("your", "the") and two_before == "enjoy")


def is_past(page: Page, index: int) -> bool:
    """True for "I was there on tuesday" and "I had thursday off"."""
    before = [page.word(index - back) for back in range(1, 9)]
    if ("done" in before[:2] and "had" in before) or (before[0] == "had" and before[1] in ("i", "we")):
        return True
    if page.word(index) in _AHEAD:
        return False
    told = next((back for back in range(4) if before[back] in _PAST_VERBS), None)
    if told and any(weekday_of(word) is not None for word in before[:told] if word):
        # "Something came up tues. friday instead?": the first day is the one that is past.
        return False
    return told is not None and not any(word in _PAST_EXCEPT for word in before[:told])


def is_routine(page: Page, index: int, behind: int) -> bool:
    """True for "every morning", unless it is said to work."""
    return page.word(index - 1) in _EVERY and phrase_at("yes_behind", page, behind) is None
