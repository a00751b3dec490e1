"""Recognises what people tell to explain why a time does not suit: "my son has practice at 4", "the bus comes at 8".

A day or hour behind such words is no wish. It is left out of what suits.
"""

from __future__ import annotations

from treatment_agent.understanding.times.calendar_words import weekday_of
from treatment_agent.understanding.times.page import Page, phrase_at

_MOST_BETWEEN = 4
_BETWEEN = frozenset(
    """
    a an the my our his her their your un una mi su another other work doctor doctors school kids sons daughters
    wifes husbands moms dads big early late some important family soccer football basketball baseball dance piano
    swim night court real otra otro el la
    """.split()
)
# "I'm off at 3" and "I get out of class at 2" tell when somebody is free.
_FREE_BEFORE = frozenset("out off done after leave home free".split())
_HAVING = frozenset("have has got gotta gets tengo tiene".split())
_PEOPLE = frozenset(
    """
    i we he she they son daughter husband wife kid kids mom dad mother father boy girl boss sister brother ride
    hijo hija esposo esposa mama
    """.split()
)
_ASKERS = frozenset("can could may should do does did when if".split())
_TIME_JOINS = frozenset("at on until till from".split())
_OPENINGS = frozenset(
    """
    no nothing off free open opening openings time available anything come make be do that until all work free any
    availability appointment days day mornings afternoons only see seen in class
    """.split()
)
_LONGEST_TOLD = 8
_WISHED = frozenset("can could want need like would prefer any anything your youre you".split())


def happening_at(page: Page, index: int) -> int | None:
    """The index behind the words at `index` that tell of something else that happens then, or None."""
    told = _told_at(page, index)
    if told:
        return told
    fixed = phrase_at("happenings", page, index)
    if fixed and page.word(index) == "in" and _here_ourselves(page, index):
        return None
    by = bool(fixed) and page.word(fixed[1] if fixed else 0) == "by"
    if fixed and not by and page.word(index - 1) not in _FREE_BEFORE | _WISHED and page.word(index - 2) not in _WISHED:
        return fixed[1]
    holder = phrase_at("event_holders", page, index)
    if not holder or _FREE_BEFORE & {page.word(index - 1), page.word(index - 2)}:
        return None
    place = holder[1]
    for _ in range(_MOST_BETWEEN):
        event = phrase_at("events", page, place)
        if event and not _asked(page, index):
            return event[1]
        if page.word(place) not in _BETWEEN and not page.word(place).endswith("s"):
            return None
        place += 1
    return None


def _here_ourselves(page: Page, index: int) -> bool:
    """True for "I'm in town on the 16th": that is when the patient is free; "my sister is in town" is not."""
    if page.word(index + 1) != "town":
        return False
    before = [page.word(index - back) for back in range(1, 4)]
    return before[0] in ("im", "were") or (before[0] in ("am", "be", "are") and bool({"i", "we", "ill"} & set(before)))


def _told_at(page: Page, index: int) -> int | None:
    """Read "I gotta donate plasma at 11", "my wife has the truck tuesdays": somebody, something, and a time."""
    if page.word(index) not in _HAVING or page.word(index - 1) not in _PEOPLE or page.word(index - 2) in _ASKERS:
        return None
    for place in range(index + 1, index + _LONGEST_TOLD):
        word = page.word(place)
        if not word or word in _OPENINGS:
            return None
        if place > index + 1 and (word in _TIME_JOINS or weekday_of(word) is not None):
            return place
    return None


def _asked(page: Page, index: int) -> bool:
    """True for "do you have an appointment at 3" and "can I have the appointment on the 3rd"."""
    near = {page.word(index - 1), page.word(index - 2)}
    return bool(near & _WISHED) or (page.word(index) in ("at", "in", "got") and page.word(index - 1) in ("", "for"))
