"""Goes through a message once and lists the days and hours it names, each with whether it suits the patient.

"Not", "except", "I work" in front of a list, and "doesn't work", "is no good" behind it, make its members unsuitable.
"""

from __future__ import annotations

from dataclasses import replace

from treatment_agent.understanding.times.calendar_days import Days
from treatment_agent.understanding.times.day_hours import Shape, hours_at, lone_part_at
from treatment_agent.understanding.times.day_phrases import days_at
from treatment_agent.understanding.times.happenings import happening_at
from treatment_agent.understanding.times.mention_state import Join, Mention, State, judged_behind, moved_by_reference
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.periods import any_day
from treatment_agent.understanding.times.shifts import moment_at
from treatment_agent.understanding.times.small_talk import is_greeting, is_past, is_routine
from treatment_agent.understanding.times.tokens import Kind
from treatment_agent.understanding.times.weeks_told import week_beside

_OR = frozenset("or o u".split())
_AND = frozenset("and y e n".split())
_BUT = frozenset("but pero sino though however although aunque".split())
_LIST_WORDS = frozenset(
    """
    or o u and y e n
    the on at in of el la los las en a por either any also maybe around like for this de del que every both even como
    """.split()
)
_ABSENCE_ENDS = frozenset(
    "until hasta through not no back starting dont wait hold regreso vuelvo return returning home".split()
)
_TODAY_PARTS = frozenset("tonight this esta".split())
_BECAUSE = frozenset("because bc cuz cause porque pq".split())
_AFTER = frozenset("after past despues from".split())
_HALVES = frozenset("am pm lunch".split())
_SLOTS = frozenset("slot one appt appointment option spot".split())
_NO_TIME = -1
_MANY_DAYS = 4
_NOT_REACHES = 9
_EXACT_REACHES = 3
_SOFT_NOT_REACHES = 1


def mentions_of(page: Page) -> tuple[Mention, ...]:
    """Every mention in order of the text, negative ones marked."""
    found: list[Mention] = []
    state = State()
    index = 0
    while index < len(page.tokens):
        here = _mention_at(page, index, found)
        told = state.reason and not state.negative
        if here and (here.segment == _NO_TIME or told or _is_own(page, here)):
            state.list_only = False
            index = here.behind
        elif here:
            if state.so:
                found = _without_reasons(found, here, state)
            if here.any_day and state.join is not Join.OR and _is_the_rest(page, here):
                found = [replace(each, negative=True) if each.days and not each.hours else each for each in found]
            found.append(_placed(page, here, state, found))
            if found[-1].hours and state.negative and not found[-1].negative:
                # "I work until 5 on tuesday": the day is one that suits from then on.
                state.clear()
            _after_mention(state)
            index = here.behind
        else:
            index = _step(page, index, state, found)
    return tuple(found)


def _is_own(page: Page, here: Mention) -> bool:
    """True for "I'll dial in to my 3:00" and "my mornings belong to the roses"."""
    lone = here.hours is not None and here.days is None and here.hours.shape is not Shape.SINCE
    owned = lone and page.word(here.first - 1) in ("my", "mi", "our", "his", "her") and page.word(here.behind) != "or"
    return owned and not phrase_at("yes_behind", page, here.behind)


def _is_the_rest(page: Page, here: Mention) -> bool:
    """True for "tuesdays I teach. any other day": the days named before are those that do not suit."""
    return bool(_words(page, here.first, here.behind) & {"other", "otro", "otra"})


def _without_reasons(found: list[Mention], here: Mention, state: State) -> list[Mention]:
    """Drop the first day of "truck's in the shop tuesday so it has to be thursday": it tells why."""
    state.so = False
    return [
        each
        for each in found
        if each.segment != state.segment or each.negative or (each.days is None) != (here.days is None)
    ]


