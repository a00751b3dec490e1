"""Decides which bare numbers of a message are hours: only where the words around them say so.

"At 3", "tuesday 10", "do you have 4" are; "I have 2 kids", "3 fillings", "2 please" are not.
"""

from __future__ import annotations

from treatment_agent.understanding.times.calendar_words import NUMBERS, SPANISH_WEEKDAYS, month_of, weekday_of
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.tokens import Kind, minutes_of

STRONG = frozenset("at around after before until between las past noon circa alrededor than entre tipo".split())
WEAK = frozenset("about by from like approx for do make it la since to or say".split())
JOINS = frozenset("or and an n to until through y o a hasta".split())
_FOLLOWS = frozenset(
    """
    on or and to until through works work is are would will if please pls plz thanks thank ok okay good great
    fine tomorrow today tonight next this in instead for best better que o y a de por el sharp i im my we when
    because cause cuz but only the at perfect suits sounds should may might could can also too then am pm en
    hoy manana esta esa cual porque si gracias bien seria me mejor was onwards so later earlier ish each every
    most any some anytime either lol maybe menos excepto except
    """.split()
)
UNITS = frozenset(
    """
    of kid kids child children filling fillings tooth teeth crown crowns visit visits day days week weeks
    month months year years yr yrs hour hours minute minutes mins hrs people person persons times time
    appointment appointments appts dollars bucks percent miles blocks grand session sessions shot shots pill
    pills implant implants root roots canal canals cavity cavities dentist dentists office offices other
    others more different jobs job boys girls sons daughters dogs cats payments payment things thing questions
    question nights doctors surgeries bridges veneers dientes muelas dia dias semana semanas mes meses ano
    anos hora horas minuto minutos hijos ninos veces vez personas citas cita coronas dolares st street
    ave avenue rd road blvd main quarters ounces lbs pounds degrees stars out weekends texts messages calls
    emails options choices slots openings gets kiddos grandkids
    """.split()
)
NOT_BEFORE = frozenset(
    """tooth teeth number option opt room suite unit age aged level pain scale apt building floor step page diente
    muela numero opcion hwy route highway exit gate stage grade had have has are ext extension box lot""".split()
)
_YOU = frozenset("you u yall ya".split())
_CHOOSING = frozenset("lets just ill id i".split())
_SOME = frozenset("cualquiera ninguna alguna una ambas otra primera segunda ultima mejor".split())
_LIKE = frozenset("like say about".split())
_GOES = frozenset("time it appt appointment me mine go switch change push move that this start".split())
_TAKES = frozenset("the that n yeah ok take gimme get want grab then".split())
_ROUGHLY = frozenset("like maybe ideally preferably".split())
_ENGLISH = frozenset("two three four five six seven eight nine ten eleven twelve".split())
_FEWEST_MINUTES = 100
_LONGEST_MONTH = 31
_LONGEST_LIST = 10
_DAY_NEIGHBOURS = frozenset("today tomorrow tonight hoy manana noon".split())
_FILLERS = frozenset(
    """
    please pls plz thanks thank you yes yeah yep ok okay sure ill take lets do works good great fine the for
    me pick choose go with i want would like at one por favor si la quiero prefiero gracias ya perfect reply
    option que sea
    """.split()
)


def only_number(page: Page) -> int:
    """The index of a number that is the whole message and no option number, else -1."""
    rest = [i for i, t in enumerate(page.tokens) if t.word not in _FILLERS and t.kind not in (Kind.BREAK, Kind.COMMA)]
    if len(rest) != 1:
        return -1
    value = page.value(rest[0]) if page.kind(rest[0]) is Kind.NUMBER else NUMBERS.get(page.word(rest[0]), 0)
    return rest[0] if value > len(page.offers) else -1


def is_time(page: Page, index: int) -> bool:
    """True when the number in figures or letters at `index` is an hour."""
    if page.kind(index) is Kind.WORD:
        return _is_spelled_time(page, index)
    if page.kind(index) is not Kind.NUMBER or minutes_of(page.value(index)) is None:
        return False
    if page.value(index) > 12 and page.value(index) < 100:
        return False
    return _said_as_time(page, index) and not _street(page, index)


