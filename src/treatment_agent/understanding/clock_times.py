"""Finds which numbers of a message are times of the clock.

A bare number is a time only where the words around it say so ("at 3", "tuesday 10", "9 or 10am"). Without am or pm,
1 to 6 are in the afternoon, 7 to 11 in the morning and 12 is noon.
"""

from __future__ import annotations

from dataclasses import replace

from treatment_agent.understanding.calendar_words import NUMBERS, SPANISH_WEEKDAYS, month_of, weekday_of
from treatment_agent.understanding.time_page import Page, phrase_at
from treatment_agent.understanding.time_tokens import Kind, Token, minutes_of

_STRONG = frozenset("at around after before until between las past noon circa alrededor".split())
_WEAK = frozenset("about by from like approx for do make it la since to or say".split())
_JOINS = frozenset("or and to until through y o a hasta".split())
_FOLLOWS = frozenset(
    """
    on or and to until through works work is are would will if please pls plz thanks thank ok okay good great
    fine tomorrow today tonight next this in instead for best better que o y a de por el sharp i im my we when
    because cause cuz but only the at perfect suits sounds should may might could can also too then am pm en
    hoy manana esta esa cual porque si gracias bien seria me mejor was onwards so later earlier ish each every
    most any some anytime either lol maybe
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
_NOT_BEFORE = frozenset(
    """tooth teeth number option opt room suite unit age aged level pain scale apt building floor step page diente
    muela numero opcion hwy route highway exit gate stage grade had have has are ext extension box lot""".split()
)
_DAY_NEIGHBOURS = frozenset("today tomorrow tonight hoy manana noon".split())
_SAID_IN_WORDS_ONLY = (10, 20, 40, 50)
_MORNING_WORDS = frozenset("morning mornings am".split())
_LATE_WORDS = frozenset("afternoon afternoons evening evenings tonight night tarde tardes noche noches pm".split())
_FILLERS = frozenset(
    """
    please pls plz thanks thank you yes yeah yep ok okay sure ill take lets do works good great fine the for
    me pick choose go with i want would like at one por favor si la quiero prefiero gracias ya perfect reply
    option que sea
    """.split()
)
_LAST_AFTERNOON_HOUR = 6


def clock_minutes(token: Token) -> int:
    """Minutes since midnight that a clock token means, by the rule of this module when am or pm is not said."""
    hour, minute = divmod(token.value, 60)
    if token.half:
        return (hour % 12 + (12 if token.half == "pm" else 0)) * 60 + minute if hour <= 12 else token.value
    if 1 <= hour <= _LAST_AFTERNOON_HOUR:
        hour += 12
    return hour * 60 + minute


def is_bare(token: Token) -> bool:
    """True when neither am nor pm nor a 24-hour number settles the half of the day."""
    return not token.half and 60 <= token.value < 13 * 60


def mark_clocks(page: Page) -> Page:
    """The page with every number that is a time turned into a `CLOCK` token; "half past two" becomes one token."""
    merged = _merge_spelled(page)
    marked = _spread(_mark_bare(merged))
    return _add_halves(marked)


def _merge_spelled(page: Page) -> Page:
    tokens: list[Token] = []
    index = 0
    while index < len(page.tokens):
        found = _spelled_at(page, index)
        if found:
            tokens.append(found[0])
            index = found[1]
        else:
            tokens.append(page.tokens[index])
            index += 1
    return replace(page, tokens=tuple(tokens))


def _spelled_at(page: Page, index: int) -> tuple[Token, int] | None:
    before = phrase_at("minutes_before_hour", page, index)
    if before:
        hour = _hour_at(page, before[1])
        return _clock(page, index, before[1] + 1, hour * 60 + int(before[0])) if hour else None
    hour = _hour_at(page, index)
    if not hour or page.word(index - 1) in _NOT_BEFORE:
        return None
    minutes = phrase_at("minutes", page, index + 1)
    if minutes and not (int(minutes[0]) in _SAID_IN_WORDS_ONLY and page.kind(index) is Kind.NUMBER):
        return _clock(page, index, minutes[1], hour * 60 + int(minutes[0]))
    if page.kind(index) is page.kind(index + 1) is Kind.NUMBER and page.word(index - 1) in _STRONG:
        minute = page.value(index + 1)
        return _clock(page, index, index + 2, hour * 60 + minute) if minute in (15, 30, 45) else None
    half = {"am": "am", "pm": "pm"}.get(page.word(index + 1))
    if half and page.kind(index) is Kind.WORD:
        return _clock(page, index, index + 2, hour * 60, half)
    return None


def _hour_at(page: Page, index: int) -> int:
    """The hour 1 to 12 written at `index` in figures or letters, else 0."""
    value = page.value(index) if page.kind(index) is Kind.NUMBER else NUMBERS.get(page.word(index), 0)
    return value if 1 <= value <= 12 else 0


def _clock(page: Page, first: int, behind: int, minutes: int, half: str = "") -> tuple[Token, int]:
    start, end = page.tokens[first].start, page.tokens[behind - 1].end
    return Token(Kind.CLOCK, "", start, end, value=minutes, half=half), behind


def _mark_bare(page: Page) -> Page:
    whole = _only_number(page)
    tokens = [
        _as_clock(token) if index == whole or _is_time(page, index) else token
        for index, token in enumerate(page.tokens)
    ]
    return replace(page, tokens=tuple(tokens))


def _as_clock(token: Token) -> Token:
    value = token.value if token.kind is Kind.NUMBER else NUMBERS.get(token.word, 0)
    minutes = minutes_of(value)
    return token if minutes is None else replace(token, kind=Kind.CLOCK, word="", value=minutes)


def _only_number(page: Page) -> int:
    """The index of a number that is the whole message and no option number, else -1."""
    rest = [i for i, t in enumerate(page.tokens) if t.word not in _FILLERS and t.kind not in (Kind.BREAK, Kind.COMMA)]
    if len(rest) != 1 or page.kind(rest[0]) is not Kind.NUMBER:
        return -1
    return rest[0] if page.value(rest[0]) > len(page.offers) else -1


def _is_time(page: Page, index: int) -> bool:
    if page.kind(index) is Kind.WORD:
        spelled = NUMBERS.get(page.word(index), 0)
        before = page.word(index - 1)
        close = before in _STRONG and (page.word(index) != "once" or before == "las")
        close = close or (before == "la" and page.word(index) == "una")
        return 1 <= spelled <= 12 and close and _open_after(page, index, strict=spelled == 1)
    if page.kind(index) is not Kind.NUMBER or minutes_of(page.value(index)) is None:
        return False
    if page.value(index) > 12 and page.value(index) < 100:
        return False
    return _said_as_time(page, index) and not _street(page, index)


def _said_as_time(page: Page, index: int) -> bool:
    before, after = page.word(index - 1), page.word(index + 1)
    if before in _NOT_BEFORE or page.kind(index - 1) is Kind.HASH:
        return False
    if before in _STRONG:
        return _open_after(page, index, strict=False)
    if before in _WEAK and before not in ("or", "to", "la", "it", "make", "do", "for"):
        return _open_after(page, index, strict=True)
    if before in ("it", "make", "do"):
        return page.value(index) > len(page.offers) and _open_after(page, index, strict=True)
    if before == "not" or (before == "is" and _could_be(page, index)):
        return page.value(index) > len(page.offers) and _open_after(page, index, strict=True)
    if _beside_a_day(page, index) or (after != "on" and phrase_at("onwards", page, index + 1)):
        return _open_after(page, index, strict=False)
    if after in ("works", "work", "would", "is") and not page.word(index - 1):
        return page.value(index) > len(page.offers)
    return _bare_range(page, index)


def _could_be(page: Page, index: int) -> bool:
    """True for "the earliest I could do is 10"."""
    return any(page.word(index - back) in ("earliest", "soonest", "latest", "best", "temprano") for back in range(2, 8))


def _open_after(page: Page, index: int, *, strict: bool) -> bool:
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
    plain = page.word(low - 1) not in _NOT_BEFORE and page.kind(low - 1) not in (Kind.DASH, Kind.HASH, Kind.NUMBER)
    hours = all(minutes_of(page.value(end)) is not None for end in (low, high))
    return ends and plain and hours and month_of(page.word(low - 1)) is None and _open_after(page, high, strict=True)


def _spread(page: Page) -> Page:
    """Numbers joined to a time are times too: "9 or 10am", "between 2 and 4", "9, 10 or 11"."""
    tokens = list(page.tokens)
    for step, places in ((1, range(len(tokens))), (-1, range(len(tokens) - 1, -1, -1))):
        for index in places:
            other = index - 2 * step
            if not (0 <= other < len(tokens) and tokens[other].kind is Kind.CLOCK):
                continue
            if _joinable(page, tokens, index, index - step):
                tokens[index] = _as_clock(tokens[index])
    return replace(page, tokens=tuple(tokens))


def _joinable(page: Page, tokens: list[Token], index: int, between: int) -> bool:
    token, join = tokens[index], tokens[between]
    small = token.kind is Kind.NUMBER and (token.value <= 12 or token.value >= 100)
    spelled = token.kind is Kind.WORD and 1 < NUMBERS.get(token.word, 0) <= 12
    joins = join.kind in (Kind.DASH, Kind.SLASH, Kind.COMMA) or join.word in _JOINS
    last = page.word(index - 1) not in _NOT_BEFORE and page.word(index - 1) not in ("the", "el")
    return (small or spelled) and joins and last and _open_after(page, index, strict=join.kind is Kind.COMMA)


def _add_halves(page: Page) -> Page:
    """Let "in the morning" and its like settle am or pm of the time beside it."""
    tokens = [
        replace(token, half=_half_around(page, index)) if token.kind is Kind.CLOCK and is_bare(token) else token
        for index, token in enumerate(page.tokens)
    ]
    return replace(page, tokens=tuple(tokens))


def _half_around(page: Page, index: int) -> str:
    behind = phrase_at("halves", page, index + 1)
    if behind:
        return behind[0]
    for back in (1, 2, 3):
        word = page.word(index - back)
        if word in _MORNING_WORDS or (word in ("manana", "mananas") and page.word(index - back - 1) in ("la", "las")):
            return "am" if page.value(index) >= 60 * 5 else ""
        if word in _LATE_WORDS:
            return "pm"
        if word not in _STRONG and word not in _WEAK and word != "a":
            return ""
    return ""