def _mention_at(page: Page, index: int, found: list[Mention]) -> Mention | None:
    if page.tokens[index].kind in (Kind.BLOCKED, Kind.BREAK, Kind.COMMA, Kind.DASH, Kind.SLASH, Kind.HASH):
        return None
    week = week_beside(page, index, found)
    if week:
        return week
    moment = moment_at(page, index)
    if moment:
        return Mention(index, moment[1], 0, moment=moment[0])
    anytime, hours, days = phrase_at("any_day", page, index), hours_at(page, index), days_at(page, index)
    longest = max((each[1] for each in (days, hours) if each), default=index)
    if longest > index and is_greeting(page, index, hours is not None):
        return Mention(index, longest, _NO_TIME)
    if days and (not hours or days[1] >= hours[1]):
        return _days_mention(page, index, days)
    if hours:
        return Mention(index, hours[1], _NO_TIME if is_routine(page, index, hours[1]) else 0, hours=hours[0])
    if anytime:
        return Mention(index, anytime[1], 0, days=any_day(page.today), any_day=True)
    return _lone_part(page, index, found)


def _words(page: Page, first: int, behind: int) -> set[str]:
    return {page.word(at) for at in range(first, behind)}


def _days_mention(page: Page, index: int, found: tuple[Days, int]) -> Mention | None:
    days, behind = found
    if is_past(page, index):
        return Mention(index, behind, _NO_TIME)
    part = hours_at(page, index) or hours_at(page, behind - 1)
    today_part = part and part[1] == behind and days.first == page.today and page.word(index) in _TODAY_PARTS
    return Mention(index, behind, 0, days=days, hours=part[0] if part and today_part else None)


def _lone_part(page: Page, index: int, found: list[Mention]) -> Mention | None:
    """Read "early tuesday", "tuesday late": only beside a day."""
    part = lone_part_at(page, index)
    if not part:
        return None
    beside = index - 1 if page.kind(index - 1) is Kind.COMMA else index
    before = bool(found) and found[-1].behind == beside and found[-1].days is not None
    behind = page.skip(part[1], frozenset(("on", "the", "el")))
    named = page.word(index) in _HALVES and page.word(part[1]) in _SLOTS and bool(page.offers)
    if before or named or days_at(page, behind) or phrase_at("yes_behind", page, part[1]):
        return Mention(index, part[1], 0, hours=part[0])
    return None


def _placed(page: Page, here: Mention, state: State, found: list[Mention]) -> Mention:
    freed = page.word(here.first) in _ABSENCE_ENDS and not (here.hours and here.hours.shape is Shape.POINT)
    since = here.hours is not None and here.hours.shape is Shape.SINCE and page.word(here.first) not in _AFTER
    asked = state.comma and page.kind(here.behind) is Kind.BREAK and page.value(here.behind) == 1
    # "Not next week, the next one".
    instead = state.comma and phrase_at("week_next_one", page, here.first)
    negative = state.negative and not freed and not since and not asked and not instead
    if state.after_but and not state.negative and here.days and _all_said(page, here, found):
        # The rest of the list too: "any day but thursday or friday".
        negative = state.negative = True
    return replace(
        here,
        segment=state.segment,
        join=state.join,
        touching=state.list_only and bool(found),
        negative=negative,
        overridable=state.comma or state.soft,
        ends_absence=freed and state.negative,
        favoured=state.favour,
    )


def _all_said(page: Page, here: Mention, found: list[Mention]) -> bool:
    """True for "any day but friday": what follows "but" is left out, unless it is said to work."""
    last = found[-1].days if found else None
    wide = last is not None and (last.wide or len(last.weekdays) >= _MANY_DAYS)
    return wide and not any(phrase_at("yes_behind", page, at) for at in (here.first + 1, here.behind))


def _after_mention(state: State) -> None:
    state.join, state.list_only, state.after_but = Join.NONE, True, False
    state.age, state.favour = 0, False


def _step(page: Page, index: int, state: State, found: list[Mention]) -> int:
    """Take in one token, or one phrase, that is no mention; return the index behind it."""
    if page.kind(index) is Kind.BREAK:
        state.divide()
        state.clear()
        state.after_but = False
        return index + 1
    if _reasons(page, index, found, state):
        return index + 1
    corrected = phrase_at("corrections", page, index)
    if corrected and page.word(corrected[1]) != "than":
        # "Tuesday, I mean thursday": what was said before is taken back.
        state.so = True
        state.clear()
        return corrected[1]
    behind = judged_behind(page, index, found, state) or moved_by_reference(page, index, found, state)
    if behind:
        return behind
    marked, happening = phrase_at("marks", page, index), happening_at(page, index)
    if marked and page.word(index) == "gone" and days_at(page, marked[1]):
        # "Gone through the 18th".
        marked = "not", index + 1
    if happening and (not marked or happening > marked[1]):
        marked = "not", happening
    if marked:
        _mark(marked[0], state)
        # "I'm off at 2": the last word of the mark may open a time.
        hours = hours_at(page, marked[1] - 1)
        opens = hours and hours[0].shape is Shape.SINCE and marked[0] == "yes" and marked[1] > index + 1
        return marked[1] - 1 if opens else marked[1]
    _connect(page, index, found, state)
    return index + 1


