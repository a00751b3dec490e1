"""Canonical words: slang, contractions, texting shorthand and typos brought to one spelling before matching.

"cant", "can't", "can not" and "cannot" all become `cant`; "u" becomes `you`; "appointmnt" becomes `appointment`. The
way back to the raw message is kept, so that evidence stays exact.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from treatment_agent.domain.interpretation import Span
from treatment_agent.domain.text import NormalizedText

_TOKEN = re.compile(
    r"(?P<title>\b(?:drs?|dra|mrs?|ms|sra?|jr|st)\b)\.?|(?P<half>\b[ap])\.m\b\.?"
    r"|(?P<number>\d+(?:[:.,/-]\d+)*[a-z]{0,3}(?![a-z]))|(?P<word>[^\W_]+(?:'[^\W_]+)*)"
    r"|(?P<mark>\.+|[?!;,$%#&@+{}])|(?P<symbol>[^\s\w\"'()\[\]:/*<>_=~^|\\\u00bf\u00a1\u2022\ufffd-])"
)
_DOUBLED = re.compile(r"([a-z])\1")
_LONGEST = 24
# Marks that patterns speak of have a name, since `$` and `#` mean something else there.
_MARKS = {".": ".", ";": ".", "$": "dollarsign", "#": "numbersign", "+": "plussign"}


@dataclass(frozen=True, slots=True, repr=False)
class Words:
    """The canonical words of a message. `line` holds them with single spaces and one at each end.

    `starts[i]` is where word `i` begins in `line`, `places[i]` its stretch of `source.text`.
    """

    source: NormalizedText
    line: str
    starts: tuple[int, ...]
    places: tuple[tuple[int, int], ...]

    def indexes(self, start: int, end: int) -> range:
        """The numbers of the words touched by `line[start:end]`."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        return range(first, max(bisect_left(self.starts, end), first))

    def span(self, words: range) -> Span:
        """Raw offsets of a stretch of words."""
        if not words:
            return self.source.span(0, 0)
        return self.source.span(self.places[words[0]][0], self.places[words[-1]][1])

    def part(self, words: range) -> str:
        """The canonical line of a stretch of words."""
        if not words:
            return " "
        last = words[-1] + 1
        end = self.starts[last] if last < len(self.starts) else len(self.line)
        return self.line[self.starts[words[0]] - 1 : end]

    def word(self, index: int) -> str:
        """One canonical word."""
        end = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.line)
        return self.line[self.starts[index] : end - 1]

    def __len__(self) -> int:
        return len(self.starts)

    def __repr__(self) -> str:
        return f"Words({len(self.starts)} words)"


class Spelling:
    """Brings words to their canonical form.

    `words` maps a spelling to its canonical words, `pairs` two canonical words to others. After one of `will_words`
    "ill" and "id" mean "I will" and "I would". `vocabulary` is what typos are corrected to.
    """

    def __init__(
        self,
        *,
        words: Mapping[str, str],
        pairs: Mapping[str, str],
        will_words: Iterable[str],
        vocabulary: Iterable[str],
    ) -> None:
        self._words = dict(words)
        self._pairs = dict(pairs)
        self._will_words = frozenset(will_words)
        self._vocabulary = frozenset(vocabulary)
        self._near = _near(sorted(w for w in self._vocabulary if len(w) >= 5 and w.isascii()))

    def knows(self, word: str) -> bool:
        """True when some word list holds this word."""
        return word in self._vocabulary

    def read(self, text: NormalizedText) -> Words:
        """The canonical words of a message. Linear in its length."""
        found: list[tuple[str, int, int]] = []
        for token in _TOKEN.finditer(text.folded):
            found.extend((word, token.start(), token.end()) for word in self._canonical(token))
        return _build(text, self._join(found))

    def _canonical(self, token: re.Match[str]) -> tuple[str, ...]:
        written = token.group()
        kind = token.lastgroup
        if kind == "half":
            return (f"{token.group('half')}m",)
        if kind == "mark":
            return (_MARKS.get(written[0], written),)
        if kind == "symbol":
            return (written,)
        if kind == "title":
            written = token.group("title")
        plain = written.replace("'", "")
        mapped = self._words.get(written) or self._words.get(plain)
        if mapped is None and kind == "word" and plain not in self._vocabulary:
            if written.endswith("'s"):
                return self._canonical_word(written[:-2])
            return self._canonical_word(plain)
        return tuple(mapped.split()) if mapped else (plain,)

    def _canonical_word(self, plain: str) -> tuple[str, ...]:
        corrected = plain if plain in self._vocabulary or plain in self._words else self._corrected(plain)
        return tuple(self._words.get(corrected, corrected).split())

    def _corrected(self, word: str) -> str:
        if len(word) < 4 or not word.isascii() or len(word) > _LONGEST:
            return word
        single = _DOUBLED.sub(r"\1", word)
        if single != word and (single in self._vocabulary or single in self._words):
            return single
        if len(word) < 5:
            return word
        for variant in _deletions(word):
            for candidate in self._near.get(variant, ()):
                if candidate[0] == word[0] and abs(len(candidate) - len(word)) <= 1 and _one_slip(word, candidate):
                    return candidate
        return word

    def _join(self, found: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
        joined: list[tuple[str, int, int]] = []
        found = [word for word in found if word[0] != ","]
        index = 0
        while index < len(found):
            word, start, end = found[index]
            after, _, after_end = found[index + 1] if index + 1 < len(found) else ("", 0, 0)
            pair = self._pairs.get(f"{word} {after}")
            if pair is not None:
                joined.extend((part, start, after_end) for part in pair.split())
                index += 2
                continue
            if word in ("ill", "id") and after in self._will_words:
                joined.extend((("i", start, end), ("will" if word == "ill" else "would", start, end)))
            else:
                joined.append((word, start, end))
            index += 1
        return joined


def _build(text: NormalizedText, found: list[tuple[str, int, int]]) -> Words:
    starts: list[int] = []
    position = 1
    for word, _, _ in found:
        starts.append(position)
        position += len(word) + 1
    return Words(
        source=text,
        line=" " + "".join(f"{word} " for word, _, _ in found),
        starts=tuple(starts),
        places=tuple((start, end) for _, start, end in found),
    )


def _deletions(word: str) -> tuple[str, ...]:
    return (word, *(word[:place] + word[place + 1 :] for place in range(1, len(word))))


def _near(words: list[str]) -> dict[str, tuple[str, ...]]:
    """Every word under itself and under itself with one letter missing, so that a typo is found by its own."""
    near: dict[str, list[str]] = {}
    for word in words:
        for variant in set(_deletions(word)):
            near.setdefault(variant, []).append(word)
    return {variant: tuple(found) for variant, found in near.items()}


def _one_slip(written: str, meant: str) -> bool:
    """True when one letter was added, dropped, replaced or swapped with its neighbour."""
    start = 0
    shorter = min(len(written), len(meant))
    while start < shorter and written[start] == meant[start]:
        start += 1
    left, right = written[start:], meant[start:]
    if left[1:] == right[1:] or left[1:] == right or left == right[1:]:
        return True
    return left[:2] == right[1::-1] and left[2:] == right[2:]
