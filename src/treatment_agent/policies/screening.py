"""Deterministic screening of a patient's message, before any model: revocations and emergencies.

Pure and quick. Each field is None, or the rule that spoke and where in the raw message.
"""

from __future__ import annotations

from dataclasses import dataclass

from treatment_agent.domain.interpretation import Intent, Span, Topic
from treatment_agent.domain.text import NormalizedText
from treatment_agent.policies.lexicon import Finding, lexicon


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
    opt_out = _first(findings, Intent.OPT_OUT)
    return Screening(
        opt_out=opt_out,
        emergency=_first(findings, Topic.EMERGENCY),
        opt_in=Sign("opt_in.keyword", whole) if opt_out is None and book.asks_in(words) else None,
        help=Sign("help.keyword", whole) if book.asks_help(words) else None,
        media_only=media > 0 and not any(char.isalnum() for char in text.text),
    )


def _first(findings: tuple[Finding, ...], label: Topic | Intent) -> Sign | None:
    return next((Sign(f.rule, f.span) for f in findings if f.label is label), None)
