"""Reading the tooth column of a chart: `30`, `#30`, `3-5`, `3,4,5`, `A`."""

from __future__ import annotations

import re
from functools import lru_cache

_RANGE = re.compile(r"(\d{1,2})\s*-\s*(\d{1,2})")


@lru_cache(maxsize=512)
def teeth_of(text: str) -> frozenset[str]:
    """The teeth a chart entry names, without `#` and leading zeros; empty when it names none."""
    teeth: set[str] = set()
    for part in re.split(r"[,;/&]|\s(?!-)(?<!-\s)", text.upper().replace("#", "")):
        span = _RANGE.fullmatch(part.strip())
        if span is not None:
            low, high = sorted((int(span[1]), int(span[2])))
            teeth |= {str(number) for number in range(low, high + 1)}
        elif part.strip():
            teeth.add(part.strip().lstrip("0") or part.strip())
    return frozenset(teeth)
