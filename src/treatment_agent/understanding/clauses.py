"""Splits a message into clauses, also where nobody typed a full stop."""

from __future__ import annotations

import re
import unicodedata

from treatment_agent.policies.canonical import Words

_STOPS = frozenset(".?!")
_JOINERS = frozenset("but and also so because plus though however pero y porque entonces aunque then".split())
_SUBJECTS = frozenset(
    "i we you he she it they my our the this that those can could do does is are what when how where who will would"
    " please if yo me mi no puede pueden tiene tienen hay es esta que cuando cuanto lo la el le se"
    " maybe lets let call text send not dont cant neither either either thanks gracias si yes ok sorry quiero"
    " necesito puedo tengo just need have thursday tuesday".split()
)
_SHORTEST = 2
_GAP_BREAK = re.compile(r"[,:;\n\u2022]| - |-- ")


def clauses_of(words: Words) -> tuple[range, ...]:
    """The clauses as stretches of canonical words; every word is in exactly one.

    Cuts at sentence ends, line breaks, emoji and commas, and before "but", "and", "so", "porque" ... when both sides
    look like clauses. Never gives an empty clause.
    """
    size = len(words)
    parts: list[range] = []
    first = 0
    for index in range(1, size + 1):
        if index == size or _cut_before(words, first, index):
            if any(not _is_mark(words.word(i)) for i in range(first, index)) or not parts:
                parts.append(range(first, index))
            else:
                parts[-1] = range(parts[-1].start, index)
            first = index
    return tuple(part for part in parts if part)


def _cut_before(words: Words, first: int, index: int) -> bool:
    before, word = words.word(index - 1), words.word(index)
    if before in _STOPS:
        return word not in _STOPS
    if words.places[index] == words.places[index - 1]:
        return False
    if is_emoji(before) != is_emoji(word) and word not in _STOPS:
        return True
    gap_start, gap_end = words.places[index - 1][1], words.places[index][0]
    if gap_end > gap_start:
        offsets = words.source.offsets
        gap = words.source.raw[offsets[gap_start] : offsets[gap_end]]
        if "\n" in gap:
            return True
        if _GAP_BREAK.search(gap) and index - first >= 1:
            return _opens(words, index) or word in _JOINERS or index - first >= 3
    return word in _JOINERS and index - first >= _SHORTEST and index + 1 < len(words) and _opens(words, index + 1)


def _opens(words: Words, index: int) -> bool:
    """True when a clause may begin here."""
    return words.word(index) in _SUBJECTS and len(words) - index >= _SHORTEST


def is_emoji(word: str) -> bool:
    """True for a pictograph that stands as a word of its own."""
    return bool(word) and unicodedata.category(word[0]) in ("So", "Sk") and len(word) <= 2


def _is_mark(word: str) -> bool:
    return word in _STOPS
