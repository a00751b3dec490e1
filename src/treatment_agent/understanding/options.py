"""Finds which of the offered slots a patient picked, if the words leave exactly one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from treatment_agent.domain.interpretation import Situation, Span
from treatment_agent.domain.text import NormalizedText, fold
from treatment_agent.understanding.option_words import Pointer, first_of, order_pointers, pointers_in
from treatment_agent.understanding.times.clock_times import mark_clocks
from treatment_agent.understanding.times.compared import comparisons_written_out
from treatment_agent.understanding.times.day_hours import POINT_MINUTES, Hours, Shape
from treatment_agent.understanding.times.mention_state import Mention
from treatment_agent.understanding.times.mentions import mentions_of
from treatment_agent.understanding.times.page import Page, page_of, phrase_at
from treatment_agent.understanding.times.rewording import without_moved, written_out
from treatment_agent.understanding.times.suiting import Wish, wishes_of
from treatment_agent.understanding.times.tokens import Kind, tokenize

_HALF_DAY = 12 * 60
_LATEST_HOUR = 12
_FEWEST_IN_RANGE = 3
_DENIALS = frozenset(
    "cant not dont doesnt wont neither none ninguna ninguno tampoco couldnt unfortunately isnt arent".split()
)
_ASKED = frozenset(
    """
    anything something openings hay algo other call calling llame llameme llamame llamen llamar algo back check know
    paid pay payday said ends expires starts
    """.split()
)
_STILL = frozenset("still open yet isnt didnt available free".split())
_FINE = frozenset("works work fine good ok okay great funciona funcionan bien".split())
_TITLES = frozenset("dr doctor dra doctora the el la de with con mr mrs ms".split())


@dataclass(frozen=True, slots=True)
class OptionPick:
    """`option` is the 1-based number of the slot that was picked, None when none was or when it stays unclear.

    `ambiguous` is True when the words fit several offers or contradict each other. `span` is what decided, as raw
    offsets.
    """

    option: int | None
    ambiguous: bool = False
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Option numbers that one kind of words allows, and the tokens `[first, behind)` that say so."""

    allows: frozenset[int]
    first: int
    behind: int


def pick_option(text: NormalizedText, situation: Situation) -> OptionPick:
    """Find the offer that the message picks, by number, order, day, date, time, part of the day or provider.

    A bare number from 1 to the number of offers is the option; "at 2" and "2pm" are times. "Either" picks the earliest.
    Words that contradict every offer pick none and are not ambiguous. Never raises.
    """
    if not situation.offers:
        return OptionPick(None)
    plain = written_out(page_of(tokenize(text), situation))
    page = without_moved(comparisons_written_out(mark_clocks(plain)))
    mentions = mentions_of(page)
    pointers = pointers_in(page, plain, len(page.offers))
    ordered = order_pointers(page)
    taken_back = _taken_back(page)
    pointers, ordered = _since(pointers, taken_back), _since(ordered, taken_back)
    evidence = [
        found
        for found in (
            _by_pointer(page, pointers),
            _by_pointer(page, ordered),
            _by_time(page, mentions, pointers),
            _by_provider(page, situation),
        )
        if found
    ]
    excluded = _excluded(page, mentions, pointers + ordered)
    return _decide(text, page, mentions, evidence, excluded)


def _taken_back(page: Page) -> int:
    """The index behind the last "no wait" or "I mean": what was picked before it is taken back."""
    found = (phrase_at("corrections", page, at) for at in range(len(page.tokens)))
    return max((behind for _, behind in filter(None, found)), default=0)


def _since(pointers: tuple[Pointer, ...], index: int) -> tuple[Pointer, ...]:
    later = tuple(pointer for pointer in pointers if pointer.first >= index)
    return later or pointers


