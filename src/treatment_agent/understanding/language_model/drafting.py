"""Handoff summaries drafted by a language model, for staff only. Off unless an office passes a `SummaryDrafter`.

    Tools(..., drafter=SummaryDrafter(calls, baa=policy.baa_on_file))

A draft stands beside the fixed summary, named as a draft. It says nothing about urgency or owner, and no patient reads
it.
"""

from __future__ import annotations

import json
import logging
import re
import time
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, ValidationError

from treatment_agent.domain.interpretation import ModelFailure, ModelUse, Situation, Topic
from treatment_agent.domain.office import Agreement
from treatment_agent.errors import ModelFailed
from treatment_agent.ports import ConversationLine
from treatment_agent.understanding.language_model.calls import ModelCalls, Request, named
from treatment_agent.understanding.language_model.interpreter import require_agreement
from treatment_agent.understanding.language_model.prompt import moment
from treatment_agent.understanding.language_model.pseudonyms import Shown, hide, invented
from treatment_agent.understanding.language_model.resilience import Asking, Breaker, Meter, Patience

log = logging.getLogger(__name__)
_LONGEST_SUMMARY = 700
_LONGEST_CONVERSATION = 6000
_CONTROL = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069]")
_STAND_IN = re.compile(r"\[[A-Z]+\d+\]")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    summary: str


class SummaryDrafter:
    """Implements `ports.SummaryDrafter` with a language model.

    Args:
        calls: How the model is reached.
        baa: The office's agreement with its provider; needed unless the model runs on this machine.
        patience: How long one draft may take. No patient waits for it, the office's run does.
        breaker: When to leave the service alone; share the one of a `ModelInterpreter` that asks the same service.

    Raises:
        ConfigurationError: a remote model without an agreement on record.
    """

    def __init__(
        self,
        calls: ModelCalls,
        *,
        baa: Agreement | None = None,
        patience: Patience | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        require_agreement(calls, baa)
        self._remote = calls.remote
        self._name = named(calls)
        self._asking = Asking(calls, patience or Patience(), breaker or Breaker())

    @property
    def remote(self) -> bool:
        """True unless the model surely runs on this machine."""
        return self._remote

    def draft(
        self, lines: Sequence[ConversationLine], topics: Sequence[Topic], situation: Situation
    ) -> tuple[str, ModelUse]:
        """A summary of the conversation, and what it took. Empty where the model failed; `failures` say why.

        Never raises because of the model. Of a long conversation the newest lines count.
        """
        meter, began = Meter(), time.monotonic()
        shown = hide(_told(lines), situation)
        found = self._asking.ask(_request(shown, topics, situation), lambda reply: _read(reply, shown), meter)
        if found is None:
            log.warning("draft.failed model=%s kinds=%s", self._name, ",".join(meter.failures))
        use = ModelUse(
            model=self._name,
            prompt=summary_prompt()[0],
            calls=meter.calls,
            answered=found is not None,
            failures=tuple(meter.failures),
            input_tokens=meter.input_tokens,
            cached_tokens=meter.cached_tokens,
            output_tokens=meter.output_tokens,
            milliseconds=round(1000 * (time.monotonic() - began)),
        )
        return found or "", use


@cache
def summary_prompt() -> tuple[str, str]:
    """The version of the instructions, and the instructions."""
    raw = tomllib.loads((files("treatment_agent.understanding") / "language_model" / "summary.toml").read_text("utf-8"))
    return raw["version"], raw["instructions"].strip()


def _told(lines: Sequence[ConversationLine]) -> str:
    """One line each, oldest first; the oldest are left out where it is too much."""
    told: list[str] = []
    left = _LONGEST_CONVERSATION
    for by, said in reversed(lines):
        line = f"{by}: {' '.join(said.get_secret_value().split())}"[:_LONGEST_CONVERSATION]
        left -= len(line)
        if left < 0:
            break
        told.append(line)
    return "\n".join(reversed(told))


def _request(shown: Shown, topics: Sequence[Topic], situation: Situation) -> Request:
    version, instructions = summary_prompt()
    told = {"topics": [topic.value for topic in topics], "now": moment(situation), "conversation": shown.text}
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    }
    question = json.dumps(told, ensure_ascii=False)
    return Request(instructions, (), question, schema, f"treatment-agent-{version}")


def _read(reply: str, shown: Shown) -> str:
    """The summary with the hidden words in their places.

    Raises:
        ModelFailed: it is none, or it holds an address or number that the conversation does not: staff might use it.
    """
    kind = None
    said = ""
    try:
        said = " ".join(_Answer.model_validate_json(reply, strict=True).summary.split())
    except ValidationError:
        kind = ModelFailure.MALFORMED
    if kind is None and not said:
        kind = ModelFailure.EMPTY
    if len(said) > _LONGEST_SUMMARY or _CONTROL.search(said):
        kind = ModelFailure.MALFORMED
    if invented(_STAND_IN.sub("", said)) or not set(_STAND_IN.findall(said)) <= set(shown.hidden_words):
        kind = ModelFailure.NOT_IN_TEXT
    if kind is not None:
        # Raised outside the handler: the original error quotes the answer.
        raise ModelFailed(kind)
    return _STAND_IN.sub(lambda found: shown.hidden_words[found[0]], said)
