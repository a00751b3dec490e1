"""Stand-ins for what names a person, before a message leaves; every place in the answer is led back afterwards.

What is found: the words a situation hides (names on the chart), provider names, phone and other long numbers, full
dates, mail and web addresses, street addresses, and names that introduce themselves ("this is Ana"). A name nobody told
us about, written in the middle of a sentence, stays: a remote model therefore always needs an agreement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from treatment_agent.domain.interpretation import Situation, Span

_STREET = (
    r"street|st|avenue|ave|road|rd|boulevard|blvd|drive|dr(?!\.?\s+\w)|lane|ln|court|ct|terrace|highway|hwy"
    r"|parkway|pkwy"
)
_INTRODUCED = r"(?:my name is|this is|me llamo|mi nombre es|soy|name's|nombre:|name:|i am|i'm|im|de parte de)"
# A name as people write it: capitalised, one to three words.
_NAME = r"(?-i:[A-ZÁÉÍÓÚÑ][\w'’-]+(?:[ ]+[A-ZÁÉÍÓÚÑ][\w'’-]+){0,2})"
_KINDS = (
    ("EMAIL", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("LINK", r"(?:https?://|www\.)\S+"),
    ("ADDRESS", rf"\b\d{{2,6}}\s+(?:[nsew]\.?\s+)?(?:\w+\s+){{1,3}}(?:{_STREET})\b\.?(?:[\s,]+(?:apt|unit|#)\s*\w+)?"),
    ("ADDRESS", r"\b(?:calle|avenida|av\.)\s+[\w ]{2,30}?\s+#?\d{1,6}\b"),
    ("DATE", r"\b\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d{2}\b|\b(?:19|20)\d{2}-\d{2}-\d{2}\b"),
    ("PHONE", r"\+?\(?\d{3}\)?[\s.-]*\d{3}[\s.-]*\d{4}\b|\+\d[\d\s().-]{7,}\d"),
    ("NUMBER", r"\b(?!\d{3,4}[ap]m\b)(?=\w*\d\w*\d\w*\d)[A-Za-z]*\d[\w-]{4,}\b|\b\d{3}-\d{2}-\d{4}\b"),
    ("NAME", rf"(?<=\b){_INTRODUCED}\s+(?P<name>{_NAME})"),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)
_SHORTEST_NAME = 2


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A message with stand-ins: `text` may leave. `raw` and the pieces stay here."""

    text: str
    raw: str
    _pieces: tuple[tuple[Span, Span], ...] = field(default=())

    @property
    def hidden_words(self) -> dict[str, str]:
        """What each stand-in stands for, as it was written first."""
        return {shown.of(self.text): hidden.of(self.raw) for shown, hidden in reversed(self._pieces)}

    def back(self, span: Span) -> Span:
        """The same place in the message as it was received; a stand-in stands for all it hides."""
        return Span(self._at(span.start, last=False), self._at(span.end, last=True))

    def _at(self, index: int, *, last: bool) -> int:
        shift = 0
        for shown, hidden in self._pieces:
            if index <= shown.start:
                break
            if index < shown.end:
                return hidden.end if last else hidden.start
            shift = hidden.end - shown.end
        return index + shift


def hide(raw: str, situation: Situation) -> Shown:
    """The message as a model may see it. The same words get the same stand-in."""
    pieces: list[tuple[Span, Span]] = []
    names: dict[tuple[str, str], str] = {}
    text, end = "", 0
    for kind, found in _in_order(raw, situation):
        if found.start < end:
            continue
        words = found.of(raw)
        count = sum(1 for other, _ in names if other == kind)
        stand_in = names.setdefault((kind, words.casefold()), f"[{kind}{count + 1}]")
        text += raw[end : found.start]
        pieces.append((Span(len(text), len(text) + len(stand_in)), found))
        text += stand_in
        end = found.end
    return Shown(text + raw[end:], raw, tuple(pieces))


def invented(text: str) -> bool:
    """True when a text holds a mail or web address, a phone number or a long number."""
    wanted = ("EMAIL", "LINK", "PHONE", "NUMBER")
    return any(pattern.search(text) for kind, pattern in _PATTERNS if kind in wanted)


def _in_order(raw: str, situation: Situation) -> list[tuple[str, Span]]:
    found = [*_names(raw, situation)]
    for kind, pattern in _PATTERNS:
        group = "name" if "name" in pattern.groupindex else 0
        found.extend((kind, Span(*match.span(group))) for match in pattern.finditer(raw))
    # The longest of those that begin at one place hides the others.
    return sorted(found, key=lambda each: (each[1].start, -each[1].end))


def _names(raw: str, situation: Situation) -> Iterator[tuple[str, Span]]:
    """Where names that we know stand, each word of them too."""
    known = [("NAME", secret.get_secret_value()) for secret in situation.hidden]
    known += [("PROVIDER", name) for _, name in situation.provider_names]
    for kind, name in known:
        parts = {name, *(part for part in re.split(r"[\s.,]+", name) if part.lower() not in ("dr", "dra", "doctor"))}
        for part in parts:
            if len(part) >= _SHORTEST_NAME:
                pattern = rf"(?<!\w){re.escape(part)}(?!\w)"
                yield from ((kind, Span(*match.span())) for match in re.finditer(pattern, raw, re.IGNORECASE))
