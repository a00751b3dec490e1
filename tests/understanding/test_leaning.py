"""Loose words for an offered time: every cue must mean the same slot."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from treatment_agent.domain.interpretation import Situation
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.text import normalize
from treatment_agent.understanding.leaning import lean_to

CHICAGO = ZoneInfo("America/Chicago")
STARTS = (datetime(2026, 12, 1, 9, tzinfo=CHICAGO), datetime(2026, 12, 3, 14, tzinfo=CHICAGO))


def leans(text: str, offered: int = 2) -> int | None:
    slots = tuple(
        Slot(id=f"s{n}", start=start, end=start + timedelta(hours=1), provider_id="lee")
        for n, start in enumerate(STARTS[:offered])
    )
    return lean_to(normalize(text), Situation(now=datetime(2026, 11, 23, 10, tzinfo=CHICAGO), offers=slots))


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("the pm one", 2),
        ("Guess 9 it is", 1),
        ("la 1 bro", 1),
        ("la de la nuebe bendision", 1),
        ("kids voted for the thursday", 2),
        ("dec 1st at 9", 1),
        ("I was all for Tuesday until the flu shot, so the other one", 2),
    ],
)
def test_one_slot_is_meant(text: str, slot: int) -> None:
    assert leans(text) == slot


@pytest.mark.parametrize(
    "text",
    [
        "thursday at 3",
        "tuesday or thursday",
        "dec 8 at 9",
        "el 9 de diciembre",
        "december the 9th",
        "not tuesday",
        "rm 1, keep 2",
        "thanks",
        "friday",
    ],
)
def test_none_is_meant(text: str) -> None:
    assert leans(text) is None


def test_of_one_offer_there_is_nothing_to_tell_apart() -> None:
    assert leans("9 it is", offered=1) is None
