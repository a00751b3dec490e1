"""Cuts a message into the tokens that the readers of days and hours look at.

Numbers that can never be a time (money, telephone numbers, "#30", percentages, measures) come out as `BLOCKED`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from treatment_agent.domain.text import NormalizedText
from treatment_agent.understanding.times.calendar_words import MONTHS, WEEKDAYS

LONGEST_TEXT = 4000
"""Characters that are read; a text message of a patient is far shorter."""


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    NUMBER = "number"
    ORDINAL = "ordinal"
    CLOCK = "clock"
    DATE = "date"
    HASH = "hash"
    BREAK = "break"
    COMMA = "comma"
    DASH = "dash"
    SLASH = "slash"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `start` and `end` are offsets into the folded text.

    `value` is the number, the day of the month of an ordinal, or the minutes since midnight of a clock time as it
    was written; 1 for a question mark. `half` is "am" or "pm" where the patient said so. `rough` is True for "9ish".
    """

    kind: Kind
    word: str
    start: int
    end: int
    value: int = 0
    half: str = ""
    rough: bool = False
    month: int = 0
    year: int = 0


_PATTERN = re.compile(
    r"""
    (?P<blocked>\$\s?[0-9][0-9,.]{0,12}k?
        | [0-9][0-9,.]{0,12}\s?(?:dollars?\b|bucks\b|usd\b|percent\b|%|pesos\b|dolares\b|mg\b|k\b|x\b)
        | (?:\+?1[\s.-]?)?\(?[0-9]{3}\)?[\s.-]?[0-9]{3}[\s.-]?[0-9]{4}(?![0-9])
        | [0-9]{3}-[0-9]{4}(?![0-9]) | [0-9]{5,} | 24/7 | [0-9]+\.[0-9](?![0-9]))
    | (?P<iso>20[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}(?![0-9]))
    | (?P<slash_date>[0-9]{1,2}/[0-9]{1,2}(?:/(?:20)?[0-9]{2})?(?![0-9/]))
    | (?P<hash>\#\s?[0-9]{1,3}(?![0-9]))
    | (?P<clock>[0-9]{1,2}[:.;h][0-5][0-9](?![0-9]))(?P<clock_half>\s?[ap]\.?m\b\.?|[ap]\b)?(?P<clock_ish>[\s-]?ish\b)?
    | (?P<ordinal>[0-9]{1,2})(?:\s?(?:st|nd|rd|th)\b|(?:ro|do|era?|ra|da|to|mo|vo|no)\b|[ºª°])
    | (?P<number>[0-9]{1,4})
        (?:(?P<half>\s?[ap]\.?m\b\.?|[ap]\b)?(?P<ish>[\s-]?ish\b)?(?![0-9a-z])|(?=(?:hrs?|mins?|wks?|weeks?|days?|mo|months?|yrs?)\b))
    | (?P<junk>[0-9]+[a-z0-9]*)
    | (?P<word>[a-z]+(?:'[a-z]+)*(?:4(?![0-9a-z]))?)
    | (?P<stop>[.!?;]+) | (?P<comma>,) | (?P<dash>[-~]+) | (?P<slash>[/|]) | (?P<at>@) | (?P<also>[&+])
    """,
    re.VERBOSE,
)  # fmt: skip
_SHORT_FORMS = {
    "tomorrow": "2morrow 2moro 2mrw 2mor tmrw tmw tmr tmro tomorow tommorow tommorrow tomm tomoro tomorrows tomorro "
    "tmorrow tomarrow tommorw",
    "today": "2day",
    "tonight": "2nite tonite",
    "before": "b4 bfore befor fore bfor",
    "morning": "morn mornin",
    "afternoon": "aft aftn afternoo afernoon afterno afternon",
    "evening": "evng",
    "next": "nxt",
    "week": "wk",
    "weeks": "wks",
    "months": "mo",
    "hour": "hr",
    "hours": "hrs",
    "minutes": "min mins",
    "year": "yr",
    "years": "yrs",
    "month": "mth",
    "after": "aftr",
    "christmas": "xmas",
    "thanksgiving": "thanksgivings",
    "appt": "apt",
    "thanks": "thx",
    "cant": "cannot",
    "until": "til till untill",
    "through": "thru",
    "around": "aroun arnd",
    "weekend": "weekedn wkend",
    "between": "betwen beetween btwn betwn btw bw betweeen",
    "que": "q",
    "porque": "xq",
    "despues": "desp",
    "night": "nite",
}
_SPECIAL = {short: word for word, shorts in _SHORT_FORMS.items() for short in shorts.split()}
# Without the apostrophe these would be other words.
_CONTRACTIONS = {"we're": "weare", "we'd": "wewould"}
_ABBREVIATED = frozenset("dr mr mrs ms approx appt apt st no".split()) | {
    word for word in (WEEKDAYS | MONTHS) if len(word) <= 5
}
_NUMBER_NEXT = re.compile(r"\s*[0-9]")
_NEXT_WORD = re.compile(r"\s+([a-z]+)")
_OPENERS = frozenset(
    "i im we my can could do does is are what how any anything then so saturday sunday puedo hay tiene tienen".split()
)
_QUARTERS = (0, 15, 30, 45)


