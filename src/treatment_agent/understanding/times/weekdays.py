"""Reads weekdays: "wed", "next friday", "any monday", "mon-fri", "the following tuesday"."""

from __future__ import annotations

from datetime import timedelta

from treatment_agent.understanding.times.calendar_days import Days, Found, coming, habit_dates, next_monday, one_day
from treatment_agent.understanding.times.calendar_words import is_plural_weekday, weekday_of
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.tokens import Kind

_DEFINITE = frozenset("the that ese esa".split())
_COMING = frozenset("this coming upcoming este proximo".split())
_EVERY = frozenset("a un any every each most all cualquier los todos".split())
_PAST = frozenset("last past previous pasado ultimo".split())
_BEFORE_WEEKDAY = _COMING | _EVERY | _PAST | {"next", "following", "the", "of", "las", "el"}
# Abbreviations that are other words too: "i sat down", "the sun", "para tu hijo".
_NOT_WEEKDAY_AFTER = {
    "sat": frozenset("i we he she they have just".split()),
    "sun": frozenset(("the",)),
    "tu": frozenset("a con y para de es que si".split()),
}
_WE_WOULD = frozenset("like love prefer be rather need want have appreciate".split())
_RANGE_JOINS = frozenset("to through thru a al until hasta".split())


def weekday_at(page: Page, index: int) -> Found:
    """A weekday with its "next", "this", "any"; ranges of weekdays; weekends and working days are in `periods`."""
    place = page.skip(index, _BEFORE_WEEKDAY)
    day = _plain_weekday(page, place)
    if day is None:
        return None
    behind = place + 1
    said = {page.word(at) for at in range(index, place)}
    if said & _PAST:
        return None
    last = _weekday_range(page, behind, between=page.word(index - 1) in ("between", "entre"))
    if last:
        count = (last[0] - day) % 7 + 1
        weekdays = frozenset((day + step) % 7 for step in range(count))
        return Days(habit_dates(page.today, weekdays), weekdays, habit=True), last[1]
    if said & _EVERY or is_plural_weekday(page.word(place)) or page.word(index - 1) in ("only", "solo"):
        return Days(habit_dates(page.today, (day,)), frozenset((day,)), habit=True), behind
    if page.word(place - 1) == "following":
        return one_day(
            coming(day, page.offers[-1].date() if page.offers else next_monday(page.today) - timedelta(days=1))
        ), behind
    after_next = (page.word(behind), page.word(behind + 1)) == ("after", "next")
    if after_next or "next" in said or _in_list_after(page, index, ("next",)):
        weeks = 1 if after_next else 0
        return one_day(next_monday(page.today) + timedelta(days=7 * weeks + day)), behind + 2 * weeks
    offered = next((start.date() for start in page.offers if start.weekday() == day), None)
    if offered and page.word(place - 1) in _DEFINITE:
        return one_day(offered), behind
    date_ = coming(day, page.today)
    if page.word(behind) == "week" and not page.word(behind + 1):
        return one_day(date_ + timedelta(days=7)), behind + 1
    after = phrase_at("weekday_coming", page, behind)
    if said & (_COMING - {"proximo"}) or _in_list_after(page, index, ("this",)):
        return one_day(date_), after[1] if after else behind
    behind = after[1] if after else behind
    return Days(frozenset((date_,)), frozenset((day,))), behind


def _in_list_after(page: Page, index: int, openers: tuple[str, ...]) -> bool:
    """True for the second day of "next monday or tuesday"."""
    listed = page.word(index - 1) in ("or", "and") and page.word(index - 3) in openers
    return listed and weekday_of(page.word(index - 2)) is not None


def _plain_weekday(page: Page, place: int) -> int | None:
    word = page.word(place)
    before = page.word(place - 1)
    if word == "wed" and page.word(place + 1) in _WE_WOULD:
        return None
    if not word or before in _PAST or before in _NOT_WEEKDAY_AFTER.get(word, ()):
        return None
    if word == "tu" and not (
        page.kind(place + 1) in (Kind.SLASH, Kind.DASH, Kind.CLOCK) or page.word(place + 1) in ("th", "or")
    ):
        return None
    if word == "m" or word == "f":
        return _letter_weekday(page, place)
    return weekday_of(word)


def _letter_weekday(page: Page, place: int) -> int | None:
    """Read "m-f" only."""
    if page.word(place) == "m" and page.kind(place + 1) is Kind.DASH and page.word(place + 2) == "f":
        return 0
    return 4 if page.word(place) == "f" and page.kind(place - 1) is Kind.DASH and page.word(place - 2) == "m" else None


def _weekday_range(page: Page, place: int, *, between: bool) -> tuple[int, int] | None:
    joins = _RANGE_JOINS | {"and", "y"} if between else _RANGE_JOINS
    if page.kind(place) is not Kind.DASH and page.word(place) not in joins:
        return None
    end = page.skip(place + 1, frozenset(("el",)))
    day = _plain_weekday(page, end)
    return None if day is None else (day, end + 1)
