"""The small pattern language of the word lists, and quick search for thousands of patterns at once.

A pattern is a row of words matched against the canonical words of a message (see `policies.canonical`):

    word        that word                       word*      any word that begins so
    (a|b c|d*)  one of these                    [a|b]      one of these or nothing
    word[s]     that word with or without the ending
    ..          up to 3 words in between        ...        up to 6 words in between
    #           anything that begins with a digit
    @set        one of the named set            ^  $       beginning and end of the clause

Words in between never cross the end of a sentence. Patterns are written without accents and apostrophes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from treatment_agent.errors import ConfigurationError

_TOKENS = re.compile(r"[()\[\]|^$]|[^\s()\[\]|^$]+")
# `wait[s]` is short for `(wait|waits)`.
_ENDING = re.compile(r"([^\s()\[\]|]+)\[([^\s()\[\]|]+)\]")
_GAPS = {"..": r"(?:[^ .?!;]+ ){0,3}?", "...": r"(?:[^ .?!;]+ ){0,6}?"}
# Words too frequent to be worth looking a pattern up by.
_COMMON = frozenset(
    "a i im the to it is my me you your we us do does of in on for and or that this be have has not no so at with am"
    " are what how can if will would get just de la el que no me mi lo un una se es y a en por para si ya".split()
)
_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled pattern: its regular expression, and the words of which a message must hold some to match it.

    Of each set in `needs` it must hold a word; `keys` is the one of them to look the pattern up by.
    """

    source: str
    keys: frozenset[str]
    needs: tuple[frozenset[str], ...] = ()

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
        held = {key for word in set(line.split()) for key in keys_of_word(word)}
        for key in held:
            numbers.update(self._index.get(key, ()))
        for number in sorted(numbers):
            phrase = self._phrases[number]
            # Compiling an expression costs a millisecond: most are never needed.
            if any(need.isdisjoint(held) for need in phrase.needs):
                continue
            for found in phrase.expression.finditer(line):
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
    plain = _ENDING.sub(r"(\1|\1\2)", pattern)
    reader = _Reader(_TOKENS.findall(plain), sets, f"{place}: pattern {pattern!r}")
    source, needs = reader.choice("")
    keys = min(needs, key=_cost, default=frozenset(("",)))
    return Phrase(r"(?<= )" + source, keys, tuple(need for need in needs if need is not keys))


def words_of(pattern: str, sets: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The whole words a pattern names, sets included; prefixes and marks are left out."""
    words: set[str] = set()
    for name in re.findall(r"@([\w-]+)", pattern):
        for item in sets.get(name, ()):
            words.update(words_of(item, sets))
    words.update(word for word in re.findall(r"(?<![@\w*])[^\W\d_]+(?![\w*-])", pattern))
    return frozenset(words)


class _Reader:
    """Reads one pattern from left to right into a regular expression and the key words to look it up by."""

    def __init__(self, tokens: list[str], sets: Mapping[str, tuple[str, ...]], place: str) -> None:
        self._tokens = tokens
        self._sets = sets
        self._place = place
        self._next = 0

    def choice(self, closing: str) -> tuple[str, tuple[frozenset[str], ...]]:
        """Alternatives up to the closing bracket (or the end), and what is needed for one of them to match."""
        pieces: list[str] = []
        rows: list[tuple[frozenset[str], ...]] = []
        while True:
            piece, needs, stopped_by = self._row()
            pieces.append(piece)
            rows.append(needs)
            if stopped_by == "|":
                continue
            if stopped_by != closing:
                raise ConfigurationError(f"{self._place}: open and close the brackets in pairs")
            if len(rows) == 1:
                return pieces[0], rows[0]
            # Of several rows any may match: one word of the rarest need of each is what can be asked for.
            together = frozenset[str]().union(*(min(row, key=_cost) for row in rows)) if all(rows) else None
            return f"(?:{'|'.join(pieces)})", () if together is None else (together,)

    def _row(self) -> tuple[str, tuple[frozenset[str], ...], str]:
        pieces: list[str] = []
        needs: list[frozenset[str]] = []
        while self._next < len(self._tokens):
            mark = self._tokens[self._next]
            self._next += 1
            if mark in ("|", ")", "]"):
                return "".join(pieces), tuple(needs), mark
            if mark == "(":
                piece, more = self.choice(")")
            elif mark == "[":
                piece, more = f"(?:{self.choice(']')[0]})?", ()
            else:
                piece, more = self._atom(mark)
            pieces.append(piece)
            needs.extend(more)
        return "".join(pieces), tuple(needs), ""

    def _atom(self, atom: str) -> tuple[str, tuple[frozenset[str], ...]]:
        if atom in _GAPS:
            return _GAPS[atom], ()
        if atom == "^":
            return r"(?<=\A )", ()
        if atom == "$":
            return r"(?:[.?!;] )*\Z", ()
        if atom == "#":
            return r"\d[^ ]* ", (frozenset(("#",)),)
        if atom.startswith("@"):
            if atom[1:] not in self._sets:
                raise ConfigurationError(f"{self._place}: there is no set {atom}; add it to [sets] or correct the name")
            items = _TOKENS.findall(" | ".join(self._sets[atom[1:]]))
            return _Reader(items, self._sets, self._place).choice("")
        if atom.endswith("*") and len(atom) > 2:
            return re.escape(atom[:-1]) + "[^ ]* ", (frozenset((f"{atom[:-1][:_PREFIX]}*",)),)
        if "*" in atom:
            raise ConfigurationError(f"{self._place}: {atom!r} is too short to end in *; write two letters or more")
        return re.escape(atom) + " ", (frozenset((atom,)),)


def _cost(keys: frozenset[str]) -> int:
    return sum(6 if key in _COMMON else 2 if key.endswith("*") else 1 for key in keys) or 1000


@cache
def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(source)
