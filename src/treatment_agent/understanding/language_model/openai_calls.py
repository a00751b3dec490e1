"""Models behind the OpenAI protocol: OpenAI itself, or any compatible server, such as one on this machine.

The `openai` package is imported when one is made: it takes longer to load than everything else here together.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

from treatment_agent.domain.interpretation import ModelFailure
from treatment_agent.errors import ConfigurationError, ModelFailed
from treatment_agent.understanding.language_model.calls import Reply, Request, on_this_machine

OPENAI = "https://api.openai.com/v1"
_NAME = "reading"
_LEAST_SECONDS = 0.05
_TOO_MANY, _SERVER, _TIMED_OUT = 429, 500, 408


class Api(StrEnum):
    """Which of the two ways of asking the server speaks."""

    CHAT = "chat_completions"
    RESPONSES = "responses"


class OpenAICalls:
    """Implements `ModelCalls` with the `openai` package.

    Args:
        model: The model's name at the provider.
        api_key: The key; a server on this machine may need none.
        base_url: Where the server is, with its version path; OpenAI's own by default, whatever the environment says.
        api: Chat completions, or the responses API.
        stream: Take the answer piece by piece. The deadline then counts for every piece, not for the whole answer.
        structured: The server honours a JSON Schema; False asks for any JSON, for servers that do not know schemas.
        options: More parameters of the request as the provider names them, such as `{"temperature": 0}`.

    Safe for threads. The server may not redirect: the words would go where nobody agreed to send them.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: SecretStr | str | None = None,
        base_url: str = OPENAI,
        api: Api = Api.CHAT,
        stream: bool = False,
        structured: bool = True,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._model = model
        self._remote = not on_this_machine(base_url)
        key = api_key.get_secret_value() if isinstance(api_key, SecretStr) else api_key
        if self._remote and not key:
            raise ConfigurationError("OpenAICalls: api_key is missing; give the provider's key")
        self._base_url = base_url
        self._api, self._stream, self._structured = api, stream, structured
        self._options = dict(options or {})
        # Here, not at the top: whoever uses no model does not wait for the package to load.
        from openai import DefaultHttpxClient, OpenAI

        # A proxy of the environment must not carry away what is meant for this machine.
        http = DefaultHttpxClient(follow_redirects=False, trust_env=self._remote)
        self._client = OpenAI(api_key=key or "none-needed", base_url=base_url, max_retries=0, http_client=http)
        weakref.finalize(self, http.close)

    @property
    def name(self) -> str:
        """The model's name at the provider."""
        return self._model

    @property
    def remote(self) -> bool:
        """True unless `base_url` is a loopback address."""
        return self._remote

    def ask(self, request: Request, *, timeout: float) -> Reply:
        """Ask once.

        Raises:
            ModelFailed: with the kind of failure. The original error is not kept: it may quote the patient.
        """
        until = time.monotonic() + timeout
        kind, retry_after = ModelFailure.BROKEN, None
        try:
            ask = self._chat if self._api is Api.CHAT else self._responses
            return ask(request, until)
        except ModelFailed:
            raise
        except Exception as error:
            kind, retry_after = _kind(error), _retry_after(error)
        raise ModelFailed(kind, retry_after=retry_after)

    def _kept(self, request: Request) -> dict[str, str]:
        """What leads equal beginnings to one cache. Other servers may refuse a parameter they do not know."""
        return {"prompt_cache_key": request.cache_key} if self._base_url == OPENAI else {}

    def _chat(self, request: Request, until: float) -> Reply:
        wanted: dict[str, Any] = {"type": "json_object"}
        if self._structured:
            shape = {"name": _NAME, "strict": True, "schema": dict(request.schema)}
            wanted = {"type": "json_schema", "json_schema": shape}
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": "system", "content": request.instructions}, *_turns(request)],
            "response_format": wanted,
            **self._kept(request),
            **self._options,
        }
        create: Callable[..., Any] = self._client.chat.completions.create
        if self._stream:
            more = {"stream": True, "stream_options": {"include_usage": True}}
            return _chat_pieces(_in_time(create(**body, **more, timeout=_left(until)), until))
        done = create(**body, timeout=_left(until))
        choice = done.choices[0] if done.choices else None
        if choice is None:
            raise ModelFailed(ModelFailure.EMPTY)
        _check(choice.message.refusal, choice.finish_reason)
        return _chat_reply(choice.message.content or "", done.usage)

    def _responses(self, request: Request, until: float) -> Reply:
        wanted: dict[str, Any] = {"type": "json_object"}
        if self._structured:
            wanted = {"type": "json_schema", "name": _NAME, "strict": True, "schema": dict(request.schema)}
        body: dict[str, Any] = {
            "model": self._model,
            "instructions": request.instructions,
            "input": _turns(request),
            "text": {"format": wanted},
            "store": False,  # the provider keeps nothing to be fetched later
            **self._kept(request),
            **self._options,
        }
        create: Callable[..., Any] = self._client.responses.create
        if self._stream:
            return _response_events(_in_time(create(**body, stream=True, timeout=_left(until)), until))
        return _response_reply(create(**body, timeout=_left(until)))


