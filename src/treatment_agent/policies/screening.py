"""Deterministic screening of a patient's message, before any model: revocations and emergencies.

Pure and quick. Every field holds where in the raw message it was said, so an empty one is false.
"""

from __future__ import annotations

from dataclasses import dataclass

from treatment_agent.domain.interpretation import Intent, Span, Topic
from treatment_agent.domain.text import NormalizedText
from treatment_agent.policies.canonical import Words
from treatment_agent.policies.lexicon import Finding, Lexicon, lexicon


@dataclass(frozen=True, slots=True)
class Screening:
    """What a message must be stopped for.

    `opt_out` and `emergency` hold the stretches that say so, with rule ids in `rules`. `opt_in` and `help` are true
    only when the keyword is the whole message. `media_only` is a message with attachments and no words.
    """

    opt_out: tuple[Span, ...] = ()
    emergency: tuple[Span, ...] = ()
    opt_in: bool = False
    help: bool = False
    media_only: bool = False
    rules: tuple[str, ...] = ()


def screen(text: NormalizedText, *, media: int = 0) -> Screening:
    """Look for a revocation of consent, an opt-in, a call for the help text, and an emergency.

    A bare "YES" is not an opt-in. A bare "CANCEL" is an opt-out with the rule `opt_out.keyword-cancel`, so that a
    caller who knows of a booked visit can read it as a change instead.
    """
    book = lexicon()
    words = book.read(text)
    findings = screen_words(book, words)
    stops = tuple(f.span for f in findings if f.label is Intent.OPT_OUT)
    return Screening(
        opt_out=stops,
        emergency=tuple(f.span for f in findings if f.label is Topic.EMERGENCY),
        opt_in=not stops and book.asks_in(words),
        help=book.asks_help(words),
        media_only=media > 0 and not any(char.isalnum() for char in text.text),
        rules=tuple(dict.fromkeys(f.rule for f in findings)),
    )


def screen_words(book: Lexicon, words: Words) -> tuple[Finding, ...]:
    """Opt-outs and emergencies among words already read."""
    return book.find_in(words, (Intent.OPT_OUT, Topic.EMERGENCY))
