"""Why a message was read as it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Asked, Situation
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.understanding.explaining import Explained, explain
from treatment_agent.understanding.local import LocalInterpreter

NOW = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("America/Chicago"))
OFFERS = tuple(
    Slot(NOW + timedelta(days=n), NOW + timedelta(days=n, hours=1), "lee", f"o{n}", Family.CROWN) for n in (7, 9)
)
LOCAL = LocalInterpreter()


def explained(text: str) -> tuple[Explained, ...]:
    situation = Situation(now=NOW, asked=Asked.OFFER, offers=OFFERS)
    return explain(LOCAL.interpret(SecretStr(text), situation), text)


@pytest.mark.parametrize(
    ("text", "part", "words"),
    [
        ("2 please", "parser", {"2"}),
        ("how much is this going to cost me", "lexicon", {"how much is"}),
        ("STOP", "keyword", {"STOP"}),
        ("the purple one with sprinkles upside down", "judge", {"purple", "sprinkles", "upside"}),
    ],
)
def test_names_the_part_that_decided_and_the_words_it_went_by(text, part, words):
    (one,) = [each for each in explained(text) if each.part == part]
    assert words & set(one.words)
    assert one.clause in text


def test_says_which_words_it_did_not_understand():
    found = explained("how much is it, the flurble is glorping")
    (unsure,) = [each for each in found if not each.label]
    assert set(unsure.words) == {"flurble", "glorping"}


@pytest.mark.parametrize("text", ["2 please", "can I park in the back", "is it safe to wait, it throbs at night"])
def test_every_clause_tells_the_words_that_weighed_most(text):
    assert all(each.words and each.decided_by and each.rule for each in explained(text))
