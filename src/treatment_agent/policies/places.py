"""Which states the owner of a phone may be in: by its number, by the address in the chart, and by the office."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from treatment_agent.domain.patients import Patient
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.policies.law import Binding, Law
from treatment_agent.policies.office import OfficeProfile

_NAMES: Final = {
    "alabama": "AL", "alaska": "AK", "arizona": "AZ", "arkansas": "AR", "california": "CA", "colorado": "CO",
    "connecticut": "CT", "delaware": "DE", "district of columbia": "DC", "washington d.c.": "DC", "florida": "FL",
    "georgia": "GA", "guam": "GU", "hawaii": "HI", "idaho": "ID", "illinois": "IL", "indiana": "IN", "iowa": "IA",
    "kansas": "KS", "kentucky": "KY", "louisiana": "LA", "maine": "ME", "maryland": "MD", "massachusetts": "MA",
    "michigan": "MI", "minnesota": "MN", "mississippi": "MS", "missouri": "MO", "montana": "MT", "nebraska": "NE",
    "nevada": "NV", "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY",
    "north carolina": "NC", "north dakota": "ND", "ohio": "OH", "oklahoma": "OK", "oregon": "OR", "pennsylvania": "PA",
    "puerto rico": "PR", "rhode island": "RI", "south carolina": "SC", "south dakota": "SD", "tennessee": "TN",
    "texas": "TX", "utah": "UT", "vermont": "VT", "virginia": "VA", "washington": "WA", "washington state": "WA",
    "west virginia": "WV", "wisconsin": "WI", "wyoming": "WY",
}  # fmt: skip
_CODES: Final = frozenset(_NAMES.values())
_IN_ADDRESS: Final = re.compile(r"\b([A-Z]{2})\.?,?\s+\d{5}(?:-\d{4})?\s*$")
_PREFIX_DIGITS: Final = 8


def state_code(text: str) -> str | None:
    """The two letters of a state written as a name or a code in any case; None when it is no state."""
    word = text.strip()
    return word.upper() if word.upper() in _CODES else _NAMES.get(word.casefold())


def office_state(office: OfficeProfile, law: Law) -> str | None:
    """The office's state: as the policy says, or as its address ends (`Chicago, IL 60601`)."""
    if law.state:
        return state_code(law.state)
    found = _IN_ADDRESS.search(office.address)
    return state_code(found.group(1)) if found else None


def plausible_states(
    address: PhoneNumber | EmailAddress, patient: Patient | None, office: OfficeProfile, law: Law
) -> tuple[str, ...]:
    """Every state whose law may protect the owner of `address`; none of them rules out another."""
    found = [office_state(office, law)]
    if isinstance(address, PhoneNumber):
        found.append(_state_of_number(address))
    if patient is not None and patient.state:
        found.append(state_code(patient.state))
    return tuple(sorted({state for state in found if state is not None}))


def binding_law(
    address: PhoneNumber | EmailAddress, patient: Patient | None, office: OfficeProfile, law: Law
) -> Binding:
    """Federal law and that of every state whose people this text may reach."""
    return law.binding(plausible_states(address, patient, office, law))


def _state_of_number(number: PhoneNumber) -> str | None:
    # The exchange decides where a number was issued, so its owner's own digits never become a key.
    return _state_of_exchange(number.reveal()[:_PREFIX_DIGITS])


@lru_cache(maxsize=4096)
def _state_of_exchange(prefix: str) -> str | None:
    # Imported here: the tables of the library are large, and only sending needs them.
    import phonenumbers
    from phonenumbers import geocoder

    try:
        parsed = phonenumbers.parse(f"{prefix}0100")
    except phonenumbers.NumberParseException:
        return None
    if parsed.country_code != 1:
        return None
    return state_code(geocoder.description_for_number(parsed, "en").rpartition(",")[2])
