"""`preview` shows what patients would read, what it costs, and what a careful reader would object to."""

from __future__ import annotations

from pathlib import Path

import pytest

from treatment_agent.cli import main

KINDS = (
    "first-message", "reminder-1", "reminder-2", "wake", "deferred-unsure", "handoff-clinical", "handoff-insurance",
    "handoff-financing", "handoff-complaint", "handoff-sensitive", "declined", "opt-out-confirmation", "emergency",
    "callback-confirmed", "booked", "change-noted", "moved", "who", "bot-question", "handoff-other-closed",
)  # fmt: skip
OWN = """
from treatment_agent.coordinator import Coordinator, Tools
from treatment_agent.demo.policy import maple_policy
from treatment_agent.policies.scripts import Script
from treatment_agent.policies.texting import Texting
from treatment_agent.tools.memory import MemoryMessenger, MemoryScheduler

def app():
    policy = maple_policy()
    pushy = Script(id="thanks", version=2, language="en", text="Hurry, {first_name}!", approved_by="Dana Ortiz")
    changes = {"scripts": policy.scripts.with_script(pushy), "texting": Texting(segment_cents=0.83)}
    tools = Tools(scheduler=MemoryScheduler(), messenger=MemoryMessenger())
    return Coordinator(policy=policy.model_copy(update=changes), tools=tools, ledger="sqlite:///own.db")
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TREATMENT_AGENT_APP", raising=False)

    def call(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert not ended.value.code
        return capsys.readouterr().out

    return call


class TestPreview:
    def test_shows_every_kind_of_text_in_both_languages_with_nothing_to_object(self, run) -> None:
        out = run("preview")

        for kind in KINDS:
            for language in ("en", "es"):
                assert f"\n{kind}, {language}, v1, approved by " in out
        assert " scripts. 0 objections. Nothing was sent." in out
        assert "3 segments" not in out
        assert "UCS-2" not in out

    def test_shows_cost_and_objections_of_an_own_text(self, run, tmp_path: Path) -> None:
        (tmp_path / "own_texts_app.py").write_text(OWN, encoding="utf-8")

        out = run("preview", "--script", "thanks", "--language", "en", "--app", "own_texts_app:app")

        assert "thanks, en, v2, approved by Dana Ortiz" in out
        assert "14 characters, 1 segment, GSM-7, 0.83 cents" in out
        assert "  Hurry, Jordan!" in out
        assert "[lint.pressure]" in out
        assert "1 scripts. 1 objections" in out

    def test_shows_an_email_with_its_subject(self, run) -> None:
        out = run("preview", "--script", "booked", "--language", "es", "--email")

        assert "Subject: Maple Dental" in out
        assert "segment" not in out
