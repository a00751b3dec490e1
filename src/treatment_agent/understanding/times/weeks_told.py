"""Reads weeks told by another one: "that week", "the week after", and "next week no, the one after yes"."""

from __future__ import annotations

from datetime import timedelta

from treatment_agent.understanding.times.calendar_days import Days
from treatment_agent.understanding.times.day_phrases import days_at
from treatment_agent.understanding.times.mention_state import Mention
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.periods import week_of

_SUNDAY = 6
_DAYS_OF_WEEK = 7


def week_beside(page: Page, index: int, found: list[Mention]) -> Mention | None:
    """The week told at `index`: counted from the date named last, else from the visit or the offers."""
    return _next_one(page, index, found) or _told(page, index, found)


def _next_one(page: Page, index: int, found: list[Mention]) -> Mention | None:
    """Read "the one after" and "la otra" behind a week that was named."""
    said = phrase_at("week_next_one", page, index)
    last = found[-1].days if found else None
    if not said or last is None or not _is_week(last) or _counts_on(page, said[1]):
        return None
    days = week_of(last.first, 1)
    return Mention(index, said[1], 0, days=days) if days else None


def _is_week(days: Days) -> bool:
    """True for a week, or what is left of one."""
    short = days.last - days.first < timedelta(days=_DAYS_OF_WEEK)
    return days.wide and not days.habit and short and days.last.weekday() == _SUNDAY


def _told(page: Page, index: int, found: list[Mention]) -> Mention | None:
    """Read "the week after" and "that week": counted from the date named last, else from the offers."""
    said = phrase_at("weeks_told", page, index)
    if not said or (days_at(page, index) and said[0] == "0") or _counts_on(page, said[1]):
        return None
    named = phrase_at("periods", page, index)
    dated = [each.days.first for each in found if each.days and not each.any_day and not each.days.weekdays]
    starts = (page.visit,) if page.visit else page.offers
    known = (
        starts[-1].date()
        if starts and (not named or "next" not in {page.word(at) for at in range(index, said[1])})
        else None
    )
    base = dated[-1] if dated else known
    days = week_of(base, int(said[0])) if base else None
    return Mention(index, said[1], 0, days=days) if days and days.last >= page.today else None


def _counts_on(page: Page, behind: int) -> bool:
    """True for "the week after thanksgiving", which names its own date."""
    return any(days_at(page, at) for at in range(behind, page.skip(behind, frozenset("the el la de del".split())) + 1))
