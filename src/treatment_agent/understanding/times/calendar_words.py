"""The words for days, months and numbers in English and Spanish, with the ways people misspell them."""

from __future__ import annotations

from functools import cache

_WEEKDAY_WORDS = (
    "monday mon mondy munday moday mondai lunes lun",
    "tuesday tue tues tu tuesdy teusday tuseday tsday tusday tueday tuesd tuedsay martes",
    "wednesday wed weds wedn wensday wendsday wenesday wednsday wensdy wednes wedsday wendesday wedneday wedday "
    "miercoles mier mierc mie mircoles mierkoles miercols",
    "thursday thu thur thurs thrs thirsday thersday thrus thrusday thurday thusday thursd thr thuraday thurdsay "
    "jueves juev jue juevs juves juebes huebes",
    "friday fri frid fryday firday frday fridy viernes vie biernes bernes",
    "saturday sat sats satur saterday saturdy sabado sab savado",
    "sunday sun sundy domingo dom",
)
_MONTH_WORDS = (
    "january jan janurary enero ene",
    "february feb febuary feburary febrero",
    "march marzo",
    "april apr abril abr",
    "may mayo",
    "june jun junio",
    "july jul julio",
    "august aug agosto ago",
    "september sep sept setember septiembre setiembre",
    "october oct octubre",
    "november nov novemeber noviembre",
    "december dec dic decembre diciembre",
)
_NUMBER_WORDS = (
    "zero cero", "one uno una un", "two dos", "three tres", "four cuatro", "five cinco", "six seis", "seven siete",
    "eight ocho", "nine nueve", "ten diez", "eleven once", "twelve doce", "thirteen trece", "fourteen catorce",
    "fifteen quince", "sixteen dieciseis", "seventeen diecisiete", "eighteen dieciocho", "nineteen diecinueve",
)  # fmt: skip
TENS = {"twenty": 20, "veinte": 20, "thirty": 30, "treinta": 30, "forty": 40, "cuarenta": 40, "fifty": 50}
_ORDINAL_WORDS = (
    "first primero", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth",
)  # fmt: skip
_TWENTIES = {
    word: 21 + place
    for place, word in enumerate(
        "veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve".split()
    )
}
# Ordinary words one letter away from a day or a month.
_NOT_MISSPELT = frozenset("vienes viene partes mandar manday someday noonday martha".split())
_SHORTEST_MISSPELT = 6

WEEKDAYS = {word: day for day, words in enumerate(_WEEKDAY_WORDS) for word in words.split()}
MONTHS = {word: month for month, words in enumerate(_MONTH_WORDS, 1) for word in words.split()}
NUMBERS = {word: value for value, words in enumerate(_NUMBER_WORDS) for word in words.split()} | TENS | _TWENTIES
ORDINALS = {word: value for value, words in enumerate(_ORDINAL_WORDS, 1) for word in words.split()} | {"thirtieth": 30}
# `once` is eleven in Spanish and an adverb in English: only "las once" means the hour.
SPANISH_NUMBERS = frozenset(
    """
    tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho
    diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho
    veintinueve treinta
    """.split()
)
SPANISH_WEEKDAYS = frozenset("lunes martes miercoles jueves viernes sabado domingo".split())


def weekday_of(word: str) -> int | None:
    """The weekday a word names, Monday is 0, singular or plural, one letter wrong at most."""
    if word in WEEKDAYS:
        return WEEKDAYS[word]
    singular = word.removesuffix("s")
    if singular != word and len(singular) > 3 and singular in WEEKDAYS:
        return WEEKDAYS[singular]
    return _nearest(word, _misspelt_weekdays())


def is_plural_weekday(word: str) -> bool:
    """True for "mondays" and "sabados"; "lunes" and "tues" say nothing about number."""
    return word not in WEEKDAYS and word.endswith("s")


def month_of(word: str) -> int | None:
    """The month a word names, one letter wrong at most."""
    if word in MONTHS:
        return MONTHS[word]
    return _nearest(word, _misspelt_months())


def _nearest(word: str, known: dict[str, int]) -> int | None:
    if len(word) < _SHORTEST_MISSPELT - 1 or word in _NOT_MISSPELT:
        return None
    if word in known:
        return known[word]
    return next((known[cut] for cut in _deletions(word) if cut in known and cut[0] == word[0]), None)


def _deletions(word: str) -> list[str]:
    """The word with one letter left out, the first letter kept: people get that one right."""
    return [word[:place] + word[place + 1 :] for place in range(1, len(word))]


def _neighbourhood(words: dict[str, int]) -> dict[str, int]:
    near = {}
    for word, value in words.items():
        if len(word) >= _SHORTEST_MISSPELT:
            near.update(dict.fromkeys([word, *_deletions(word)], value))
    return near


@cache
def _misspelt_weekdays() -> dict[str, int]:
    return _neighbourhood(WEEKDAYS)


@cache
def _misspelt_months() -> dict[str, int]:
    return _neighbourhood(MONTHS)
