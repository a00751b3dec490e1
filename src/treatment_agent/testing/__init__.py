"""Doubles for tests: a frozen clock, interpreters and models by script, ports that break where you say.

`doubles` has the clock, the interpreters and the faults; `models` a language model by script and the switch that
forbids model calls; `openai_server` a server on this machine that speaks the OpenAI protocol and fails on demand.
"""

from __future__ import annotations

from treatment_agent.testing.doubles import (
    Boundary,
    ConstantInterpreter,
    Crash,
    Faults,
    Faulty,
    FrozenClock,
    ScriptedInterpreter,
    understood,
)
from treatment_agent.testing.models import ScriptedModel, answer, no_model_calls
from treatment_agent.testing.openai_server import OpenAIServer, Served

__all__ = [
    "Boundary",
    "ConstantInterpreter",
    "Crash",
    "Faults",
    "Faulty",
    "FrozenClock",
    "OpenAIServer",
    "ScriptedInterpreter",
    "ScriptedModel",
    "Served",
    "answer",
    "no_model_calls",
    "understood",
]
