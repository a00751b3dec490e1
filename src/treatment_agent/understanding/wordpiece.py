"""Cuts a folded message into the pieces of words that the classifier was trained on.

A module of its own instead of a tokenizer library: the rule is forty lines, and the message is already folded by
`domain.text` (lower case, no accents), which a library would do again in its own way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

CLS, SEP, UNKNOWN, PAD = "[CLS]", "[SEP]", "[UNK]", "[PAD]"
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
_LONGEST_WORD = 40
_SIGN_WORDS = 3


class WordPiece:
    """Greedy longest-match pieces, as BERT cuts them.

    Args:
        pieces: The vocabulary in the order of the embedding rows. Holds the four special pieces and every letter.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self._ids: Mapping[str, int] = {piece: number for number, piece in enumerate(pieces)}
        self._unknown = self._ids[UNKNOWN]
        self.cls, self.sep, self.pad = self._ids[CLS], self._ids[SEP], self._ids[PAD]

    def ids(self, folded: str) -> list[int]:
        """The piece numbers of a text, which must be lower case and without accents. Linear in its length."""
        found: list[int] = []
        for word in words_in(folded):
            found.extend(self._pieces(word))
        return found

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self._unknown]
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
                return [self._unknown]
            found.append(number)
            start = end
        return found


def words_in(folded: str) -> Iterable[str]:
    """Words, single marks, and the names of emoji ("thumbs up sign"): a bare emoji is often the whole answer."""
    for found in _TOKEN.finditer(folded):
        token = found.group()
        if len(token) == 1 and unicodedata.category(token) in ("So", "Sk"):
            yield from unicodedata.name(token, "").lower().replace("-", " ").split()[:_SIGN_WORDS]
        else:
            yield token
