"""Any LangChain chat model: answers, tokens, failures, and no trace of the words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import langsmith
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tracers.context import tracing_v2_enabled
from pydantic import Field, SecretStr

from treatment_agent.domain.interpretation import Intent, Interpretation, ModelFailure, Situation
from treatment_agent.testing import answer
from treatment_agent.understanding.language_model import LangChainCalls, ModelInterpreter, Patience

SITUATION = Situation(now=datetime(2026, 11, 24, 18, tzinfo=ZoneInfo("America/Chicago")))
TEXT = "after harvest"
GOOD = AIMessage(
    answer((TEXT, Intent.DEFER)),
    usage_metadata={
        "input_tokens": 900,
        "output_tokens": 50,
        "total_tokens": 950,
        "input_token_details": {"cache_read": 800},
    },
)


class Chat(BaseChatModel):
    """A chat model of LangChain's kind that says what it is told to, and keeps what it was asked."""

    say: Any
    asked: list[BaseMessage] = Field(default_factory=list)
    seen: list[bool] = Field(default_factory=list)
    model: str = "own-chat-1"

    @property
    def _llm_type(self) -> str:
        return "own"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **more: Any
    ) -> ChatResult:
        from langsmith.utils import tracing_is_enabled

        self.asked.extend(messages)
        self.seen.append(bool(tracing_is_enabled()))
        if isinstance(self.say, Exception):
            raise self.say
        return ChatResult(generations=[ChatGeneration(message=self.say)])


def read(chat: Chat, *, traced: bool = False) -> Interpretation:
    calls = LangChainCalls(chat, address="http://127.0.0.1:11434", traced=traced)
    patience = Patience(attempts=1, wait_seconds=0)
    return ModelInterpreter(calls, patience=patience).interpret(SecretStr(TEXT), SITUATION)


class TestLangChainCalls:
    def test_read_a_message(self):
        chat = Chat(say=GOOD)

        found = read(chat)

        assert found.intents == (Intent.DEFER,)
        assert found.model is not None
        assert (found.model.model, found.model.input_tokens, found.model.cached_tokens) == ("own-chat-1", 900, 800)
        assert "JSON Schema" in str(chat.asked[0].content)
        assert [message.type for message in chat.asked] == ["system", *["human", "ai"] * 3, "human"]

    @pytest.mark.parametrize(
        ("say", "kind"),
        [
            (AIMessage(""), ModelFailure.EMPTY),
            (AIMessage("Sure, see you Tuesday!"), ModelFailure.MALFORMED),
            (AIMessage("{", response_metadata={"finish_reason": "length"}), ModelFailure.TRUNCATED),
            (AIMessage("", response_metadata={"stop_reason": "refusal"}), ModelFailure.REFUSED),
            (TimeoutError("after harvest"), ModelFailure.TIMEOUT),
            (ConnectionError("after harvest"), ModelFailure.CONNECTION),
            (type("RateLimitError", (Exception,), {"status_code": 429})("x"), ModelFailure.RATE_LIMITED),
            (type("ServerError", (Exception,), {"status_code": 503})("x"), ModelFailure.SERVER),
            (type("BadRequest", (Exception,), {"status_code": 400})("x"), ModelFailure.REJECTED),
            (RuntimeError("after harvest"), ModelFailure.BROKEN),
        ],
    )
    def test_name_a_failure(self, say: object, kind: ModelFailure, caplog: pytest.LogCaptureFixture):
        found = read(Chat(say=say))

        assert found.model is not None
        assert found.model.failures == (kind,)
        assert "harvest" not in caplog.text


class Spy(langsmith.Client):
    """LangSmith's client, with its requests kept instead of sent."""

    def __init__(self) -> None:
        super().__init__(api_url="http://127.0.0.1:9", api_key="invented", auto_batch_tracing=False)
        self.seen: list[str] = []

    def create_run(self, *args: object, **fields: object) -> None:
        self.seen.append(repr((args, fields)))

    def update_run(self, *args: object, **fields: object) -> None:
        self.seen.append(repr((args, fields)))


class TestTracing:
    @pytest.fixture
    def spy(self) -> Iterator[Spy]:
        """LangSmith switched on for the whole process."""
        made = Spy()
        langsmith.configure(client=made, enabled=True)
        yield made
        langsmith.configure(client=None, enabled=None)

    def test_sees_nothing_by_default(self, spy: Spy):
        chat = Chat(say=GOOD)

        read(chat)

        assert chat.seen == [False]
        assert spy.seen == []

    def test_sees_the_words_where_the_office_says_so(self, spy: Spy):
        read(Chat(say=GOOD), traced=True)

        assert "after harvest" in "".join(spy.seen)

    def test_does_not_see_them_through_a_trace_that_is_open(self, spy: Spy):
        chat = Chat(say=GOOD)

        with tracing_v2_enabled(client=spy):
            read(chat)

        assert chat.seen == [False]
        assert spy.seen == []
