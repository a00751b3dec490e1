"""Every way a model can fail, through the real `openai` client against a server on this machine: streamed and not,
chat completions and the responses API.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Intent, Interpretation, ModelFailure, Situation
from treatment_agent.testing import OpenAIServer, Served, answer
from treatment_agent.understanding.language_model import Breaker, ModelInterpreter, OpenAICalls, Patience
from treatment_agent.understanding.language_model.openai_calls import Api
from treatment_agent.understanding.union import beside_local

SITUATION = Situation(now=datetime(2026, 11, 24, 18, tzinfo=ZoneInfo("America/Chicago")))
# No list explains it, so the local interpreter leaves it to a person.
TEXT = "gotta wait for the zorbing circuit to wind down first"
GOOD = answer((TEXT, Intent.DEFER))
QUICK = Patience(seconds=8.0, attempt_seconds=4.0, wait_seconds=0.0)

WAYS = [(api, stream) for api in Api for stream in (False, True)]
way = pytest.mark.parametrize(("api", "stream"), WAYS, ids=[f"{a.value}{'-streamed' * s}" for a, s in WAYS])

# What the server does -> what it is called. Each of these is worth another try.
RETRIED = {
    "rate limit": (Served(status=429), ModelFailure.RATE_LIMITED),
    "server error": (Served(status=503), ModelFailure.SERVER),
    "connection cut": (Served(text=GOOD, cut=True), ModelFailure.CONNECTION),
    "malformed JSON": (Served(text="{'clauses': DEFER}"), ModelFailure.MALFORMED),
    "another shape": (Served(text='{"reply": "Sure, see you Tuesday!"}'), ModelFailure.MALFORMED),
    "prose": (Served(text="The patient wants to wait."), ModelFailure.MALFORMED),
    "truncated": (Served(text=GOOD[:90]), ModelFailure.TRUNCATED),
    "out of tokens": (Served(text=GOOD[:90], finish="length"), ModelFailure.TRUNCATED),
    "unknown label": (Served(text=GOOD.replace('"defer"', '"book_it"')), ModelFailure.UNKNOWN_LABEL),
    "evidence not in the text": (Served(text=answer(("next month is good", Intent.DEFER))), ModelFailure.NOT_IN_TEXT),
    "translated": (Served(text=answer(("cuando termine", Intent.DEFER), language="es")), ModelFailure.NOT_IN_TEXT),
    "empty": (Served(text=""), ModelFailure.EMPTY),
    "no clause": (Served(text=answer()), ModelFailure.EMPTY),
    "wrong language": (Served(text=answer((TEXT, Intent.DEFER), language="es")), ModelFailure.LANGUAGE),
    "no language": (Served(text=answer((TEXT, Intent.DEFER), language="English")), ModelFailure.LANGUAGE),
}
# And what another try would not change.
FINAL = {
    "refusal": (Served(refusal="I cannot help with that."), ModelFailure.REFUSED),
    "content filter": (Served(text="", finish="content_filter"), ModelFailure.REFUSED),
    "bad key": (Served(status=401), ModelFailure.REJECTED),
    "unknown model": (Served(status=404), ModelFailure.REJECTED),
}


def read(
    server: OpenAIServer, api: Api, stream: bool, *, patience: Patience = QUICK, beside: bool = False
) -> Interpretation:
    calls = OpenAICalls("small-model", base_url=server.url, api=api, stream=stream)
    interpreter = ModelInterpreter(calls, patience=patience)
    reader = beside_local(interpreter) if beside else interpreter
    return reader.interpret(SecretStr(TEXT), SITUATION)


@way
class TestAnswer:
    def test_is_read_into_the_same_interpretation_with_its_tokens(self, api: Api, stream: bool) -> None:
        with OpenAIServer([Served(GOOD, input_tokens=1200, cached_tokens=1024, output_tokens=55)]) as server:
            found = read(server, api, stream)

        assert found.intents == (Intent.DEFER,)
        assert [c.span.of(TEXT) for c in found.clauses] == [TEXT]
        assert found.model is not None
        assert (found.model.input_tokens, found.model.cached_tokens, found.model.output_tokens) == (1200, 1024, 55)
        assert (found.model.calls, found.model.failures, found.model.answered) == (1, (), True)

    def test_is_asked_for_by_schema_with_what_was_asked_last(self, api: Api, stream: bool) -> None:
        with OpenAIServer([GOOD]) as server:
            read(server, api, stream)

        (body,) = server.requests
        shape = body["response_format"]["json_schema"] if api is Api.CHAT else body["text"]["format"]
        assert shape["strict"] is True
        assert set(shape["schema"]["required"]) == {"language", "clauses", "facts"}
        turns = body["messages"] if api is Api.CHAT else body["input"]
        assert json.loads(turns[-1]["content"])["asked"] == "first_message"
        assert json.loads(turns[-1]["content"])["message"] == TEXT


@way
class TestFailure:
    @pytest.mark.parametrize("name", RETRIED)
    def test_is_tried_again_and_the_next_answer_counts(self, name: str, api: Api, stream: bool) -> None:
        step, kind = RETRIED[name]
        with OpenAIServer([step, GOOD]) as server:
            found = read(server, api, stream)

        assert found.model is not None
        assert found.model.failures == (kind,)
        assert found.intents == (Intent.DEFER,)

    @pytest.mark.parametrize("name", RETRIED)
    def test_leaves_the_local_reading_when_it_lasts(self, name: str, api: Api, stream: bool) -> None:
        step, kind = RETRIED[name]
        with OpenAIServer([step, step, step]) as server:
            found = read(server, api, stream, beside=True)

        assert found.model is not None
        assert (found.model.failures, found.model.answered) == ((kind,) * 3, False)
        assert found.clauses == beside_local(None).interpret(SecretStr(TEXT), SITUATION).clauses

    @pytest.mark.parametrize("name", FINAL)
    def test_is_not_tried_again_where_that_changes_nothing(self, name: str, api: Api, stream: bool) -> None:
        step, kind = FINAL[name]
        with OpenAIServer([step]) as server:
            found = read(server, api, stream, beside=True)

        assert found.model is not None
        assert (found.model.failures, found.model.answered) == ((kind,), False)
        assert found.abstained or found.topics

    def test_of_a_server_that_hangs_is_a_timeout_within_the_deadline(self, api: Api, stream: bool) -> None:
        patience = Patience(seconds=0.6, attempt_seconds=0.2, attempts=2, wait_seconds=0.0)
        began = time.monotonic()
        with OpenAIServer([Served(GOOD, wait_seconds=9), Served(GOOD, wait_seconds=9)]) as server:
            found = read(server, api, stream, patience=patience)

        assert found.model is not None
        assert found.model.failures == (ModelFailure.TIMEOUT,) * 2
        assert time.monotonic() - began < 3

    def test_never_puts_words_into_logs(self, api: Api, stream: bool, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        steps = [Served(GOOD.replace("zorbing", "yodeling")), Served(status=429), GOOD]
        with OpenAIServer(steps) as server:
            read(server, api, stream)

        assert caplog.records
        assert "zorbing" not in caplog.text
        assert "yodeling" not in caplog.text


class Mute:
    """A way to a model that somebody else wrote, and that answers nothing at all."""

    name, remote = "mute", False

    def ask(self, request: object, *, timeout: float) -> None:
        return None


class TestForeignCalls:
    def test_that_answer_no_reply_leave_the_local_reading(self) -> None:
        found = beside_local(ModelInterpreter(Mute(), patience=QUICK), None).interpret(SecretStr(TEXT), SITUATION)  # type: ignore[arg-type]

        assert found.model is not None
        assert set(found.model.failures) == {ModelFailure.BROKEN}
        assert found.clauses


class TestRetrying:
    def test_waits_as_long_as_the_server_asks_if_there_is_time(self) -> None:
        began = time.monotonic()
        with OpenAIServer([Served(status=429, retry_after=1), GOOD]) as server:
            found = read(server, Api.CHAT, False)

        assert found.intents == (Intent.DEFER,)
        assert time.monotonic() - began >= 1

    def test_does_not_wait_past_the_deadline(self) -> None:
        began = time.monotonic()
        with OpenAIServer([Served(status=429, retry_after=60)]) as server:
            found = read(server, Api.CHAT, False)

        assert found.model is not None
        assert found.model.failures == (ModelFailure.RATE_LIMITED,)
        assert time.monotonic() - began < 5

    def test_is_given_up_for_a_while_after_failures_in_a_row(self) -> None:
        once = Patience(attempts=1)
        with OpenAIServer([Served(status=500)] * 2) as server:
            calls = OpenAICalls("m", base_url=server.url)
            interpreter = ModelInterpreter(calls, patience=once, breaker=Breaker(failures=2))
            kinds = [interpreter.interpret(SecretStr(TEXT), SITUATION).model for _ in range(3)]

        failures = [use.failures for use in kinds if use]
        assert failures == [(ModelFailure.SERVER,), (ModelFailure.SERVER,), (ModelFailure.RESTING,)]


class Dripper:
    """A server that sends a byte now and then and never ends: no read timeout of a client ever runs out."""

    def __init__(self) -> None:
        import socket

        self._socket = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def _serve(self) -> None:
        client, _ = self._socket.accept()
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
            while not self._stop.wait(0.05):
                try:
                    client.sendall(b" ")
                except OSError:
                    return

    def close(self) -> None:
        self._stop.set()
        self._socket.close()


@pytest.fixture
def dripper() -> Iterator[Dripper]:
    made = Dripper()
    yield made
    made.close()


class TestDeadline:
    def test_holds_against_a_server_that_drips(self, dripper: Dripper) -> None:
        patience = Patience(seconds=0.5, attempt_seconds=0.4, attempts=1)
        began = time.monotonic()

        found = ModelInterpreter(OpenAICalls("m", base_url=dripper.url), patience=patience).interpret(
            SecretStr(TEXT), SITUATION
        )

        assert found.model is not None
        assert found.model.failures == (ModelFailure.TIMEOUT,)
        assert time.monotonic() - began < 3
