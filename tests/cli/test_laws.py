"""`laws` and what `doctor` says about the law."""

from __future__ import annotations

import json


class TestLaws:
    def test_shows_source_and_dates_of_the_places_asked_for(self, run) -> None:
        code, out, _ = run("laws", "--state", "FL", "--state", "washington", "--on", "2026-12-01")

        assert code == 0
        for piece in ("US-FL Florida", "US-WA Washington", "RCW 80.36.390", "until 2022-06-09", "* solicitation-hours"):
            assert piece in out
        assert "US-TX" not in out
        assert "STALE" not in out

    def test_changes_with_the_day(self, run) -> None:
        _, before, _ = run("laws", "--on", "2027-01-30")
        _, after, _ = run("laws", "--on", "2027-01-31")

        assert "* revoke-all" not in before
        assert "* revoke-all" in after
        assert "STALE" in run("laws", "--on", "2030-01-01")[1]

    def test_writes_json(self, run) -> None:
        rows = json.loads(run("laws", "--state", "TX", "--on", "2026-12-01", "--json")[1])

        assert {row["place"] for row in rows} == {"US", "US-TX"}
        assert all(row["source"] and row["effective_from"] for row in rows)

    def test_says_what_a_state_is(self, run) -> None:
        code, _, err = run("laws", "--state", "Mars")

        assert code == 1
        assert "two letters" in err

    def test_explains_itself(self, run) -> None:
        code, out, _ = run("laws", "--help")

        assert code == 0
        assert "--state" in out


class TestDoctor:
    def test_warns_of_changes_and_of_texts_no_person_approved(self, run) -> None:
        code, out, _ = run("doctor")

        assert code == 0
        assert "revoke-all begins on 2027-01-31" in out
        assert "approved by nobody of the office" in out
