"""What a text may cost, how plainly it must be written, and how much it may tell about the patient."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from pydantic import Field

from treatment_agent.domain.messages import Channel
from treatment_agent.domain.value import Value

# Words that name treatment, a finding or a part of the mouth.
CLINICAL: Final = re.compile(
    r"\b(tooth|teeth|molars?|gums?|crowns?|bridges?|fillings?|veneers?|implants?|inlays?|onlays?|root canals?"
    r"|extractions?|dentures?|cavit(y|ies)|decay|infect\w+|abscess|diagnos\w+|procedures?|surgery"
    r"|treatments?(?! coordinator)|x-?rays?"
    r"|diente\w*|muelas?|encias?|coronas?|puentes?|empastes?|carillas?|implantes?|endodoncia|extraccion(es)?|caries"
    r"|infeccion(es)?|diagnostico|procedimientos?|tratamientos?|cirugia|radiografias?)\b",
    re.IGNORECASE,
)
_FILL_IN: Final = re.compile(r"\{[^{}]*\}")
_PERSONAL: Final = re.compile(r"\{(first_name|visit_day|provider|slot|slot_1|slot_2|call_time|until)\}")


class PhiLevel(StrEnum):
    """How much a text tells about a patient; a later member tells more.

    `NONE`: nothing, not even a name. `GENERIC`: that they are a patient, and when they come. `DETAIL`: treatment.
    """

    NONE = "none"
    GENERIC = "generic"
    DETAIL = "detail"

    def above(self, other: PhiLevel) -> bool:
        """True when this tells more than `other`."""
        order = list(PhiLevel)
        return order.index(self) > order.index(other)


class Texting(Value):
    """Limits for the office's texts.

    `phi` is the most a channel may carry; `DETAIL` also needs the patient's recorded wish. `segment_cents` is what the
    carrier charges for one SMS segment, in cents and parts of a cent; 0 when nobody told us.
    """

    most_segments: int = Field(default=2, ge=1)
    highest_grade: float = 6
    segment_cents: float = Field(default=0, ge=0)
    phi: dict[Channel, PhiLevel] = Field(default_factory=lambda: dict.fromkeys(Channel, PhiLevel.GENERIC))

    def allowed(self, channel: Channel) -> PhiLevel:
        """The most a channel may carry; a channel that is not named carries nothing about a patient."""
        return self.phi.get(channel, PhiLevel.NONE)

    def cost_cents(self, segments: int) -> float:
        """What so many segments cost, in cents and parts of a cent; 0 when the price is not known."""
        return segments * self.segment_cents


@lru_cache(maxsize=1024)
def level_of(template: str) -> PhiLevel:
    """How much a script tells, by its fill-ins and by the author's own words: an office may stand in Crown Street."""
    if CLINICAL.search(_FILL_IN.sub(" ", template)):
        return PhiLevel.DETAIL
    return PhiLevel.GENERIC if _PERSONAL.search(template) else PhiLevel.NONE
