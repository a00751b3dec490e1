"""history, replay, whatif and bugreport, through the command line on a real ledger of the bundled practice."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from treatment_agent import InboundMessage
from treatment_agent.cli import main
from treatment_agent.demo.app import keep_time, open_practice
from treatment_agent.tools.csv_source import CsvCaseSource

CHICAGO = ZoneInfo("America/Chicago")
OPENS = datetime(2026, 11, 23, 9, 0, tzinfo=CHICAGO)
MORNING = datetime(2026, 11, 23, 10, 5, tzinfo=CHICAGO)
ROWS = """PatNum,FName,LName,Birthdate,WirelessPhone,Email,TxtMsgOk,PatStatus,ProcNum,ProcCode,ProcFee,ProvAbbr,ProcStatus,DateTP,VisitDate
Q-1,Zebulina,Quartermaine,03/14/1980,(312) 555-0161,zebulina@quartermaine.example,Yes,Patient,901,D2740,1200,lee,TP,11/19/2026,11/19/2026
Q-2,Thaddeus,Ploverton,07/02/1975,(312) 555-0162,,Yes,Patient,902,D2391,250,lee,TP,11/19/2026,11/19/2026
"""  # noqa: E501
SAID = (
    ("Q-1", "Hi this is Zebulina, the first one works"),
    ("Q-2", "My wife Ottoline says it hurts, call 312-555-0177 or mail tp@ploverton.example. Was $1,250 on 3/14/2026?"),
)
SECRETS = (
    "zebulina", "quartermaine", "thaddeus", "ploverton", "ottoline", "5550161", "5550162", "5550177", "1980-03-14",
    "1975-07-02", "1,250", "3/14/2026", "maple", "dr. lee", "okafor", "q-1", "2026-11-23", "120000",
)  # fmt: skip

NEW = """
from treatment_agent.demo.policy import maple_policy