def _is_spelled_time(page: Page, index: int) -> bool:
    spelled, before = NUMBERS.get(page.word(index), 0), page.word(index - 1)
    if not 1 <= spelled <= 12 or (before == "las" and _of_the_two(page, index)):
        return False
    close = before in STRONG and (page.word(index) != "once" or before == "las")
    close = close or (before == "la" and page.word(index) == "una")
    beside = spelled > 1 and page.word(index) in _ENGLISH and _beside_a_day(page, index)
    if before in _LIKE and spelled > 1:
        return open_after(page, index, strict=True)
    offered = before in ("the", "at", "that") and _offered_hour(page, index, spelled)
    return (close or beside or offered) and open_after(page, index, strict=spelled == 1)


def _offered_hour(page: Page, index: int, value: int) -> bool:
    """True when an offered slot begins at this hour: "so gimme that 9"."""
    return value > len(page.offers) and any(value % 12 == start.hour % 12 and not start.minute for start in page.offers)


def _of_the_two(page: Page, index: int) -> bool:
    """True for "cualquiera de las dos"."""
    return page.word(index - 2) == "de" and page.word(index - 3) in _SOME


def _said_as_time(page: Page, index: int) -> bool:
    before, after, beyond = page.word(index - 1), page.word(index + 1), page.value(index) > len(page.offers)
    if before == "have" and page.word(index - 2) in _YOU:
        return beyond and open_after(page, index, strict=True)
    if before in NOT_BEFORE or page.kind(index - 1) is Kind.HASH or _before_a_month(page, index):
        return False
    if _among_dates(page, index):
        return False
    by_word = _by_word_before(page, index)
    if by_word is not None:
        return by_word
    if _beside_a_day(page, index) or (after != "on" and phrase_at("onwards", page, index + 1)):
        return open_after(page, index, strict=False)
    if before in ("it", "make", "do", "not"):
        return beyond and open_after(page, index, strict=True)
    if after in ("works", "work", "would", "is") and not before:
        return beyond
    return _bare_range(page, index) or (beyond and (_alternatives(page, index) or _at_the_end(page, index)))


def _by_word_before(page: Page, index: int) -> bool | None:
    """What the word before the number settles; None when it settles nothing."""
    before, earlier, beyond = page.word(index - 1), page.word(index - 2), page.value(index) > len(page.offers)
    if before == "las" and _of_the_two(page, index):
        return False
    asked = before == "of" and earlier in ("chance", "possibility")
    if asked or (before == "say" and earlier in _CHOOSING) or (before == "to" and earlier in _GOES):
        return beyond and open_after(page, index, strict=True)
    if before in STRONG:
        return open_after(page, index, strict=False)
    clear = before in WEAK and before not in ("or", "to", "la", "it", "make", "do", "for")
    clear = (
        clear or (before == "la" and earlier in ("a", "de", "desde", "hasta", "como")) or _behind_a_date(page, index)
    )
    clear = clear or (before in _TAKES and _offered_hour(page, index, page.value(index)))
    if clear or (before == "is" and _could_be(page, index)):
        return open_after(page, index, strict=True)
    return None


def _before_a_month(page: Page, index: int) -> bool:
    """True for "9 dec", unless the month begins a date of its own: "at 9 dec 4"."""
    month = month_of(page.word(index + 1)) if page.word(index + 1) else None
    own = page.kind(index + 2) is Kind.NUMBER and page.value(index + 2) < _FEWEST_MINUTES
    return month is not None and page.word(index + 1) not in ("may", "mar") and not own


def _among_dates(page: Page, index: int) -> bool:
    """True for the 9 and the 10 of "dec 8, 9 or 10"."""
    place, listed = index - 1, False
    while place > index - _LONGEST_LIST:
        if page.kind(place) is Kind.COMMA or page.word(place) in ("or", "and", "o", "y"):
            listed = True
        elif page.kind(place) is not Kind.NUMBER or page.value(place) > _LONGEST_MONTH:
            break
        place -= 1
    month = month_of(page.word(place)) if listed and page.word(place) else None
    return month is not None and page.kind(place + 1) is Kind.NUMBER


