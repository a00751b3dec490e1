"""`consent show`, `consent record` and `consent export` on the bundled practice."""

from __future__ import annotations

import csv
import io
import json
from importlib.resources import files
from pathlib import Path

import pytest

from treatment_agent.cli import main

PRACTICE = str(files("treatment_agent.demo") / "practice.csv")
PHONE = "+16305550119"


class Shell:
    """Runs commands in one folder; the books are kept between them."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, said.err
        return said.out, said.err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TREATMENT_AGENT_APP", raising=False)
    shell = Shell(capsys)
    shell("enroll", PRACTICE)
    return shell


class TestHelp:
    @pytest.mark.parametrize("command", [(), ("show",), ("record",), ("export",)])
    def test_explains_itself(self, run: Shell, command: tuple[str, ...]) -> None:
        out, _ = run("consent", *command, "--help")
        assert "Usage" in out


class TestRecordAndShow:
    def test_a_revocation_told_on_the_phone_is_shown_with_who_how_and_proof(self, run: Shell) -> None:
        out, _ = run("consent", "show", PHONE)
        assert "granted" in out.splitlines()[1]

        out, _ = run("consent", "record", PHONE, "revoked", "--by", "kim", "--how", "phone", "--evidence", "call-113")
        assert "opted out" in out
        assert "staff.record-revocation" in out

        out, _ = run("consent", "show", "P-1019")
        assert f"{PHONE} (sms) of P-1019: revoked" in out
        line = next(line for line in out.splitlines() if "consent revoked" in line)
        for part in ("phone", "kim", "all", "call-113"):
            assert part in line

    def test_a_grant_lifts_it(self, run: Shell) -> None:
        run("consent", "record", "P-1019", "revoked", "--by", "kim")
        run("consent", "record", "P-1019", "granted", "--by", "kim", "--how", "paper", "--evidence", "form-9")
        out, _ = run("consent", "show", PHONE, "--json")
        (file,) = json.loads(out)
        assert file["standing"] == "granted"
        assert [line["what"] for line in file["history"]][-2:] == ["consent revoked", "consent granted"]

    def test_refuses_words_as_proof_in_one_line(self, run: Shell) -> None:
        _, err = run("consent", "record", "P-1019", "revoked", "--by", "kim", "--evidence", "Peter said so", code=1)
        assert "--evidence takes" in err
        assert "Peter" not in err

    def test_says_in_one_line_that_nobody_is_called_so(self, run: Shell) -> None:
        _, err = run("consent", "show", "nobody", code=1)
        assert err.startswith("Error: ")
        assert "nobody" not in err.removeprefix("Error: ")


class TestExport:
    def test_of_one_number_holds_every_consent_text_and_message(self, run: Shell) -> None:
        run("run", "--now", "2026-11-25T10:05")
        run("consent", "record", PHONE, "revoked", "--by", "kim", "--how", "in_person", "--evidence", "visit-4")

        out, _ = run("consent", "export", PHONE)

        told = json.loads(out)
        assert told["office"] == "Maple Dental"
        (file,) = told["contacts"]
        assert (file["standing"], file["sent_after_revocation"]) == ("revoked", 0)
        revoked = next(line for line in file["history"] if line["what"] == "consent revoked")
        assert (revoked["by"], revoked["how"], revoked["evidence"]) == ("kim", "in_person", "visit-4")
        assert {"at_utc", "at_office", "recorded_at_utc", "purpose"} <= revoked.keys()

    def test_of_everybody_is_one_table_that_only_its_owner_reads(self, run: Shell, tmp_path: Path) -> None:
        run("run", "--now", "2026-11-25T10:05")

        _, err = run("consent", "export", "--out", "consent.csv")

        file = tmp_path / "consent.csv"
        assert file.stat().st_mode & 0o077 == 0
        rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
        assert "contact points written to consent.csv" in err
        sent = [row for row in rows if row["what"] == "text sent"]
        assert sent
        for row in sent:
            assert row["consent_then"] == "granted"
            assert row["approved_by"]
            assert len(row["content_hash"]) == 64

    def test_to_a_place_that_cannot_be_written_says_so(self, run: Shell) -> None:
        _, err = run("consent", "export", "--out", "no/such/folder/x.csv", code=1)
        assert "--out" in err
