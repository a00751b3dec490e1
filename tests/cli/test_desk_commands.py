"""Acknowledge, resolve, release; pause and resume; approve and reject; shadow: on the bundled practice."""

from __future__ import annotations

import json
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from treatment_agent import InboundMessage
from treatment_agent.cli import main
from treatment_agent.demo.app import keep_time, open_practice
from treatment_agent.domain.events import ChartChange

PRACTICE = str(files("treatment_agent.demo") / "practice.csv")
CHICAGO = ZoneInfo("America/Chicago")
MORNING = datetime(2026, 11, 25, 10, 5, tzinfo=CHICAGO)
AT = "2026-11-25T10:05"


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TREATMENT_AGENT_APP", raising=False)
    monkeypatch.delenv("TREATMENT_AGENT_STAFF", raising=False)

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return Result(ended.value.code or 0, captured.out, captured.err)

    return call


def with_practice(act) -> None:
    """Something happens at the bundled practice between two commands."""
    practice = open_practice(Path("demo-out"))
    act(practice.coordinator)
    keep_time(practice.folder, practice.clock.now())
    practice.coordinator.close()


def writes(patient: str, text: str):
    def act(coordinator) -> None:
        now = coordinator.clock.now()
        conversation = coordinator.ledger.conversation_ids_of_patient(patient)[0]
        sender = coordinator.ledger.facts(conversation, at=now).case.patient.mobile
        coordinator.receive(InboundMessage(id=f"m-{text}", sender=sender, text=SecretStr(text), received_at=now))

    return act


@pytest.fixture
def begun(run):
    """Five patients were written to on Wednesday morning."""
    run("enroll", PRACTICE)
    assert "5 texts sent" in run("run", "--now", AT, "--limit", "5").out
    return run


class TestHandoffs:
    def test_are_escalated_acknowledged_resolved_and_released(self, begun) -> None:
        with_practice(writes("P-1001", "cost is the issue"))
        assert "1 open, 0 overdue, 0 escalated." in begun("handoffs").out
        assert "1 open, 1 overdue" in begun("handoffs", "--now", "2026-11-30T10:00").out

        late = begun("run", "--now", "2026-11-30T10:00", "--limit", "1").out
        assert "now for the office manager" in late
        listed = begun("handoffs").out
        assert "1 open, 0 overdue, 1 escalated." in listed
        assert "not acknowledged in time by the treatment coordinator" in listed

        assert "acknowledged by kim" in begun("acknowledge", "P-1001", "--by", "kim").out
        assert "acknowledged by kim" in begun("handoffs").out
        assert "resolved by kim" in begun("resolve", "P-1001", "--by", "kim").out
        with_practice(writes("P-1001", "and one more thing about the price"))
        assert "opened again" in begun("handoffs").out
        released = begun("release", "P-1001", "--by", "kim", "--next", "close")
        assert "now closed" in released.out, released.err
        assert "handoff.escalated" in begun("why", "P-1001").out

    def test_tasks_are_done_by_their_id(self, begun) -> None:
        with_practice(writes("P-1001", "can you call me?"))
        (task,) = json.loads(begun("handoffs", "--json").out)
        assert begun("acknowledge", task["id"], "--by", "kim").code == 0
        assert begun("resolve", task["id"], "--by", "kim").code == 0
        assert "0 open" in begun("handoffs").out

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("release", "P-1001", "--by", "kim"), "nothing open has the id 'P-1001'"),
            (("resolve", "nothing", "--by", "kim"), "`treatment-agent handoffs` shows what is"),
        ],
    )
    def test_that_are_not_open_are_an_error_in_one_line(self, begun, arguments, says) -> None:
        result = begun(*arguments)
        assert result.code == 1
        assert says in result.err

    def test_need_to_know_what_comes_next(self, begun) -> None:
        with_practice(writes("P-1001", "cost is the issue"))
        assert "use one of resume" in begun("release", "P-1001", "--by", "kim", "--next", "nonsense").err
        assert "write a day" in begun("release", "P-1001", "--by", "kim", "--until", "soon").err


