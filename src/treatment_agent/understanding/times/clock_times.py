"""Finds which numbers of a message are times of the clock.

A bare number is a time only where the words around it say so ("at 3", "tuesday 10", "9 or 10am"). Without am or pm,
1 to 6 are in the afternoon, 7 to 11 in the morning and 12 is noon.
"""

from __future__ import annotations

from dataclasses import replace

from treatment_agent.understanding.times.calendar_words import NUMBERS
from treatment_agent.understanding.times.hour_numbers import (
    JOINS,
    NOT_BEFORE,
    STRONG,
    WEAK,
    is_time,
    only_number,
    open_after,
)
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.tokens import Kind, Token, minutes_of

_SAID_IN_WORDS_ONLY = (10, 20, 40, 50)
_MORNING_WORDS = frozenset("morning mornings am".split())
_LATE_WORDS = frozenset("afternoon afternoons evening evenings tonight night tarde tardes noche noches pm".split())
_LAST_AFTERNOON_HOUR = 6


def clock_minutes(token: Token) -> int:
    """Minutes since midnight that a clock token means, by the rule of this module when am or pm is not said."""
    hour, minute = divmod(token.value, 60)
    if token.half:
        return (hour % 12 + (12 if token.half == "pm" else 0)) * 60 + minute if hour <= 12 else token.value
    if 1 <= hour <= _LAST_AFTERNOON_HOUR:
        hour += 12
    return hour * 60 + minute


def is_bare(token: Token) -> bool:
    """True when neither am nor pm nor a 24-hour number settles the half of the day."""
    return not token.half and 60 <= token.value < 13 * 60


def mark_clocks(page: Page) -> Page:
    """The page with every number that is a time turned into a `CLOCK` token; "half past two" becomes one token."""
    merged = _merge_spelled(page)
    marked = _spread(_mark_bare(merged))
    return _add_halves(marked)


def _merge_spelled(page: Page) -> Page:
    tokens: list[Token] = []
    index = 0
    while index < len(page.tokens):
        found = _spelled_at(page, index)
        if found:
            tokens.append(found[0])
            index = found[1]
        else:
            tokens.append(page.tokens[index])
            index += 1
    return replace(page, tokens=tuple(tokens))


def _spelled_at(page: Page, index: int) -> tuple[Token, int] | None:
    before = phrase_at("minutes_before_hour", page, index)
    if before:
        hour = _hour_at(page, before[1])
        return _clock(page, index, before[1] + 1, hour * 60 + int(before[0])) if hour else None
    hour = _hour_at(page, index)
    if not hour or page.word(index - 1) in NOT_BEFORE:
        return None
    minutes = phrase_at("minutes", page, index + 1)
    if minutes and not (int(minutes[0]) in _SAID_IN_WORDS_ONLY and page.kind(index) is Kind.NUMBER):
        return _clock(page, index, minutes[1], hour * 60 + int(minutes[0]))
    if page.kind(index) is page.kind(index + 1) is Kind.NUMBER and page.word(index - 1) in STRONG:
        minute = page.value(index + 1)
        return _clock(page, index, index + 2, hour * 60 + minute) if minute in (15, 30, 45) else None
    half = {"am": "am", "pm": "pm"}.get(page.word(index + 1))
    if half and page.kind(index) is Kind.WORD:
        return _clock(page, index, index + 2, hour * 60, half)
    return None


def _hour_at(page: Page, index: int) -> int:
    """The hour 1 to 12 written at `index` in figures or letters, else 0."""
    value = page.value(index) if page.kind(index) is Kind.NUMBER else NUMBERS.get(page.word(index), 0)
    return value if 1 <= value <= 12 else 0


def _clock(page: Page, first: int, behind: int, minutes: int, half: str = "") -> tuple[Token, int]:
    start, end = page.tokens[first].start, page.tokens[behind - 1].end
    return Token(Kind.CLOCK, "", start, end, value=minutes, half=half), behind


def _mark_bare(page: Page) -> Page:
    whole = only_number(page)
    tokens = [
        _as_clock(token) if index == whole or is_time(page, index) else token for index, token in enumerate(page.tokens)
    ]
    return replace(page, tokens=tuple(tokens))


def _as_clock(token: Token) -> Token:
    value = token.value if token.kind is Kind.NUMBER else NUMBERS.get(token.word, 0)
    minutes = minutes_of(value)
    return token if minutes is None else replace(token, kind=Kind.CLOCK, word="", value=minutes)


def _spread(page: Page) -> Page:
    """Numbers joined to a time are times too: "9 or 10am", "between 2 and 4", "9, 10 or 11"."""
    tokens = list(page.tokens)
    for step, places in ((1, range(len(tokens))), (-1, range(len(tokens) - 1, -1, -1))):
        for index in places:
            other = index - 2 * step
            if not (0 <= other < len(tokens) and tokens[other].kind is Kind.CLOCK):
                continue
            if _joinable(page, tokens, index, index - step):
                tokens[index] = _as_clock(tokens[index])
    return replace(page, tokens=tuple(tokens))


def _joinable(page: Page, tokens: list[Token], index: int, between: int) -> bool:
    token, join = tokens[index], tokens[between]
    small = token.kind is Kind.NUMBER and (token.value <= 12 or token.value >= 100)
    spelled = token.kind is Kind.WORD and 1 < NUMBERS.get(token.word, 0) <= 12
    joins = join.kind in (Kind.DASH, Kind.SLASH, Kind.COMMA) or join.word in JOINS
    last = page.word(index - 1) not in NOT_BEFORE and page.word(index - 1) not in ("the", "el")
    return (small or spelled) and joins and last and open_after(page, index, strict=join.kind is Kind.COMMA)


def _add_halves(page: Page) -> Page:
    """Let "in the morning" and its like settle am or pm of the time beside it."""
    tokens = [
        replace(token, half=_half_around(page, index)) if token.kind is Kind.CLOCK and is_bare(token) else token
        for index, token in enumerate(page.tokens)
    ]
    return replace(page, tokens=tuple(tokens))


def _half_around(page: Page, index: int) -> str:
    behind = phrase_at("halves", page, index + 1)
    if behind:
        return behind[0]
    for back in (1, 2, 3):
        word = page.word(index - back)
        if word in _MORNING_WORDS or (word in ("manana", "mananas") and page.word(index - back - 1) in ("la", "las")):
            return "am" if page.value(index) >= 60 * 5 else ""
        if word in _LATE_WORDS:
            return "pm"
        if word not in STRONG and word not in WEAK and word != "a":
            return ""
    return ""