def _behind_a_date(page: Page, index: int) -> bool:
    """True for "12/9 10", "dec 8 930" and "8 dec 930"."""
    if page.kind(index - 1) is Kind.DATE:
        return True
    if page.value(index) < _FEWEST_MINUTES:
        return False
    month, day = page.word(index - 1), index - 2
    if page.kind(index - 1) in (Kind.NUMBER, Kind.ORDINAL):
        month, day = page.word(index - 2), index - 1
    return bool(month) and month_of(month) is not None and page.kind(day) in (Kind.NUMBER, Kind.ORDINAL)


def _alternatives(page: Page, index: int) -> bool:
    """True for "10 or 11 any day": two hours that nothing else is said to count."""
    for other, join in ((index + 2, index + 1), (index - 2, index - 1)):
        if page.word(join) not in ("or", "o") or page.kind(other) is not Kind.NUMBER:
            continue
        opener = page.word(min(index, other) - 1)
        plain = opener not in NOT_BEFORE and month_of(opener) is None and minutes_of(page.value(other)) is not None
        return plain and page.value(other) > len(page.offers) and open_after(page, max(index, other), strict=True)
    return False


def _at_the_end(page: Page, index: int) -> bool:
    """True for "earlier, 11?": a number that is a part of the message by itself."""
    opened = page.kind(index - 1) is Kind.COMMA or page.word(index - 1) in _ROUGHLY
    opening = page.kind(index - 1) in (None, Kind.BREAK) or page.word(index - 1) == "so"
    opened = opened or (page.value(index) >= _FEWEST_MINUTES and opening)
    return opened and page.kind(index + 1) in (None, Kind.BREAK)


def _could_be(page: Page, index: int) -> bool:
    """True for "the earliest I could do is 10"."""
    return any(page.word(index - back) in ("earliest", "soonest", "latest", "best", "temprano") for back in range(2, 8))


def open_after(page: Page, index: int, *, strict: bool) -> bool:
    """True when what follows lets the number be a time; `strict` asks for a word known to follow times."""
    following = page.word(index + 1)
    if not following:
        return page.kind(index + 1) not in (Kind.BLOCKED, Kind.HASH)
    if following in UNITS:
        return False
    return not strict or following in _FOLLOWS or weekday_of(following) is not None


def _street(page: Page, index: int) -> bool:
    return page.word(index + 2) in ("st", "street", "ave", "avenue", "rd", "road", "blvd", "dr", "lane", "ln")


def _beside_a_day(page: Page, index: int) -> bool:
    before, after = page.word(index - 1), page.word(index + 1)
    if after == "on":
        after = page.word(index + 2)
    if before in SPANISH_WEEKDAYS and page.value(index) < 100:
        return False
    days = before in _DAY_NEIGHBOURS or after in _DAY_NEIGHBOURS
    return days or any(word and weekday_of(word) is not None for word in (before, after))


def _bare_range(page: Page, index: int) -> bool:
    """True for "10-2" and "2 to 4": both ends are hours and no noun follows."""
    if page.kind(index + 1) is Kind.DASH or page.word(index + 1) in ("to", "a"):
        low, high = index, index + 2
    elif page.kind(index - 1) is Kind.DASH or page.word(index - 1) in ("to", "a"):
        low, high = index - 2, index
    else:
        return False
    ends = (page.kind(low), page.kind(high)) == (Kind.NUMBER, Kind.NUMBER)
    plain = page.word(low - 1) not in NOT_BEFORE and page.kind(low - 1) not in (Kind.DASH, Kind.HASH, Kind.NUMBER)
    hours = all(minutes_of(page.value(end)) is not None for end in (low, high))
    return ends and plain and hours and month_of(page.word(low - 1)) is None and open_after(page, high, strict=True)
