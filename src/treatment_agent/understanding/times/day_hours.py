"""Reads the hours of a day out of a message: clock times, ranges of them, and parts of the day.

Parts: morning 8-12 (early 7-9, late 10-12), noon and lunch 11:30-13:30, afternoon 12-17 (early 12-15, late 15-18),
evening 17-20, first thing 7-9, end of day 16-18, after lunch 13-17, after work 17-20, after school 15-18. "After 3" is
15-20, "before 10" is 7-10, "around 10" is half an hour either way; a plain time is the half hour that begins then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from treatment_agent.understanding.times.clock_times import clock_minutes, is_bare
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.tokens import Kind

DAY_END = 24 * 60
_DAY_OPENS = 7 * 60
_DAY_CLOSES = 20 * 60
_HALF_DAY = 12 * 60
_NOON = 12 * 60
POINT_MINUTES = 30


class Shape(StrEnum):
    """How hours were said."""

    POINT = "point"
    SINCE = "since"
    UNTIL = "until"
    RANGE = "range"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes since midnight that were named, half-open.

    `anchor` is the one clock time that was said, if it was one. `widest` is what is meant when it is excluded: "not
    mornings" leaves nothing before noon. `bare` is True when am or pm was left to us. `plural` marks a habit.
    """

    start: int
    end: int
    shape: Shape
    anchor: int | None = None
    bare: bool = False
    plural: bool = False
    widest: tuple[int, int] = (0, 0)

    @property
    def excluded(self) -> tuple[int, int]:
        """The minutes that go when the patient says "not then"."""
        return self.widest if self.widest != (0, 0) else (self.start, self.end)


def _part(start: float, end: float, widest: tuple[int, int] | None = None, anchor: int | None = None) -> Hours:
    low, high = widest or (int(start), int(end))
    return Hours(
        int(start * 60), int(end * 60), Shape.PART, anchor=anchor, widest=(low * 60, high * 60) if widest else (0, 0)
    )


_PARTS = {
    "first thing": _part(7, 9),
    "early morning": _part(7, 9),
    "early": _part(7, 10),
    "morning": _part(8, 12, (0, 12)),
    "not too early": _part(9, 12),
    "late morning": _part(10, 12),
    "noon": _part(11.5, 13.5, anchor=12 * 60),
    "early afternoon": _part(12, 15),
    "afternoon": _part(12, 17),
    "mid afternoon": _part(13, 16),
    "after lunch": _part(13, 17),
    "late afternoon": _part(15, 18),
    "after school": _part(15, 18, (15, 24)),
    "end of day": _part(16, 18),
    "evening": _part(17, 20, (17, 24)),
    "school hours": _part(9, 15),
    "business hours": _part(8, 17),
    "all day": _part(0, 24),
}
# Words that mean a part of the day only next to a day: "early tuesday", "tuesday late".
_NEEDS_A_DAY = frozenset("early late earlier later temprano tarde am pm lunch night noche very super".split())
_SMALL = frozenset("at around about like las la the a approximately approx say maybe".split())
_ROUGH = frozenset("tipo around about approx approximately circa alrededor roughly".split())
_BUSY = frozenset(
    """
    work works working busy class school trabajo ocupado ocupada shift meetings meeting tied clases estoy dont teach
    babysit babysitting cuido watching teaching appointment appt daycare gym practice training lecture nap court
    """.split()
)
_NOONS = frozenset("noon midday mediodia".split())
_ONLY = frozenset("only solo solamente nomas puro pura".split())
_MOST_SMALL_WORDS = 3
_RANGE_WORDS = frozenset("to through until and an n a y hasta".split())


def hours_at(page: Page, index: int) -> tuple[Hours, int] | None:
    """The hours that begin at token `index` and the index behind them, or None."""
    return _range_at(page, index) or _since_or_upto(page, index) or _part_at(page, index) or _point_at(page, index)


def _range_at(page: Page, index: int) -> tuple[Hours, int] | None:
    opener = page.word(index) in ("between", "from", "entre", "desde", "de")
    low = page.skip(index + 1, _SMALL) if opener else index
    if page.kind(low) is not Kind.CLOCK:
        return None
    join = page.kind(low + 1) is Kind.DASH or (
        page.word(low + 1) in _RANGE_WORDS
        and (page.word(low + 1) not in ("and", "an", "n", "y") or page.word(index) in ("between", "entre"))
    )
    high = page.skip(low + 2, _SMALL)
    to_noon = page.word(high) in _NOONS and clock_minutes(page.tokens[low]) < _NOON
    if not join or not (to_noon or page.kind(high) is Kind.CLOCK):
        return None
    start, end = (clock_minutes(page.tokens[low]), _NOON) if to_noon else _range_minutes(page, low, high)
    return Hours(start, end, Shape.RANGE, anchor=start, bare=is_bare(page.tokens[low])), high + 1


