"""Which offered slot loose words lean to, where the grammar of `options` finds none: "the pm one", "so 9 it is".

It counts only beside a classifier that is sure of an acceptance. Every cue has to point at the same single slot; a time
nobody offered, a word of refusal before a cue, or two slots named leave it open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from treatment_agent.domain.interpretation import Situation
from treatment_agent.domain.text import NormalizedText
from treatment_agent.understanding.times.calendar_words import MONTHS, NUMBERS, ORDINALS, WEEKDAYS

_TOKEN: Final = re.compile(r"\d{1,2}[:.]\d\d|\d+(?:st|nd|rd|th)?|[^\W\d_]+")
_ORDINAL: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
# "12-1": hours from and to, and no number of an option.
_RANGE: Final = re.compile(r"(?<![\d/-])\d{1,2}\s?(?:-|to|a)\s?\d{1,2}(?![\d/-])")
_NOON: Final = 12
_WEEKDAYS: Final = WEEKDAYS | {"marte": 1, "jueve": 3, "juev": 3}
_FIRST: Final = frozenset("first primera primero primer".split())
_ORDINALS: Final = ORDINALS | {word: n for n, words in enumerate((_FIRST, {"segunda", "segundo"}), 1) for word in words}
_NUMBERS: Final = NUMBERS | {"nuebe": 9}
_MORNING: Final = frozenset("am morning tempranito temprano".split())
_AFTERNOON: Final = frozenset("pm afternoon aftrnoon afternoons tarde".split())
_EARLY: Final = frozenset("earlier earliest early".split())
_LATE: Final = frozenset("later latest latter last".split())
_REFUSED: Final = frozenset("not no cant cannot wont dont except until neither hate ni".split())
_OTHER: Final = re.compile(r"\b(?:other one|the other|(?:la|el) otr[ao])\b")
# Words before or behind a number that make it a time of the day and nothing else.
_AT: Final = frozenset("at by around las".split())
_HOUR: Final = frozenset("am pm a p oclock o".split())
# "that one", "no one", "one of": no number at all.
_PRONOUN: Final = frozenset("one una un uno".split())
# Between a day of the month and its month: "9 de diciembre", "december the 9th".
_LINKS: Final = frozenset("the of el de del".split())
_FEW: Final = 2


@dataclass(frozen=True, slots=True)
class _Cue:
    """Slots that one word may mean (1-based), by what kind of word it is. None of them: it names something else."""

    kind: str
    slots: frozenset[int]


def lean_to(text: NormalizedText, situation: Situation) -> int | None:
    """The 1-based number of the only slot the words can mean, or None."""
    zone = situation.now.tzinfo
    offers = [offer.start.astimezone(zone) for offer in situation.offers]
    if len(offers) < _FEW or _RANGE.search(text.folded):
        return None
    words = [m.group() for m in _TOKEN.finditer(text.folded.replace("'", ""))]
    cues = list(_cues(words, offers))
    days = [cue for cue in cues if cue.kind in ("weekday", "date")]
    said = _agreed(days or [cue for cue in cues if cue.slots])
    if said is None or any(not cue.slots for cue in days):
        return None
    hours = [cue for cue in cues if cue.kind == "hour"]
    if hours and not any(said in cue.slots for cue in hours):
        return None
    if _OTHER.search(text.folded):
        return 3 - said if len(offers) == _FEW and days else None
    return said


def _agreed(cues: Sequence[_Cue]) -> int | None:
    slots = frozenset.intersection(*(cue.slots for cue in cues)) if cues else frozenset[int]()
    return min(slots) if len(slots) == 1 else None


def _cues(words: Sequence[str], offers: Sequence[datetime]) -> Iterator[_Cue]:
    for at, word in enumerate(words):
        if _REFUSED & set(words[max(0, at - 2) : at]):
            continue
        if word in _WEEKDAYS:
            yield _Cue("weekday", _where(offers, _on(_WEEKDAYS[word])))
        elif word in _MORNING or word in _AFTERNOON:
            yield _Cue("part", _where(offers, _before_noon if word in _MORNING else _after_noon))
        elif word in _EARLY or word in _LATE:
            pick = min if word in _EARLY else max
            yield _Cue("order", frozenset({offers.index(pick(offers)) + 1}))
        elif word in _ORDINALS or _ORDINAL.fullmatch(word):
            yield _ordinal(words, at, offers)
        else:
            yield from _number(words, at, offers)


def _beside_month(words: Sequence[str], at: int) -> bool:
    """True for the number of "dec 9", "december the 9th" and "el 9 de diciembre"."""
    before = next((word for word in reversed(words[:at]) if word not in _LINKS), "")
    behind = next((word for word in words[at + 1 :] if word not in _LINKS), "")
    return before in MONTHS or behind in MONTHS


def _ordinal(words: Sequence[str], at: int, offers: Sequence[datetime]) -> _Cue:
    word = words[at]
    marked = _ORDINAL.fullmatch(word)
    number = int(marked[1]) if marked else _ORDINALS[word]
    dated = _where(offers, lambda o: o.day == number)
    if _beside_month(words, at) or (marked and number > len(offers)):
        return _Cue("date", dated)
    return _Cue("order", dated | ({number} if number <= len(offers) else set()))


def _number(words: Sequence[str], at: int, offers: Sequence[datetime]) -> Iterator[_Cue]:
    word, before, behind = words[at], words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
    clock = re.fullmatch(r"(\d{1,2})[:.](\d\d)|(\d{1,2})(\d\d)", word)
    if clock and (clock[1] or word.startswith("0")):
        hour, minute = int(clock[1] or clock[3]), int(clock[2] or clock[4])
        yield _Cue("hour", _where(offers, lambda o: o.hour % 12 == hour % 12 and o.minute == minute))
        return
    number = int(word) if word.isdigit() else _NUMBERS.get(word)
    if number is None or (word in _PRONOUN and before != "la" and before):
        return
    hours = _where(offers, lambda o: o.hour % 12 == number % 12 and not o.minute)
    if _beside_month(words, at):
        yield _Cue("date", _where(offers, lambda o: o.day == number))
    elif before in _AT or behind in _HOUR:
        yield _Cue("hour", hours)
    else:
        yield _Cue("number", hours | ({number} if number <= len(offers) else set()))


def _where(offers: Sequence[datetime], suits: Callable[[datetime], bool]) -> frozenset[int]:
    return frozenset(n for n, offer in enumerate(offers, 1) if suits(offer))


def _on(weekday: int) -> Callable[[datetime], bool]:
    return lambda start: start.weekday() == weekday


def _before_noon(start: datetime) -> bool:
    return start.hour < _NOON


def _after_noon(start: datetime) -> bool:
    return not _before_noon(start)
