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

_WORD: Final = re.compile(r"\w+")
# "Hi, please ... thanks" around an opt-out is no further message.
_FEW_WORDS: Final = 3
_SENTENCE: Final = re.compile(r"[^.!?\n]+")
_SPOKEN: Final = re.compile(r"\w(?:.*\w)?")
# "please stop now thanks" and the like; a longer sentence says more than a keyword.
_LONGEST_KEYWORD: Final = 24


# Words that nobody writes about text messages. Beside a "stop" they are read as an emergency, whatever the rest says.
_DANGER = re.compile(
    r"\b(?:bl[oe]+d|bleed|sangr|swoll|swell|hincha|inflama|breath|breeth|respir|fever|fiebre|swallow|tragar|\bpus\b|abs?cess?"
    r"|infect|chok|ahog|faint|desmay|unconscious|pass(?:ed|ing) out|allerg|alerg|hives|knocked out|911|emergency room"
    r"|hospital|unbearable|excruciat|insoportable|worst pain|can'?t take (?:this|the) pain)"
)
# "I can't get the bleeding to stop", "make the bleeding stop": no opt-out, and a person must know.
_WILL_NOT_STOP = re.compile(
    r"\b(?:can'?t|cant|cannot|couldn'?t|couldnt|not|never|make|get|how (?:do|can) (?:i|we))\b[^.!?\n]{0,30}"
    r"\b(?:bleed\w*|blood|swelling)\b[^.!?\n]{0,20}\bstop"
)
# A keyword behind a comma at the very end: "this is harassment, stop".
_LAST_WORD: Final = re.compile(r"[,;:]\s*(?:please |pls |just |so |por favor )?(stop|unsubscribe|quit|alto|basta)\W*\Z")
# Words that say it is our texts that shall stop.
_ABOUT_TEXTS = re.compile(
    r"\b(?:te?xt|tx|messag|mensaj|msg|sms|contact|call|llam|phone|telefono|number|numero|list|unsub|opt|e-?mail|correo"
    r"|notif|remind|recordat|alert|bother|molest|write|writing|escrib|send|mand|from you|ustedes)"
)


@dataclass(frozen=True, slots=True)
class Sign:
    """A rule that spoke, and the words it spoke of."""

    rule: str
    span: Span


@dataclass(frozen=True, slots=True)
class Screening:
    """What a message must be stopped for.

    `opt_in` and `help` are set only when the keyword is the whole message. `media_only` is a message with attachments
    and no words. `more`: the message says more than its opt-out, so it is read to the end before the turn is settled.
    `lookalike`: no opt-out, but a phrase that only sounds like one ("I'll stop by at 4"); an interpreter that takes it
    for one is not believed without a person.
    """

    opt_out: Sign | None = None
    emergency: Sign | None = None
    opt_in: Sign | None = None
    help: Sign | None = None
    media_only: bool = False
    more: bool = False
    lookalike: bool = False


def screen(text: NormalizedText, *, media: int = 0) -> Screening:
    """Look for a revocation of consent, an opt-in, a call for the help text, and an emergency.

    A bare "YES" is not an opt-in. A bare "CANCEL" is an opt-out with the rule `opt_out.keyword-cancel`, so that a
    caller who knows of a booked visit may read it as a change.
    """
    book = lexicon()
    words = book.read(text)
    findings = book.find_in(words, (Intent.OPT_OUT, Topic.EMERGENCY))
    whole = words.span(range(len(words)))
    alone = _keyword_alone(text)
    opt_out = _first(findings, Intent.OPT_OUT) or alone
    emergency = _first(findings, Topic.EMERGENCY) or _will_not_stop(text)
    if opt_out is not None and emergency is None:
        emergency = _danger(text)
        if emergency is not None and alone is None and not _ABOUT_TEXTS.search(text.folded):
            # "It just won't stop, there is blood": what shall stop is not our texts.
            opt_out = None
    return Screening(
        opt_out=opt_out,
        more=opt_out is not None and _words_besides(text, findings, opt_out) > _FEW_WORDS,
        emergency=emergency,
        opt_in=Sign("opt_in.keyword", whole) if opt_out is None and book.asks_in(words) else None,
        help=Sign("help.keyword", whole) if book.asks_help(words) else None,
        lookalike=opt_out is None and book.sounds_like_opt_out(words),
        media_only=media > 0 and not any(char.isalnum() for char in text.text),
    )


def _words_besides(text: NormalizedText, findings: tuple[Finding, ...], opt_out: Sign) -> int:
    """How many words stand outside what was read as the opt-out."""
    spans = [opt_out.span, *(f.span for f in findings if f.label is Intent.OPT_OUT)]
    words = (m for m in _WORD.finditer(text.text))
    places = (text.offsets[m.start()] for m in words)
    return sum(not any(span.start <= place < span.end for span in spans) for place in places)


def _danger(text: NormalizedText) -> Sign | None:
    """A word of danger in what looks like an opt-out: in doubt it is an emergency."""
    found = _DANGER.search(text.folded)
    return Sign("emergency.danger-word", text.span(found.start(), found.end())) if found else None


def _will_not_stop(text: NormalizedText) -> Sign | None:
    found = _WILL_NOT_STOP.search(text.folded)
    return Sign("emergency.danger-word", text.span(found.start(), found.end())) if found else None


def _keyword_alone(text: NormalizedText) -> Sign | None:
    """A keyword that is a whole sentence or line: "I already booked. STOP"."""
    last = _LAST_WORD.search(text.folded)
    if last is not None:
        return Sign("opt_out.keyword", text.span(last.start(1), last.end(1)))
    sentences: dict[str, int] = {}
    for found in _SENTENCE.finditer(_with_lines(text)):
        # "stop" with folded hands behind it is still the word alone.
        words = _SPOKEN.search(found.group())
        if words is not None and len(words.group()) <= _LONGEST_KEYWORD:
            sentences.setdefault(words.group(), found.start() + words.start())
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
