"""The base of every value that crosses a boundary (developer code, files, adapters)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from treatment_agent.errors import NaiveDatetimeError

Storable = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""A code or an id from outside that every database takes: no NUL, no lone surrogate. Refused where it comes in."""


class Value(BaseModel):
    """A frozen value. Unknown fields are errors, and an error never repeats the input: it may be a patient's."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def require_aware(moment: datetime, place: str) -> datetime:
    """Return `moment` unchanged.

    Raises:
        NaiveDatetimeError: it has no UTC offset.
    """
    if moment.utcoffset() is None:
        raise NaiveDatetimeError(place)
    return moment