def _reasons(page: Page, index: int, found: list[Mention], state: State) -> bool:
    """Take note of "because" and "so"; True for the former, behind which a time is told and not wished for."""
    word = page.word(index)
    if word in _BECAUSE and found and found[-1].segment == state.segment:
        state.reason = True
        return True
    if word == "so" and page.word(index + 1) not in ("do", "does", "is", "would"):
        state.so, state.reason = True, False
    return False


def _connect(page: Page, index: int, found: list[Mention], state: State) -> None:
    """Take in a token that joins or divides mentions, or stands between them."""
    kind, word = page.kind(index), page.word(index)
    touching = bool(found) and found[-1].behind == index
    if word in _BUT and touching and found[-1].hours and hours_at(page, index + 1):
        state.join = Join.AND
    elif word in _BUT and touching and _both_bounds(page, found[-1], index + 1):
        state.join = Join.NONE
    elif word in _BUT and _made_exact(page, index + 1, found):
        # What was said before is taken back.
        state.so = True
    elif word == "over" and touching and (hours_at(page, index + 1) or days_at(page, index + 1)):
        _mark("not", state)
    elif word in _BUT:
        _but(state, found)
    elif kind is Kind.COMMA:
        _comma(page, state, found)
    elif kind is Kind.SLASH or word in _OR:
        state.join = Join.OR
    elif word in _AND:
        state.join = Join.AND if state.join is Join.NONE else state.join
    elif kind is not Kind.DASH and word not in _LIST_WORDS:
        state.list_only = False
        _age(state)


def _both_bounds(page: Page, last: Mention, index: int) -> bool:
    """True for "before christmas but after the 15th": both hold."""
    other = days_at(page, index) if last.days and last.days.wide and phrase_at("days_after", page, index) else None
    return other is not None and bool(last.days and last.days.dates & other[0].dates)


def _made_exact(page: Page, index: int, found: list[Mention]) -> bool:
    """True for "tuesday but the 8th" and "but make it the 8th": a date on that weekday tells which one is meant."""
    last = next((each for each in reversed(found) if each.days), None)
    if last is None or last.days is None or last.negative or len(last.days.weekdays) != 1 or last.days.habit:
        return False
    other = next((day for at in range(index, index + _EXACT_REACHES) if (day := _day_from(page, at))), None)
    return other is not None and len(other.dates) == 1 and other.first.weekday() in last.days.weekdays


def _day_from(page: Page, index: int) -> Days | None:
    day = days_at(page, index) if page.kind(index) else None
    return day[0] if day else None


def _mark(meaning: str, state: State) -> None:
    state.list_only = False
    if meaning != "neutral":
        state.reason = False
    if meaning in ("not", "soft"):
        state.negative, state.soft, state.comma, state.age = True, meaning == "soft", False, 0
    elif meaning == "yes":
        state.clear()
        state.favour = True


def _age(state: State) -> None:
    state.age += 1
    if state.age > (_SOFT_NOT_REACHES if state.soft else _NOT_REACHES):
        state.clear()


def _but(state: State, found: list[Mention]) -> None:
    state.divide()
    # "Next week no but the one after": what follows is not left out of anything.
    state.after_but = not state.negative and not (found and found[-1].negative)
    state.clear()


def _comma(page: Page, state: State, found: list[Mention]) -> None:
    state.join = Join.COMMA if state.join is Join.NONE else state.join
    if state.negative and found and found[-1].days and found[-1].days.last == page.today:
        # "Not today, tomorrow".
        state.clear()
    if state.negative and not state.list_only:
        state.clear()
    state.comma = state.negative
