"""The command line as people and pipes see it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from treatment_agent.cli import main

PRACTICE = str(files("treatment_agent.demo") / "practice.csv")


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TREATMENT_AGENT_APP", raising=False)

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Result(ended.value.code or 0, captured.out, captured.err)

    return call


class TestHelp:
    def test_answers_without_importing_langgraph_or_sqlalchemy(self) -> None:
        code = (
            "import sys\n"
            "from treatment_agent.cli import main\n"
            "try: main(['--help'])\n"
            "except SystemExit as e: assert not e.code\n"
            "heavy = {'langgraph', 'sqlalchemy', 'langchain_core', 'openai', 'pydantic', 'jinja2'} & set(sys.modules)\n"
            "assert not heavy, heavy\n"
        )

        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        for command in ("demo", "chat", "queue", "preview", "enroll", "run", "why", "handoffs", "report", "triage"):
            assert command in done.stdout

    @pytest.mark.parametrize("command", ["graph", "doctor", "triage", "queue"])
    def test_explains_each_command(self, run, command: str) -> None:
        result = run(command, "--help")

        assert result.code == 0
        assert "--app" in result.out


class TestErrors:
    @pytest.mark.parametrize(
        ("target", "says"),
        [
            ("nonsense", "module:attribute"),
            ("no_such_module_here:app", "ModuleNotFoundError"),
            ("json:nothing", "has no nothing"),
            ("json:dumps", "calling it raised TypeError"),
            ("math:pi", "this is a float"),
        ],
    )
    def test_says_in_one_line_why_an_app_cannot_be_used(self, run, target: str, says: str) -> None:
        result = run("handoffs", "--app", target)

        assert result.code == 1
        assert says in result.err
        assert "Traceback" not in result.err
        assert len(result.err.strip().splitlines()) == 1

    def test_says_how_to_write_a_time(self, run) -> None:
        result = run("run", "--now", "noonish")

        assert result.code == 1
        assert "2026-11-24T10:05" in result.err

    def test_names_a_patient_it_does_not_know(self, run) -> None:
        result = run("why", "P-9999")

        assert result.code == 1
        assert "P-9999" in result.err

    def test_names_a_file_that_is_not_there(self, run) -> None:
        result = run("queue", "nowhere.csv")

        assert result.code == 2
        assert "nowhere.csv" in result.err

    def test_says_that_rows_were_unreadable_when_a_patient_is_not_found(self, run) -> None:
        result = run("queue", PRACTICE, "--patient", "P-1073")

        assert result.code == 1
        assert "4 rows could not be read" in result.err

    def test_names_the_columns_a_file_lacks(self, run, tmp_path: Path) -> None:
        (tmp_path / "bad.csv").write_text("Colour,Size\nred,4\n", encoding="utf-8")

        result = run("queue", "bad.csv")

        assert result.code == 1
        assert "patient_id" in result.err


class TestDemoList:
    """Without FILE the demo practice's own list is meant, as everywhere else."""

    @pytest.mark.parametrize("command", ["queue", "enroll"])
    def test_is_read_without_a_file(self, run, command: str) -> None:
        bare, named = run(command, "--folder", "a"), run(command, PRACTICE, "--folder", "b")

        assert bare.code == 0, bare.err
        assert bare.out == named.out
        assert PRACTICE in bare.err

    def test_is_not_read_for_a_practice_of_ones_own(self, run, tmp_path: Path, monkeypatch) -> None:
        (tmp_path / "ours.py").write_text(
            "from treatment_agent.demo.sample import sample_office\ncoordinator = sample_office().coordinator\n",
            encoding="utf-8",
        )
        monkeypatch.syspath_prepend(str(tmp_path))

        result = run("queue", "--app", "ours:coordinator")

        assert result.code == 1
        assert "name your export" in result.err


