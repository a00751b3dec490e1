"""Puts the days and hours of a message together: which hours belong to which days, and what is left out.

"tues or thurs after 3" is both days after 3; "tuesday after 3 or friday" is two wishes; "Tuesday works. Mornings are
best." is Tuesday morning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from treatment_agent.understanding.times.calendar_days import Days, habit_dates, merge_days, narrow
from treatment_agent.understanding.times.day_hours import Hours, Shape
from treatment_agent.understanding.times.mention_state import Join, Mention


@dataclass(frozen=True, slots=True)
class Wish:
    """Days with hours that belong together; None stands for "not said"."""

    days: Days | None
    hours: tuple[Hours, ...] = ()
    negative: bool = False
    any_day: bool = False


def wishes_of(mentions: Iterable[Mention], today: date) -> tuple[Wish, ...]:
    """Group mentions into wishes, in order of the text."""
    told = [mention for mention in mentions if mention.moment is None]
    if any(mention.days and not mention.days.vague and not mention.any_day for mention in told):
        told = [mention for mention in told if not (mention.days and mention.days.vague)]
    wishes: list[Wish] = []
    for run in _runs(told):
        wishes.extend(_pair(run, today))
    named = any(wish.days and not wish.any_day and not wish.negative for wish in wishes)
    kept = [wish for wish in wishes if not (wish.any_day and named and not wish.hours)]
    kept = _framed(kept, today)
    return tuple(_attach_hours([wish for place, wish in enumerate(kept) if not _made_precise(wish, kept[place + 1 :])]))


def _framed(wishes: list[Wish], today: date) -> list[Wish]:
    """Let "after the 10th? mondays best" be the mondays after the 10th."""
    frame = next((w.days for w in wishes if w.days and w.days.open_ended and not w.negative and not w.hours), None)
    habit = next((w.days for w in wishes if w.days and w.days.habit and w.days.weekdays and not w.negative), None)
    inside = narrow(habit, frame, today) if frame and habit else None
    if inside is None:
        return wishes
    framed = [replace(wish, days=inside) if wish.days is habit else wish for wish in wishes]
    return [wish for wish in framed if wish.days is not frame]


def _made_precise(wish: Wish, later: list[Wish]) -> bool:
    """True for the week of "first week of january is best. jan 5 or 6?": what comes later says which days of it."""
    if wish.days is None or not wish.days.wide or wish.negative or wish.hours:
        return False
    narrower = [each.days for each in later if each.days and not each.days.wide and not each.negative]
    return any(days.dates < wish.days.dates for days in narrower)


def _runs(mentions: list[Mention]) -> list[list[Mention]]:
    """Mentions of one segment and one sign."""
    runs: list[list[Mention]] = []
    for mention in mentions:
        last = runs[-1][-1] if runs else None
        if last and last.segment == mention.segment and last.negative == mention.negative:
            runs[-1].append(mention)
        else:
            runs.append([mention])
    return runs


def _pair(run: list[Mention], today: date) -> list[Wish]:
    """Pair each row of days with the row of hours beside it; the first row decides whether hours lead or follow."""
    rows = _dates_joined(_rows(run))
    wishes: list[Wish] = []
    index = 0
    while index < len(rows):
        row, other = rows[index], rows[index + 1] if index + 1 < len(rows) else []
        pair = [row, other] if other else [row]
        days = next((part for part in pair if part[0].days), [])
        hours = next((part for part in pair if not part[0].days), [])
        if row[0].days and row[0].hours:
            # "Tonight after 6": the clock time is more exact than the part of the day.
            closer = bool(other) and other[0].join is Join.NONE and not other[0].days
            days, hours, pair = row, (other if closer else row), pair if closer else [row]
        elif other and row[0].days and other[0].days:
            days, hours, pair = row, [], [row]
        elif len(rows) == index + 2 and _are_two(row, other):
            wishes.extend((_wish(row, [], today), replace(_wish([], other, today), days=_every_day(today))))
            break
        elif len(pair) > 1 and not row[0].days and other[0].join is Join.OR and _stands_alone(row):
            # "After 5 or on saturday" are two wishes: the hours are for any day.
            wishes.append(replace(_wish([], row, today), days=_every_day(today)))
            index += 1
            continue
        elif (
            len(rows) > index + 2 and row[0].days and other[0].join is Join.OR and rows[index + 2][0].join is Join.NONE
        ):
            # "Weekends or after 4 on weekdays": the hours belong to what follows them.
            days, hours, pair = row, [], [row]
        elif len(pair) > 1 and row[0].negative and other[0].join is not Join.NONE:
            # "No thursdays, no mornings": each is left out by itself.
            days, hours, pair = (row, [], [row]) if row[0].days else ([], row, [row])
        wishes.append(_wish(days, hours, today))
        index += len(pair)
    return wishes


def _every_day(today: date) -> Days:
    return Days(habit_dates(today), habit=True)


def _are_two(days: list[Mention], hours: list[Mention]) -> bool:
    """True for "tuesdays or after 3": the days suit at any hour, and from 3 on any day does."""
    plain = bool(days[0].days) and not days[-1].any_day and not days[0].negative
    return plain and bool(hours) and hours[0].join is Join.OR and _stands_alone(hours)


def _stands_alone(hours: list[Mention]) -> bool:
    """True for "after 5", "before noon" and "evenings", which can be meant for any day."""
    return any(m.hours and (m.hours.shape in (Shape.SINCE, Shape.UNTIL) or m.hours.plural) for m in hours)


def _dates_joined(rows: list[list[Mention]]) -> list[list[Mention]]:
    """Let a date behind "monday morning the 30th" tell which monday."""
    joined: list[list[Mention]] = []
    for row in rows:
        one = joined[-2][0].days if len(joined) > 1 and len(joined[-2]) == len(row) == 1 else None
        other = row[0].days
        same = _same_day(one, other) if one and other and one.weekdays and row[0].join is Join.NONE else None
        if same and not same.doubtful:
            joined[-2] = [replace(joined[-2][0], days=same)]
        else:
            joined.append(row)
    return joined


def _rows(run: list[Mention]) -> list[list[Mention]]:
    """Neighbouring mentions of one sort: days together, hours together; "tonight", being both, alone."""
    rows: list[list[Mention]] = []
    for mention, behind in zip(run, [*run[1:], None], strict=True):
        last = rows[-1][-1] if rows else None
        alone = bool(mention.days and mention.hours) or bool(last and last.days and last.hours)
        alone = alone or _begins_any_day(mention, behind, rows)
        if last and not alone and (last.days is None) == (mention.days is None):
            rows[-1].append(mention)
        else:
            rows.append([mention])
    return rows


def _begins_any_day(mention: Mention, behind: Mention | None, rows: list[list[Mention]]) -> bool:
    """True for what follows "tuesday" in "or any day after 3" and "tuesday mornings" in "or after 3 any day"."""
    if mention.join is not Join.OR:
        return False
    paired = len(rows) > 1 and bool(rows[-2][0].days) and bool(rows[-1][0].hours)
    return mention.any_day or (paired and behind is not None and behind.any_day and _stands_alone([mention]))


def _wish(days: list[Mention], hours: list[Mention], today: date) -> Wish:
    named = [mention for mention in days if not mention.any_day] or days
    some = (days or hours)[0]
    any_day = bool(days) and all(mention.any_day for mention in days)
    joined, told = _join_days(named, today), join_hours(hours)
    if joined and joined.weekdays and (joined.habit or any(part.plural for part in told)):
        joined = replace(joined, dates=joined.dates | habit_dates(today, joined.weekdays), habit=True)
    return Wish(joined, told, negative=some.negative, any_day=any_day)


def _join_days(mentions: list[Mention], today: date) -> Days | None:
    joined: list[tuple[Days, Join]] = []
    for mention in mentions:
        if mention.days is None:
            continue
        if joined and mention.join in (Join.NONE, Join.COMMA):
            both = _same_day(joined[-1][0], mention.days) if joined else None
            if both:
                joined[-1] = (both, joined[-1][1])
                continue
        joined.append((mention.days, mention.join))
    return _narrowed(joined, today)


def _same_day(one: Days, other: Days) -> Days | None:
    """Join "tuesday, dec 1": a weekday beside a date. A wrong weekday makes the pair doubtful."""
    weekday, dated = (one, other) if one.weekdays else (other, one)
    if not weekday.weekdays or weekday.habit or dated.weekdays or len(dated.dates) != 1:
        return None
    return replace(dated, doubtful=dated.doubtful or dated.first.weekday() not in weekday.weekdays)


def _narrowed(joined: list[tuple[Days, Join]], today: date) -> Days | None:
    """Weekdays are narrowed by a stretch beside them, unless "or" stands between the two."""
    if not joined:
        return None
    plain = [days for days, _ in joined if days.weekdays]
    wide = [days for days, _ in joined if days.wide and not days.weekdays]
    if plain and wide and not _divided(joined):
        frame = _merged(wide)
        inside = narrow(_merged(plain), frame, today)
        others = [days for days, _ in joined if not days.weekdays and not days.wide]
        return _merged([inside, *others]) if inside else replace(_merged(plain), doubtful=True)
    narrowed = _overlap(joined)
    return narrowed or _merged([days for days, _ in joined], latest=all(join is not Join.OR for _, join in joined[1:]))


def _overlap(joined: list[tuple[Days, Join]]) -> Days | None:
    """Join "next week, the 1st": stretches side by side keep what they share."""
    if (
        len(joined) < 2
        or any(join in (Join.OR, Join.AND) for _, join in joined[1:])
        or not any(d.wide for d, _ in joined)
    ):
        return None
    shared = frozenset.intersection(*(days.dates for days, _ in joined))
    if not shared:
        return None
    untils = [days.until for days, _ in joined if days.until]
    return Days(
        shared,
        wide=all(d.wide for d, _ in joined),
        until=max(untils, default=None),
        doubtful=any(d.doubtful for d, _ in joined),
    )


def _divided(joined: list[tuple[Days, Join]]) -> bool:
    """True when a stretch and a weekday are alternatives: "monday or next week"."""
    return any(
        join in (Join.OR, Join.AND) and bool(days.weekdays) != bool(before.weekdays)
        for (before, _), (days, join) in pairwise(joined)
    )


def _merged(parts: list[Days], *, latest: bool = False) -> Days:
    """All of them; of two deferrals the later one counts unless they are alternatives."""
    total = parts[0]
    for days in parts[1:]:
        total = merge_days(total, days)
    untils = [days.until for days in parts if days.until]
    return replace(total, until=max(untils)) if latest and untils else total


def join_hours(mentions: Iterable[Mention]) -> tuple[Hours, ...]:
    """The hours of a row: "mornings or after 3" is both, "after 3 but before 5" and "morning at 8" what they share."""
    joined: list[Hours] = []
    for mention in mentions:
        hours = mention.hours
        if hours is None:
            continue
        shared = _shared(joined[-1], hours, mention.join) if joined else None
        if shared:
            joined[-1] = shared
        else:
            joined.append(hours)
    return tuple(joined)


def _shared(one: Hours, other: Hours, join: Join) -> Hours | None:
    start, end = max(one.start, other.start), min(one.end, other.end)
    bounds = {one.shape, other.shape} == {Shape.SINCE, Shape.UNTIL}
    if start >= end or join is Join.OR or (join is Join.AND and not bounds):
        return None
    if join is Join.COMMA and one.shape is other.shape is not Shape.SINCE:
        return None
    exact = next((hours for hours in (one, other) if hours.shape is Shape.POINT), None)
    if exact:
        return exact
    anchored = max((hours for hours in (one, other)), key=lambda hours: (hours.anchor is not None, hours.start))
    return Hours(
        start, end, Shape.RANGE, anchor=anchored.anchor, bare=one.bare or other.bare, plural=one.plural or other.plural
    )


def _attach_hours(wishes: list[Wish]) -> list[Wish]:
    """Give hours that stand alone to the days that have none."""
    loose = [wish for wish in wishes if wish.days is None and not wish.negative]
    bare = [wish for wish in wishes if wish.days and not wish.hours and not wish.negative]
    full = [wish for wish in wishes if wish.days and wish.hours and not wish.negative]
    if not loose or not (bare or full):
        return wishes
    extra = tuple(hours for wish in loose for hours in wish.hours)
    if bare:
        kept = [wish for wish in wishes if wish not in loose]
        return [replace(wish, hours=extra) if wish in bare else wish for wish in kept]
    points = tuple(hours for hours in extra if hours.shape is Shape.POINT)
    kept = [wish for wish in wishes if wish not in loose]
    last = full[-1]
    return [replace(wish, hours=wish.hours + points) if wish is last else wish for wish in kept]
