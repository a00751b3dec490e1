"""The invented patients: who answers what, and after how long."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from treatment_agent.demo.app import Practice
from treatment_agent.demo.moments import Happened, What
from treatment_agent.demo.story import Line, Story
from treatment_agent.domain.messages import InboundMessage
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import Slot
from treatment_agent.errors import ConfigurationError

Plan = Callable[[datetime, Callable[[datetime], Iterator[Happened]]], None]
_EARLIEST_HOUR, _LATEST_HOUR = 7, 21
_AGAIN = Line(text="1", wait=timedelta(minutes=6))
_UNFILLED = re.compile(r"\{[a-z]+\d\}")


@dataclass(slots=True)
class _Script:
    """How far a patient has come. `armed`: the next line is already on the agenda."""

    lines: tuple[Line, ...]
    next: int = 0
    armed: bool = False


@dataclass(slots=True)
class Patients:
    """Listens to what the office sends and puts the answers on the agenda."""

    practice: Practice
    story: Story
    plan: Plan
    _scripts: dict[str, _Script] = field(default_factory=dict)
    _sent: int = 0

    def __post_init__(self) -> None:
        self._scripts = {c.id: _Script(c.says) for c in self.story.patient}

    def heard(self, happened: Happened) -> None:
        """Somebody's phone may have rung, or staff may have spoken to them."""
        script = self._scripts.get(happened.patient_id)
        outcome = happened.outcome
        if script is None or outcome is None or script.armed:
            return
        texts = [reply.script_id for reply in outcome.replies if reply.status == "sent"]
        if any(t.startswith("slot-taken") for t in texts):
            # Somebody was faster: people simply pick again.
            script.lines = (*script.lines[: script.next], _AGAIN, *script.lines[script.next :])
        if script.next >= len(script.lines):
            return
        line = script.lines[script.next]
        by_staff = line.after == "staff" and happened.what is What.STAFF and happened.note in ("resume", "booked")
        by_text = bool(texts) and (line.after == "text" or any(t.startswith(line.after) for t in texts))
        if by_staff or by_text:
            self._arm(happened.patient_id, script, happened.at)

    def _arm(self, patient_id: str, script: _Script, since: datetime) -> None:
        script.armed = True
        line = script.lines[script.next]
        self.plan(self._awake(since + line.wait), lambda at: self._write(patient_id, script, at))

    def _write(self, patient_id: str, script: _Script, at: datetime) -> Iterator[Happened]:
        line = script.lines[script.next]
        script.next += 1
        script.armed = False
        words = self._filled(line.text, patient_id)
        self._sent += 1
        message = InboundMessage(
            id=f"demo-{self._sent:04d}",
            sender=self._phone(patient_id),
            text=SecretStr(words),
            received_at=at,
            media=line.media,
        )
        outcome = self.practice.coordinator.receive(message)
        if script.next < len(script.lines) and script.lines[script.next].after == "message":
            self._arm(patient_id, script, at)
        yield Happened(at, What.WROTE, patient_id=patient_id, words=words or "(a picture)", outcome=outcome)

    def _phone(self, patient_id: str) -> PhoneNumber:
        conversation_id = self._conversation(patient_id)
        case = self.practice.coordinator.ledger.facts(conversation_id, at=self.practice.clock.now()).case
        mobile = case.patient.contact_on(self._local().date()).mobile if case else None
        if mobile is None:
            raise ConfigurationError(f"patients.toml: {patient_id} writes, but the export has no phone to write from")
        return mobile

    def _conversation(self, patient_id: str) -> str:
        ids = self.practice.coordinator.ledger.conversation_ids_of_patient(patient_id)
        if not ids:
            raise ConfigurationError(f"patients.toml: {patient_id} is in none of the exports")
        return ids[0]

    def _filled(self, text: str, patient_id: str) -> str:
        """Put the offered times where the line speaks of them."""
        if "{" not in text:
            return text
        conversation_id = self._conversation(patient_id)
        facts = self.practice.coordinator.ledger.facts(conversation_id, at=self.practice.clock.now())
        return _UNFILLED.sub("1", filled(text, facts.conversation.offers, self._local()))

    def _awake(self, at: datetime) -> datetime:
        """Nobody in this story texts in the middle of the night."""
        local = at.astimezone(self.practice.coordinator.policy.office.tz)
        if local.hour >= _LATEST_HOUR:
            return at + timedelta(hours=11)
        return at + timedelta(hours=_EARLIEST_HOUR - local.hour) if local.hour < _EARLIEST_HOUR else at

    def _local(self) -> datetime:
        return self.practice.clock.now().astimezone(self.practice.coordinator.policy.office.tz)


def filled(text: str, offers: Sequence[Slot], local: datetime) -> str:
    """Put the offered times where a patient's line speaks of them: `{day1}`, `{date2}`, `{time1}`."""
    for number, slot in enumerate(offers, start=1):
        for name, words in _spoken(slot, local).items():
            text = text.replace(f"{{{name}{number}}}", words)
    return text


def _spoken(slot: Slot, local: datetime) -> dict[str, str]:
    """An offered time as people say it."""
    start = slot.start.astimezone(local.tzinfo)
    hour = f"{start.hour % 12 or 12}{f':{start:%M}' if start.minute else ''}{'am' if start.hour < 12 else 'pm'}"
    return {"day": f"{start:%A}", "date": f"{start:%b} {start.day}", "time": hour}
