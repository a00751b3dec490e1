"""Saying that an automated assistant writes, in each shipped language, and never the contrary."""

from __future__ import annotations

import re
from typing import Final

_SAYS: Final = {
    "en": re.compile(
        r"\b(automated|automatic|virtual|digital|ai|computer)\W+(\w+\W+)?(assistant|helper|system|messag\w+|texts?)\b"
        r"|\bsent automatically\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(asistente|sistema|mensajes?|ayudante)\W+(\w+\W+)?(autom[aá]tic[oa]s?|automatizad[oa]s?|virtual|digital)\b"
        r"|\binteligencia artificial\b|\benviado autom[aá]ticamente\b",
        re.IGNORECASE,
    ),
}  # fmt: skip
_DENIES: Final = {
    "en": re.compile(
        r"\b(i am|i'm|this is|we are) (an? )?(real |live |actual )?(person|people|human)\b"
        r"|\b(not|isn't) (an? )?(bot|robot|machine|computer|automated|ai)\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"(?<!no )\bsoy (una? )?(persona|humano|humana)\b"
        r"|\bno (soy|es) (una? )?(bot|robot|m[aá]quina|autom[aá]tico)\b",
        re.IGNORECASE,
    ),
}
# An assistant that calls itself a licensed person (California AB 489 of 2025).
_PERSONA: Final = re.compile(
    r"\b(this is|i am|i'm|soy|le escribe|le habla|habla|de parte de)\s+(an?\s|el\s|la\s|your\s|su\s)?"
    r"(dr|dra|doctor|doctora|dentist|dentista|hygienist|higienista|nurse|enfermer[oa]|rdh|dds|dmd)\b",
    re.IGNORECASE,
)


def discloses(text: str, language: str) -> bool:
    """True when the text says that it is automated; also for a language whose words we do not know."""
    says = _SAYS.get(language)
    return says is None or says.search(text) is not None


def denies(text: str, language: str) -> str:
    """The words by which the text claims to be a person; empty when there are none."""
    found = _DENIES[language].search(text) if language in _DENIES else None
    return found.group() if found else ""


def licensed_persona(text: str) -> str:
    """The words by which the text claims a health-care licence; empty when there are none."""
    found = _PERSONA.search(text)
    return found.group() if found else ""
