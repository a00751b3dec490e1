"""A model on this machine, behind any server that speaks the OpenAI protocol: no key, no agreement, nothing leaves.

Set MODEL_URL to your server, for example http://127.0.0.1:11434/v1, and MODEL to one of its models. Without them a
stand-in answers, and fails once, as servers do.
"""

import os
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from treatment_agent import Topic
from treatment_agent.domain.interpretation import Situation
from treatment_agent.testing import OpenAIServer, Served, answer
from treatment_agent.understanding.language_model import Mode, ModelInterpreter, OpenAICalls, Patience
from treatment_agent.understanding.union import beside_local

WORDS = "1 works, thing is the zorb pass only pays half"
situation = Situation(now=datetime(2026, 11, 24, 18, tzinfo=ZoneInfo("America/Chicago")))

with OpenAIServer(
    [Served(status=503), answer(("1 works", None), ("thing is the zorb pass only pays half", Topic.INSURANCE))]
) as stand_in:
    calls = OpenAICalls(
        os.environ.get("MODEL", "stand-in"), base_url=os.environ.get("MODEL_URL", stand_in.url), structured=False
    )
    model = ModelInterpreter(calls, mode=Mode.ALWAYS, patience=Patience(seconds=20, attempt_seconds=15))
    read = beside_local(model).interpret(SecretStr(WORDS), situation)
print("topics", [topic.value for topic in read.topics])
print("failed attempts", [kind.value for kind in read.model.failures] if read.model else None)
