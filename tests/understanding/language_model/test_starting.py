"""A remote model needs an agreement on record, and a model on this machine stays on this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from pydantic import SecretStr

from treatment_agent.domain.interpretation import ModelFailure, Situation
from treatment_agent.domain.office import Agreement
from treatment_agent.errors import ConfigurationError
from treatment_agent.testing import OpenAIServer, ScriptedModel, Served
from treatment_agent.understanding.language_model import LangChainCalls, ModelInterpreter, OpenAICalls
from treatment_agent.understanding.language_model.calls import on_this_machine

BAA = Agreement(provider="Example Models", signed_on=date(2026, 3, 2), recorded_by="Dana Ortiz")
SITUATION = Situation(now=datetime(2026, 11, 24, 18, tzinfo=ZoneInfo("America/Chicago")))


class TestAgreement:
    @pytest.mark.parametrize(
        "calls",
        [
            OpenAICalls("m", api_key="invented"),
            OpenAICalls("m", api_key="invented", base_url="https://models.example/v1"),
            LangChainCalls(FakeListChatModel(responses=[""])),
            LangChainCalls(FakeListChatModel(responses=[""]), address="https://models.example"),
            ScriptedModel(remote=True),
        ],
    )
    def test_is_needed_for_a_remote_model(self, calls: OpenAICalls):
        with pytest.raises(ConfigurationError, match="baa_on_file"):
            ModelInterpreter(calls)
        assert ModelInterpreter(calls, baa=BAA).remote

    @pytest.mark.parametrize(
        "calls",
        [
            OpenAICalls("m", base_url="http://127.0.0.1:8000/v1"),
            OpenAICalls("m", base_url="http://localhost:8000/v1"),
            OpenAICalls("m", base_url="http://[::1]:8000/v1"),
            LangChainCalls(FakeListChatModel(responses=[""]), address="http://127.0.0.1:11434"),
        ],
    )
    def test_is_not_needed_on_this_machine(self, calls: OpenAICalls):
        assert not ModelInterpreter(calls).remote

    def test_says_with_whom_since_when_and_who_recorded_it(self):
        with pytest.raises(ValueError, match="recorded_by"):
            Agreement.model_validate({"provider": "Example Models", "signed_on": "2026-03-02"})


class TestOnThisMachine:
    @pytest.mark.parametrize(
        "address",
        [
            "http://127.0.0.1.models.example/v1",
            "http://localhost.models.example/v1",
            "http://127.0.0.1@models.example/v1",
            "http://10.0.0.7:8000/v1",
            "http://ollama:11434/v1",
            "http://0.0.0.0:8000/v1",
            "127.0.0.1:8000",
            "",
        ],
    )
    def test_is_false_for_what_only_looks_like_it(self, address: str):
        assert not on_this_machine(address)


@pytest.fixture
def elsewhere() -> Iterator[OpenAIServer]:
    """Where a redirect or a proxy would carry the words. Nothing may arrive."""
    with OpenAIServer(lambda body: Served(status=500)) as server:
        yield server
        assert server.requests == []


class TestOpenAICalls:
    def test_need_a_key_for_a_remote_server(self):
        with pytest.raises(ConfigurationError, match="api_key"):
            OpenAICalls("m")

    def test_do_not_take_the_address_from_the_environment(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")

        assert OpenAICalls("m", api_key="invented").remote

    def test_follow_no_redirect(self, elsewhere: OpenAIServer):
        with OpenAIServer([Served(redirect=f"{elsewhere.url}/chat/completions")]) as server:
            found = ModelInterpreter(OpenAICalls("m", base_url=server.url)).interpret(SecretStr("hello"), SITUATION)

        assert found.model is not None
        assert found.model.failures == (ModelFailure.REJECTED,)

    def test_use_no_proxy_for_this_machine(self, elsewhere: OpenAIServer, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("HTTP_PROXY", elsewhere.url.removesuffix("/v1"))
        monkeypatch.setenv("ALL_PROXY", elsewhere.url.removesuffix("/v1"))
        with OpenAIServer([Served(status=401)]) as server:
            ModelInterpreter(OpenAICalls("m", base_url=server.url)).interpret(SecretStr("hello"), SITUATION)

    def test_load_their_package_only_when_one_is_made(self):
        code = (
            "import sys, treatment_agent.understanding.union, treatment_agent.understanding.language_model\n"
            "assert not {'openai', 'langsmith', 'httpx2'} & set(sys.modules), 'loaded too early'"
        )
        source = Path(__file__).parents[3] / "src"

        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(source)}, check=True)
