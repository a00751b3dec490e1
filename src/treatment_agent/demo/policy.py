"""Maple Dental's decisions: a complete policy in one small file, with only what differs from the defaults."""

from __future__ import annotations

from datetime import date, time

from treatment_agent.domain.treatment import Family
from treatment_agent.policies.office import OfficeProfile, OfficeWords, Provider
from treatment_agent.policies.practice import Cadence, PracticePolicy, Step
from treatment_agent.tools.office_template import Block, OfficeTemplate

ZONE = "America/Chicago"
CLOSED = (date(2026, 11, 26), date(2026, 11, 27), date(2026, 12, 25))
PROVIDERS = (
    Provider(id="lee", name="Dr. Lee"),
    Provider(id="okafor", name="Dr. Okafor"),
    Provider(id="ramos", name="Dr. Ramos"),
)
_LONG = (Family.CROWN, Family.BRIDGE, Family.BUILD_UP, Family.VENEER, Family.INLAY_ONLAY)
_SHORT = (Family.FILLING, Family.INLAY_ONLAY)


def maple_policy() -> PracticePolicy:
    """The policy of the invented practice. Its reminders come a little sooner, so that two weeks show them all."""
    return PracticePolicy(
        id="maple-dental",
        office=OfficeProfile(
            name="Maple Dental",
            phone="(312) 555-0100",
            booking_link="https://maple.example/book",
            address="120 Maple Street, Chicago, IL 60601",
            zone=ZONE,
            email="hello@maple.example",
            parking="There is free parking behind the office, entrance on Oak Street.",
            words=(
                OfficeWords(
                    language="es",
                    parking="Estacionamiento gratis al fondo, entrada por Oak Street.",
                    financing_next_step="Nuestro coordinador puede revisar con usted las opciones de pago.",
                ),
            ),
            holidays=CLOSED,
            providers=PROVIDERS,
        ),
        cadence=Cadence(
            steps=(
                Step(after_days=1, at=time(10), script_id="first-message"),
                Step(after_days=3, at=time(10), script_id="reminder-1"),
                Step(after_days=4, at=time(10), script_id="reminder-2"),
            ),
            review_after_days=4,
        ),
    )


def maple_template() -> OfficeTemplate:
    """When each provider takes which kind of visit."""
    return OfficeTemplate(
        zone=ZONE,
        holidays=CLOSED,
        blocks=(
            Block(provider_id="lee", weekday=1, start=time(9), end=time(12), families=_LONG),
            Block(provider_id="lee", weekday=1, start=time(13), end=time(16), families=_LONG),
            Block(provider_id="lee", weekday=3, start=time(14), end=time(17), families=_LONG),
            Block(provider_id="lee", weekday=0, start=time(13), end=time(16), families=_LONG),
            Block(provider_id="lee", weekday=2, start=time(8), end=time(12), families=_SHORT),
            Block(provider_id="lee", weekday=4, start=time(9), end=time(12), families=(*_LONG, Family.FILLING)),
            Block(provider_id="okafor", weekday=0, start=time(8), end=time(12), families=_LONG),
            Block(provider_id="okafor", weekday=2, start=time(13), end=time(17), families=_LONG),
            Block(provider_id="okafor", weekday=1, start=time(13), end=time(17), families=_SHORT),
            Block(provider_id="okafor", weekday=3, start=time(8), end=time(12), families=(*_LONG, Family.FILLING)),
            Block(provider_id="ramos", weekday=0, start=time(9), end=time(12), families=_SHORT),
            Block(provider_id="ramos", weekday=2, start=time(9), end=time(12), families=(*_LONG, Family.FILLING)),
            Block(provider_id="ramos", weekday=3, start=time(13), end=time(17), families=(*_LONG, Family.FILLING)),
        ),
    )