def tokenize(text: NormalizedText) -> tuple[Token, ...]:
    """Cut the first `LONGEST_TEXT` characters into tokens; letters and signs that mean nothing here are left out."""
    tokens: list[Token] = []
    for found in _PATTERN.finditer(text.folded[:LONGEST_TEXT]):
        if found.group() == "." and tokens and _shortens(tokens[-1].word, text.folded, found.end()):
            continue
        tokens.append(_token(found))
    return tuple(tokens)


def _shortens(word: str, folded: str, index: int) -> bool:
    """True when the full stop before `index` only shortens a word: "tues. at 9", unlike "mon-fri. saturday?"."""
    if word == "no":
        return bool(_NUMBER_NEXT.match(folded, index))
    following = _NEXT_WORD.match(folded, index)
    if word in WEEKDAYS and following and following[1] in WEEKDAYS:
        return False
    return word in _ABBREVIATED and not (following and following[1] in _OPENERS)


def _token(found: re.Match[str]) -> Token:
    start, end = found.span()
    match found.lastgroup:
        case "word":
            word = _CONTRACTIONS.get(found.group()) or found.group().replace("'", "")
            return Token(Kind.WORD, _SPECIAL.get(word, word), start, end)
        case "stop":
            return Token(Kind.BREAK, ".", start, end, value=int("?" in found.group()))
        case "comma":
            return Token(Kind.COMMA, ",", start, end)
        case "dash":
            return Token(Kind.DASH, "-", start, end)
        case "slash":
            return Token(Kind.SLASH, "/", start, end)
        case "at":
            return Token(Kind.WORD, "at", start, end)
        case "also":
            return Token(Kind.WORD, "and", start, end)
        case "junk":
            return _special_or_blocked(found.group(), start, end)
        case "hash":
            return Token(Kind.HASH, "#", start, end, value=int(found.group()[1:]))
    return _number_token(found)


def _special_or_blocked(word: str, start: int, end: int) -> Token:
    if word in _SPECIAL:
        return Token(Kind.WORD, _SPECIAL[word], start, end)
    return Token(Kind.BLOCKED, "", start, end)


def _number_token(found: re.Match[str]) -> Token:
    start, end = found.span()
    if found["ordinal"]:
        return Token(Kind.ORDINAL, "", start, end, value=int(found["ordinal"]))
    if found["slash_date"]:
        month, day, *year = (int(part) for part in found["slash_date"].split("/"))
        return _date_token(start, end, month, day, year[0] % 100 + 2000 if year else 0)
    if found["iso"]:
        year_, month, day = (int(part) for part in found["iso"].split("-"))
        return _date_token(start, end, month, day, year_)
    if found["clock"]:
        return _clock_token(found)
    if found["number"]:
        return _plain_number(found)
    return Token(Kind.BLOCKED, "", start, end)


def _date_token(start: int, end: int, month: int, day: int, year: int) -> Token:
    if 1 <= month <= 12 and 1 <= day <= 31:
        return Token(Kind.DATE, "", start, end, value=day, month=month, year=year)
    return Token(Kind.BLOCKED, "", start, end)


def _half(written: str | None) -> str:
    return f"{written.strip()[0]}m" if written else ""


def _clock_token(found: re.Match[str]) -> Token:
    start, end = found.span()
    sign = found["clock"].strip("0123456789")
    hour, minute = (int(part) for part in found["clock"].split(sign))
    half = _half(found["clock_half"])
    plausible = sign == ":" or half or (minute in _QUARTERS and 1 <= hour <= 12)
    if hour > 23 or not plausible:
        return Token(Kind.BLOCKED, "", start, end)
    return Token(Kind.CLOCK, "", start, end, value=hour * 60 + minute, half=half, rough=bool(found["clock_ish"]))


def _plain_number(found: re.Match[str]) -> Token:
    start, end = found.span()
    value, half, rough = int(found["number"]), _half(found["half"]), bool(found["ish"])
    if not half and not rough:
        return Token(Kind.NUMBER, "", start, end, value=value)
    minutes = minutes_of(value)
    if minutes is None:
        return Token(Kind.BLOCKED, "", start, end)
    return Token(Kind.CLOCK, "", start, end, value=minutes, half=half, rough=rough)


def minutes_of(number: int) -> int | None:
    """Minutes since midnight of "9", "930" or "1430"; None when the number cannot be read so."""
    hour, minute = (number, 0) if number < 100 else divmod(number, 100)
    if minute > 59 or hour > 23 or (number < 100 and not 1 <= number <= 12):
        return None
    return hour * 60 + minute
