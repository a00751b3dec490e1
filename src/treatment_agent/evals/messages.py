"""Labelled patient messages: reading them, and what the coordinator would do with each, without sending anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator

from treatment_agent.domain.interpretation import Intent, Topic
from treatment_agent.domain.value import Value
from treatment_agent.errors import ConfigurationError
from treatment_agent.triage import DEFAULT_OFFERS, Context, Triage

LABELS = frozenset((*(t.value for t in Topic), *(i.value for i in Intent)))
TOPICS = frozenset(t.value for t in Topic)


class LabelledMessage(Value):
    """One line of a message set. Times are local to the office and have no offset; what they mean: `Judged.facts`."""

    text: str = Field(min_length=1, repr=False)
    label: str
    context: Context
    lang: str
    voice: str
    style: str = ""
    option: int | None = None
    fits: tuple[datetime, ...] = ()
    misses: tuple[datetime, ...] = ()
    until: date | None = None
    call_at: datetime | None = None

    @field_validator("label")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in LABELS:
            raise ValueError(f"label {value!r} is unknown; use one of {', '.join(sorted(LABELS))}")
        return value

    @property
    def needs_person(self) -> bool:
        """True for a topic, False for a routine intent."""
        return self.label in TOPICS

    @property
    def tells(self) -> bool:
        """True when the line says which facts must be understood."""
        return bool(self.option or self.fits or self.misses or self.until or self.call_at)


@dataclass(frozen=True, slots=True)
class Judged:
    """A message and the verdict of `Triage.judge` on it."""

    message: LabelledMessage
    verdict: dict[str, object]
    zone: ZoneInfo

    @property
    def needs_person(self) -> bool:
        """True when a person must have it."""
        return self.message.needs_person

    @property
    def handed_off(self) -> bool:
        """True when a person gets it."""
        return self.verdict["action"] == "handoff"

    @property
    def right(self) -> bool:
        """True when the topic or the intent is the labelled one."""
        return self.verdict["label"] == self.message.label

    @property
    def facts(self) -> bool:
        """True when every fact told in the line was understood.

        The option and the date are equal; `fits` lie inside the windows (or the picked option is one of them) and
        `misses` outside; the time to call is equal or lies in a window.
        """
        message, facts = self.message, self.verdict["facts"]
        if not isinstance(facts, dict):
            return False
        windows = [(_moment(start), _moment(end)) for start, end in facts["windows"]]

        def inside(local: datetime) -> bool:
            moment = local.replace(tzinfo=self.zone)
            return any(start <= moment < end for start, end in windows)

        call_at = facts["call_at"] and _moment(facts["call_at"])
        wanted = message.call_at and message.call_at.replace(tzinfo=self.zone)
        picked = facts["option"]
        taken = DEFAULT_OFFERS[picked - 1].replace(tzinfo=None) if picked in (1, 2) else None
        return (
            (message.option is None or picked == message.option)
            and all(inside(moment) or moment == taken for moment in message.fits)
            and not any(inside(moment) for moment in message.misses)
            and (not message.misses or message.fits != () or message.option is not None or windows != [])
            and (message.until is None or facts["until"] == message.until.isoformat())
            and (message.call_at is None or call_at == wanted or inside(message.call_at))
        )


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def read_messages(place: Path) -> tuple[LabelledMessage, ...]:
    """All messages of a JSONL file, or of every `*.jsonl` in a folder, in the order of names.

    Raises:
        ConfigurationError: nothing is there, or a line is not of this form; names the file, the line and the field.
    """
    paths = sorted(place.glob("*.jsonl")) if place.is_dir() else [place]
    if not paths or not all(path.is_file() for path in paths):
        raise ConfigurationError(f"{place}: no message set is there; name a JSONL file or a folder of them")
    return tuple(message for path in paths for message in _lines(path))


def _lines(path: Path) -> Iterator[LabelledMessage]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield LabelledMessage.model_validate(json.loads(line))
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "line"
            raise ConfigurationError(f"{path.name}:{number}: {where}: {first['msg']}") from None
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"{path.name}:{number}: not JSON: {error.msg}") from None


def judge_messages(messages: Iterable[LabelledMessage], triage: Triage) -> Iterator[Judged]:
    """Judge one after another."""
    for number, message in enumerate(messages, 1):
        language = "es" if message.lang == "es" else "en"
        line: dict[str, object] = {
            "id": str(number), "text": message.text, "context": message.context, "language": language,
        }  # fmt: skip
        yield Judged(message, triage.judge(line), triage.policy.office.tz)