class TestQueue:
    def test_ranks_with_points_and_leaves_out_with_reasons(self, run) -> None:
        result = run("queue", PRACTICE)

        assert result.code == 0, result.err
        lines = result.out.splitlines()
        ranked = [line for line in lines if re.match(r"\s*\d+\s+P-\d+", line)]
        scores = [int(line.split()[2]) for line in ranked]
        assert len(ranked) > 40
        assert scores == sorted(scores, reverse=True)
        assert "value +" in ranked[0]
        assert any("P-1058" in line and "queue.protected" in line for line in lines)
        assert any(line.startswith("line ") and "ProcCode" in line for line in lines)

    def test_lists_a_patient_once_and_never_forgets_a_flag(self, run) -> None:
        rows = ["1,Ann,D2740,Protected,Yes", "2,Bob,D2740,,Yes", "1,Ann,D2950,,Yes"]
        Path("x.csv").write_text("\n".join(["PatNum,FName,ProcCode,Flags,SMS", *rows]), encoding="utf-8")

        found = json.loads(run("queue", "x.csv", "--json").out)

        rules = [(row["patient"], row["rule"]) for row in found["skipped"]]
        assert rules.count(("1", "queue.protected")) == 1
        assert [patient for patient, _ in rules if patient == "1"] == ["1"]

    @pytest.mark.parametrize("command", ["queue", "enroll"])
    def test_names_columns_nobody_reads_and_those_that_lack(self, run, command: str) -> None:
        Path("x.csv").write_text("PatNum,FName,ProcCode,Favourite\n1,Ann,D2740,x\n", encoding="utf-8")

        lines = run(command, "x.csv").out.splitlines()

        assert any(line.startswith("Columns not read: 'Favourite'.") for line in lines)
        assert any(line.startswith("No column for: mobile, sms, diagnosed_on, provider_id.") for line in lines)

    def test_maps_columns_money_and_encoding_by_options(self, run) -> None:
        text = "Ref;FName;ProcCode;Handy;Fee;SMS;Date\n1;José;D2740;312-555-0105;1.250,00;Yes;11/20/2026\n"
        Path("x.csv").write_bytes(text.encode("cp1252"))

        told = run("queue", "x.csv")
        result = run(
            *("queue", "x.csv", "--column", "patient_id=Ref", "--column", "mobile=Handy"),
            *("--decimal-comma", "--encoding", "cp1252"),
        )

        assert "--column patient_id='<your header>'" in told.err
        assert result.code == 0, result.err
        assert "$1,250" in result.out
        assert "fields are" in run("queue", "x.csv", "--column", "shoe=Ref").err

    @pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
    def test_reads_json_by_its_suffix(self, run, name: str) -> None:
        record = {"patient_id": 1, "first_name": "Ann", "code": "D2740", "procedure_date": "2026-11-20"}
        Path(name).write_text(json.dumps(record) + "\n", encoding="utf-8")

        found = json.loads(run("queue", name, "--json").out)

        assert [row["patient"] for row in found["skipped"]] == ["1"]

    def test_says_that_a_file_holds_nothing(self, run) -> None:
        Path("x.csv").write_text("PatNum,FName,ProcCode\n", encoding="utf-8")
        Path("empty.csv").write_text("", encoding="utf-8")

        assert "the file has a header and no rows" in run("queue", "x.csv").out
        assert "the file is empty" in run("queue", "empty.csv").err

    def test_writes_plain_lines_into_a_pipe(self, run) -> None:
        result = run("queue", PRACTICE)

        assert "\x1b" not in result.out
        assert not set("─│┃╭╰━┏") & set(result.out)
        assert all(line == line.rstrip() for line in result.out.splitlines())

    def test_writes_json_that_adds_up(self, run) -> None:
        found = json.loads(run("queue", PRACTICE, "--json").out)

        assert all(row["score"] == sum(row["points"].values()) for row in found["ranked"])
        assert sum(found["skipped_by_rule"].values()) == len(found["skipped"])
        assert {row["column"] for row in found["rejected"]} >= {"ProcCode"}

    def test_leaves_nothing_behind(self, run, tmp_path: Path) -> None:
        run("queue", PRACTICE)

        assert list(tmp_path.iterdir()) == []

    def test_says_in_words_where_points_come_from(self, run) -> None:
        assert "open treatment worth" in run("queue", PRACTICE, "--explain").out


class TestLifeOfAPractice:
    def test_enrolls_runs_explains_and_reports(self, run) -> None:
        enrolled = run("enroll", PRACTICE)
        assert enrolled.code == 0, enrolled.err
        assert re.match(r"(\d\d) on the books \(\1 new, 0 refreshed\): \d\d to follow up", enrolled.out)

        early = run("run")
        assert "0 texts sent" in early.out

        sent = run("run", "--now", "2026-11-23T10:05", "--limit", "5")
        assert "5 conversations were due, 5 texts sent." in sent.out

        again = run("run", "--limit", "5")
        assert again.code == 0

        why = run("why", "P-1001")
        assert "first-message" in why.out
        assert json.loads(run("why", "P-1001", "--json").out)["patient_id"] == "P-1001"

        assert run("handoffs").out.strip().endswith("escalated.")
        told = json.loads(run("report", "--json").out)
        assert told["measures"]["funnel"]["contacted"]["count"] >= 5

        page = run("report", "--html", "page.html")
        assert page.code == 0
        assert "Maple Dental" in Path("page.html").read_text(encoding="utf-8")

    def test_holds_whom_a_newer_list_leaves_out_unless_it_is_a_part(self, run, tmp_path: Path) -> None:
        run("enroll", PRACTICE)
        newer = tmp_path / "newer.csv"
        newer.write_text("".join(Path(PRACTICE).read_text("utf-8").splitlines(keepends=True)[:3]), "utf-8")

        part = run("enroll", str(newer), "--partial")
        whole = run("enroll", str(newer))

        assert "on hold" not in part.out
        assert re.search(r"^\d+ on hold: not in this file any more", whole.out, re.MULTILINE)
        assert "--partial" in whole.out

    def test_previews_the_next_text_and_sends_nothing(self, run) -> None:
        run("enroll", PRACTICE)

        preview = run("preview", "P-1001")

        assert "Reply STOP to opt out" in preview.out
        assert "segment" in preview.out
        assert json.loads(run("report", "--json").out)["measures"]["funnel"]["contacted"]["count"] == 0


