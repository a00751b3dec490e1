"""Reads times that are told by comparing: "same time", "later on tuesday", "an hour earlier", "push it back a week".

They are measured from the visit that stands or from the slot we offered on the weekday beside them, and are written
out as the clock times and dates they mean. Where nothing says from what, the words are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from treatment_agent.understanding.times.calendar_words import ORDINALS, weekday_of
from treatment_agent.understanding.times.day_hours import POINT_MINUTES
from treatment_agent.understanding.times.day_phrases import days_at
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.shifts import amount_at, moved_by
from treatment_agent.understanding.times.tokens import Kind, Token

_REACHES = 4
_THE = frozenset("the el la that".split())
_NOT_COMPARED_BEHIND = frozenset(
    """
    than one ones date dates time times slot option appointment appt that week month year the this next de del que
    """.split()
)
_NOT_COMPARED_BEFORE = frozenset("the la el see talk ya u you ttyl sooner or o".split())
_MOVING = frozenset("push move bump put moved pushed pushing moving back out up it forward posponer mover".split())
_SOONER = frozenset("up forward".split())
_NOON_HOUR = 12


@dataclass(frozen=True, slots=True)
class _Written:
    """What stands in place of the tokens up to `behind`."""

    tokens: tuple[Token, ...]
    behind: int


def comparisons_written_out(page: Page) -> Page:
    """The page with every comparison whose point of reference is known written as a clock time or a date."""
    if not page.offers and page.visit is None:
        return page
    tokens: list[Token] = []
    index = 0
    while index < len(page.tokens):
        found = _same_time(page, index) or _moved(page, index) or _compared(page, index)
        if found:
            tokens.extend(found.tokens)
            index = found.behind
        else:
            tokens.append(page.tokens[index])
            index += 1
    return replace(page, tokens=tuple(tokens))


def _same_time(page: Page, index: int) -> _Written | None:
    """Read "same time" as the hour of the visit, or of the one slot it can mean."""
    said = phrase_at("same_time", page, index)
    if not said:
        return None
    named = _offer_named(page, said[1])
    start, behind = named or (_reference(page, index, said[1]), said[1])
    return _Written((_clock(page, index, behind, start),), behind) if start else None


def _offer_named(page: Page, index: int) -> tuple[datetime, int] | None:
    """The offer in "same time as the first one": its start and the index behind."""
    if page.word(index) not in ("as", "que"):
        return None
    at = page.skip(index + 1, _THE)
    number = page.value(at) if page.kind(at) in (Kind.NUMBER, Kind.ORDINAL) else ORDINALS.get(page.word(at), 0)
    if not 1 <= number <= len(page.offers):
        return None
    behind = at + 2 if page.word(at + 1) in ("one", "choice", "option", "slot", "time") else at + 1
    return page.offers[number - 1], behind


def _moved(page: Page, index: int) -> _Written | None:
    """Read "an hour later on tuesday" and, of a visit that stands, "push it back a week" and "two days earlier"."""
    beside = phrase_at("day_beside", page, index)
    if beside:
        return _day_beside(page, index, int(beside[0]), beside[1])
    half = phrase_at("half_hours", page, index)
    amount = (int(half[0]), "minute", half[1]) if half else amount_at(page, index)
    if not amount:
        return None
    count, unit, behind = amount
    side = phrase_at("compared", page, behind)
    if unit in ("hour", "minute"):
        start = _reference(page, index, behind) if side else None
        if not side or start is None:
            return None
        minutes = timedelta(minutes=count * (60 if unit == "hour" else 1))
        moved = start + minutes if side[0] == "later" else start - minutes
        return _Written(_written(page, index, side[1], moved, dated=not _weekday_near(page, index, behind)), side[1])
    return _days_moved(page, index, amount, side)


def _day_beside(page: Page, index: int, step: int, behind: int) -> _Written | None:
    """Read "the day before instead" of a visit; "the day before christmas" names its own day."""
    if page.visit is None or days_at(page, page.skip(behind, _THE)):
        return None
    day = page.visit.date() + timedelta(days=step)
    return _Written((_date(page, index, behind, day),), behind) if day > page.today else None


def _days_moved(page: Page, index: int, amount: tuple[int, str, int], side: tuple[str, int] | None) -> _Written | None:
    count, unit, behind = amount
    before = {page.word(index - back) for back in range(1, _REACHES)}
    if page.visit is None or not (side or before & _MOVING) or _weekday_near(page, index, behind):
        return None
    sooner = side[0] == "earlier" if side else bool(before & _SOONER)
    day = moved_by(page.visit.date(), -count if sooner else count, unit)
    end = side[1] if side else behind
    return _Written((_date(page, index, end, day),), end) if day > page.today else None


def _compared(page: Page, index: int) -> _Written | None:
    """Read "later on tuesday" as after the slot we offered there, "thursday but earlier" as before it."""
    side = phrase_at("compared", page, index)
    if not side or page.word(index - 1) in _NOT_COMPARED_BEFORE or page.word(side[1]) in _NOT_COMPARED_BEHIND:
        return None
    longer = max((found[1] for table in ("periods", "parts") if (found := phrase_at(table, page, index))), default=0)
    near = _weekday_near(page, index, side[1])
    start = _reference(page, index, side[1]) if near and longer <= side[1] else None
    if start is None:
        return None
    bound = start + timedelta(minutes=POINT_MINUTES) if side[0] == "later" else start
    word = replace(page.tokens[index], word="after" if side[0] == "later" else "before")
    return _Written((word, _clock(page, index, side[1], bound)), side[1])


def _reference(page: Page, first: int, behind: int) -> datetime | None:
    """What is compared with: the slot offered on the weekday beside these words, the visit, the only hour offered."""
    weekday = _weekday_near(page, first, behind)
    known = (page.visit,) if page.visit else page.offers
    on_day = [start for start in known if weekday and start.weekday() == weekday[0]]
    if on_day:
        return on_day[0] if len({start.time() for start in on_day}) == 1 else None
    if page.visit:
        return page.visit
    return page.offers[0] if len({start.time() for start in page.offers}) == 1 else None


def _weekday_near(page: Page, first: int, behind: int) -> tuple[int] | None:
    """The weekday named within a few words of the tokens `[first, behind)`, in the same sentence."""
    for places in (range(first - 1, first - 1 - _REACHES, -1), range(behind, behind + _REACHES)):
        for at in places:
            if page.kind(at) in (None, Kind.BREAK):
                break
            day = weekday_of(page.word(at)) if page.word(at) else None
            if day is not None:
                return (day,)
    return None


def _written(page: Page, first: int, behind: int, moment: datetime, *, dated: bool) -> tuple[Token, ...]:
    clock = _clock(page, first, behind, moment)
    return (_date(page, first, behind, moment.date()), clock) if dated else (clock,)


def _clock(page: Page, first: int, behind: int, moment: datetime) -> Token:
    start, end = page.tokens[first].start, page.tokens[behind - 1].end
    half = "am" if moment.hour < _NOON_HOUR else "pm"
    return Token(Kind.CLOCK, "", start, end, value=moment.hour * 60 + moment.minute, half=half)


def _date(page: Page, first: int, behind: int, day: date) -> Token:
    start, end = page.tokens[first].start, page.tokens[behind - 1].end
    return Token(Kind.DATE, "", start, end, value=day.day, month=day.month, year=day.year)
