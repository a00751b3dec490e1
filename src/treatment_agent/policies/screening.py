"""Deterministic screening of a patient's message, before any model: revocations and emergencies.

Pure and quick. Each field is None, or the rule that spoke and where in the raw message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from treatment_agent.domain.interpretation import Intent, Span, Topic
from treatment_agent.domain.text import NormalizedText, normalize
from treatment_agent.policies.lexicon import Finding, lexicon

_SENTENCE: Final = re.compile(r"[^.!?\n]+")
# "please stop now thanks" and the like; a longer sentence says more than a keyword.
_LONGEST_KEYWORD: Final = 24


@dataclass(frozen=True, slots=True)
class Sign:
    """A rule that spoke, and the words it spoke of."""

    rule: str
    span: Span


@dataclass(frozen=True, slots=True)
class Screening:
    """What a message must be stopped for.

    `opt_in` and `help` are set only when the keyword is the whole message. `media_only` is a message with attachments
    and no words.
    """

    opt_out: Sign | None = None
    emergency: Sign | None = None
    opt_in: Sign | None = None
    help: Sign | None = None
    media_only: bool = False


def screen(text: NormalizedText, *, media: int = 0) -> Screening:
    """Look for a revocation of consent, an opt-in, a call for the help text, and an emergency.

    A bare "YES" is not an opt-in. A bare "CANCEL" is an opt-out with the rule `opt_out.keyword-cancel`, so that a
    caller who knows of a booked visit may read it as a change.
    """
    book = lexicon()
    words = book.read(text)
    findings = book.find_in(words, (Intent.OPT_OUT, Topic.EMERGENCY))
    whole = words.span(range(len(words)))
    opt_out = _first(findings, Intent.OPT_OUT) or _keyword_alone(text)
    return Screening(
        opt_out=opt_out,
        emergency=_first(findings, Topic.EMERGENCY),
        opt_in=Sign("opt_in.keyword", whole) if opt_out is None and book.asks_in(words) else None,
        help=Sign("help.keyword", whole) if book.asks_help(words) else None,
        media_only=media > 0 and not any(char.isalnum() for char in text.text),
    )


def _keyword_alone(text: NormalizedText) -> Sign | None:
    """A keyword that is a whole sentence or line: "I already booked. STOP"."""
    sentences: dict[str, int] = {}
    for found in _SENTENCE.finditer(_with_lines(text)):
        sentence = found.group().strip()
        if sentence and len(sentence) <= _LONGEST_KEYWORD:
            sentences.setdefault(sentence, found.start() + found.group().index(sentence))
    for sentence, start in sentences.items():
        findings = lexicon().find(normalize(sentence), (Intent.OPT_OUT,))
        if any(finding.rule == "opt_out.keyword" for finding in findings):
            return Sign("opt_out.keyword", text.span(start, start + len(sentence)))
    return None


def _with_lines(text: NormalizedText) -> str:
    """The text with the line ends of the raw message, letter for letter."""
    if "\n" not in text.raw:
        return text.text
    ends = (*text.offsets[1:], len(text.raw))
    spans = zip(text.text, text.offsets, ends, strict=True)
    return "".join("\n" if char == " " and "\n" in text.raw[start:end] else char for char, start, end in spans)


def _first(findings: tuple[Finding, ...], label: Topic | Intent) -> Sign | None:
    return next((Sign(f.rule, f.span) for f in findings if f.label is label), None)
