"""A server on this machine that speaks the OpenAI protocol, answers from a script, and fails in every known way.

    with OpenAIServer([Served(status=429), answer(("1 works", Intent.ACCEPT))]) as server:
        calls = OpenAICalls("test", base_url=server.url)

Chat completions and the responses API, streamed and not, as the request asks for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PIECES = 4
_OK, _MOVED, _FAILED = 200, 307, 500
Body = dict[str, Any]  # JSON as it came


@dataclass(frozen=True, slots=True)
class Served:
    """What the server does for one request.

    `text` is what the model says; a `refusal` is said instead. `finish` is how it ended (`stop`, `length`,
    `content_filter`). `status` other than 200 is an error of the server. `wait_seconds` pass before the first byte,
    `cut` breaks the connection in the middle of the body, and `raw` is sent as the whole body, whatever it is.
    Tokens are counted as given.
    """

    text: str = ""
    refusal: str = ""
    finish: str = "stop"
    status: int = 200
    retry_after: int | None = None
    wait_seconds: float = 0.0
    cut: bool = False
    raw: str | None = None
    redirect: str = ""
    input_tokens: int = 900
    cached_tokens: int = 0
    output_tokens: int = 60


Script = Iterable[Served | str] | Callable[[Body], Served | str]


class OpenAIServer:
    """Answers with these steps in order, or with what a function makes of each request's body.

    `requests` are the bodies received, `url` the base URL for a client. A request after the last step gets status 500
    and makes `done()` fail, as do steps that were not asked for; leaving the `with` block checks this.
    """

    def __init__(self, script: Script) -> None:
        """Listen on a free port of 127.0.0.1 at once."""
        self._answer = script if callable(script) else None
        self._steps = () if callable(script) else tuple(script)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.requests: list[Body] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """The base URL, with the version path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def take(self, body: Body) -> Served:
        """The step for a request."""
        with self._lock:
            self.requests.append(body)
            number = len(self.requests)
        if self._answer is not None:
            step = self._answer(body)
        elif number <= len(self._steps):
            step = self._steps[number - 1]
        else:
            step = Served(status=_FAILED)
        return step if isinstance(step, Served) else Served(text=step)

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._closing.wait(seconds)

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def done(self) -> None:
        """Check that every step was asked for, and nothing else.

        Raises:
            AssertionError: with both numbers.
        """
        asked, steps = len(self.requests), len(self._steps)
        if self._answer is None and asked != steps:
            raise AssertionError(f"OpenAIServer: {asked} requests for a script of {steps} steps")

    def __enter__(self) -> OpenAIServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.close()
        if kind is None:
            self.done()


def _handler(owner: OpenAIServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            step = owner.take(body)
            if step.wait_seconds:
                owner.wait(step.wait_seconds)
            responses = self.path.endswith("/responses")
            try:
                self._send(step, _body(step, streamed=body.get("stream") is True, responses=responses, body=body))
            except OSError:
                pass  # whoever asked did not wait

        def _send(self, step: Served, told: tuple[str, bytes]) -> None:
            kind, content = told
            self.send_response(_MOVED if step.redirect else step.status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if step.retry_after is not None:
                self.send_header("Retry-After", str(step.retry_after))
            if step.redirect:
                self.send_header("Location", step.redirect)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if step.cut else content)
            self.wfile.flush()
            self.close_connection = step.cut

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def _body(step: Served, *, streamed: bool, responses: bool, body: Body) -> tuple[str, bytes]:
    if step.raw is not None:
        return ("text/event-stream" if streamed else "application/json"), step.raw.encode()
    if step.status != _OK:
        error = {"error": {"message": "the server says no", "type": "error", "code": "no"}}
        return "application/json", json.dumps(error).encode()
    model = str(body.get("model", ""))
    if streamed:
        events = _response_events(step, model) if responses else _chunks(step, model)
        return "text/event-stream", "".join(events).encode()
    whole = _response(step, model) if responses else _completion(step, model)
    return "application/json", json.dumps(whole).encode()


def _completion(step: Served, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": None if step.refusal else step.text, "refusal": step.refusal or None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "finish_reason": step.finish, "message": message, "logprobs": None}],
        "usage": _chat_usage(step),
    }


def _chunks(step: Served, model: str) -> Iterator[str]:
    def chunk(choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> str:
        told = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": model}
        return f"data: {json.dumps({**told, 'choices': choices, 'usage': usage})}\n\n"

    key, words = ("refusal", step.refusal) if step.refusal else ("content", step.text)
    for piece in _pieces(words):
        yield chunk([{"index": 0, "delta": {key: piece}, "finish_reason": None}])
    yield chunk([{"index": 0, "delta": {}, "finish_reason": step.finish}])
    yield chunk([], _chat_usage(step))
    yield "data: [DONE]\n\n"


def _response(step: Served, model: str) -> dict[str, Any]:
    refused = {"type": "refusal", "refusal": step.refusal}
    part = refused if step.refusal else {"type": "output_text", "text": step.text, "annotations": []}
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(step.finish)
    status = "incomplete" if reason else "completed"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 0,
        "model": model,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": [{"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": [part]}],
        "parallel_tool_calls": False,
        "tool_choice": "none",
        "tools": [],
        "usage": {
            "input_tokens": step.input_tokens,
            "input_tokens_details": {"cached_tokens": step.cached_tokens},
            "output_tokens": step.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": step.input_tokens + step.output_tokens,
        },
    }


def _response_events(step: Served, model: str) -> Iterator[str]:
    def event(kind: str, number: int, **more: object) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **more})}\n\n"

    whole = _response(step, model)
    yield event("response.created", 0, response={**whole, "status": "in_progress", "output": [], "usage": None})
    kind = "response.refusal.delta" if step.refusal else "response.output_text.delta"
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    for number, piece in enumerate(_pieces(step.refusal or step.text), start=1):
        yield event(kind, number, delta=piece, **place)
    yield event(f"response.{whole['status']}", 100, response=whole)


def _pieces(words: str) -> Iterator[str]:
    size = max(len(words) // _PIECES, 1)
    yield from (words[start : start + size] for start in range(0, len(words), size))


def _chat_usage(step: Served) -> dict[str, Any]:
    return {
        "prompt_tokens": step.input_tokens,
        "completion_tokens": step.output_tokens,
        "total_tokens": step.input_tokens + step.output_tokens,
        "prompt_tokens_details": {"cached_tokens": step.cached_tokens},
    }
