"""The small pattern language of the word lists, and quick search for thousands of patterns at once.

A pattern is a row of words matched against the canonical words of a message (see `policies.wording`):

    word        that word                       word*      any word that begins so
    (a|b c|d*)  one of these                    [a|b]      one of these or nothing
    ..          up to 3 words in between        ...        up to 6 words in between
    #           anything that begins with a digit
    @set        one of the named set            ^  $       beginning and end of the clause

Words in between never cross the end of a sentence. Patterns are written without accents and apostrophes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from treatment_agent.errors import ConfigurationError

_PART = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\.\.\.|\.\.|\S+")
_GAPS = {"..": r"(?:[^ .?!;]+ ){0,3}?", "...": r"(?:[^ .?!;]+ ){0,6}?"}
# Words too frequent to be worth looking a pattern up by.
_COMMON = frozenset(
    "a i im the to it is my me you your we us do does of in on for and or that this be have has not no so at with am are"
    " what how can if will would get just de la el que no me mi lo un una se es y a en por para si ya".split()
)
_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled pattern: its regular expression and the words one of which a message must hold to match it."""

    source: str
    keys: frozenset[str]

    @property
    def expression(self) -> re.Pattern[str]:
        """The regular expression; compiled when first needed."""
        return _compiled(self.source)


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern found: its number in the book, and where in the canonical line."""

    entry: int
    start: int
    end: int


class PhraseBook:
    """Patterns of many groups, searched together. Only patterns sharing a key word with the message are tried."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._phrases = tuple(phrases)
        index: dict[str, list[int]] = {}
        for number, phrase in enumerate(self._phrases):
            for key in phrase.keys:
                index.setdefault(key, []).append(number)
        self._index = {key: tuple(numbers) for key, numbers in index.items()}

    def find(self, line: str) -> Iterator[Hit]:
        """Every place where a pattern matches, without overlaps of one pattern with itself."""
        numbers = set(self._index.get("", ()))
        for word in set(line.split()):
            for key in keys_of_word(word):
                numbers.update(self._index.get(key, ()))
        for number in sorted(numbers):
            for found in self._phrases[number].expression.finditer(line):
                if found.end() > found.start():
                    yield Hit(number, found.start(), found.end())


def keys_of_word(word: str) -> tuple[str, ...]:
    """The index keys under which patterns for this word are stored."""
    if word[0].isdigit():
        return (word, "#")
    return (word, *(f"{word[:size]}*" for size in range(2, min(len(word), _PREFIX) + 1)))


def phrase(pattern: str, sets: Mapping[str, tuple[str, ...]], place: str) -> Phrase:
    """Compile one pattern.

    Raises:
        ConfigurationError: an unknown set or an unfinished bracket; names `place` and the fix.
    """
    pieces: list[str] = []
    best: frozenset[str] | None = None
    for part in _PART.findall(pattern):
        piece, keys = _part(part, sets, f"{place}: pattern {pattern!r}")
        pieces.append(piece)
        if keys and (best is None or _cost(keys) < _cost(best)):
            best = keys
    return Phrase(r"(?<= )" + "".join(pieces), best or frozenset(("",)))


def words_of(pattern: str, sets: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The whole words a pattern names, sets included; prefixes and marks are left out."""
    words: set[str] = set()
    for name in re.findall(r"@([\w-]+)", pattern):
        for item in sets.get(name, ()):
            words.update(words_of(item, sets))
    words.update(word for word in re.findall(r"(?<![@\w*])[^\W\d_]+(?![\w*-])", pattern))
    return frozenset(words)


def _part(part: str, sets: Mapping[str, tuple[str, ...]], place: str) -> tuple[str, frozenset[str]]:
    if part in _GAPS:
        return _GAPS[part], frozenset()
    if part == "^":
        return r"(?<=\A )", frozenset()
    if part == "$":
        return r"(?:[.?!;,] )*\Z", frozenset()
    if part[0] in "([":
        if part[-1] != {"(": ")", "[": "]"}[part[0]]:
            raise ConfigurationError(f"{place}: close the bracket, and put no bracket inside another")
        piece, keys = _choice([item.split() for item in part[1:-1].split("|")], sets, place)
        return (piece, keys) if part[0] == "(" else (f"(?:{piece})?", frozenset())
    return _choice([[part]], sets, place)


def _choice(
    items: list[list[str]], sets: Mapping[str, tuple[str, ...]], place: str
) -> tuple[str, frozenset[str]]:
    pieces: list[str] = []
    keys: set[str] = set()
    for atoms in items:
        row: list[str] = []
        row_keys: list[frozenset[str]] = []
        for atom in atoms:
            piece, atom_keys = _atom(atom, sets, place)
            row.append(piece)
            row_keys.append(atom_keys)
        pieces.append("".join(row))
        keys.update(min(row_keys, key=_cost))
    return (pieces[0] if len(pieces) == 1 else f"(?:{'|'.join(pieces)})"), frozenset(keys)


def _atom(atom: str, sets: Mapping[str, tuple[str, ...]], place: str) -> tuple[str, frozenset[str]]:
    if atom.startswith("@"):
        if atom[1:] not in sets:
            raise ConfigurationError(f"{place}: there is no set {atom}; add it to [sets] or correct the name")
        return _choice([item.split() for item in sets[atom[1:]]], sets, place)
    if atom in _GAPS:
        return _GAPS[atom], frozenset()
    if atom == "#":
        return r"\d[^ ]* ", frozenset(("#",))
    if atom.endswith("*") and len(atom) > 2:
        return re.escape(atom[:-1]) + "[^ ]* ", frozenset((f"{atom[:-1][:_PREFIX]}*",))
    if any(mark in atom for mark in "()[]|*"):
        raise ConfigurationError(f"{place}: {atom!r} is not a word; check the brackets")
    return re.escape(atom) + " ", frozenset((atom,))


def _cost(keys: frozenset[str]) -> int:
    return sum(6 if key in _COMMON else 2 if key.endswith("*") else 1 for key in keys) or 1000


@lru_cache(maxsize=None)
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)