def _decide(
    text: NormalizedText,
    page: Page,
    mentions: tuple[Mention, ...],
    evidence: list[_Evidence],
    excluded: frozenset[int],
) -> OptionPick:
    every = frozenset(range(1, len(page.offers) + 1))
    either = first_of(page, range(len(page.tokens)), "either")
    other = first_of(page, range(len(page.tokens)), "other")
    if not evidence:
        left = every - excluded if excluded else frozenset[int]()
        return _by_exclusion(text, page, left, either, other)
    allowed = every - excluded
    for found in evidence:
        allowed &= found.allows
    span = _span(text, page, evidence[0].first, evidence[0].behind)
    if len(allowed) == 1:
        return OptionPick(min(allowed), span=span)
    if allowed and (either or _all_the_same(page)):
        return OptionPick(_earliest(page, allowed), span=span)
    clash = not allowed and all(found.allows for found in evidence) and len(evidence) > 1
    return OptionPick(None, ambiguous=bool(allowed) or clash, span=span if allowed or clash else None)


def _by_exclusion(
    text: NormalizedText,
    page: Page,
    left: frozenset[int],
    either: tuple[int, int] | None,
    other: tuple[int, int] | None,
) -> OptionPick:
    """Nothing was picked: "not the tuesday one, the other", or "either".

    Turning one down is not taking the one that is left: the patient has to name it.
    """
    if len(left) == 1 and other:
        return OptionPick(min(left), span=_span(text, page, *other))
    if either and not left and not _denied(page, either[0]) and not _counts_more(page):
        return OptionPick(_earliest(page, frozenset(range(1, len(page.offers) + 1))), span=_span(text, page, *either))
    return OptionPick(None)


def _counts_more(page: Page) -> bool:
    """True for "10 on either of those days": a number that is no option asks for something else."""
    numbers = (t.value for t in page.tokens if t.kind is Kind.NUMBER)
    return any(len(page.offers) < number <= _LATEST_HOUR for number in numbers)


def _all_the_same(page: Page) -> bool:
    """True for "either tuesday or thursday" and "1 or 2 works": both were named and both are fine."""
    said = {token.word for token in page.tokens}
    return not said & _DENIALS and bool(said & {"either", "both"} or (said & {"or", "o"} and said & _FINE))


def _denied(page: Page, index: int) -> bool:
    around = {page.word(at) for at in range(max(0, index - 7), index + 6)}
    careless = {"care", "matter", "mind", "preference"}
    refused = (at for at in range(index + 1, index + 6) if phrase_at("not_behind", page, at))
    if any(page.word(at + 1) not in careless for at in refused):
        return True
    return bool(around & _DENIALS) and not around & careless


def _earliest(page: Page, options: frozenset[int]) -> int:
    return min(options, key=lambda option: (page.offers[option - 1], option))


def _span(text: NormalizedText, page: Page, first: int, behind: int) -> Span | None:
    if not page.tokens or behind <= first:
        return None
    return text.span(page.tokens[first].start, page.tokens[min(behind, len(page.tokens)) - 1].end)


def _by_pointer(page: Page, pointers: tuple[Pointer, ...]) -> _Evidence | None:
    kept = [pointer for pointer in pointers if not pointer.negative and not _mere_date(page, pointer)]
    if not kept:
        return None
    numbers = set()
    for pointer in kept:
        numbers |= {pointer.number} | _dated(page, pointer)
    return _Evidence(frozenset(numbers), kept[0].first, kept[-1].behind)


def _mere_date(page: Page, pointer: Pointer) -> bool:
    """True for "my insurance ends on the 1st"."""
    return page.kind(pointer.first) is Kind.ORDINAL and _only_asked(page, pointer.first)


def _dated(page: Page, pointer: Pointer) -> set[int]:
    """The options whose date "the 1st" may name; "the 1st one" names none."""
    if page.kind(pointer.first) is not Kind.ORDINAL or page.word(pointer.behind) in ("one", "option", "choice", "slot"):
        return set()
    return {option for option, start in enumerate(page.offers, 1) if start.day == pointer.number}


