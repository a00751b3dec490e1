"""Whole exports of ledgers with drawn people: no original name, number, address or day of birth is left in the file."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from treatment_agent import Case, InboundMessage, Patient, PracticePolicy, Procedure
from treatment_agent.demo.app import open_practice
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.replay import export
from treatment_agent.replay.again import Again
from treatment_agent.replay.free_text import plain_words
from treatment_agent.replay.history import lines
from treatment_agent.replay.redacting import redact
from treatment_agent.replay.running import run

CHICAGO = ZoneInfo("America/Chicago")
OPENS = datetime(2026, 11, 23, 9, 0, tzinfo=CHICAGO)
NAMES = st.text(alphabet="bcdfghjklmnpqrstvwxz", min_size=5, max_size=10).filter(lambda w: w not in plain_words())


class Listed:
    def __init__(self, *cases: Case) -> None:
        self.cases = cases

    def read(self):
        yield from self.cases


@settings(max_examples=4, deadline=None)
@given(
    first=NAMES,
    last=NAMES,
    line=st.integers(100, 199),
    born=st.dates(date(1940, 1, 1), date(2005, 1, 1)),
    said=st.sampled_from(("hi {0} here, the first one", "{0} {1}: call {2}", "ask my doctor {1}, {3}")),
)
def test_no_original_is_left(
    tmp_path_factory: pytest.TempPathFactory, first: str, last: str, line: int, born: date, said: str
) -> None:
    folder: Path = tmp_path_factory.mktemp("drawn")
    practice = open_practice(folder, now=OPENS)
    coordinator = practice.coordinator
    number, email = f"+1312555{line:04d}", f"{first}@{last}.example"
    patient = Patient(
        id=f"chart-{last}", first_name=SecretStr(first.capitalize()), last_name=SecretStr(last.capitalize()),
        born_on=born, mobile=PhoneNumber.parse(number), email=EmailAddress.parse(email), sms=Permission.YES,
    )  # fmt: skip
    planned = Procedure(id="p1", code="D2740", fee_cents=123_400, provider_id="lee", diagnosed_on=date(2026, 11, 19))
    coordinator.enroll(
        Listed(Case(id=f"c-{last}", patient=patient, procedures=(planned,), visit_on=date(2026, 11, 19)))
    )
    practice.clock.set(OPENS.replace(hour=10, minute=5))
    coordinator.run_due()
    text = said.format(first, last.capitalize(), number, email)
    now = practice.clock.now()
    coordinator.receive(
        InboundMessage(id=f"{first}-1", sender=PhoneNumber.parse(number), text=SecretStr(text), received_at=now)
    )

    full = export.export(coordinator.ledger, coordinator.policy, coordinator.interpreter.version)
    made = redact(full, coordinator.policy, coordinator.interpreter)

    coordinator.close()
    header, *turns = (text.casefold() for text in lines(made))
    assert [s for s in (first, last, number[-7:], email, born.isoformat(), "123400") if s in "\n".join(turns)] == []
    assert [s for s in (first, last, number[-7:], email) if s in header] == []
    assert len(turns) == 2
    # What the file tells of itself is what comes out under the policy it carries.
    carried = PracticePolicy.model_validate_json(json.dumps(made.header.policy))
    assert run(made, Again(carried, coordinator.interpreter)).changes == ()
