"""What a model is told: fixed instructions, examples of the library and of the office, then the question."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from treatment_agent.domain.interpretation import Asked, Intent, LogisticsAsk, Reason, Situation, Topic
from treatment_agent.domain.scheduling import Slot
from treatment_agent.errors import ConfigurationError, ModelFailed
from treatment_agent.understanding.language_model import answer
from treatment_agent.understanding.language_model.calls import Request

# The C locale's names, whatever the machine's own language is.
_DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message of the kind an office gets, and how it is to be read. Invent it: it is sent with every request.

    `clauses` are the words of each clause in order with their label, None for what nobody can tell. `offers` are times
    as a model sees them, such as `Tue Dec 1 2026 09:00`.
    """

    message: str
    clauses: tuple[tuple[str, Topic | Intent | None], ...]
    asked: Asked = Asked.OFFER
    offers: tuple[str, ...] = ()
    language: str = "en"
    option: int | None = None
    reason: Reason | None = None
    asks: LogisticsAsk | None = None

    def pair(self) -> tuple[str, str]:
        """Question and answer, as a model sees them.

        Raises:
            ConfigurationError: the example would teach an answer that does not count.
        """
        told = {
            "language": self.language,
            "clauses": [
                {"quote": words, "label": label or answer.UNCLEAR, "confidence": 0.95, "evidence": [words]}
                for words, label in self.clauses
            ],
            "facts": {
                "option": self.option,
                "windows": [],
                "call_at": None,
                "until": None,
                "reason": self.reason,
                "asks": self.asks,
            },
        }
        reply = json.dumps(told, ensure_ascii=False)
        problem = ""
        try:
            answer.understood(reply, self.message, None)
        except ModelFailed as error:
            problem = error.kind
        if problem:
            raise ConfigurationError(
                f"Example: the answer does not count ({problem}); quote the clauses in order, word by word"
            )
        return _question(self.asked, self.offers, None, self.message), reply


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a model is told before the question. `version` names it in every event."""

    version: str
    instructions: str
    examples: tuple[tuple[str, str], ...]

    def request(self, shown: str, situation: Situation) -> Request:
        """The request for one message, as it may be shown, in its situation."""
        offers = tuple(_slot(slot) for slot in situation.offers)
        now = moment(situation)
        return Request(
            instructions=self.instructions,
            examples=self.examples,
            question=_question(situation.asked, offers, now, shown),
            schema=answer.schema(),
            cache_key=f"treatment-agent-{self.version}",
        )


def prompt_with(examples: Iterable[Example] = ()) -> Prompt:
    """The prompt with an office's own examples after those of the library. Each set has a version of its own."""
    shipped = _shipped()
    own = tuple(example.pair() for example in examples)
    if not own:
        return shipped
    digest = sha256(json.dumps(own).encode()).hexdigest()[:8]
    return Prompt(f"{shipped.version}-{digest}", shipped.instructions, (*shipped.examples, *own))


@cache
def _shipped() -> Prompt:
    raw = tomllib.loads((files("treatment_agent.understanding") / "language_model" / "prompt.toml").read_text("utf-8"))
    labels = {member.value: member for member in (*Topic, *Intent)}
    examples = (
        Example(
            message=row["message"],
            clauses=tuple((words, labels[label]) for words, label in row["clauses"]),
            asked=Asked(row["asked"]),
            offers=tuple(row["offers"]),
            language=row["language"],
            option=row.get("option"),
        )
        for row in raw["example"]
    )
    return Prompt(raw["version"], raw["instructions"].strip(), tuple(example.pair() for example in examples))


def _question(asked: Asked, offers: tuple[str, ...], now: str | None, message: str) -> str:
    """JSON, so that nothing in the message can pass for what surrounds it."""
    told = {
        "asked": asked.value,
        "offered": {str(number): offer for number, offer in enumerate(offers, start=1)},
        "now": now or "Tue Nov 24 2026 18:00",
        "message": message,
    }
    return json.dumps(told, ensure_ascii=False)


def moment(situation: Situation) -> str:
    """The office's local time as a model sees it."""
    now = situation.now
    return f"{_DAYS[now.weekday()]} {_MONTHS[now.month - 1]} {now.day} {now.year} {now:%H:%M}"


def _slot(slot: Slot) -> str:
    start = slot.start
    return f"{_DAYS[start.weekday()]} {_MONTHS[start.month - 1]} {start.day} {start.year} {start:%H:%M}"