def _by_time(page: Page, mentions: tuple[Mention, ...], pointers: tuple[Pointer, ...]) -> _Evidence | None:
    taken = {pointer.first for pointer in pointers}
    told = [m for m in mentions if not (m.days and any(m.first <= at < m.behind for at in taken))]
    every = [wish for wish in wishes_of(told, page.today) if not wish.negative]
    wishes = [wish for wish in every if not wish.any_day]
    if not wishes or any(phrase_at("option_altered", page, at) for at in range(len(page.tokens))):
        return None
    if any(_is_any_day(wish) for wish in every) and not any(_is_exact(wish) for wish in wishes):
        # "Tuesdays or after 3" tells when the patient is free and takes no offer.
        return None
    liked = [mention for mention in told if not mention.negative]
    if any(_only_asked(page, mention.first) for mention in liked) or any(_supposed(page, m.first) for m in told):
        return None
    if any(wish.days and wish.days.doubtful for wish in wishes):
        fits = frozenset(range(1, len(page.offers) + 1))
    else:
        fits = frozenset(o for o, start in enumerate(page.offers, 1) if any(_fits(wish, start) for wish in wishes))
    if len(fits) == 1 and not any(_points(wish) for wish in wishes):
        return None
    return _Evidence(fits, liked[0].first, liked[-1].behind)


def _is_any_day(wish: Wish) -> bool:
    """True for "any day after 3"."""
    return bool(wish.hours) and wish.days is not None and wish.days.habit and not wish.days.weekdays


def _is_exact(wish: Wish) -> bool:
    return wish.days is not None and any(hours.shape is Shape.POINT for hours in wish.hours)


def _points(wish: Wish) -> bool:
    """True for what names one of the offers: a day or a time, not "next week", "mornings" or "from 2 to 4" alone."""
    if any(hours.plural for hours in wish.hours):
        return False
    if wish.days:
        return not wish.days.wide and (len(wish.days.weekdays) < _FEWEST_IN_RANGE or not wish.days.habit)
    return any(hours.shape in (Shape.POINT, Shape.PART) for hours in wish.hours)


def _only_asked(page: Page, index: int) -> bool:
    """True for "anything after 10?" and "call me tuesday at 9": the time is no answer to the offer."""
    return any(page.word(index - back) in _ASKED for back in range(1, 6))


def _supposed(page: Page, index: int) -> bool:
    """True for "if tuesday is gone": what follows depends on what we do not know."""
    if "if" not in (page.word(index - 1), page.word(index - 2)):
        return False
    behind = {page.word(at) for at in range(index + 1, index + 8)}
    return not behind & _STILL or "not" in behind


def _fits(wish: Wish, start: datetime) -> bool:
    days = wish.days
    if days and not (start.weekday() in days.weekdays if days.weekdays else start.date() in days.dates):
        return False
    minutes = start.hour * 60 + start.minute
    return not wish.hours or any(_covers(hours, minutes) for hours in wish.hours)


def _covers(hours: Hours, minutes: int) -> bool:
    """A plain time must be the offer's own; without am or pm either half of the day will do."""
    if hours.shape is not Shape.POINT:
        return hours.start <= minutes < hours.end
    anchor = hours.anchor or 0
    if hours.end - hours.start > POINT_MINUTES:
        return hours.start <= minutes < hours.end
    return minutes == anchor or (hours.bare and minutes % _HALF_DAY == anchor % _HALF_DAY)


def _excluded(page: Page, mentions: tuple[Mention, ...], pointers: tuple[Pointer, ...]) -> frozenset[int]:
    """Offers that were turned down."""
    options = {pointer.number for pointer in pointers if pointer.negative}
    for wish in wishes_of(mentions, page.today):
        if wish.negative:
            options |= {o for o, start in enumerate(page.offers, 1) if _struck(wish, start)}
    return frozenset(options)


def _struck(wish: Wish, start: datetime) -> bool:
    minutes = start.hour * 60 + start.minute
    days = wish.days
    if days and start.weekday() not in days.weekdays and start.date() not in days.dates:
        return False
    return not wish.hours or any(hours.excluded[0] <= minutes < hours.excluded[1] for hours in wish.hours)


def _by_provider(page: Page, situation: Situation) -> _Evidence | None:
    """A named provider, when that leaves some of the offers and not all."""
    offered = [offer.provider_id for offer in situation.offers]
    for provider, name in situation.provider_names:
        words = [word for word in fold(name.lower()).replace(".", " ").split() if word not in _TITLES and len(word) > 1]
        place = next((i for i in range(len(page.tokens)) if words and page.word(i) == words[-1]), None)
        if place is None:
            continue
        allows = frozenset(option for option, own in enumerate(offered, 1) if own == provider)
        if len(allows) < len(offered):
            return _Evidence(allows, place, place + 1)
    return None
