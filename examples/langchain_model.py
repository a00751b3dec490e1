"""Any LangChain chat model beside the local interpreter. Here one that answers from a list; put your own in its place.

For example `ChatOllama(model="llama3.3", base_url=ADDRESS)`, with its own retries off.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from pydantic import SecretStr

from treatment_agent import Intent
from treatment_agent.domain.interpretation import Situation
from treatment_agent.testing import answer
from treatment_agent.understanding.language_model import LangChainCalls, ModelInterpreter
from treatment_agent.understanding.union import beside_local

ADDRESS = "http://127.0.0.1:11434"  # on this machine; a remote model needs `baa=policy.baa_on_file`
WORDS = "gotta wait for the zorbing circuit to wind down first"
situation = Situation(now=datetime(2026, 11, 24, 18, tzinfo=ZoneInfo("America/Chicago")))
chat = FakeListChatModel(responses=[answer((WORDS, Intent.DEFER))])

alone = beside_local(None).interpret(SecretStr(WORDS), situation)
model = ModelInterpreter(LangChainCalls(chat, address=ADDRESS, name="list"))
helped = beside_local(model).interpret(SecretStr(WORDS), situation)
print("alone", [clause.label.value if clause.label else "unclear" for clause in alone.clauses])
print("helped", [clause.label.value if clause.label else "unclear" for clause in helped.clauses], helped.interpreter)
