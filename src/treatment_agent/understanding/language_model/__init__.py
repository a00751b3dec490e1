"""A language model that can only help: it may name topics, and resolve what the local interpreter left open.

    from treatment_agent.understanding.language_model import Mode, ModelInterpreter, OpenAICalls

    calls = OpenAICalls("gpt-5-mini", api_key=key)
    interpreter = ModelInterpreter(calls, baa=policy.baa_on_file, mode=Mode.ON_ABSTENTION)
    coordinator = Coordinator(policy=policy, tools=tools, interpreter=interpreter)

It never speaks to a patient, lifts no topic, picks no time, and when it fails the local reading stands.
`docs/models.md` lists what it can and cannot influence, each with its test.
"""

from __future__ import annotations

from treatment_agent.understanding.language_model.beside import BesideLocal
from treatment_agent.understanding.language_model.calls import ModelCalls, Reply, Request
from treatment_agent.understanding.language_model.drafting import SummaryDrafter
from treatment_agent.understanding.language_model.interpreter import Mode, ModelInterpreter
from treatment_agent.understanding.language_model.langchain_calls import LangChainCalls
from treatment_agent.understanding.language_model.openai_calls import OpenAICalls
from treatment_agent.understanding.language_model.prompt import Example
from treatment_agent.understanding.language_model.resilience import Breaker, Patience

__all__ = [
    "BesideLocal",
    "Breaker",
    "Example",
    "LangChainCalls",
    "Mode",
    "ModelCalls",
    "ModelInterpreter",
    "OpenAICalls",
    "Patience",
    "Reply",
    "Request",
    "SummaryDrafter",
]
