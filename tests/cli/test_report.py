"""`report` in each of its forms, on a practice with some days behind it and on none."""

from __future__ import annotations

import csv
import io
import json
from importlib.resources import files
from pathlib import Path

import pytest

from treatment_agent.cli import main
from treatment_agent.demo.app import open_practice
from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.messages import InboundMessage
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.tools.csv_source import CsvCaseSource

PRACTICE = str(files("treatment_agent.demo") / "practice.csv")
WORDS = "Cost is the issue right now"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books in which a few patients were written to; one booked and came, one spoke of cost."""
    folder = tmp_path_factory.mktemp("books") / "practice"
    made = open_practice(folder)
    coordinator, zone = made.coordinator, maple_policy().office.tz
    coordinator.enroll(CsvCaseSource(Path(PRACTICE), zone=zone.key, synced_at=made.clock.now()))
    made.clock.set(made.clock.now().astimezone(zone).replace(hour=10, minute=5))
    coordinator.run_due(limit=12)
    first, second = (ledger_row(coordinator, n) for n in (0, 1))
    for number, (phone, words) in enumerate(((first[1], "1"), (second[1], WORDS))):
        message = {"id": f"m{number}", "sender": phone, "text": words, "received_at": made.clock.now()}
        coordinator.receive(InboundMessage.model_validate(message))
    coordinator.chart_changed(first[0], ChartChange.DONE)
    (folder / "clock.txt").write_text(made.clock.now().isoformat(), encoding="utf-8")
    coordinator.close()
    return folder


def ledger_row(coordinator, place: int) -> tuple[str, PhoneNumber]:
    """Patient and number of the nth conversation that was written to."""
    rows = (row for row in coordinator.work_list() if coordinator.ledger.outbox(row.conversation.id))
    case = [row.case for row in rows][place]
    return case.patient.id, case.patient.mobile


@pytest.fixture
def report(practice: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TREATMENT_AGENT_APP", raising=False)

    def call(*arguments: str, folder: Path = practice, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main(("report", "--folder", str(folder), *arguments))
        captured = capsys.readouterr()
        assert (ended.value.code or 0) == code, captured.err
        return captured.out if code == 0 else captured.err

    return call


class TestTerminal:
    def test_tells_rates_with_counts_and_ranges_and_the_patients_words(self, report) -> None:
        told = report()

        lines = {line.split("  ")[0].strip(): line.split() for line in told.splitlines() if line.strip()}
        assert lines["contacted"][1] == lines["answered"][2] == "12"
        assert lines["answered"][1:4] == ["2", "12", "17%"]
        assert lines["booked"][1] == "1"
        assert f"“{WORDS}”" in told
        assert "1. first-message" in told
        assert "financing" in told
        assert "Dr. Lee" in told

    def test_is_friendly_where_nobody_has_entered(self, report, tmp_path: Path) -> None:
        assert "Nobody has entered yet" in report(folder=tmp_path / "none")
        assert not (tmp_path / "none").exists()

    def test_counts_only_the_period(self, report) -> None:
        assert "Nobody has entered yet" in report("--since", "2026-12-24")

    def test_says_how_a_day_is_written(self, report) -> None:
        assert "--until: write a day like 2026-11-23" in report("--until", "24.12.", code=1)


class TestJson:
    def test_has_every_number_and_no_words_unless_asked(self, report) -> None:
        told = json.loads(report("--json"))

        assert told["measures"]["funnel"]["contacted"]["count"] == 12
        assert told["measures"]["funnel"]["booked"]["low"] < told["measures"]["funnel"]["booked"]["share"]
        assert told["measures"]["funnel"]["value_kept_cents"] > 0
        assert told["measures"]["days_to_scheduled"]["waiting"] > 0
        assert [o["code"] for o in told["review"]["objections"]] == ["cost"]
        assert WORDS not in json.dumps(told)
        assert WORDS in report("--json", "--words")


class TestCsv:
    def test_is_one_table_without_words(self, report) -> None:
        report("--csv", "out/report.csv")

        text = Path("out/report.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(text)))
        found = {(r["section"], r["group"], r["measure"]): r for r in rows}
        assert len(found) == len([r for r in rows if r["section"] != "fault"]) + sum(
            r["section"] == "fault" for r in rows
        )
        responded = found["all", "", "responded"]
        assert (responded["count"], responded["of"], responded["unit"]) == ("2", "12", "share")
        assert float(responded["low"]) < float(responded["value"]) < float(responded["high"])
        assert ("path", "step-0/first-message/sms", "answered") in found
        assert any(r["section"] == "provider" for r in rows)
        assert WORDS not in text

    def test_says_what_is_wrong_with_the_place(self, report, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        assert "--csv file/report.csv" in report("--csv", "file/report.csv", code=1)


class TestPages:
    def test_writes_the_report_and_the_conversations(self, report) -> None:
        report("--html", "report.html", "--conversations", "talks.html")

        page = Path("report.html").read_text(encoding="utf-8")
        assert "Follow-up report" in page
        assert WORDS in page
        assert "<script" not in page
        assert "Skip to the conversations" in Path("talks.html").read_text(encoding="utf-8")


class TestHoldOut:
    def test_says_how_to_hold_out_where_nobody_is(self, report, practice: Path, capsys) -> None:
        with pytest.raises(SystemExit) as ended:
            main(("hold-out", "--folder", str(practice)))

        assert not ended.value.code
        assert "HoldOut(share=0.1)" in capsys.readouterr().out
