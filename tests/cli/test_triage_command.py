"""`triage` on files: what comes out, what is reported, and what is left alone."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from treatment_agent.cli import main

GOOD = [
    {"id": "a", "text": "1", "context": "offer"},
    {"id": "b", "text": "Can it wait six months?", "context": "first_message"},
    {"id": "c", "text": "STOP", "context": "reminder"},
]


def triage(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["triage", *arguments])
    return ended.value.code or 0


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    lines = [json.dumps(GOOD[0]), "{broken", json.dumps(GOOD[1]), "", '{"id": "x"}', json.dumps(GOOD[2])]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


class TestTriage:
    def test_judges_good_lines_in_order_and_reports_bad_ones_by_number(
        self, history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out.jsonl"

        code = triage(str(history), "--out", str(out))

        said = capsys.readouterr()
        verdicts = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert code == 0
        assert [(v["id"], v["action"], v["label"]) for v in verdicts] == [
            ("a", "auto", "accept"),
            ("b", "handoff", "clinical"),
            ("c", "auto", "opt_out"),
        ]
        assert "line 2: not JSON" in said.err
        assert "line 5: no `text`" in said.err
        assert (
            "3 judged: 2 answered by itself, 1 handed off; lines skipped because they could not be read: 2." in said.out
        )

    def test_has_every_field_of_the_format(self, history: Path, tmp_path: Path) -> None:
        triage(str(history), "--out", str(tmp_path / "out.jsonl"))

        first = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[0])
        assert set(first) == {
            *("id", "action", "label", "topics", "intents", "confidence", "facts", "language", "would_send"),
            *("rules", "evidence", "readings"),
        }
        assert set(first["facts"]) == {"option", "windows", "call_at", "until", "reason"}

    def test_says_per_clause_what_decided_and_by_which_words(self, history: Path, tmp_path: Path) -> None:
        triage(str(history), "--out", str(tmp_path / "out.jsonl"))

        lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
        readings = [reading for line in lines for reading in json.loads(line)["readings"]]
        assert {"parser", "lexicon", "keyword"} & {reading["part"] for reading in readings}
        for reading in readings:
            assert set(reading) == {"clause", "label", "part", "rule", "probability", "threshold", "words"}
            assert 0 <= reading["threshold"] <= 1 >= reading["probability"] >= 0
            assert all(word in reading["clause"] for word in reading["words"])
            assert reading["words"]

    def test_exits_with_1_on_bad_lines_when_strict(self, history: Path, tmp_path: Path) -> None:
        assert triage(str(history), "--out", str(tmp_path / "out.jsonl"), "--strict") == 1

    def test_writes_only_verdicts_to_standard_output(self, history: Path, capsys: pytest.CaptureFixture[str]) -> None:
        triage(str(history), "--out", "-")

        said = capsys.readouterr()
        assert [json.loads(line)["id"] for line in said.out.splitlines()] == ["a", "b", "c"]
        assert "3 judged" in said.err

    def test_says_when_the_output_cannot_be_written(
        self, history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert triage(str(history), "--out", str(tmp_path / "no" / "folder" / "out.jsonl")) == 1
        assert "--out" in capsys.readouterr().err

    def test_reads_standard_input(
        self, history: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(history.read_bytes())))

        assert triage("-", "--out", "-") == 0
        assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ["a", "b", "c"]

    def test_names_an_input_that_is_not_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert triage("nowhere.jsonl", "--out", "-") == 2
        assert "nowhere.jsonl" in capsys.readouterr().err

    def test_says_that_a_folder_is_no_output(self, history: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert triage(str(history), "--out", ".") == 1
        assert "this is a folder" in capsys.readouterr().err

    def test_goes_on_when_judging_one_line_breaks(
        self, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from treatment_agent.triage import Triage

        judge = Triage.judge

        def breaks(self: Triage, line: dict[str, object]) -> dict[str, object]:
            if line["id"] == "b":
                raise KeyError("MARKER-WORDS")
            return judge(self, line)

        monkeypatch.setattr(Triage, "judge", breaks)

        assert triage(str(history), "--out", str(tmp_path / "out.jsonl")) == 0
        said = capsys.readouterr()
        assert "line 3: judging it raised KeyError" in said.err
        assert "MARKER" not in said.err
        assert "2 judged" in said.out

    def test_leaves_no_half_file_behind(self, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from treatment_agent.triage import Triage

        def stopped(self: Triage, line: dict[str, object]) -> dict[str, object]:
            raise KeyboardInterrupt

        monkeypatch.setattr(Triage, "judge", stopped)
        triage(str(history), "--out", str(tmp_path / "out.jsonl"))

        assert [p.name for p in tmp_path.iterdir()] == ["in.jsonl"]
