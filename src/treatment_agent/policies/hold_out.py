"""Random hold-out: some newly entered cases are not written to, so that the office sees what writing really adds.

Without it nobody can tell the patients who book because of a text from those who would have booked anyway.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from pydantic import Field

from treatment_agent.domain.value import Value

_BUCKETS: Final = 2**64


class HoldOut(Value):
    """Which share of newly entered cases is not written to; none by default.

    Chance decides, but always in the same way: by a hash of `salt` and the household, or of the case id where nobody
    noted one. A household is held out as a whole: a text to one of them would speak for the others too. Cases compare
    after `within_days` days from their entry. A new `salt` draws anew, for cases that enter from then on.
    """

    share: float = Field(default=0.0, ge=0.0, le=0.5)
    within_days: int = Field(default=60, ge=1, le=365)
    salt: str = ""

    def holds(self, drawn: str) -> bool:
        """Whether what is drawn, the id of a household or of a case, is held out."""
        number = int.from_bytes(sha256(f"{self.salt}/{drawn}".encode()).digest()[:8], "big")
        return number < self.share * _BUCKETS
