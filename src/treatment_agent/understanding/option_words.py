"""Finds words that point at an offered slot by its place: "2", "the first one", "the later of the two", "either"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from treatment_agent.understanding.times.calendar_words import NUMBERS, ORDINALS, month_of, weekday_of
from treatment_agent.understanding.times.hour_numbers import UNITS
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.tokens import Kind


@dataclass(frozen=True, slots=True)
class Pointer:
    """A reference to option `number` (1-based) by words at tokens `[first, behind)`.

    `negative` marks one that was turned down ("the first doesn't work", "not the first").
    """

    number: int
    first: int
    behind: int
    negative: bool = False


_LONE_WORDS = {
    "option_either": "either both any",
    "option_earliest": "earlier earliest sooner soonest former",
    "option_latest": "later latest last latter",
}
_LONE = {word: table for table, words in _LONE_WORDS.items() for word in words.split()}
_NOT_AMONG_OFFERS = frozenset(
    """
    you possible available than in that anything something in today this next time u opening week weeks month semana
    mes thing
    """.split()
)
_BEFORE_NUMBER = frozenset(
    """
    take choose pick prefer want like do with yes yeah yep ok okay sure please pls la quiero prefiero si book
    me lets reply confirm confirming say says said go por favor elijo escojo answer its be the w so hmm hm um uh
    umm uhh well definitely sorry wait id is type text press get el for gimme need
    """.split()
)
_AFTER_NUMBER = frozenset(
    """
    please pls plz works work is would thanks thank ok okay good great for sounds best will fine it if thx por
    gracias me esta y and or i perfect se as should looks was seems better then although but instead ty
    porfa porfis plis estaria porque that yes yep yeah si it lol unless bc because cuz cause like wait still an we
    """.split()
)
_FILLERS = frozenset(
    """
    please pls plz thanks thank you yes yeah yep ok okay sure ill i take lets do works good great fine the for
    me pick choose go with want would like is best better sounds one option por favor si la el quiero prefiero
    gracias it that work will be can we perfect thx book id hi hello hey so much um uh hmm i'd ty mejor esta
    maam sir and señorita bien opcion that's thats sorry actually awesome then hmm hm umm
    """.split()
)
_ORDINAL_NOUNS = frozenset(
    "one ones option choice slot appointment appt date opening opcion cita hora offer horario "
    "orario alternativa fecha turno espacio proposed suggested offered listed spot".split()
)
_ORDINAL_CLOSERS = frozenset(
    """
    porfa porfis plis cheers works work is please pls would sounds thanks thank will if for one looks me por gracias
    esta and or y o
    should was can then seems esta por que
    """.split()
)
_SPANISH_ORDINALS = {
    word: number
    for number, words in enumerate(("primera primero primer", "segunda segundo", "tercera tercero", "cuarta"), 1)
    for word in words.split()
}
# What dictation makes of "option one" and "I'll take two".
_HOMOPHONES = {"won": 1, "wun": 1, "too": 2, "to": 2, "tu": 2}
_LETTERS = {"a": 1, "b": 2, "c": 3}
_SPANISH = {"uno": 1, "dos": 2, "tres": 3}
_TAKING = frozenset("take pick choose do with option opcion number".split())
_THOSE = frozenset("those these the them las los".split())
_NOT_ONE = frozenset("that this the which either any no first second other other".split())
_TEETH = frozenset("tooth teeth diente muela on crown filling molar root for".split())
_TOLD = frozenset("was were hurt hurts fell broke came took went did didnt had".split())
_NOT_POINTING = frozenset("anything something any at".split())
_QUESTIONS = frozenset("how why cuanto cuanta porque".split())
_NUMBER_JOINS = frozenset("or and o y".split())
_ARTICLES = frozenset("the la el that this esa ese este dia your".split())
_NOT = frozenset("not no except but menos excepto".split())


def pointers_in(page: Page, plain: Page, count: int) -> tuple[Pointer, ...]:
    """References by number or ordinal to one of `count` options.

    `page` has its clock times marked, `plain` has the tokens as they were written ("one", "two").
    """
    found: list[Pointer] = []
    for index in range(len(page.tokens)):
        pointer = _labelled(page, index) or _ordinal(page, index) or _bare(page, index)
        if pointer and 1 <= pointer.number <= count:
            found.append(pointer)
    if not found:
        found.extend(_whole_message(plain, page, count))
    return () if _is_enumeration(page, found) else tuple(_signed(page, pointer) for pointer in found)


def _asked_about(page: Page, index: int) -> bool:
    """True for "how long is the second appointment"."""
    before = [at for at in range(max(0, index - 5), index) if page.word(at) in _QUESTIONS]
    return any(page.word(at + 1) not in ("about", "bout") for at in before)


def _signed(page: Page, pointer: Pointer) -> Pointer:
    """The pointer, marked when the words around it turn it down."""
    start = pointer.first
    while page.word(start - 1) in _ARTICLES or page.word(start - 1) in ("option", "number", "opcion"):
        start -= 1
    negative = page.word(start - 1) in _NOT or _refused_before(page, start) or _refused_behind(page, pointer.behind)
    return replace(pointer, negative=negative)


def _refused_before(page: Page, start: int) -> bool:
    """True for "I can't make the first one": a denial before it with no comma and no "but" between."""
    for index in range(start - 1, max(start - 8, -1), -1):
        if page.kind(index) in (Kind.BREAK, Kind.COMMA) or page.word(index) in ("but", "pero", "so"):
            return False
        mark = phrase_at("marks", page, index)
        if mark and mark[1] <= start:
            return mark[0] in ("not", "soft")
    return False


def _refused_behind(page: Page, behind: int) -> bool:
    """True for "option 2 is too late", "1 and 2 are both bad" and the past: "the last one hurt"."""
    for index in range(behind, behind + 5):
        if phrase_at("not_behind", page, index):
            return True
        if page.word(index) in _TOLD and index < behind + 2:
            return True
        if page.kind(index) not in (Kind.WORD, Kind.NUMBER) or page.word(index) in ("but", "pero", "works"):
            return False
    return False


def _labelled(page: Page, index: int) -> Pointer | None:
    """Read "#2", "option two", "number 1", "opcion 1"."""
    if page.kind(index) is Kind.HASH:
        if page.word(index - 1) in _TEETH:
            return None
        return Pointer(page.value(index), index, index + 1)
    label = phrase_at("option_label", page, index)
    if not label:
        return None
    at = label[1]
    if page.kind(at) in (Kind.NUMBER, Kind.HASH, Kind.ORDINAL):
        number = page.value(at) if page.word(at + 1) not in UNITS else 0
    else:
        number = NUMBERS.get(page.word(at), 0) or _homophone(page, at)
        number = number or (_LETTERS.get(page.word(at), 0) if label[0] == "yes" and _closed(page, at) else 0)
    if page.word(index) in ("no", "appointment", "appt", "cita", "door") and page.kind(at) is not Kind.NUMBER:
        return None
    return Pointer(number, index, at + 1) if number else None


def _homophone(page: Page, index: int) -> int:
    """Read "option won" and "I'll take to": only behind a word that takes an option, and where nothing follows."""
    taken = _closed(page, index) and page.word(index - 1) in _TAKING
    return _HOMOPHONES.get(page.word(index), 0) if taken else 0


def _closed(page: Page, index: int) -> bool:
    return page.kind(index + 1) in (None, Kind.BREAK, Kind.COMMA) or page.word(index + 1) in _AFTER_NUMBER


def _ordinal(page: Page, index: int) -> Pointer | None:
    """Read "the 2nd one", "second", "la segunda"."""
    word = page.word(index)
    number = (
        page.value(index) if page.kind(index) is Kind.ORDINAL else ORDINALS.get(word, _SPANISH_ORDINALS.get(word, 0))
    )
    if not number:
        return None
    following = page.word(index + 1)
    article = page.word(index - 1) in _ARTICLES
    closed = page.kind(index + 1) in (None, Kind.BREAK, Kind.COMMA) or following in _ORDINAL_CLOSERS
    noun = following in _ORDINAL_NOUNS or (
        following in ("time", "day") and (article or index == 0) and page.word(index + 2) != "i"
    )
    noun = noun or (
        following in ("of", "de") and page.word(index + 2) in _THOSE and month_of(page.word(index + 3)) is None
    )
    opens = index == 0 or page.kind(index - 1) is Kind.BREAK or page.word(index - 1) in _BEFORE_NUMBER
    if not (noun or (closed and (article or opens))):
        return None
    if page.word(index - 1) in ("a", "my", "at", "one", "just", "our") or _asked_about(page, index):
        return None
    before = page.word(index - 2 if article else index - 1)
    if not noun and (before in ("on", "of") or (before and weekday_of(before) is not None)):
        return None
    return Pointer(number, index, index + 1)


def _bare(page: Page, index: int) -> Pointer | None:
    """Read "2 please", "I'll take 1", "1 works": a bare number that is no time and counts nothing."""
    if (
        page.word(index) in _SPANISH
        and page.word(index - 1) in ("la", "el")
        and page.word(index + 1) not in ("y", "de")
    ):
        return Pointer(_SPANISH[page.word(index)], index, index + 1)
    if page.kind(index) is not Kind.NUMBER or page.word(index + 1) in UNITS:
        return None
    before, after = page.word(index - 1), page.word(index + 1)
    opens = before in _BEFORE_NUMBER or index == 0 or page.kind(index - 1) in (Kind.COMMA, Kind.BREAK)
    closes = after in _AFTER_NUMBER or page.kind(index + 1) in (None, Kind.BREAK, Kind.COMMA)
    joined = _NUMBER_JOINS & {before, after} and Kind.NUMBER in (page.kind(index - 2), page.kind(index + 2))
    if not ((opens and closes) or joined or before == "not"):
        return None
    return Pointer(page.value(index), index, index + 1)


def _whole_message(plain: Page, page: Page, count: int) -> list[Pointer]:
    """A number in letters that is all there is: "two please", "dos"."""
    rest = [
        i
        for i, t in enumerate(plain.tokens)
        if (t.kind is Kind.WORD and t.word not in _FILLERS) or t.kind is Kind.NUMBER
    ]
    if not rest:
        rest = [i for i in range(len(plain.tokens)) if plain.word(i) in ("one", "uno") and _stands_alone(plain, i)]
    if len(rest) != 1 or len(plain.tokens) != len(page.tokens):
        return []
    word = plain.word(rest[0])
    number = NUMBERS.get(word, 0) or _homophone(plain, rest[0]) or (_HOMOPHONES.get(word, 0) if rest == [0] else 0)
    return [Pointer(number, rest[0], rest[0] + 1)] if 1 <= number <= count else []


def _stands_alone(plain: Page, index: int) -> bool:
    """True for "one please" and "I'll take one", not for "that one works"."""
    opened = plain.kind(index - 1) in (None, Kind.WORD, Kind.COMMA, Kind.BREAK)
    return opened and plain.word(index - 1) not in _NOT_ONE and plain.word(index + 1) not in ("of", "is", "for")


def _is_enumeration(page: Page, found: list[Pointer]) -> bool:
    """True for "1. how much is it 2. is it covered": those numbers count the patient's questions."""
    dotted = [
        p
        for p in found
        if page.kind(p.first) is Kind.NUMBER and page.kind(p.behind) is Kind.BREAK and page.word(p.behind + 1)
    ]
    return len({p.number for p in dotted}) > 1


