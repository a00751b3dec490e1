"""Reads a file of past messages line by line; a line that cannot be read says why and the rest go on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

_FIXES = MappingProxyType(
    {
        "id": "`id` must be a text or a whole number",
        "text": "`text` must be a text",
        "context": "unknown `context`; use one of first_message, offer, reminder, callback_ask, reason_ask, booked",
        "language": "`language` must be a code such as en or es",
        "now": "`now` is not an ISO time; write it like 2026-11-23T10:00:00-06:00",
        "offers": "`offers` must be a list of at most 9 ISO times",
        "media": "`media` must be a number of attachments, 0 or more",
    }
)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One message to be judged and the number of its line, counted from 1."""

    number: int
    item: dict[str, object]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read. `reason` names the field and the fix, never the text."""

    number: int
    reason: str


def read_history(lines: Iterable[bytes]) -> Iterator[Line | BadLine]:
    """Each line as a message or as a `BadLine`; blank lines are passed over. Reads one line at a time."""
    for number, raw in enumerate(lines, start=1):
        raw = raw.removeprefix(_BOM).strip() if number == 1 else raw.strip()
        if raw:
            yield _line(number, raw)


def _line(number: int, raw: bytes) -> Line | BadLine:
    try:
        item = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return BadLine(number, f"not UTF-8 at byte {error.start}; save the file as UTF-8")
    except json.JSONDecodeError as error:
        return BadLine(number, f"not JSON: {error.msg} at column {error.colno}")
    except RecursionError:
        return BadLine(number, "not a message: nested too deeply")
    if not isinstance(item, dict):
        return BadLine(number, "not a JSON object; write one {...} per line")
    meant = _as_meant(item)
    reason = _problem(meant)
    return BadLine(number, reason) if reason else Line(number, meant)


def _as_meant(item: dict[str, object]) -> dict[str, object]:
    """The item with cleaned texts; a null is a field left out, an offer may be an object with a `start`."""
    meant = {key: _clean(value) for key, value in item.items() if value is not None or key in ("id", "text")}
    offers = meant.get("offers")
    if isinstance(offers, list):
        meant["offers"] = [offer.get("start") if isinstance(offer, dict) else offer for offer in offers]
    return meant


def _problem(item: dict[str, object]) -> str | None:
    """What is wrong with a message, or None. `TriageItem` decides; here it is said which field and what to write."""
    from pydantic import ValidationError

    from treatment_agent.triage import TriageItem

    try:
        TriageItem.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field, *place = first["loc"] or ("line",)
        if first["type"] == "missing":
            return f"no `{field}`; every line needs `id` and `text`"
        if field == "offers" and place:
            return f"`offers` number {int(place[0]) + 1} is not an ISO time; write it like 2026-12-01T09:00:00-06:00"
        return _FIXES.get(str(field), f"`{field}` cannot be read")
    return None


def _clean(value: object) -> object:
    """Half an emoji (a lone surrogate, as careless exports have) cannot be written out again: it becomes U+FFFD."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value
