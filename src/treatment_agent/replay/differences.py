"""What differs between two decisions about one turn: each place with what was and what is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from treatment_agent.replay.again import Decided
from treatment_agent.replay.history import SentText

# How a message was read, beside what came of it: two readers may differ here and decide alike.
READING: Final = "interpretation"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place: `rules`, `texts[0].body`, `handoffs[0].urgency`, ... An absent value is an empty string."""

    place: str
    was: str
    now: str

    @property
    def of_reading(self) -> bool:
        """True when only the reading of the message differs, not what was decided."""
        return self.place.partition(".")[0] == READING

    def __str__(self) -> str:
        return f"{self.place}: was {self.was or 'nothing'}, is {self.now or 'nothing'}"


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text the patient would have read otherwise; an absent one is None."""

    was: SentText | None
    now: SentText | None


def differences(was: Decided, now: Decided) -> tuple[Difference, ...]:
    """Every place at which two decisions differ, in the order of the record; texts and the next due time last."""
    found = [*_compared("", was.record, now.record)]
    found += _compared("texts", _texts(was), _texts(now))
    found += _compared("due_at", was.due_at, now.due_at)
    return tuple(found)


def text_changes(was: Decided, now: Decided) -> tuple[TextChange, ...]:
    """The texts that differ, paired by their order."""
    changes = []
    for index in range(max(len(was.texts), len(now.texts))):
        before = was.texts[index] if index < len(was.texts) else None
        after = now.texts[index] if index < len(now.texts) else None
        if before is None or after is None or _shown(before) != _shown(after):
            changes.append(TextChange(before, after))
    return tuple(changes)


def _texts(decided: Decided) -> list[object]:
    return [_shown(text) for text in decided.texts]


def _shown(text: SentText) -> dict[str, object]:
    return text.model_dump(mode="json")


def _compared(place: str, was: object, now: object) -> Iterator[Difference]:
    if was == now:
        return
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*was, *now)):
            yield from _compared(f"{place}.{key}" if place else str(key), was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now) and _nested(was, now):
        for index, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from _compared(f"{place}[{index}]", one, other)
    else:
        yield Difference(place, _plain(was), _plain(now))


def _nested(*both: list[object]) -> bool:
    return all(isinstance(item, Mapping | list) for items in both for item in items)


def _plain(value: object) -> str:
    """A value on one line, without the braces of code."""
    if value is None or value == []:
        return ""
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return str(value)
