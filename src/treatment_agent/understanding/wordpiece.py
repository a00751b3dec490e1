"""Cuts a folded message into the pieces of words that the classifier was trained on.

A module of its own instead of a tokenizer library: the rule is forty lines, and the message is already folded by
`domain.text` (lower case, no accents), which a library would do again in its own way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

CLS, SEP, UNKNOWN, PAD = "[CLS]", "[SEP]", "[UNK]", "[PAD]"
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
_LONGEST_WORD = 40
_SIGN_WORDS = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a word: its number, and the half-open place of the whole word in the folded text."""

    id: int
    start: int
    end: int


class WordPiece:
    """Greedy longest-match pieces, as BERT cuts them.

    Args:
        pieces: The vocabulary in the order of the embedding rows. Holds the four special pieces and every letter.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self._ids: Mapping[str, int] = {piece: number for number, piece in enumerate(pieces)}
        self.unknown = self._ids[UNKNOWN]
        self.cls, self.sep, self.pad = self._ids[CLS], self._ids[SEP], self._ids[PAD]

    def ids(self, folded: str) -> list[int]:
        """The piece numbers of a text, which must be lower case and without accents. Linear in its length."""
        return [piece.id for piece in self.cut(folded)]

    def cut(self, folded: str) -> list[Piece]:
        """As `ids`, with the place of the word that each piece belongs to."""
        return [Piece(number, start, end) for word, start, end in words_in(folded) for number in self._pieces(word)]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self.unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            end, number = len(word), None
            while end > start:
                number = self._ids.get(word[start:end] if start == 0 else f"##{word[start:end]}")
                if number is not None:
                    break
                end -= 1
            if number is None:
                return [self.unknown]
            found.append(number)
            start = end
        return found


def words_in(folded: str) -> Iterator[tuple[str, int, int]]:
    """Words and single marks with their places; an emoji by its name ("thumbs up sign"): often it is all there is."""
    for found in _TOKEN.finditer(folded):
        token, (start, end) = found.group(), found.span()
        if len(token) == 1 and unicodedata.category(token) in ("So", "Sk"):
            for word in unicodedata.name(token, "").lower().replace("-", " ").split()[:_SIGN_WORDS]:
                yield word, start, end
        else:
            yield token, start, end
