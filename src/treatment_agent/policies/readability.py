"""The school grade a text asks for: Flesch-Kincaid in English, Crawford in Spanish.

Kincaid et al. 1975 (Navy report 8-75); A. N. Crawford, "Formula y grafico para determinar la comprensibilidad de
textos del nivel primario en castellano", 1984. A text message is short, so the grade is a hint for its author.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from treatment_agent.domain.text import fold

# Under so many words one long one decides alone.
FEWEST_WORDS: Final = 15

_SENTENCE_END = re.compile(r"[.!?:]+(?=\s|$)|\n+")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_NOT_PROSE = re.compile(r"\S*://\S+|\S+@\S+")
_ENGLISH_VOWELS = re.compile(r"[aeiouy]+")
_SILENT_END = re.compile(r"(?:[^laeiouy]e|[^aeioudt]ed|[^aeioucsgxz]es)$")
_SPANISH_VOWELS = re.compile("[aeiouy\u00e1\u00e9\u00ed\u00f3\u00fa\u00fc]+")
# Each strong vowel is a syllable; a weak one without an accent joins its neighbour.
_STRONG = re.compile("[aeo\u00e1\u00e9\u00ed\u00f3\u00fa]")


def grade(text: str, language: str) -> float | None:
    """The grade of a text, or None for one with too few words or in a language without a formula."""
    formula = _FORMULAS.get(language)
    prose = _NOT_PROSE.sub(" ", text)
    words = _WORD.findall(prose.lower())
    if formula is None or len(words) < FEWEST_WORDS:
        return None
    sentences = sum(1 for part in _SENTENCE_END.split(prose) if _WORD.search(part))
    return formula(words, sentences)


def _english(words: list[str], sentences: int) -> float:
    syllables = sum(_english_syllables(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def _spanish(words: list[str], sentences: int) -> float:
    syllables = sum(_spanish_syllables(word) for word in words)
    return -0.205 * 100 * sentences / len(words) + 0.049 * 100 * syllables / len(words) - 3.407


def _english_syllables(word: str) -> int:
    plain = fold(word).replace("'", "").replace("\u2019", "")
    count = len(_ENGLISH_VOWELS.findall(plain))
    if count > 1 and _SILENT_END.search(plain):
        count -= 1
    return max(1, count)


def _spanish_syllables(word: str) -> int:
    return max(1, sum(max(1, len(_STRONG.findall(run))) for run in _SPANISH_VOWELS.findall(word)))


_FORMULAS: Final[dict[str, Callable[[list[str], int], float]]] = {"en": _english, "es": _spanish}
