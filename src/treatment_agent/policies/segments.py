"""How many SMS segments a text costs: GSM 03.38 letters are short, one other letter makes the whole text long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """`units` are septets for GSM-7 and UTF-16 code units for UCS-2."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    segments: int


def segments(text: str) -> SegmentCount:
    """Count what a text costs on the wire.

    One segment holds 160 septets or 70 UCS-2 units; in a text of several, each holds 153 or 67. A character that
    takes two units is never split. An empty text counts as one segment.
    """
    gsm = all(c in _BASIC or c in _EXTENDED for c in text)
    sizes = [_width(c, gsm) for c in text]
    single, each = (160, 153) if gsm else (70, 67)
    units = sum(sizes)
    return SegmentCount("GSM-7" if gsm else "UCS-2", units, 1 if units <= single else _packed(sizes, each))


def outside_gsm(text: str) -> str:
    """The characters that force UCS-2, each once, in order."""
    return "".join(dict.fromkeys(c for c in text if c not in _BASIC and c not in _EXTENDED))


def _width(character: str, gsm: bool) -> int:
    if gsm:
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1


def _packed(sizes: list[int], each: int) -> int:
    count, used = 1, 0
    for size in sizes:
        if used + size > each:
            count, used = count + 1, 0
        used += size
    return count
