"""A linear reader over pieces of words and words in a row: quick, and wrong about other things than the encoder.

Every feature is hashed to a place in one table of weights, so there is no vocabulary to ship, and spellings that nobody
wrote before still share most of their pieces with known ones.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PLACES = 1 << 19
_WORD = re.compile(r"\w+|[^\w\s]")
_SIZES = (2, 3, 4, 5)
_LONGEST = 1000

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ngrams:
    """Weights by place (int8), what one step of them is worth, and a bias."""

    weights: NDArray[np.int8]
    step: float
    bias: float

    def log_odds(self, folded: str, asked: str) -> float:
        """The log-odds that a person must have the text; `folded` and `asked` as the classifier sees them."""
        sums = (int(self.weights[block].sum(dtype=np.int64)) / np.sqrt(len(block)) for block in blocks(folded, asked))
        return float(self.bias + self.step * sum(sums))


def blocks(folded: str, asked: str) -> tuple[Places, Places]:
    """The places of the pieces of words, and of the words and pairs, each once. Linear in the length; never empty."""
    pieces: set[str] = {" "}
    words: set[str] = {f"?{asked}"}
    before = "^"
    for word in _WORD.findall(folded[:_LONGEST]):
        words |= {f"w {word}", f"b {before} {word}"}
        before = word
        padded = f" {word} "
        for size in _SIZES:
            if len(padded) <= size:
                pieces.add(padded)
                break
            pieces.update(padded[first : first + size] for first in range(len(padded) - size + 1))
    return _hashed(pieces), _hashed(words)


def _hashed(features: Iterable[str]) -> Places:
    places = {zlib.crc32(feature.encode("utf-8", "surrogatepass")) % PLACES for feature in features}
    return np.array(sorted(places), dtype=np.int64)