class TestSwitch:
    def test_pauses_and_resumes_outreach(self, run) -> None:
        run("enroll", PRACTICE)
        assert "limit.paused, by kim" in run("pause", "--by", "kim", "--note", "phones are down").out

        held = run("run", "--now", AT).out
        assert "0 texts sent" in held
        assert "wait, limit.paused" in held
        status = run("outreach").out
        assert "phones are down" in status
        assert "limit.paused" in status
        assert "limit.paused" in run("why", "P-1001").out
        assert json.loads(run("outreach", "--json").out)["rule"] == "limit.paused"

        assert "goes on, by kim" in run("resume", "--by", "kim").out
        assert "50 texts sent" in run("run").out
        assert "wait, limit.daily" in run("run").out

    def test_stops_everything(self, begun) -> None:
        assert "nothing leaves" in begun("pause", "--by", "kim", "--everything").out
        with_practice(writes("P-1001", "1"))
        assert "1 open" in begun("handoffs").out
        why = begun("why", "P-1001").out
        assert "limit.stopped" in why
        assert why.count("text sent") == 1

    def test_wants_to_know_who(self, run) -> None:
        assert run("pause").code == 2


class TestApproval:
    def test_lists_approves_and_rejects_first_texts(self, run, monkeypatch: pytest.MonkeyPatch) -> None:
        from treatment_agent.demo import app
        from treatment_agent.policies.limits import Limits

        careful = app.maple_policy().model_copy(update={"limits": Limits(approve_first=2)})
        monkeypatch.setattr(app, "maple_policy", lambda: careful)
        run("enroll", PRACTICE)
        assert "0 texts sent" in run("run", "--now", AT).out
        status = run("outreach").out
        # Two of each text: the first message, its variant for an old diagnosis, and those in Spanish.
        assert status.count("waits for approval") == len(_pending(run)) > 2
        assert "Reply STOP to opt out" in status
        first, other = (p["id"] for p in _pending(run)[:2])

        assert "due again" in run("approve", first, "--by", "kim").out
        assert "human review" in run("reject", other, "--by", "kim").out
        assert "1 texts sent" in run("run", "--now", "2026-11-25T10:06", "--limit", "5").out
        assert run("approve", "nothing", "--by", "kim").code == 1


def _pending(run) -> list[dict[str, str]]:
    return [
        {"id": f"{p['conversation_id']}:{s['script_id']}:{s['language']}:v{s['version']}"}
        for p in json.loads(run("outreach", "--json").out)["pending"]
        for s in (p["script"],)
    ]


class TestShadow:
    def test_records_and_compares_with_what_staff_did(self, run) -> None:
        assert "nothing leaves" in run("shadow", "--start").out
        run("enroll", PRACTICE)
        assert "nothing left" in run("run", "--now", AT, "--limit", "3").out

        def act(coordinator) -> None:
            assert coordinator.shadow
            coordinator.clock.set(datetime(2026, 11, 27, 11, tzinfo=CHICAGO))
            coordinator.chart_changed("P-1001", ChartChange.BOOKED)
            coordinator.chart_changed("P-1005", ChartChange.STAFF_CONTACT)

        with_practice(act)
        seen = run("shadow").out
        assert "we first: 1" in seen
        assert "only we: 2" in seen
        assert "only staff: 1" in seen
        assert "recorded, not sent" in run("why", "P-1001").out
        assert "Reply STOP" in run("shadow", "--texts").out
        cases = {c["patient_id"]: c for c in json.loads(run("shadow", "--json").out)}
        assert cases["P-1001"]["compared"] == "we first"

    def test_needs_books_of_its_own(self, begun) -> None:
        result = begun("shadow", "--start")
        assert result.code == 1
        assert "live cases" in result.err


@pytest.mark.parametrize(
    "command", ["acknowledge", "resolve", "release", "outreach", "pause", "resume", "approve", "reject", "shadow"]
)
def test_each_command_explains_itself(run, command: str) -> None:
    result = run(command, "--help")

    assert result.code == 0
    assert "--app" in result.out
