"""Invented patients and calendars for simulation: drawn by chance, the same for the same seed."""

from __future__ import annotations

import itertools
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from pydantic import SecretStr

from treatment_agent.domain.patients import Patient, Permission
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Case, Family, Procedure
from treatment_agent.policies.practice import PracticePolicy

_AREAS: Final = ("312", "312", "312", "212", "415", "602")
_NAMES: Final = ("Ana", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "María José", "O'Neil")
_CODES: Final = ("D2740", "D2740", "D2392", "D2950", "D6750")
_SHARES_NUMBER: Final = 0.05


def case(number: int, chance: Random, *, language: str, starts: datetime) -> Case:
    """An invented patient, `case-<number>`, with one open procedure. Some share a number with the one before."""
    place = number % 100
    shares = place > 0 and chance.random() < _SHARES_NUMBER
    area = "312" if shares else chance.choice(_AREAS)
    patient = Patient(
        id=f"patient-{number}",
        first_name=SecretStr(chance.choice(_NAMES)),
        last_name=SecretStr(f"Sample-{number}"),
        born_on=date(1950 + number % 50, 1 + number % 12, 3),
        mobile=PhoneNumber(f"+1{area}55501{place - 1 if shares else place:02d}"),
        sms=Permission.YES,
        language=language,
    )
    seen_on = starts.date() - timedelta(days=chance.choice((0, 0, 1, 5, 30, 90)))
    procedure = Procedure(
        id=f"procedure-{number}",
        code=chance.choice(_CODES),
        tooth=str(chance.randint(2, 31)),
        fee_cents=chance.randrange(20000, 180000, 500),
        diagnosed_on=seen_on,
    )
    return Case(id=f"case-{number}", patient=patient, procedures=(procedure,), visit_on=seen_on)


def openings(policy: PracticePolicy, chance: Random, *, starts: datetime) -> list[Slot]:
    """Some openings on every workday for ten weeks, two hours each, for every family, with gaps."""
    providers = [provider.id for provider in policy.office.providers] or ["anybody"]
    made = []
    for offset, hour in itertools.product(range(1, 70), (8, 10, 13, 15)):
        day = starts.date() + timedelta(days=offset)
        if day.weekday() < 5 and day not in policy.office.holidays and chance.random() < 0.6:
            start = datetime.combine(day, time(hour), policy.office.tz)
            provider = chance.choice(providers)
            made.append(Slot(start, start + timedelta(hours=2), provider, f"{day}-{hour}", Family.OTHER))
    return made