def _turns(request: Request) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    for question, answer in request.examples:
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return [*turns, {"role": "user", "content": request.question}]


def _left(until: float) -> float:
    return max(until - time.monotonic(), _LEAST_SECONDS)


def _in_time(stream: Any, until: float) -> Iterator[Any]:
    """The pieces of a stream, while there is time."""
    with stream:
        for piece in stream:
            if time.monotonic() > until:
                raise ModelFailed(ModelFailure.TIMEOUT)
            yield piece


def _check(refusal: str | None, finish: str | None) -> None:
    if refusal or finish == "content_filter":
        raise ModelFailed(ModelFailure.REFUSED)
    if finish == "length":
        raise ModelFailed(ModelFailure.TRUNCATED)


def _chat_pieces(pieces: Iterator[Any]) -> Reply:
    text, refusal, finish, usage = "", "", None, None
    for piece in pieces:
        usage = piece.usage or usage
        for choice in piece.choices[:1]:
            text += choice.delta.content or ""
            refusal += choice.delta.refusal or ""
            finish = choice.finish_reason or finish
    _check(refusal, finish)
    if finish is None:
        # Whoever closes a stream in the middle does not always break the connection.
        raise ModelFailed(ModelFailure.CONNECTION)
    return _chat_reply(text, usage)


def _chat_reply(text: str, usage: Any) -> Reply:
    if usage is None:
        return Reply(text)
    cached = getattr(usage.prompt_tokens_details, "cached_tokens", 0)
    return Reply(text, usage.prompt_tokens or 0, cached or 0, usage.completion_tokens or 0)


def _response_events(events: Iterator[Any]) -> Reply:
    for event in events:
        if event.type in ("response.completed", "response.incomplete", "response.failed"):
            return _response_reply(event.response)
        if event.type == "error":
            raise ModelFailed(ModelFailure.SERVER)
    raise ModelFailed(ModelFailure.CONNECTION)


def _response_reply(response: Any) -> Reply:
    if response.status == "failed" or response.error is not None:
        raise ModelFailed(ModelFailure.SERVER)
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    refused = any(part.type == "refusal" for part in parts)
    reason = getattr(response.incomplete_details, "reason", None)
    _check("refused" if refused else None, "length" if reason == "max_output_tokens" else reason)
    usage = response.usage
    if usage is None:
        return Reply(response.output_text)
    cached = getattr(usage.input_tokens_details, "cached_tokens", 0)
    return Reply(response.output_text, usage.input_tokens or 0, cached or 0, usage.output_tokens or 0)


def _kind(error: Exception) -> ModelFailure:
    import openai

    if isinstance(error, openai.APITimeoutError):
        return ModelFailure.TIMEOUT
    if isinstance(error, openai.APIConnectionError):
        return ModelFailure.CONNECTION
    if isinstance(error, openai.APIStatusError):
        if error.status_code == _TOO_MANY:
            return ModelFailure.RATE_LIMITED
        if error.status_code == _TIMED_OUT:
            return ModelFailure.TIMEOUT
        return ModelFailure.SERVER if error.status_code >= _SERVER else ModelFailure.REJECTED
    if isinstance(error, openai.APIResponseValidationError):
        return ModelFailure.MALFORMED
    if isinstance(error, openai.APIError):
        return ModelFailure.SERVER  # told in the middle of a stream
    return ModelFailure.MALFORMED if isinstance(error, ValueError | AttributeError | TypeError) else ModelFailure.BROKEN


def _retry_after(error: Exception) -> float | None:
    """The seconds that a `Retry-After` header asks for; a date in it is not read."""
    response = getattr(error, "response", None)
    told = response.headers.get("retry-after", "") if response is not None else ""
    return float(told) if told.isdecimal() else None
