"""Recognises what people tell to explain why a time does not suit: "my son has practice at 4", "the bus comes at 8".

A day or hour behind such words is no wish. It is left out of what suits.
"""

from __future__ import annotations

from treatment_agent.understanding.time_page import Page, phrase_at

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
_WISHED = frozenset("can could want need like would prefer any anything your youre you".split())


def happening_at(page: Page, index: int) -> int | None:
    """The index behind the words at `index` that tell of something else that happens then, or None."""
    fixed = phrase_at("happenings", page, index)
    by = bool(fixed) and page.word(fixed[1] if fixed else 0) == "by"
    if fixed and not by and page.word(index - 1) not in _FREE_BEFORE | _WISHED:
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


def _asked(page: Page, index: int) -> bool:
    """True for "do you have an appointment at 3" and "can I have the appointment on the 3rd"."""
    near = {page.word(index - 1), page.word(index - 2)}
    return bool(near & _WISHED) or page.word(index) in ("at", "in", "got") and page.word(index - 1) in ("", "for")
