"""The office profile: verified facts that approved scripts may be filled with."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from treatment_agent.domain.value import Value

OfficeText = Literal["hours_text", "parking", "financing_next_step"]


class Provider(Value):
    """A dentist or hygienist, as patients know them: `Dr. Lee`."""

    id: str
    name: str


class Hours(Value):
    """Opening hours of one weekday (0 = Monday), office-local, half-open."""

    weekday: int = Field(ge=0, le=6)
    opens: time
    closes: time


class OfficeWords(Value):
    """The office's own sentences in one language other than English, approved like a script."""

    language: str
    hours_text: str = ""
    parking: str = ""
    financing_next_step: str = ""


class OfficeProfile(Value):
    """Verified facts about the office; scripts may be filled from here. `zone` is an IANA name.

    `hours_text`, `parking` and `financing_next_step` are English; `words` holds them in other languages. A sentence is
    never put into a text of another language.
    """

    name: str
    phone: str
    booking_link: str
    address: str
    zone: str
    email: str = ""
    hours_text: str = ""
    parking: str = ""
    financing_next_step: str = "Our treatment coordinator can go over payment options with you."
    words: tuple[OfficeWords, ...] = (
        OfficeWords(
            language="es",
            financing_next_step="Nuestro coordinador puede revisar con usted las opciones de pago.",
        ),
    )
    hours: tuple[Hours, ...] = tuple(Hours(weekday=d, opens=time(8), closes=time(17)) for d in range(5))
    holidays: tuple[date, ...] = ()
    providers: tuple[Provider, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:
            raise ValueError(f"unknown time zone {value!r}; use an IANA name such as America/Chicago") from None
        return value

    @property
    def tz(self) -> ZoneInfo:
        """The office's zone."""
        return ZoneInfo(self.zone)

    def is_open(self, moment: datetime) -> bool:
        """True when the office is open at this instant (half-open hours, holidays closed)."""
        local = moment.astimezone(self.tz)
        if local.date() in self.holidays:
            return False
        return any(h.weekday == local.weekday() and h.opens <= local.time() < h.closes for h in self.hours)

    def provider_name(self, provider_id: str | None) -> str:
        """How patients know the provider; empty when nobody has that id."""
        return next((p.name for p in self.providers if p.id == provider_id), "")

    def text_in(self, language: str, field: OfficeText) -> str:
        """One of the office's sentences in `language`; empty when the office has not written it in that language."""
        source: OfficeProfile | OfficeWords | None = self
        if language != "en":
            source = next((w for w in self.words if w.language == language), None)
        if source is None:
            return ""
        texts = {
            "hours_text": source.hours_text,
            "parking": source.parking,
            "financing_next_step": source.financing_next_step,
        }
        return texts[field]
