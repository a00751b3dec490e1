"""Where a phone's owner may be, and when it is a decent hour in all of those places."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from treatment_agent.domain.patients import Patient
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.value import require_aware
from treatment_agent.errors import NotPermitted
from treatment_agent.policies.law import Binding
from treatment_agent.policies.office import OfficeProfile
from treatment_agent.policies.practice import ContactRules

# Zones by US state, for an address without a zone. States with two zones stand in both rows.
_STATES: Final = (
    ("America/New_York", "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC TN VA VT WV"),
    ("America/Chicago", "AL AR FL IA IL IN KS KY LA MI MN MO MS ND NE OK SD TN TX WI"),
    ("America/Denver", "CO ID KS MT ND NE NM NV OR SD TX UT WY"),
    ("America/Phoenix", "AZ"),
    ("America/Denver", "AZ"),
    ("America/Los_Angeles", "CA ID NV OR WA"),
    ("America/Anchorage", "AK"),
    ("America/Adak", "AK"),
    ("Pacific/Honolulu", "HI"),
    ("America/Puerto_Rico", "PR VI"),
    ("Pacific/Guam", "GU MP"),
    ("Pacific/Pago_Pago", "AS"),
)
_SEARCH_DAYS: Final = 60
_ORDER: Final = (
    "contact.holiday",
    "contact.no-sunday",
    "contact.quiet-hours",
    "contact.law-holiday",
    "contact.law-hours",
)


def plausible_zones(
    address: PhoneNumber | EmailAddress, patient: Patient | None, office: OfficeProfile
) -> tuple[ZoneInfo, ...]:
    """Every zone the owner of `address` may be in: the number's, the patient's zone and state, and the office's.

    A number tells where it was issued, not where its owner sleeps, so one zone never rules out another. Zone names
    nobody knows are left out; the office's zone always stands.
    """
    names = [office.zone]
    if isinstance(address, PhoneNumber):
        names += _zones_of_number(address)
    if patient is not None:
        state = (patient.state or "").strip().upper()
        names += [zone for zone, states in _STATES if state in states.split()]
        names += [patient.zone] if patient.zone else []
    found = (_zone(name) for name in dict.fromkeys(names))
    return tuple(zone for zone in found if zone is not None)


def blocked_by(
    now: datetime, zones: Sequence[ZoneInfo], rules: ContactRules, office: OfficeProfile, law: Binding | None = None
) -> str | None:
    """The rule that forbids writing first at `now` in some zone, or None when every zone allows it.

    The office's rules `contact.holiday`, `contact.no-sunday` and `contact.quiet-hours` are told before the law's
    `contact.law-holiday` and `contact.law-hours`, which are kept in every zone, wherever they come from. Half-open: at
    `quiet_until` a text may go, at `quiet_from` it may not.
    """
    instant = require_aware(now, "now").astimezone(UTC)
    found = {_blocked_in(instant.astimezone(zone), rules, office, law) for zone in zones}
    return next((rule for rule in _ORDER if rule in found), None)


def next_allowed(
    now: datetime, zones: Sequence[ZoneInfo], rules: ContactRules, office: OfficeProfile, law: Binding | None = None
) -> datetime:
    """The first instant at or after `now` (UTC) at which every zone allows a text. Correct across clock changes.

    Raises:
        NotPermitted: `contact.no-common-hours`: the zones share no decent hour within 60 days.
    """
    instant = require_aware(now, "now").astimezone(UTC)
    limit = instant + timedelta(days=_SEARCH_DAYS)
    while instant <= limit:
        closed = [z for z in zones if _blocked_in(instant.astimezone(z), rules, office, law)]
        if not closed:
            return instant
        instant = max(_next_open(instant, zone, rules, office, law) for zone in closed)
    raise NotPermitted("contact.no-common-hours", "no hour is allowed in every plausible zone of this contact")


def _blocked_in(local: datetime, rules: ContactRules, office: OfficeProfile, law: Binding | None) -> str | None:
    if local.date() in office.holidays:
        return "contact.holiday"
    if local.weekday() in rules.no_weekdays:
        return "contact.no-sunday"
    if is_quiet(local.time(), rules):
        return "contact.quiet-hours"
    return law.blocked_by(local) if law is not None else None


def is_quiet(wall: time, rules: ContactRules) -> bool:
    """True when the wall clock shows a quiet hour. Equal ends mean that it is always quiet."""
    if rules.quiet_from < rules.quiet_until:
        return rules.quiet_from <= wall < rules.quiet_until
    return wall >= rules.quiet_from or wall < rules.quiet_until


def _next_open(
    instant: datetime, zone: ZoneInfo, rules: ContactRules, office: OfficeProfile, law: Binding | None
) -> datetime:
    """The first opening in one zone after `instant`, or a day past the search when there is none."""
    today = instant.astimezone(zone).date()
    walls = {time(0), rules.quiet_until, *(law.openings() if law is not None else ())}
    for offset in range(_SEARCH_DAYS + 2):
        openings = (
            start
            for start in _starts(today + timedelta(days=offset), zone, walls)
            if start > instant and _blocked_in(start.astimezone(zone), rules, office, law) is None
        )
        found = min(openings, default=None)
        if found is not None:
            return found
    return instant + timedelta(days=_SEARCH_DAYS + 1)


def _starts(day: date, zone: ZoneInfo, walls: Collection[time]) -> Iterator[datetime]:
    """Instants at which a quiet time may end on a day, either side of an hour that comes twice."""
    for wall in walls:
        for fold in (0, 1):
            yield datetime.combine(day, wall, zone).replace(fold=fold).astimezone(UTC)


def _zones_of_number(number: PhoneNumber) -> list[str]:
    # Imported here: the tables of the library are large, and only sending needs them.
    import phonenumbers
    from phonenumbers import timezone

    try:
        parsed = phonenumbers.parse(number.reveal())
    except phonenumbers.NumberParseException:
        return []
    return [name for name in timezone.time_zones_for_number(parsed) if name != timezone.UNKNOWN_TIMEZONE]


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # ZoneInfoNotFoundError is a KeyError; a name that is no path at all raises ValueError.
        return None
