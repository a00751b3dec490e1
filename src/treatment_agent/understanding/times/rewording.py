"""Writes out what people abbreviate or say in two words, before days and hours are read.

"MWF" becomes three weekdays, "twenty first" one ordinal, and in "move me from tuesday to friday" the first day is left
out.
"""

from __future__ import annotations

from dataclasses import replace

from treatment_agent.understanding.times.calendar_words import ORDINALS, TENS, weekday_of
from treatment_agent.understanding.times.page import Page
from treatment_agent.understanding.times.tokens import Kind, Token

_LETTERS = {
    "m": "monday", "t": "tuesday", "tu": "tuesday", "w": "wednesday", "th": "thursday", "r": "thursday", "f": "friday",
}  # fmt: skip
_RUNS = {
    "mwf": "m w f", "mw": "m w", "wf": "w f", "mf": "m f", "tth": "t th", "tuth": "t th", "tr": "t r", "mtw": "m t w",
    "mwth": "m w th", "wthf": "w th f", "tthf": "t th f", "mth": "m th",
}  # fmt: skip
_HOMOPHONES = {"to": 2, "too": 2, "for": 4, "fore": 4, "ate": 8, "won": 1}
_CLOCK_WORDS = frozenset("oclock o pm am p".split())
_BEFORE_WON = frozenset("at around december dec january jan tuesday thursday".split())
_TO_IN_FIGURES = 2
_MOVES = frozenset(
    """
    change switch move reschedule bump push swap moved changed switched changing moving cambiar cambiarla cambie mover
    moverla pasar pasarla reagendar
    """.split()
)
_TO = frozenset("to a al para".split())
_OWN = frozenset("my the mi la el del de".split())
_REACHES = 5
_LONGEST_DAY = 31


def written_out(page: Page) -> Page:
    """The page with abbreviated weekdays and ordinals in two words written out."""
    tokens: list[Token] = []
    index = 0
    while index < len(page.tokens):
        if _is_spoken_mark(page, index):
            kind = Kind.BREAK if page.word(index) in ("period", "punto") else Kind.COMMA
            tokens.append(replace(page.tokens[index], kind=kind, word=""))
            index += 1
            continue
        tens = TENS.get(page.word(index), 0)
        ones = index + 2 if page.kind(index + 1) is Kind.DASH else index + 1
        unit = ORDINALS.get(page.word(ones), 0)
        if tens and 1 <= unit <= 9 and tens + unit <= _LONGEST_DAY:
            start, end = page.tokens[index].start, page.tokens[ones].end
            tokens.append(Token(Kind.ORDINAL, "", start, end, value=tens + unit))
            index = ones + 1
            continue
        tokens.extend(_weekdays(page, index))
        index += 1
    return replace(page, tokens=tuple(tokens))


def _weekdays(page: Page, index: int) -> list[Token]:
    token, word = page.tokens[index], page.word(index)
    if _sounds_like_a_number(page, index):
        return [replace(token, kind=Kind.NUMBER, word="", value=_HOMOPHONES[word])]
    if page.kind(index) is Kind.NUMBER and token.value == _TO_IN_FIGURES and _is_goal(page, index):
        return [replace(token, kind=Kind.WORD, word="to", value=0)]
    if word in _RUNS:
        return [replace(token, word=_LETTERS[letter]) for letter in _RUNS[word].split()]
    if word in _LETTERS and (_neighbour(page, index, 1) or _neighbour(page, index, -1)):
        return [replace(token, word=_LETTERS[word])]
    return [token]


def _is_spoken_mark(page: Page, index: int) -> bool:
    """True for the "period" and "comma" of dictation: behind words, and with no number of a school hour behind it."""
    spoken = page.word(index) in ("period", "punto", "comma", "coma") and index > 0
    return spoken and page.kind(index + 1) is not Kind.NUMBER and page.word(index - 1) not in ("a", "the", "el", "la")


def _sounds_like_a_number(page: Page, index: int) -> bool:
    """True for "too o'clock" and "december won"."""
    word, behind = page.word(index), page.word(index + 1)
    if word not in _HOMOPHONES:
        return False
    return behind in _CLOCK_WORDS or (word == "won" and page.word(index - 1) in _BEFORE_WON)


def _is_goal(page: Page, index: int) -> bool:
    """True for "move it 2 thursday"."""
    return page.word(index - 2) in _MOVES and page.word(index - 1) in ("it", "me", "mine", "this", "that")


def _neighbour(page: Page, index: int, step: int) -> bool:
    """True when another such letter stands beside this one, or behind "or", "thru", a comma, a slash or a dash."""
    other = index + step
    if page.kind(other) in (Kind.COMMA, Kind.SLASH, Kind.DASH) or page.word(other) in ("or", "and", "through"):
        other += step
    return page.word(other) in _LETTERS


def without_moved(page: Page) -> Page:
    """The page with "move it from X to Y" and "push thursday to friday" read as "not X, but Y"."""
    tokens = list(page.tokens)
    for index in range(len(tokens)):
        day = page.skip(index + 1, _OWN) if page.word(index) in _MOVES else -1
        if day > index and page.word(day + 1) in _TO and page.word(day) and weekday_of(page.word(day)) is not None:
            tokens[index] = replace(tokens[index], word="except")
            tokens[day + 1] = replace(tokens[day + 1], word="so")
        if page.word(index) not in ("from", "de", "del"):
            continue
        if not any(page.word(index - back) in _MOVES for back in range(1, _REACHES + 1)):
            continue
        goal = next((at for at in range(index + 2, index + 2 + _REACHES) if page.word(at) in _TO), None)
        tokens[index] = replace(tokens[index], word="except")
        if goal is not None:
            tokens[goal] = replace(tokens[goal], word="so")
    return replace(page, tokens=tuple(tokens))