_old = maple_policy()
_first = _old.scripts.get("first-message", "en")
_text = "Good day. " + _first.text
_new = _first.model_copy(update={"version": _first.version + 1, "text": _text, "approved_by": "A. T."})
policy = _old.model_copy(update={"version": "2", "scripts": _old.scripts.with_script(_new)})
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger: two patients were written to and answered."""
    root = tmp_path_factory.mktemp("office")
    (root / "rows.csv").write_text(ROWS, encoding="utf-8")
    (root / "new_rules.py").write_text(NEW, encoding="utf-8")
    practice = open_practice(root / "demo-out", now=OPENS)
    coordinator, clock = practice.coordinator, practice.clock
    coordinator.enroll(CsvCaseSource(root / "rows.csv", zone="America/Chicago", synced_at=OPENS))
    clock.set(MORNING)
    coordinator.run_due()
    for number, (patient, text) in enumerate(SAID):
        conversation = coordinator.ledger.conversation_ids_of_patient(patient)[0]
        sender = coordinator.ledger.facts(conversation, at=clock.now()).case.patient.mobile
        message = InboundMessage(id=f"SM{number}", sender=sender, text=SecretStr(text), received_at=clock.now())
        coordinator.receive(message)
    keep_time(practice.folder, clock.now())
    coordinator.close()
    return root


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], office: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command in the office's folder; returns the exit code and what it printed."""
    monkeypatch.chdir(office)
    monkeypatch.delenv("TREATMENT_AGENT_APP", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


class TestReplay:
    def test_of_the_ledger_comes_out_bit_for_bit(self, run) -> None:
        code, out, _ = run("replay")

        assert (code, out.strip()) == (0, "4 of 4 turns came out as they were.")

    def test_of_a_full_export_comes_out_bit_for_bit(self, run) -> None:
        run("history", "--full", "--out", "full.jsonl")

        assert run("replay", "full.jsonl")[:2] == (0, "4 of 4 turns came out as they were.\n")

    def test_names_case_turn_and_place_of_a_difference(self, run, office: Path) -> None:
        run("history", "--full", "--out", "full.jsonl")
        header, turn, *others = (office / "full.jsonl").read_text(encoding="utf-8").splitlines()
        edited = [header, turn.replace("Reply STOP", "Reply HALT"), *others]
        (office / "edited.jsonl").write_text("\n".join(edited), encoding="utf-8")

        code, out, _ = run("replay", "edited.jsonl")

        assert code == 1
        assert "turn 1 (touch_due): texts[0].body: was " in out
        assert out.endswith("3 of 4 turns came out as they were.\n")

    def test_of_a_ledger_without_inputs_says_so(self, run, office: Path, tmp_path: Path) -> None:
        with (
            sqlite3.connect(office / "demo-out" / "practice.db") as source,
            sqlite3.connect(tmp_path / "old.db") as old,
        ):
            source.backup(old)
            old.execute("DROP TABLE turn_inputs")
            old.execute("DROP TABLE seen_cases")
            old.execute("UPDATE ledger_schema SET version = 2")
        source.close()
        old.close()

        code, out, err = run("replay", str(tmp_path / "old.db"))

        assert (code, out.strip()) == (0, "0 of 0 turns came out as they were.")
        assert "4 turns cannot be decided again: made by a release that kept no inputs." in err


class TestWhatif:
    def test_shows_the_text_before_and_after(self, run) -> None:
        code, out, _ = run("whatif", "--app", "new_rules:policy", "demo-out/practice.db")

        assert code == 0
        assert "text changed: 2" in out
        assert "    + first-message v" in out
        assert ": Good day. " in out
        assert "2 of 4 decisions change; patients would read something else in 2." in out

    def test_writes_json(self, run) -> None:
        _, out, _ = run("whatif", "--app", "new_rules:policy", "demo-out/practice.db", "--json")

        told = json.loads(out)
        assert (told["turns"], told["changed"]) == (4, 2)
        assert told["groups"][0]["group"] == "text changed"
        assert told["groups"][0]["changes"][0]["texts"][0]["now"]["body"].startswith("Good day. ")

    def test_of_the_same_policy_changes_nothing(self, run) -> None:
        assert "0 of 4 decisions change" in run("whatif", "demo-out/practice.db")[1]

    def test_works_on_a_redacted_file(self, run) -> None:
        run("history", "--out", "red.jsonl")

        _, out, _ = run("whatif", "--app", "new_rules:policy", "red.jsonl")

        assert "text changed: 2" in out


class TestHistory:
    def test_tells_nothing_of_anybody(self, run, office: Path) -> None:
        code, out, _ = run("history", "--out", "red.jsonl")

        assert code == 0
        assert out.count("does not come out") <= 2  # a message that reads differently without its names is told
        header, *turns = (office / "red.jsonl").read_text(encoding="utf-8").casefold().splitlines()
        days = {"2026-11-23"}  # the header has days too: when a law was looked up
        assert [secret for secret in SECRETS if secret in " ".join(turns)] == []
        assert [secret for secret in SECRETS if secret in header and secret not in days] == []

    def test_comes_out_alike_each_time(self, run, office: Path) -> None:
        run("history", "--out", "one.jsonl")
        run("history", "--out", "two.jsonl")

        assert (office / "one.jsonl").read_bytes() == (office / "two.jsonl").read_bytes()

    def test_redacted_replays_bit_for_bit(self, run) -> None:
        run("history", "--out", "red.jsonl")

        assert run("replay", "red.jsonl")[:2] == (0, "4 of 4 turns came out as they were.\n")

    def test_refuses_another_file(self, run) -> None:
        code, _, err = run("replay", "rows.csv")

        assert code == 1
        assert "rows.csv: not a history file; write one with `treatment-agent history`" in err


class TestBugreport:
    def test_is_one_conversation_with_policy_and_versions(self, run, office: Path) -> None:
        code, _, _ = run("bugreport", "Q-2", "--out", "bug.jsonl")

        lines = (office / "bug.jsonl").read_text(encoding="utf-8").splitlines()
        header = json.loads(lines[0])
        assert code == 0
        assert (header["redacted"], header["turns"], len(lines)) == (True, 2, 3)
        assert header["packages"]["langgraph"]
        assert header["policy"]["office"]["name"] == "Example Dental"

    def test_of_nobody_names_the_fix(self, run) -> None:
        assert "no patient or case 'Q-9' in this ledger" in run("bugreport", "Q-9")[2]
