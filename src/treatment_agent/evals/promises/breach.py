"""A broken promise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """Which promise, in which conversation, and what was found: ids, rules, times; never a name or anybody's words."""

    promise: str
    conversation_id: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise} {self.conversation_id}: {self.what}"
