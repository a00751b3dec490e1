"""Reads a file of past messages line by line; a line that cannot be read says why and the rest go on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

CONTEXTS = ("first_message", "offer", "reminder", "callback_ask", "reason_ask", "booked")
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
    reason = _problem(item)
    return BadLine(number, reason) if reason else Line(number, {key: _clean(item[key]) for key in item})


def _problem(item: dict[str, object]) -> str | None:
    """What is wrong with a message, or None. Fields we do not know are left alone: exports carry more than we need."""
    for name in ("id", "text"):
        if name not in item:
            return f"no `{name}`; every line needs `id` and `text`"
    if isinstance(item["id"], bool) or not isinstance(item["id"], str | int) or item["id"] == "":
        return "`id` must be a text or a whole number"
    if not isinstance(item["text"], str):
        return "`text` must be a text"
    context = item.get("context")
    if context is not None and context not in CONTEXTS:
        return f"unknown `context`; use one of {', '.join(CONTEXTS)}"
    if not isinstance(item.get("language", ""), str | None):
        return "`language` must be a code such as en or es"
    return _time_problem(item)


def _time_problem(item: dict[str, object]) -> str | None:
    now, offers = item.get("now"), item.get("offers")
    if now is not None and not _is_time(now):
        return "`now` is not an ISO time; write it like 2026-11-23T10:00:00-06:00"
    if offers is None:
        return None
    if not isinstance(offers, list):
        return "`offers` must be a list of ISO times"
    for position, offer in enumerate(offers, start=1):
        if not _is_time(offer.get("start") if isinstance(offer, dict) else offer):
            return f"`offers` number {position} is not an ISO time; write it like 2026-12-01T09:00:00-06:00"
    return None


def _is_time(value: object) -> bool:
    """True for a day *and* a time. Without an offset it is read in the office's zone, as exports mean it."""
    if not isinstance(value, str) or len(value) <= len("2026-11-23"):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _clean(value: object) -> object:
    """Half an emoji (a lone surrogate, as careless exports have) cannot be written out again: it becomes U+FFFD."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value
