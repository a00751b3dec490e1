"""What an office asks for before a case is followed up by machine: settings of the rules in `policies.exclusions`."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from pydantic import Field

from treatment_agent.domain.value import Value


class RequiredField(StrEnum):
    """Fields that an office may insist on; a case without one is left to staff (`queue.required-field`).

    `TOOTH`, `FEE`, `DIAGNOSED_ON` and `PROCEDURE_PROVIDER` are asked of every procedure that would be followed up.
    """

    BORN_ON = "born_on"
    LAST_NAME = "last_name"
    EMAIL = "email"
    MOBILE = "mobile"
    HOUSEHOLD = "household_id"
    STATE = "state"
    VISIT_ON = "visit_on"
    PROVIDER = "provider_id"
    DIAGNOSED_ON = "diagnosed_on"
    PROCEDURE_PROVIDER = "procedure_provider_id"
    TOOTH = "tooth"
    FEE = "fee"
    SYNCED_AT = "synced_at"


class Eligibility(Value):
    """Who may be followed up by machine, beside the scope.

    `required` fields must be there. With `any_visit_counts` (the default) any coming visit leaves a case to staff;
    without it only one with the same provider or on the same tooth does, or one of which that is not known. Data is
    stale when its source was read `stale_after_hours` ago or longer; None switches that off, and a source that does not
    say when it was read is not judged. A case that the doctor confirmed again counts as confirmed for as long as a
    fresh diagnosis would (`scope.confirm_first_after_days`).
    """

    required: tuple[RequiredField, ...] = ()
    any_visit_counts: bool = True
    stale_after_hours: int | None = Field(default=72, gt=0)


@lru_cache(maxsize=16)
def folded(texts: tuple[str, ...]) -> frozenset[str]:
    """An office's texts without regard to case. Remembered: they are asked for with every procedure of a list."""
    return frozenset(text.casefold() for text in texts)