def _range_minutes(page: Page, low: int, high: int) -> tuple[int, int]:
    """The ends of "11-1", "3-5pm", "9 to 11am": one am or pm settles both, and the end comes after the start."""
    first, last = page.tokens[low], page.tokens[high]
    start, end = clock_minutes(first), clock_minutes(last)
    if last.half and is_bare(first):
        hours = first.value % _HALF_DAY
        choices = (hours + _HALF_DAY, hours) if last.half == "pm" else (hours,)
        start = next((choice for choice in choices if choice < end), start)
    if end <= start and end + _HALF_DAY < DAY_END and is_bare(last):
        end += _HALF_DAY
    return (start, end) if start < end else (start, min(start + POINT_MINUTES, DAY_END))


def _since_or_upto(page: Page, index: int) -> tuple[Hours, int] | None:
    since, upto = phrase_at("since", page, index), phrase_at("upto", page, index)
    longest = max((found for found in (since, upto) if found), key=lambda found: found[1], default=None)
    if longest is None:
        return None
    place = page.skip(longest[1], _SMALL)
    noon = longest[1] > index + 1 and page.word(place) in _NOONS
    if page.kind(place) is not Kind.CLOCK and not noon:
        return None
    moment, bare = (_NOON, False) if noon else (clock_minutes(page.tokens[place]), is_bare(page.tokens[place]))
    open_ended = longest is since or (page.word(index) in ("until", "hasta") and _busy_before(page, index))
    hours = since_hours(moment, bare=bare) if open_ended else upto_hours(moment, bare=bare)
    return hours, place + 1


def _busy_before(page: Page, index: int) -> bool:
    return any(page.word(index - back) in _BUSY for back in range(1, 5))


def since_hours(moment: int, *, bare: bool = False) -> Hours:
    """The hours of "after 3": until 20:00, or until midnight when it is later than that."""
    end = _DAY_CLOSES if moment < _DAY_CLOSES else DAY_END
    return Hours(moment, end, Shape.SINCE, anchor=moment, bare=bare, widest=(moment, DAY_END))


def upto_hours(moment: int, *, bare: bool = False) -> Hours:
    """The hours of "before 10": from 7:00, or one hour when it is earlier than that."""
    end = max(moment, 30)
    start = _DAY_OPENS if end > _DAY_OPENS else max(0, end - 60)
    return Hours(start, end, Shape.UNTIL, bare=bare, widest=(0, end))


def _part_at(page: Page, index: int) -> tuple[Hours, int] | None:
    plural, found = phrase_at("parts_plural", page, index), phrase_at("parts", page, index)
    if plural and not (found and found[1] > plural[1]):
        return replace(_PARTS[plural[0]], plural=True), plural[1]
    if found and found[1] == index + 1 and page.word(index) in _NEEDS_A_DAY:
        return None
    if not found:
        return None
    habit = page.word(found[1]) in _ONLY or page.word(index - 1) in _ONLY
    return replace(_PARTS[found[0]], plural=habit), found[1]


def lone_part_at(page: Page, index: int) -> tuple[Hours, int] | None:
    """A part of the day that counts only because a day stands beside it: "early tuesday"."""
    found = phrase_at("parts", page, index) if page.word(index) in _NEEDS_A_DAY else None
    return (_PARTS[found[0]], found[1]) if found else None


def _point_at(page: Page, index: int) -> tuple[Hours, int] | None:
    place = index
    rough = False
    while place < index + _MOST_SMALL_WORDS and page.word(place) in _SMALL | _ROUGH:
        rough = rough or page.word(place) in _ROUGH
        place += 1
    if page.kind(place) is not Kind.CLOCK:
        return None
    token = page.tokens[place]
    moment, bare = clock_minutes(token), is_bare(token)
    onwards = phrase_at("onwards", page, place + 1)
    if onwards and not (page.word(place + 1) == "on" and page.kind(place + 2) not in (None, Kind.BREAK, Kind.COMMA)):
        made = since_hours(moment, bare=bare) if onwards[0] == "since" else upto_hours(moment, bare=bare)
        return made, onwards[1]
    limit = _limit_before(page, place)
    if limit:
        return (since_hours if limit == "since" else upto_hours)(moment, bare=bare), place + 1
    return _point(moment, bare=bare, rough=rough or token.rough), place + 1


def _limit_before(page: Page, place: int) -> str:
    """Read "the earliest I can do is 10" and "the latest for me would be 2"."""
    if page.word(place - 1) not in ("is", "be", "at", "es", "las"):
        return ""
    near = [page.word(place - back) for back in range(2, 9)]
    if not {"i", "me", "we", "us", "puedo", "can"} & set(near):
        return ""
    return "since" if {"earliest", "soonest"} & set(near) else "upto" if "latest" in near else ""


def _point(moment: int, *, bare: bool, rough: bool) -> Hours:
    start = max(0, moment - POINT_MINUTES) if rough else moment
    return Hours(start, min(moment + POINT_MINUTES, DAY_END), Shape.POINT, anchor=moment, bare=bare)