def order_pointers(page: Page) -> tuple[Pointer, ...]:
    """References to the earliest or the latest of the offers."""
    ends = _ends(page)
    found = []
    for index in range(len(page.tokens)):
        for words, option in ends.items():
            hit = phrase_at(words, page, index)
            if hit and page.word(hit[1]) not in _NOT_AMONG_OFFERS and page.word(index - 1) not in _NOT_POINTING:
                found.append(Pointer(option, index, hit[1]))
    lone = _lone_word(page)
    if not found and lone is not None and _LONE[page.word(lone)] in ends:
        found.append(Pointer(ends[_LONE[page.word(lone)]], lone, lone + 1))
    return tuple(_signed(page, pointer) for pointer in found)


def _ends(page: Page) -> dict[str, int]:
    """The option that each table of words for a place among the offers points at."""
    ordered = sorted(range(1, len(page.offers) + 1), key=lambda option: page.offers[option - 1])
    hours = sorted(ordered, key=lambda option: page.offers[option - 1].time())
    ends = {"option_earliest": ordered[0], "option_latest": ordered[-1]}
    # "The early one" is the early date or the early hour: it counts where both are the same offer.
    if hours[0] == ordered[0]:
        ends["option_early"] = ordered[0]
    if hours[-1] == ordered[-1]:
        ends["option_late"] = ordered[-1]
    return ends | {"option_top": 1, "option_bottom": len(page.offers)}


def _lone_word(page: Page) -> int | None:
    """The index of "later" or "either" when the message says nothing else, and asks nothing."""
    rest = [i for i, t in enumerate(page.tokens) if t.kind not in (Kind.BREAK, Kind.COMMA) and t.word not in _FILLERS]
    return rest[0] if len(rest) == 1 and page.word(rest[0]) in _LONE else None


def first_of(page: Page, indices: Iterable[int], words: str) -> tuple[int, int] | None:
    """Where one of the phrases of a table named by `words` ("either" or "other") stands."""
    for index in indices:
        hit = phrase_at(f"option_{words}", page, index)
        if hit:
            return index, hit[1]
    lone = _lone_word(page)
    if words == "either" and lone is not None and _LONE[page.word(lone)] == "option_either":
        return lone, lone + 1
    return None
