"""A patient's message in one plain form for matching, with the way back to the letters as they were typed.

Every rule reads `NormalizedText`; evidence is reported in offsets of the raw message through `span`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from treatment_agent.domain.interpretation import Span

_PUNCTUATION = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032`\u00b4\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    "\u3002": ".",
    "\uff1f": "?",
    "\u061f": "?",
}
# Letters of other scripts that look Latin. Case matters: a small Russian "\u043d" is no "h", a capital one looks
# like "H".
_LOOKALIKES = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u04cf"
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
        "\u03bf\u03b1\u03bd\u03c1\u03c5\u03b9\u03ba"
        "\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0396",
        "aeopcyxijsdhlABEKMHOPCTYXIJSoavpuikABEHIKMNOPTYXZ",
        strict=True,
    )
)
_WORD = re.compile(r"\w+")
_SPELLED = re.compile(r"(?<!\w)[^\W\d_](?:(?P<gap>[ .\-_*])[^\W\d_])(?:(?P=gap)[^\W\d_]){2,}(?!\w)")
_QUOTED = re.compile(r"[\"\u201c\u201e\u00ab]([^\"\u201c\u201d\u00ab\u00bb]{12,})[\"\u201d\u00bb]?")
_REACTION = re.compile(
    r"^\s*(?:liked|loved|disliked|laughed at|emphasized|questioned|reacted .{1,12} to|removed an? \w+ from|"
    r"le gust\u00f3|me gusta|me encanta|enfatiz\u00f3|reaccion\u00f3 .{1,12})\s*"
    r"(?P<quote>[\"\u201c\u00ab].*[\"\u201d\u00bb]\s*)$",
    re.IGNORECASE | re.DOTALL,
)
_REPLY_HEADER = re.compile(
    r"^(?:on .{8,120} wrote:|el .{8,120} escribi\u00f3:|-{3,} ?(?:original|forwarded) message.*|_{10,})[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(r"^(?:sent from my |enviado desde mi |get outlook for ).*$", re.IGNORECASE | re.MULTILINE)
_QUOTE_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, repr=False)
class NormalizedText:
    """A message folded for matching.

    `text` is lower case, NFKC, without invisible characters, with straight quotes and single spaces; accents stay.
    `folded` is `text` without accents, letter for letter (same length). `offsets[i]` is the index in `raw` that
    `text[i]` came from.
    """

    raw: str
    text: str
    folded: str
    offsets: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """The raw offsets of `text[start:end]`; an empty stretch gives an empty span."""
        if not self.offsets or end <= start:
            place = self.offsets[start] if start < len(self.offsets) else len(self.raw)
            return Span(place, place)
        last = min(end, len(self.offsets)) - 1
        return Span(self.offsets[min(start, last)], self.offsets[last] + 1)

    def __repr__(self) -> str:
        return f"NormalizedText({len(self.raw)} characters)"


def normalize(text: str, ours: Iterable[str] = ()) -> NormalizedText:
    """Fold a message for matching. Linear in its length; never raises, whatever the bytes were.

    Quoted lines (`> ...`), what follows "On ... wrote:" and quotes of `ours` are read as blank; offsets still hold.
    """
    chars, offsets = _characters(_blank_quotes(text, tuple(ours)))
    chars = _fold_lookalikes(chars)
    lowered, places = _lower(chars, offsets)
    lowered, places = _squeeze(lowered, places)
    lowered, places = _join_spelled(lowered, places)
    joined = "".join(lowered)
    return NormalizedText(raw=text, text=joined, folded=fold(joined), offsets=tuple(places))


def fold(text: str) -> str:
    """The text without accents, letter for letter: the length stays."""
    return text if text.isascii() else "".join(_without_accent(char) for char in text)


@lru_cache(maxsize=64)
def casefolded(texts: tuple[str, ...]) -> frozenset[str]:
    """An office's list of words, to be compared without regard to case. Kept, because each case is compared with it."""
    return frozenset(text.casefold() for text in texts)


def _without_accent(char: str) -> str:
    if char < "\x80":
        return char
    base = unicodedata.normalize("NFD", char)[0]
    return base if base < "\u0250" else char


