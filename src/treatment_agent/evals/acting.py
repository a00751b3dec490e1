"""Simulated patients whose words a language model writes. Everybody in them is invented, so no agreement is needed.

    simulate(200, policy=policy, author=Author(calls))

When a patient answers, and how often at most, is still the persona's; the model only finds the words. Where it fails,
the persona's own text is sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from treatment_agent.domain.interpretation import ModelFailure
from treatment_agent.errors import ModelFailed
from treatment_agent.evals.personas import Persona
from treatment_agent.understanding.language_model import ModelCalls, Patience, Request
from treatment_agent.understanding.language_model.resilience import Asking, Breaker, Meter

_LONGEST: Final = 500
_NEWEST: Final = 12
_INSTRUCTIONS: Final = """
You play a patient of a dental office who answers its text messages, in a simulation; nobody in it is real. You get who
you are, what you want, your language, texts that somebody like you might write, and the conversation so far, oldest
first. Write the next text of the patient, as people write on a phone: short, in that language, in character. You may be
unclear, change your mind, ask about anything, or make mistakes. Answer with the JSON object only.
""".strip()


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    text: str


class Author:
    """Writes what patients say with a model. `texts` counts those it wrote, `meter` what it took.

    Args:
        calls: How the model is reached.
        patience: How long one text may take.
    """

    def __init__(self, calls: ModelCalls, patience: Patience | None = None) -> None:
        self._asking = Asking(calls, patience or Patience(), Breaker())
        self.texts = 0
        self.meter = Meter()

    def writes(self, persona: Persona, conversation: Sequence[str], instead: str) -> str:
        """The next text of this patient; `instead` where the model has none that counts. Never raises for a model."""
        found = self._asking.ask(_request(persona, conversation, instead), _read, self.meter)
        self.texts += found is not None
        return found or instead


def _request(persona: Persona, conversation: Sequence[str], instead: str) -> Request:
    told = {
        "who": persona.name,
        "wants": persona.goal,
        "language": persona.language,
        "might_write": instead,
        "conversation": conversation[-_NEWEST:],
    }
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
        "additionalProperties": False,
    }
    question = json.dumps(told, ensure_ascii=False)
    return Request(_INSTRUCTIONS, (), question, schema, "treatment-agent-patients")


def _read(reply: str) -> str:
    try:
        text = _Answer.model_validate_json(reply, strict=True).text
    except ValidationError:
        raise ModelFailed(ModelFailure.MALFORMED) from None
    if not text.strip():
        raise ModelFailed(ModelFailure.EMPTY)
    return text[:_LONGEST]
