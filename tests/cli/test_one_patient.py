"""`queue --patient` and `why` explain any patient on one screen."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import SecretStr

from treatment_agent.demo.app import open_practice
from treatment_agent.domain.messages import InboundMessage
from treatment_agent.domain.private import PhoneNumber

PRACTICE = str(files("treatment_agent.demo") / "practice.csv")
NOW = "2026-11-23T09:00:00-06:00"
SCREEN_LINES = 40


class TestQueueOfOnePatient:
    def test_shows_points_and_the_steps_to_come(self, run) -> None:
        code, out, _ = run("queue", PRACTICE, "--now", NOW, "--patient", "P-1001")

        assert code == 0
        assert "P-1001: follow up" in out
        assert "+30" in out
        assert "diagnosed 4 days ago" in out
        assert "Mon Nov 23, 10:00 AM: first-message, by sms" in out
        assert "a person looks" in out
        assert len(out.splitlines()) < SCREEN_LINES

    def test_shows_every_reason_of_one_who_is_left_out(self, run) -> None:
        code, out, _ = run("queue", PRACTICE, "--now", NOW, "--patient", "P-1058")

        assert code == 0
        assert "P-1058: for staff" in out
        assert "queue.protected" in out
        assert len(out.splitlines()) < SCREEN_LINES

    def test_speaks_json(self, run) -> None:
        found = json.loads(run("queue", PRACTICE, "--now", NOW, "--patient", "P-1058", "--json")[1])

        assert found[0]["eligible"] is False
        assert found[0]["staff_look"] is True
        assert found[0]["reasons"][0]["rule"] == "queue.protected"

    def test_knows_only_who_is_listed(self, run) -> None:
        code, _, err = run("queue", PRACTICE, "--patient", "P-nobody")

        assert code != 0
        assert "no patient 'P-nobody' in this list" in err


class TestQueue:
    def test_keeps_apart_what_staff_look_at(self, run) -> None:
        _, out, _ = run("queue", PRACTICE, "--now", NOW)

        staff, left_out = out.split("For staff to look at")[1].split("Left out")
        assert "queue.protected" in staff
        assert "queue.protected" not in left_out


class TestWhy:
    def test_tells_where_a_patient_stands_in_three_lines(self, run) -> None:
        run("enroll", PRACTICE, "--now", NOW)

        code, out, _ = run("why", "P-1001")

        assert code == 0
        first = out.splitlines()
        assert first[0] == "P-1001: queued"
        assert first[1].startswith("Because: Nothing stands against following up")
        assert first[2].startswith("Next due ")

    def test_fits_one_screen_and_shows_the_rest_on_demand(self, run) -> None:
        for _ in range(20):
            run("enroll", PRACTICE, "--now", NOW)

        short, full = run("why", "P-1058")[1], run("why", "P-1058", "--all")[1]

        assert "earlier; --all shows them" in short
        assert short.count("queue.protected") < full.count("queue.protected")
        assert "No text is due by itself." in short

    def test_says_that_a_patient_is_left_out_and_not_queued(self, run) -> None:
        run("enroll", PRACTICE, "--now", NOW)

        assert run("why", "P-1058")[1].startswith(
            "P-1058: left out, for staff to look at\nBecause: The patient is marked as protected"
        )


class TestExported:
    @pytest.mark.parametrize(
        ("exported", "answer"), [("2026-11-20T09:00", "queue.stale-data"), ("2026-11-23T08:00", "P-1001: follow up")]
    )
    def test_keeps_old_data_from_being_acted_on(self, run, exported: str, answer: str) -> None:
        _, out, _ = run("queue", PRACTICE, "--now", NOW, "--patient", "P-1001", "--exported", exported)

        assert answer in out

    def test_must_be_a_time(self, run) -> None:
        code, _, err = run("enroll", PRACTICE, "--exported", "yesterday")

        assert code == 1
        assert "--exported: write a time like" in err


class TestCallBacks:
    def test_lists_and_enrols_what_nobody_called(self, run) -> None:
        run("enroll", PRACTICE, "--now", "2026-11-23T09:00")
        run("run", "--now", "2026-11-23T10:00")
        practice = open_practice(Path("demo-out"))
        asks = InboundMessage(
            id="in-1",
            sender=PhoneNumber("+13125550101"),
            text=SecretStr("Can you call me?"),
            received_at=practice.clock.now(),
        )
        practice.coordinator.receive(asks)
        practice.coordinator.close()

        early, late = (run("call-backs", "--now", f"2026-11-{day}T16:00", "--enroll")[1] for day in ("23", "25"))

        assert "0 calls are overdue." in early
        assert "case-call_back-P-1001-20261123" in late
        assert "1 calls are overdue." in late
        assert "1 enrolled" in late

    def test_has_a_help_text(self, run) -> None:
        assert "nobody made" in run("call-backs", "--help")[1]