def _blank_quotes(text: str, ours: tuple[str, ...]) -> str:
    """Put spaces over what is not the sender's own words; give the text back unchanged if nothing would be left."""
    blanked = text
    reaction = _REACTION.match(blanked)
    if reaction:
        blanked = blanked[: reaction.start("quote")] + " " * (len(blanked) - reaction.start("quote"))
    header = _REPLY_HEADER.search(blanked)
    if header:
        blanked = blanked[: header.start()] + " " * (len(blanked) - header.start())
    for pattern in (_QUOTE_LINE, _SIGNATURE):
        blanked = pattern.sub(lambda found: " " * len(found.group()), blanked)
    known = tuple(" ".join(own.split()) for own in ours if len(own) >= 12)
    for own in ours:
        if len(own.strip()) >= 12:
            blanked = blanked.replace(own.strip(), " " * len(own.strip()))
    if known:
        blanked = _QUOTED.sub(lambda found: _blank_if_ours(found, known), blanked)
    return blanked if blanked.strip() else text


def _blank_if_ours(found: re.Match[str], known: tuple[str, ...]) -> str:
    words = " ".join(found.group(1).rstrip(".\u2026 ").split())
    return " " * len(found.group()) if any(words in own for own in known) else found.group()


def _characters(text: str) -> tuple[list[str], list[int]]:
    chars: list[str] = []
    offsets: list[int] = []
    for index, raw in enumerate(text):
        if " " < raw < "\x7f" and raw != "`":
            chars.append(raw)
            offsets.append(index)
            continue
        for char in _plain(raw):
            if unicodedata.combining(char) and chars:
                composed = unicodedata.normalize("NFC", chars[-1] + char)
                if len(composed) == 1:
                    chars[-1] = composed
                continue
            chars.append(char)
            offsets.append(index)
    return chars, offsets


def _plain(raw: str) -> str:
    if raw in _PUNCTUATION:
        return _PUNCTUATION[raw]
    category = unicodedata.category(raw)
    if raw.isspace() or category in ("Cs", "Zs", "Zl", "Zp"):
        return " "
    if category in ("Cf", "Cc", "Me") or "\ufe00" <= raw <= "\ufe0f":
        return ""
    if category == "Mn":
        return raw
    return "".join(_PUNCTUATION.get(char, char) for char in unicodedata.normalize("NFKC", raw))


def _fold_lookalikes(chars: list[str]) -> list[str]:
    """Read disguised words: those that mix scripts, or consist of look-alikes only in an otherwise Latin message."""
    joined = "".join(chars)
    if joined.isascii() or len(joined) != len(chars):
        return chars
    foreign = any("\u0370" <= char <= "\u052f" and char not in _LOOKALIKES for char in chars)
    folded = list(chars)
    for word in _WORD.finditer(joined):
        letters = word.group()
        mixed = any(char < "\u0250" and char.isalpha() for char in letters)
        if mixed or (not foreign and all(char in _LOOKALIKES for char in letters)):
            for place in range(word.start(), word.end()):
                folded[place] = _LOOKALIKES.get(folded[place], folded[place])
    return folded


def _lower(chars: list[str], offsets: list[int]) -> tuple[list[str], list[int]]:
    lowered: list[str] = []
    places: list[int] = []
    for char, place in zip(chars, offsets, strict=True):
        small = char.lower()
        lowered.append(small[0] if small else char)
        places.append(place)
    return lowered, places


def _squeeze(chars: list[str], offsets: list[int]) -> tuple[list[str], list[int]]:
    """Single spaces; "stoppp" -> "stop", "goooood" -> "good" (a run inside a word keeps two)."""
    kept: list[str] = []
    places: list[int] = []
    index, size = 0, len(chars)
    while index < size:
        char = chars[index]
        end = index + 1
        while end < size and chars[end] == char:
            end += 1
        run = end - index
        if char == " ":
            run = 1 if kept else 0
        elif run >= 3 and char.isalpha():
            inside = end < size and chars[end].isalpha()
            run = 2 if inside or char == "l" else 1
        kept.extend(chars[index : index + run])
        places.extend(offsets[index : index + run])
        index = end
    if kept and kept[-1] == " ":
        kept.pop()
        places.pop()
    return kept, places


def _join_spelled(chars: list[str], offsets: list[int]) -> tuple[list[str], list[int]]:
    """Join spelled words: "s.t.o.p" and "s t o p" -> "stop"."""
    drop = {place for found in _SPELLED.finditer("".join(chars)) for place in range(found.start() + 1, found.end(), 2)}
    if not drop:
        return chars, offsets
    return (
        [char for place, char in enumerate(chars) if place not in drop],
        [offset for place, offset in enumerate(offsets) if place not in drop],
    )
