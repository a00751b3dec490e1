"""Invented people for real ones: the same name, number, id or day is always replaced by the same other one.

What is invented depends on a seed made of the original file, so that one file always comes out alike, and nobody who
has only the redacted one can tell how far its days were moved.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

_FIRST: Final = """
Alba Anders Astrid Basil Beatrix Bruno Cedric Clio Corin Dagny Delphine Dorian Edda Elio Elspeth Fabian Fenna Flora
Gideon Greta Gwen Hadley Hedda Hugo Ida Ilse Ingrid Isidor Jorah Juna Kaspar Kirsten Lars Leona Linus Lovis Magnus Maren
Milo Mirabel Nadine Nils Odette Orson Ottilie Percy Petra Phoebe Quentin Ragna Romy Rufus Selma Silas Sunniva Tamsin
Thea Tobias Ulla Ursula Vera Viggo Wanda Wilma Xenia Yorick Yvonne Zelda Zeno
""".split()
_LAST: Final = """
Abernathy Ackland Barnaby Birchall Calloway Carrow Dunmore Easterby Fairweather Farrow Garside Hathersage Holloway
Ingleby Jessop Kerridge Langtree Loxley Merrick Northcott Ogilvy Penhale Quarles Ravenscroft Redfern Selwyn Stanhope
Tarleton Thackeray Underhay Vexley Wainwright Whitlow Winslade Yardley Yelland
""".split()
_PARTICLES: Final = frozenset(
    {"de", "del", "la", "las", "los", "van", "von", "der", "da", "dos", "y", "el", "al", "bin"}
)
_NAME_WORD: Final = re.compile(r"[^\W\d_]+")


@dataclass(slots=True)
class StandIns:
    """The invented side of everything. `taken` are original values that must not be invented by chance."""

    seed: bytes
    shift: timedelta
    taken: frozenset[str] = frozenset()
    _made: dict[tuple[str, str], str] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=dict)

    def name(self, name: str, *, last: bool = False) -> str:
        """An invented name with as many words; what is not a letter stays, but for digits."""
        invented = _NAME_WORD.sub(lambda found: self.name_word(found.group(), last=last), name)
        return re.sub(r"\d", "0", invented)

    def name_word(self, word: str, *, last: bool = False) -> str:
        """An invented word for one word of a name, written in the same case."""
        if word.casefold() in _PARTICLES:
            return word
        made = self._invent("name", word.casefold(), _LAST if last else _FIRST)
        if len(word) == 1:
            made = made[0]
        if word.islower():
            return made.lower()
        return made.upper() if word.isupper() and len(word) > 1 else made

    def phone(self, e164: str) -> str:
        """A number of the same country and area that belongs to nobody: `555-01xx`, as long as there are any."""
        known = self._made.get(("phone", e164))
        if known is not None:
            return known
        area = e164[:-7] if len(e164) > 9 else e164[:2]
        for number in self._numbers(e164):
            made = f"{area}555{number:04d}"
            # Nobody's number may share the digits that are dialled either.
            if made not in self.taken and made[-7:] not in self.taken and made not in self._used:
                break
        else:
            made = f"{area}5550000"
        return self._keep("phone", e164, made)

    def _numbers(self, e164: str) -> Iterator[int]:
        start = self._number("phone", e164, 100)
        yield from (100 + (start + step) % 100 for step in range(100))
        yield from range(200, 10_000)

    def email(self, address: str) -> str:
        """An address at `example.org`."""
        known = self._made.get(("email", address.lower()))
        if known is not None:
            return known
        made = f"person{self._next('email')}@example.org"
        while made in self.taken:
            made = f"person{self._next('email')}@example.org"
        return self._keep("email", address.lower(), made)

    def id(self, original: str, kind: str = "id") -> str:
        """An id that tells nothing."""
        known = self._made.get(("id", original))
        if known is not None:
            return known
        made = f"{kind}-{self._next(kind)}"
        while made in self.taken:
            made = f"{kind}-{self._next(kind)}"
        return self._keep("id", original, made)

    def settle_id(self, original: str, made: str) -> None:
        """Say beforehand what an id becomes."""
        self._keep("id", original, made)

    def digits(self, text: str) -> str:
        """Other digits for those in `text`; the first of a number is never 0."""
        made, inside = [], False
        for place, character in enumerate(text):
            if character.isdigit():
                other = (
                    1 + self._number(f"digits {place}", text, 9) if not inside else self._number(f"{place}", text, 10)
                )
                made.append(str(other if str(other) != character else (other % 9) + 1))
                inside = True
            else:
                made.append(character)
                inside = inside and character in ",."
        return "".join(made)

    def fee(self, cents: int) -> int:
        """Another fee of about the same size, in whole dollars."""
        percent = 85 + self._number("fee", str(cents), 30)
        made = cents * percent // 10_000 * 100
        return made if made != cents else cents + 100

    def day(self, day: date) -> date:
        """The day moved by the file's shift."""
        return day + self.shift

    def moment(self, moment: datetime) -> datetime:
        """The instant moved by the file's shift, with the same offset."""
        return moment + self.shift

    def number(self, what: str, below: int) -> int:
        """A number in `[0, below)` that depends on the file and `what`."""
        return self._number("number", what, below)

    def _invent(self, kind: str, original: str, pool: list[str]) -> str:
        known = self._made.get((kind, original))
        if known is not None:
            return known
        start = self._number(kind, original, len(pool))
        for step in range(len(pool)):
            made = pool[(start + step) % len(pool)]
            if made.casefold() not in self.taken and made not in self._used:
                return self._keep(kind, original, made)
        return self._keep(kind, original, f"{pool[start]}{_letters(self._next(kind))}")

    def _keep(self, kind: str, original: str, made: str) -> str:
        self._made[kind, original] = made
        self._used.add(made)
        return made

    def _next(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]

    def _number(self, kind: str, original: str, below: int) -> int:
        text = f"{kind}\x1f{original}".encode("utf-8", "surrogatepass")
        return int.from_bytes(sha256(self.seed + text).digest()[:8], "big") % below


def _letters(number: int) -> str:
    """1 -> a, 2 -> b, ..., 27 -> aa: a name holds no digits."""
    made = ""
    while number:
        number, rest = divmod(number - 1, 26)
        made = chr(ord("a") + rest) + made
    return made


def _without_accents(name: str) -> str:
    """As people type it: Jose for José."""
    return "".join(c for c in unicodedata.normalize("NFD", name) if unicodedata.category(c) != "Mn")


def name_words(names: Iterable[str]) -> frozenset[str]:
    """The words of names, folded, with and without accents; no particles and initials."""
    written = [form for name in names for form in (name, _without_accents(name))]
    found = (word.casefold() for name in written for word in _NAME_WORD.findall(name))
    return frozenset(word for word in found if len(word) > 1 and word not in _PARTICLES)
