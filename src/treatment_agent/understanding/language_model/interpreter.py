"""`ModelInterpreter`: reads a message with a language model."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from pydantic import SecretStr

from treatment_agent.domain.interpretation import ClauseReading, Interpretation, ModelFailure, ModelUse, Situation, Span
from treatment_agent.domain.office import Agreement
from treatment_agent.domain.text import normalize
from treatment_agent.errors import ConfigurationError, ModelFailed
from treatment_agent.policies.tongue import written_in
from treatment_agent.understanding.language_model import answer
from treatment_agent.understanding.language_model.calls import ModelCalls, named
from treatment_agent.understanding.language_model.prompt import Example, prompt_with
from treatment_agent.understanding.language_model.pseudonyms import Shown, hide
from treatment_agent.understanding.language_model.resilience import Asking, Breaker, Meter, Patience

log = logging.getLogger(__name__)
_LONGEST_TEXT = 2000


class Mode(StrEnum):
    """When the model is asked. Deterministic turns (opt-out, a bare option number, emergency words) never ask it."""

    LOCAL_ONLY = "local_only"
    ON_ABSTENTION = "on_abstention"
    ALWAYS = "always"


def require_agreement(asked: object, baa: Agreement | None) -> None:
    """Refuse a model elsewhere without an agreement; whatever has no `remote` asks nobody elsewhere that we know of.

    Raises:
        ConfigurationError: see above.
    """
    if getattr(asked, "remote", False) and baa is None:
        raise ConfigurationError(
            "ModelInterpreter: the model is not on this machine and no business associate agreement is on record; "
            "set PracticePolicy.baa_on_file and pass it as `baa`, or use a server on a loopback address"
        )


class ModelInterpreter:
    """Implements `ports.Interpreter` with a language model. `Coordinator` puts the local interpreter beside it.

    Args:
        calls: How the model is reached.
        baa: The office's agreement with the model's provider (`policy.baa_on_file`); needed unless the model runs on
            this machine.
        mode: When it is asked.
        examples: Messages as this office gets them, invented, after the examples of the library.
        patience: How long a turn waits.
        breaker: When to leave the service alone; share one between interpreters of the same service.

    Raises:
        ConfigurationError: a remote model without an agreement on record.
    """

    def __init__(
        self,
        calls: ModelCalls,
        *,
        baa: Agreement | None = None,
        mode: Mode = Mode.ON_ABSTENTION,
        examples: Iterable[Example] = (),
        patience: Patience | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        require_agreement(calls, baa)
        self.mode = mode
        self._remote = calls.remote
        self._asking = Asking(calls, patience or Patience(), breaker or Breaker())
        self._prompt = prompt_with(examples)
        self._name = named(calls)

    @property
    def version(self) -> str:
        """Model and prompt, recorded with every turn."""
        return f"{self._name}/{self._prompt.version}"

    @property
    def remote(self) -> bool:
        """True unless the model surely runs on this machine."""
        return self._remote

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """Read the message. Where the model fails in any way nothing was understood, and `model.failures` says why.

        Never raises because of the model; a message longer than 2000 characters is not sent.
        """
        raw = text.get_secret_value()
        meter, began = Meter(), time.monotonic()
        found: answer.Understood | None = None
        if raw.strip() and len(raw) <= _LONGEST_TEXT:
            found = self._ask(hide(raw, situation), situation, meter)
        use = ModelUse(
            model=self._name,
            prompt=self._prompt.version,
            calls=meter.calls,
            answered=found is not None,
            failures=tuple(meter.failures),
            input_tokens=meter.input_tokens,
            cached_tokens=meter.cached_tokens,
            output_tokens=meter.output_tokens,
            milliseconds=round(1000 * (time.monotonic() - began)),
            said=tuple(clause.label for clause in found.clauses) if found else (),
        )
        if found is None:
            if meter.failures:
                log.warning("model.failed model=%s kinds=%s", self._name, ",".join(meter.failures))
            return Interpretation((), "und", self.version, model=use)
        return Interpretation(found.clauses, found.language, self.version, found.facts, use)

    def _ask(self, shown: Shown, situation: Situation, meter: Meter) -> answer.Understood | None:
        def read(reply: str) -> answer.Understood:
            try:
                found = answer.understood(reply, shown.text, situation.now.tzinfo)
            except ModelFailed:
                raise
            except Exception as error:
                kind = type(error).__name__
            else:
                return _led_back(_in_its_language(found, shown), shown)
            log.warning("model.unreadable error=%s", kind)
            raise ModelFailed(ModelFailure.MALFORMED)

        return self._asking.ask(self._prompt.request(shown.text, situation), read, meter)


def _in_its_language(found: answer.Understood, shown: Shown) -> answer.Understood:
    """The answer, unless it takes plain English for Spanish or the other way round: then it read something else."""
    told = written_in(normalize(shown.raw))
    if told is not None and found.language in ("en", "es") and found.language != told:
        raise ModelFailed(ModelFailure.LANGUAGE)
    return found


def _led_back(found: answer.Understood, shown: Shown) -> answer.Understood:
    """The same readings in places of the message as it was received."""

    def back(clause: ClauseReading) -> ClauseReading:
        evidence: tuple[Span, ...] = tuple(shown.back(span) for span in clause.evidence)
        return replace(clause, span=shown.back(clause.span), evidence=evidence)

    return replace(found, clauses=tuple(back(clause) for clause in found.clauses))