class TestPreview:
    def test_shows_every_script_with_its_length(self, run) -> None:
        result = run("preview")

        assert result.code == 0, result.err
        assert "first-message, en, v1, approved by" in result.out
        assert "first-message, es, v1, approved by" in result.out
        assert "cannot be filled" not in result.out

    def test_shows_one_script_in_one_language(self, run) -> None:
        result = run("preview", "--script", "booked", "--language", "es")

        assert "1 scripts." in result.out

    def test_names_the_languages_there_are(self, run) -> None:
        result = run("preview", "--language", "fr")

        assert result.code == 1
        assert "this policy has en, es" in result.err

    def test_names_the_scripts_there_are(self, run) -> None:
        result = run("preview", "--script", "birthday")

        assert result.code == 1
        assert "first-message" in result.err


class TestGraph:
    def test_prints_mermaid(self, run) -> None:
        result = run("graph")

        assert result.code == 0, result.err
        assert "consent_gate" in result.out
        assert "graph TD" in result.out

    def test_prints_the_phases(self, run) -> None:
        assert "[*] --> queued" in run("graph", "--phases").out


class TestDoctor:
    def test_finds_nothing_to_fix_in_the_demo(self, run) -> None:
        result = run("doctor")

        assert result.code == 0, result.out
        assert "0 to fix" in result.out

    def test_tells_what_to_fix_and_exits_with_1(self, run, tmp_path: Path) -> None:
        (tmp_path / "broken_app.py").write_text(
            "from treatment_agent.demo.policy import maple_policy\n"
            "from treatment_agent.coordinator import Coordinator, Tools\n"
            "from treatment_agent.tools.memory import MemoryMessenger, MemoryScheduler\n"
            "def app():\n"
            "    policy = maple_policy()\n"
            "    tools = Tools(scheduler=MemoryScheduler(), messenger=MemoryMessenger(channels=()))\n"
            "    return Coordinator(policy=policy, tools=tools, ledger='sqlite:///broken.db')\n",
            encoding="utf-8",
        )

        result = run("doctor", "--app", "broken_app:app")

        assert result.code == 1
        assert "change the step" in result.out
        assert "no chart is connected" in result.out

    def test_lists_what_is_wrong_with_a_policy_that_cannot_be_used(self, run, tmp_path: Path) -> None:
        (tmp_path / "refused_app.py").write_text(
            "from treatment_agent.errors import PolicyError\n"
            "def app():\n"
            "    raise PolicyError('x', (('cadence', 'no steps; add one'), ('office', 'no zone; set it')))\n",
            encoding="utf-8",
        )

        result = run("doctor", "--app", "refused_app:app")

        assert result.code == 1
        assert "FIX  cadence: no steps; add one" in result.out
        assert "FIX  office: no zone; set it" in result.out
        assert "2 to fix" in result.out

    def test_does_not_repeat_the_words_of_foreign_errors(self, run, tmp_path: Path) -> None:
        (tmp_path / "talking_app.py").write_text("raise RuntimeError('MARKER-SECRET')\n", encoding="utf-8")

        result = run("doctor", "--app", "talking_app:app")

        assert "RuntimeError" in result.err
        assert "MARKER" not in result.err
        assert "MARKER" in run("--debug", "doctor", "--app", "talking_app:app").err


class TestChat:
    def test_refuses_a_wait_without_end(self, run, monkeypatch: pytest.MonkeyPatch) -> None:
        import io

        monkeypatch.setattr(sys, "stdin", io.StringIO("/wait 9999999d\n/wait 9999999999999d\n/quit\n"))

        result = run("chat")

        assert result.code == 0, result.err
        assert result.out.count("/wait: at most") == 2

    def test_shows_what_was_understood_and_why(self, run, monkeypatch: pytest.MonkeyPatch) -> None:
        import io

        monkeypatch.setattr(sys, "stdin", io.StringIO("Cost is the issue\n/why\n/quit\nnever read\n"))

        result = run("chat")

        assert result.code == 0, result.err
        assert "first-message" in result.out
        assert "financing" in result.out
        assert "phase    contacted -> with staff" in result.out
        assert "never read" not in result.out
