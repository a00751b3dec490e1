"""Reads from a patient's message which times suit, when to call back, and until when to leave the matter.

Everything is aware, in the zone of `Situation.now`. Bare hours: 1 to 6 are in the afternoon, 7 to 11 in the morning.
Dates are read month first. What a part of the day means stands in `day_hours`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from treatment_agent.domain.interpretation import Situation, Span
from treatment_agent.domain.scheduling import Window
from treatment_agent.domain.text import NormalizedText
from treatment_agent.understanding.times.calendar_days import HABIT_DAYS, Days, habit_dates
from treatment_agent.understanding.times.clock_times import mark_clocks
from treatment_agent.understanding.times.compared import comparisons_written_out
from treatment_agent.understanding.times.day_hours import DAY_END, Hours, Shape
from treatment_agent.understanding.times.mention_state import Mention
from treatment_agent.understanding.times.mentions import mentions_of
from treatment_agent.understanding.times.page import Page, page_of, phrase_at
from treatment_agent.understanding.times.rewording import without_moved, written_out
from treatment_agent.understanding.times.suiting import Wish, wishes_of
from treatment_agent.understanding.times.tokens import tokenize

Minutes = tuple[int, int]
_WHOLE_DAY: Minutes = (0, DAY_END)
_MOST_DAYS = 62
_LONGEST_ABSENCE = 42


@dataclass(frozen=True, slots=True)
class TimeReading:
    """The times of one message.

    `windows` are times that suit: sorted, disjoint, in the future, without what was excluded. `today` is what is
    left of today where hours without a day were named: too soon for a visit, not for a call. `for_call` are the
    windows as they suit a call: there "friday" is the coming one, whatever week we offered. `instant` is the next
    moment of the one clock time that was named. `until` is the day before which not to write again. `ambiguous` is
    True when a date fits two days or contradicts its weekday. `spans` are offsets into the raw message.
    """

    windows: tuple[Window, ...] = ()
    for_call: tuple[Window, ...] = ()
    today: tuple[Window, ...] = ()
    instant: datetime | None = None
    until: date | None = None
    ambiguous: bool = False
    spans: tuple[Span, ...] = ()


def read_times(text: NormalizedText, situation: Situation) -> TimeReading:
    """Read the times of a message; an empty reading when there are none. Never raises.

    Only the first 4,000 characters are read. Days reach 42 days ahead unless a farther date is named; habits
    ("mornings", "not Fridays", "after 3") are spelled out for the 21 days from tomorrow.
    """
    page = without_moved(comparisons_written_out(mark_clocks(written_out(page_of(tokenize(text), situation)))))
    mentions = mentions_of(page)
    if not mentions:
        return TimeReading()
    wishes = wishes_of(mentions, page.today)
    return TimeReading(
        windows=_windows(page, mentions, wishes),
        for_call=_windows(replace(page, for_call=True), mentions, wishes),
        today=_as_windows(page, _left_of_today(page, wishes)),
        instant=_instant(page, mentions, wishes),
        until=_until(page, mentions, wishes),
        ambiguous=any(wish.days.doubtful for wish in wishes if wish.days),
        spans=tuple(text.span(page.tokens[m.first].start, page.tokens[m.behind - 1].end) for m in mentions),
    )


def _windows(page: Page, mentions: tuple[Mention, ...], wishes: tuple[Wish, ...]) -> tuple[Window, ...]:
    suits: dict[date, list[Minutes]] = {}
    liked = [wish for wish in wishes if not wish.negative]
    for wish in liked:
        for day in _dates(page, wish):
            suits.setdefault(day, []).extend((hours.start, hours.end) for hours in wish.hours)
            if not wish.hours:
                suits[day].append(_WHOLE_DAY)
    if not liked and wishes:
        named = [wish.days for wish in wishes if wish.days and not wish.days.habit and not wish.days.weekdays]
        near = page.today + timedelta(days=HABIT_DAYS)
        away = [days for days in named if days.wide or days.last > near]
        free = {day for start in [page.today, *(days.last for days in away)] for day in habit_dates(start)}
        free |= {day for days in away for day in _days_before(page.today, days.first)}
        suits = {day: [_WHOLE_DAY] for day in free}
    for wish in wishes:
        if wish.negative:
            _leave_out(suits, wish)
    back = max(
        (mention.days.first for mention in mentions if mention.days and mention.ends_absence), default=page.today
    )
    return _as_windows(page, {day: suits[day] for day in suits if day >= back})


def _days_before(today: date, day: date) -> set[date]:
    """Tomorrow to the day before `day`, unless that is farther than anybody plans."""
    between = (day - today).days
    return {today + timedelta(days=step) for step in range(1, between)} if between <= _MOST_DAYS else set()


def _left_of_today(page: Page, wishes: tuple[Wish, ...]) -> dict[date, list[Minutes]]:
    liked = [
        hours for wish in wishes if (wish.days is None or wish.any_day) and not wish.negative for hours in wish.hours
    ]
    return {page.today: [(hours.start, hours.end) for hours in liked]}


def _dates(page: Page, wish: Wish) -> list[date]:
    """The dates of a wish; for a call, a weekday that is today counts when its clock time is still ahead."""
    if wish.days is None:
        return sorted(habit_dates(page.today))
    days = sorted(_in_weeks_meant(page, wish.days))[:_MOST_DAYS]
    today = page.today
    visit = page.offers and not page.for_call
    if not visit and today.weekday() in wish.days.weekdays and not wish.days.habit and _still_ahead(page, wish.hours):
        later = today + timedelta(days=7)
        days = sorted({today if day == later else day for day in days})
    return days


def _in_weeks_meant(page: Page, days: Days) -> frozenset[date]:
    """The dates of "wednesday": the coming one and the one in a week we offered; an offered weekday is that day.

    Nobody can tell which of the two is meant; we offer both. A call is wanted on the coming one.
    """
    if page.for_call or days.habit or not days.weekdays:
        return days.dates
    meant: set[date] = set()
    for day in days.dates:
        plain = day.weekday() in days.weekdays and day <= page.today + timedelta(days=7)
        meant |= _weeks_meant(page, day) if plain else {day}
    return frozenset(meant)


def _weeks_meant(page: Page, day: date) -> set[date]:
    offered = {start.date() for start in page.offers if start.weekday() == day.weekday()}
    if offered:
        return offered
    if page.booked:
        return {day, day + timedelta(days=7)}
    beside = {start.date() + timedelta(days=day.weekday() - start.weekday()) for start in page.offers}
    return {day} | {each for each in beside if each > page.today}


def _still_ahead(page: Page, hours: tuple[Hours, ...]) -> bool:
    minutes = page.now.hour * 60 + page.now.minute
    return bool(hours) and all(h.anchor is not None and h.shape is Shape.POINT and h.anchor > minutes for h in hours)


def _leave_out(suits: dict[date, list[Minutes]], wish: Wish) -> None:
    cuts = [hours.excluded for hours in wish.hours] or [_WHOLE_DAY]
    for day in suits:
        if wish.days is None or day in wish.days.dates or day.weekday() in wish.days.weekdays:
            for cut in cuts:
                suits[day] = [piece for kept in suits[day] for piece in _without(kept, cut)]


def _without(kept: Minutes, cut: Minutes) -> list[Minutes]:
    before, after = (kept[0], min(kept[1], cut[0])), (max(kept[0], cut[1]), kept[1])
    return [piece for piece in (before, after) if piece[0] < piece[1]]


def _as_windows(page: Page, suits: dict[date, list[Minutes]]) -> tuple[Window, ...]:
    stretches = sorted(
        (_moment(page, day, start), _moment(page, day, end)) for day in suits for start, end in suits[day]
    )
    merged: list[tuple[datetime, datetime]] = []
    for start, end in stretches:
        start = max(start, page.now)
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(Window(start, end) for start, end in merged)


def _moment(page: Page, day: date, minutes: int) -> datetime:
    """Wall-clock time of that day; minute 1440 is the next midnight."""
    days, rest = divmod(minutes, DAY_END)
    return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), page.now.tzinfo)


def _instant(page: Page, mentions: tuple[Mention, ...], wishes: tuple[Wish, ...]) -> datetime | None:
    moments = [mention.moment for mention in mentions if mention.moment]
    if moments:
        return moments[0]
    timed = [(wish, hours) for wish in wishes if not wish.negative for hours in wish.hours if hours.anchor is not None]
    if len(timed) != 1:
        return None
    wish, hours = timed[0]
    minutes = hours.anchor or 0
    near = [page.today, page.today + timedelta(days=1)]
    days = near if wish.days is None else _dates(replace(page, for_call=True), wish)
    return next((moment for day in days if (moment := _moment(page, day, minutes)) > page.now), None)


def _until(page: Page, mentions: tuple[Mention, ...], wishes: tuple[Wish, ...]) -> date | None:
    named = [wish.days for wish in wishes if wish.days and not wish.any_day and not wish.negative]
    until = _latest([days.until for days in named if days.until])
    if until is None and named and _defers(page):
        until = min(days.first for days in named)
    if until is None:
        until = _latest([_next_day(m.days.last) for m in mentions if m.negative and m.days and _is_absence(m)])
    return until if until and until > page.today else None


def _latest(dates: Iterable[date]) -> date | None:
    return max(dates, default=None)


def _next_day(day: date) -> date:
    return day + timedelta(days=1)


def _is_absence(mention: Mention) -> bool:
    return mention.days is not None and mention.days.wide and len(mention.days.dates) <= _LONGEST_ABSENCE


def _defers(page: Page) -> bool:
    return any(phrase_at("deferring", page, index) for index in range(len(page.tokens)))
