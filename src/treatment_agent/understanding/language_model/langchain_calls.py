"""Any LangChain chat model as the model behind the interpreter."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from treatment_agent.domain.interpretation import ModelFailure
from treatment_agent.errors import ModelFailed
from treatment_agent.understanding.language_model.calls import Reply, Request, on_this_machine

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

_CUT = frozenset({"length", "max_tokens", "MAX_TOKENS", "max_output_tokens"})
_REFUSED = frozenset({"content_filter", "refusal", "SAFETY"})
_TOO_MANY, _SERVER = 429, 500
_KINDS = (
    ("timeout", ModelFailure.TIMEOUT),
    ("ratelimit", ModelFailure.RATE_LIMITED),
    ("connect", ModelFailure.CONNECTION),
    ("remoteprotocol", ModelFailure.CONNECTION),
)


class LangChainCalls:
    """Implements `ModelCalls` with a `BaseChatModel`.

    Args:
        model: Set up by you, with retries off (`max_retries=0`): they are made here, within one deadline.
        address: Where it runs. Only a loopback address frees it from the need of an agreement.
        name: What to record it as; the model's own name by default.
        traced: Let LangSmith, where it is set up, see the question and the answer. They hold what the patient wrote,
            with stand-ins for names and numbers; say True only if an agreement covers the place it goes to.

    The answer's schema stands in the instructions: not every chat model can be held to one.
    """

    def __init__(
        self, model: BaseChatModel, *, address: str | None = None, name: str | None = None, traced: bool = False
    ) -> None:
        self._model = model
        self._remote = address is None or not on_this_machine(address)
        own = getattr(model, "model_name", None) or getattr(model, "model", None)
        self._name = name or (own if isinstance(own, str) else model._llm_type)
        self._traced = traced

    @property
    def name(self) -> str:
        """As given, or the model's own name."""
        return self._name

    @property
    def remote(self) -> bool:
        """True unless `address` is a loopback address."""
        return self._remote

    def ask(self, request: Request, *, timeout: float) -> Reply:
        """Ask once. The model's own timeout counts here; the interpreter waits no longer than `timeout`.

        Raises:
            ModelFailed: with the kind of failure. The original error is not kept: it may quote the patient.
        """
        kind = ModelFailure.BROKEN
        try:
            from langsmith import tracing_context

            with nullcontext() if self._traced else tracing_context(enabled=False):
                return _reply(self._model.invoke(_messages(request)))
        except ModelFailed:
            raise
        except Exception as error:
            kind = _kind(error)
        raise ModelFailed(kind)


def _messages(request: Request) -> list[BaseMessage]:
    import json

    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    messages: list[BaseMessage] = [
        SystemMessage(f"{request.instructions}\n\nThe JSON Schema of your answer:\n{json.dumps(request.schema)}")
    ]
    for question, answer in request.examples:
        messages += [HumanMessage(question), AIMessage(answer)]
    return [*messages, HumanMessage(request.question)]


def _reply(message: AIMessage) -> Reply:
    told = message.response_metadata
    finish = told.get("finish_reason") or told.get("stop_reason") or told.get("done_reason")
    if finish in _REFUSED or message.additional_kwargs.get("refusal"):
        raise ModelFailed(ModelFailure.REFUSED)
    if finish in _CUT:
        raise ModelFailed(ModelFailure.TRUNCATED)
    usage = message.usage_metadata
    if usage is None:
        return Reply(str(message.text))
    cached = usage.get("input_token_details", {}).get("cache_read", 0)
    return Reply(str(message.text), usage["input_tokens"], cached or 0, usage["output_tokens"])


def _kind(error: Exception) -> ModelFailure:
    """By status where there is one, else by the name of the error: each integration has errors of its own."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        if status == _TOO_MANY:
            return ModelFailure.RATE_LIMITED
        return ModelFailure.SERVER if status >= _SERVER else ModelFailure.REJECTED
    name = type(error).__name__.lower()
    return next((kind for word, kind in _KINDS if word in name), ModelFailure.BROKEN)
