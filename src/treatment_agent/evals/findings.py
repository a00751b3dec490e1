"""What is wrong with a played dialogue: where, what was expected, what came, and which rule decided."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gate(StrEnum):
    """Hard gates: one of these fails the whole run, whatever else passed."""

    MISSED_HANDOFF = "missed handoff"
    AFTER_OPT_OUT = "message after an opt-out"
    UNAPPROVED_TEXT = "unapproved text"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. `turn` counts from 1; 0 is before the first, None the end.

    `key` is the expectation in the file, such as `expect.sent` or `end.bookings`. `gate` is set for a hard gate.
    """

    turn: int | None
    key: str
    expected: str
    got: str
    rule: str = ""
    gate: Gate | None = None

    def __str__(self) -> str:
        place = "end" if self.turn is None else f"turn {self.turn}"
        gate = f"GATE {self.gate.value}: " if self.gate else ""
        decided = f" (decided by {self.rule})" if self.rule else ""
        return f"{gate}{place}, {self.key}: expected {self.expected}; got {self.got}{decided}"
