"""Your own words: a TOML file per language, one text in Python, read by the linter before anybody gets it."""

import tempfile
from pathlib import Path

from treatment_agent import CsvCaseSource
from treatment_agent.demo.policy import maple_policy
from treatment_agent.demo.sample import sample_office
from treatment_agent.policies.lint import lint
from treatment_agent.policies.scripts import Script, load_scripts

OURS = """\
language = "en"
approved_by = "Dana Ortiz"
approved_on = "2026-11-20"

[[script]]
id = "first-message"
version = 2
text = "{office}, automated assistant: Hi {first_name}, good to see you! Reply 1 for {slot_1} or 2 for {slot_2}, \
or call {phone}. Reply STOP to opt out."
"""

path = Path(tempfile.mkdtemp()) / "our-texts.toml"
path.write_text(OURS, encoding="utf-8")
thanks = Script(id="thanks", version=2, language="en", text="Our pleasure! {office}", approved_by="Dana Ortiz")
policy = maple_policy()
scripts = policy.scripts.with_scripts(*load_scripts(path).scripts, thanks).approved("es", by="Rosa Vega")
policy = policy.model_copy(update={"scripts": scripts, "version": "own-words"})
policy.validate_all()

pushy = thanks.model_copy(update={"text": "Hurry! Your crown is only $99: bit.ly/x"})
for finding in lint(pushy, policy.office, policy.texting):
    print("not like this:", finding.rule, "-", finding.text)

office = sample_office(policy)
office.coordinator.enroll(CsvCaseSource(office.export))
office.next_morning()
print(office.last_text())
print("approved by", office.messenger.sent[-1].approved_by)
