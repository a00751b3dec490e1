"""OpenAI beside the local interpreter, asked only about what that leaves open.

With OPENAI_API_KEY set it asks OpenAI; without, a stand-in on this machine that speaks the same protocol.
"""

import os
from datetime import date

from treatment_agent import CsvCaseSource, Intent
from treatment_agent.demo.policy import maple_policy
from treatment_agent.demo.sample import sample_office
from treatment_agent.domain.office import Agreement
from treatment_agent.testing import OpenAIServer, answer
from treatment_agent.understanding.language_model import Example, Mode, ModelInterpreter, OpenAICalls

WORDS = "gotta wait for the zorbing circuit to wind down first"
baa = Agreement(provider="OpenAI", signed_on=date(2026, 3, 2), recorded_by="Dana Ortiz")  # yours, once it is signed
policy = maple_policy().model_copy(update={"baa_on_file": baa, "version": "with-model"})
examples = [Example(message="once calving ends", clauses=(("once calving ends", Intent.DEFER),))]

with OpenAIServer(lambda request: answer((WORDS, Intent.DEFER))) as stand_in:
    key = os.environ.get("OPENAI_API_KEY")
    calls = OpenAICalls("gpt-5-mini", api_key=key) if key else OpenAICalls("stand-in", base_url=stand_in.url)
    model = ModelInterpreter(calls, baa=policy.baa_on_file, mode=Mode.ON_ABSTENTION, examples=examples)
    office = sample_office(policy, model)
    office.coordinator.enroll(CsvCaseSource(office.export))
    office.next_morning()
    for words in (WORDS, "how much is it?"):
        outcome = office.text_from_ana(words)
        print(f"> {words}\n[{outcome.phase_before} -> {outcome.phase_after}, rule {outcome.rules[0]}]")
for line in office.coordinator.why("ana").lines:
    if "model" in line.detail:
        print(line.detail)
told = office.coordinator.report().model
print(f"{told.messages} message, {told.calls} call, {told.resolved} made routine")
