"""A turn's data with everything invented: what is not known to be harmless is replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Final

from treatment_agent.domain import (
    consent,
    conversation,
    events,
    handoff,
    inputs,
    interpretation,
    messages,
    patients,
    scheduling,
    treatment,
    turn,
)
from treatment_agent.replay.stand_ins import StandIns

_NAMES: Final = frozenset({"first_name", "last_name"})
_ADDRESSES: Final = frozenset({"mobile", "email", "address", "sender", "to"})
# Codes of ours, of the law and of the chart that name nobody.
_PLAIN: Final = frozenset(
    {
        "rule", "rules", "failures", "skip_rule", "held_by", "error", "language", "zone", "state", "tooth", "surface",
        "interpreter", "script_id", "part", "summary", "suggestion", "kind",
    }
)  # fmt: skip
_CODES: Final = frozenset({"code", "error_code", "purpose", "plan_priority"})
_IDS: Final = frozenset(
    {
        "id", "case_id", "patient_id", "conversation_id", "household_id", "provider_id", "appointment_id", "key",
        "booking_key", "send_key", "by", "desk_by", "acknowledged_by", "handoff_id", "evidence", "replaces",
        "seen_slots", "procedure_ids", "provider_ids", "exclude", "shared_with", "ours",
    }
)  # fmt: skip
_OURS: Final = frozenset({"coordinator", "book", "settled", "touch", ""})
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,24}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DURATION_OR_TIME: Final = re.compile(r"P[\dTDHMS.]+|\d\d:\d\d(:\d\d)?")


@cache
def our_words() -> frozenset[str]:
    """Every value of every closed set of the domain."""
    rooms = (
        consent, conversation, events, handoff, inputs, interpretation, messages, patients, scheduling, treatment, turn,
    )  # fmt: skip
    kinds = (kind for room in rooms for kind in vars(room).values() if isinstance(kind, type))
    values = {member.value for kind in kinds if issubclass(kind, StrEnum) for member in kind}
    events_of = {kind.model_fields["kind"].default for kind in vars(events).values() if _is_event(kind)}
    return frozenset(values | events_of)


def _is_event(kind: object) -> bool:
    return isinstance(kind, type) and "kind" in getattr(kind, "model_fields", {})


@dataclass(frozen=True, slots=True)
class Invented:
    """Maps JSON data, value by value. `birthdays` are invented days of birth by the true one (both ISO)."""

    stand_ins: StandIns
    birthdays: Mapping[str, str]
    kept_priorities: frozenset[str] = frozenset()

    def data(self, value: object, key: str = "") -> object:
        """The value as it stands in a redacted file; `key` is the field it stands in."""
        if isinstance(value, Mapping):
            return {self._key(k, key): self.data(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [self.data(item, "" if isinstance(item, Mapping) else key) for item in value]
        if key == "fee_cents" and isinstance(value, int):
            return self.stand_ins.fee(value)
        return self._text(value, key) if isinstance(value, str) else value

    def _key(self, name: str, inside: str) -> str:
        """Fields keep their names; the keys of `procedures` are ids of the chart."""
        return self.id(name, inside) if inside == "procedures" else name

    def _text(self, text: str, key: str) -> str:
        if key in _NAMES:
            return self.stand_ins.name(text, last=key == "last_name")
        if key in _ADDRESSES:
            return self.stand_ins.email(text) if "@" in text else self.stand_ins.phone(text)
        if key == "born_on":
            return self.birthdays.get(text) or self.stand_ins.day(date.fromisoformat(text)).isoformat()
        if key == "postal_code":
            return f"{text[:3]}00" if re.fullmatch(r"\d{5}(-\d{4})?", text) else ""
        if key in _PLAIN or (key not in _IDS and text in our_words()):
            return text
        return self._other(text, key)

    def _other(self, text: str, key: str) -> str:
        if key == "plan_priority":
            return text if text.casefold() in self.kept_priorities else ""
        if key in _CODES:
            return text if _CODE.fullmatch(text) else ""
        if key == "policy":
            return f"office/{text.rpartition('/')[2]}"
        if _MOMENT.fullmatch(text):
            moved = self.stand_ins.moment(datetime.fromisoformat(text)).isoformat()
            # As pydantic writes it, so that records can be compared as data.
            return moved.removesuffix("+00:00") + "Z" if moved.endswith("+00:00") else moved
        if _DAY.fullmatch(text):
            return self.stand_ins.day(date.fromisoformat(text)).isoformat()
        return text if _DURATION_OR_TIME.fullmatch(text) else self.id(text, key)

    def id(self, text: str, key: str = "id") -> str:
        """An id, part by part: what we put between colons ourselves stays."""
        kind = "staff" if key in ("by", "desk_by", "acknowledged_by") else "provider" if "provider" in key else "id"
        first, *others = text.split(":")
        made = [first if first in _OURS or first in our_words() else self.stand_ins.id(first, kind)]
        made += [part if _ours(part) else self.stand_ins.id(part) for part in others]
        return ":".join(made)


def _ours(part: str) -> bool:
    """What follows a conversation's id: the kind of a task, a status, the number of a text."""
    return part in _OURS or part in our_words() or (part.isdigit() and len(part) < 3)
