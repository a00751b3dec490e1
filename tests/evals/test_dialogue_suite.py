"""Dialogues as pytest tests and under `treatment-agent eval`; coverage, records, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from treatment_agent.cli import main
from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.interpretation import Intent
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.coverage import KINDS, coverage, reached_by, read_excuses
from treatment_agent.evals.page import Report, render
from treatment_agent.evals.record import DialogueRecord, Direction, MessageRecord, RunRecord, compare
from treatment_agent.testing import ConstantInterpreter, understood

HEAD = 'claim = "A claim made in a test."\nnow = "2026-11-25T10:00:00-06:00"\n'
PICKS = '[[turn]]\npatient = "1"\n[end]\nphase = "booked"\nsent = ["first-message", "booked"]\nbookings = [{}]\n'
WRONG = PICKS.replace('"booked"\nsent', '"deferred"\nsent')
MISSED = PICKS.replace("[end]", 'must_hand_off = "clinical"\n[end]')
PLUGIN = ("-p", "treatment_agent.evals.plugin", "-p", "no:cacheprovider")


def accepting() -> ConstantInterpreter:
    """An interpreter that takes everything for a yes: what a hijacked model would like to do."""
    return ConstantInterpreter(understood(Intent.ACCEPT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "dialogues" / "booking"
    place.mkdir(parents=True)
    for name, body in (("good", PICKS), ("wrong", WRONG), ("missed", MISSED)):
        (place / f"{name}.toml").write_text(HEAD + body, encoding="utf-8")
    return tmp_path


def evaluate(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["eval", *map(str, arguments)])
    return int(ended.value.code or 0)


class TestPlugin:
    def test_collects_files_below_dialogues_and_shows_the_transcript(self, pytester: pytest.Pytester):
        place = pytester.mkdir("dialogues")
        (place / "good.toml").write_text(HEAD + PICKS, encoding="utf-8")
        (place / "wrong.toml").write_text(HEAD + WRONG, encoding="utf-8")
        (pytester.path / "other.toml").write_text("x = 1", encoding="utf-8")

        result = pytester.runpytest_inprocess(*PLUGIN)

        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(
            [
                "turn 1  dialogues/wrong.toml:3",
                "*patient  1",
                ">> end, end.phase: expected deferred; got booked*reply.accept*",
            ]
        )
        assert "Traceback" not in result.stdout.str()

    def test_leaves_other_files_of_a_checkout_in_a_folder_of_that_name(self, pytester: pytest.Pytester):
        root = pytester.mkdir("dialogues")
        (root / "pyproject.toml").write_text("[tool.pytest.ini_options]", encoding="utf-8")
        (root / "other.toml").write_text("x = 1", encoding="utf-8")

        result = pytester.runpytest_inprocess(*PLUGIN, "--rootdir", root, "-c", root / "pyproject.toml", root)

        assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED

    def test_names_a_hard_gate_first(self, pytester: pytest.Pytester):
        (pytester.mkdir("dialogues") / "missed.toml").write_text(HEAD + MISSED, encoding="utf-8")

        result = pytester.runpytest_inprocess(*PLUGIN, "-k", "missed")

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["HARD GATE: missed handoff"])

    def test_plays_with_another_interpreter(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.syspath_prepend(Path(__file__).parent)
        (pytester.mkdir("dialogues") / "wrong.toml").write_text(HEAD + WRONG, encoding="utf-8")

        pytester.runpytest_inprocess(*PLUGIN, "--interpreter", "test_dialogue_suite:accepting").assert_outcomes(
            passed=1
        )


class TestPluginCoverage:
    """A suite with an `unreached.toml` reaches everything else, or the run fails."""

    def test_fails_and_names_what_is_not_reached(self, pytester: pytest.Pytester):
        place = pytester.mkdir("dialogues")
        (place / "good.toml").write_text(HEAD + PICKS, encoding="utf-8")
        (pytester.path / "unreached.toml").write_text('[phase]\nbooked = "?"\n', encoding="utf-8")

        result = pytester.runpytest_inprocess(*PLUGIN)

        result.assert_outcomes(passed=1)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            [
                "*dialogue coverage*",
                "no dialogue reaches phase opted_out",
                "excused, but reached or unknown: phase booked",
            ]
        )

    def test_passes_when_the_rest_is_excused(self, pytester: pytest.Pytester, run):
        (pytester.mkdir("dialogues") / "good.toml").write_text(HEAD + PICKS, encoding="utf-8")
        found = coverage(reached_by(run(PICKS).played), maple_policy())
        tables = (f"[{kind}]\n" + "".join(f'"{name}" = "no"\n' for name in found.missing(kind)) for kind in KINDS)
        (pytester.path / "unreached.toml").write_text("\n".join(tables), encoding="utf-8")

        result = pytester.runpytest_inprocess(*PLUGIN)

        assert result.ret == pytest.ExitCode.OK
        assert "dialogue coverage" not in result.stdout.str()

    def test_is_counted_on_every_worker(self, pytester: pytest.Pytester):
        (pytester.mkdir("dialogues") / "good.toml").write_text(HEAD + PICKS, encoding="utf-8")
        (pytester.path / "unreached.toml").write_text("", encoding="utf-8")

        result = pytester.runpytest_subprocess(*PLUGIN, "-n", "1")

        result.assert_outcomes(passed=1)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["no dialogue reaches phase opted_out"])

    def test_is_not_judged_on_a_part_of_the_suite(self, pytester: pytest.Pytester):
        place = pytester.mkdir("dialogues")
        for name in ("good", "other"):
            (place / f"{name}.toml").write_text(HEAD + PICKS, encoding="utf-8")
        (pytester.path / "unreached.toml").write_text("", encoding="utf-8")

        assert pytester.runpytest_inprocess(*PLUGIN, "-k", "good").ret == pytest.ExitCode.OK


class TestEval:
    def test_plays_a_folder_and_says_what_broke(self, folder: Path, capsys: pytest.CaptureFixture[str]):
        code = evaluate(folder)

        said = capsys.readouterr().out
        assert code == 1
        assert ["booking", "3", "1", "2", "1"] in [line.split() for line in said.splitlines()]
        assert "HARD GATE booking/missed: GATE missed handoff: turn 1" in said
        assert ">> end, end.phase: expected deferred; got booked" in said

    def test_writes_a_page_and_a_run_and_tells_what_changed(self, folder: Path, capsys: pytest.CaptureFixture[str]):
        page, run, good = folder / "r.html", folder / "run.json", folder / "dialogues" / "booking" / "good.toml"
        for name in ("wrong", "missed"):
            good.with_stem(name).unlink()
        assert evaluate(folder, "--json", run, "--html", page) == 0
        good.write_text(HEAD + WRONG, encoding="utf-8")
        capsys.readouterr()

        code = evaluate(folder, "--against", run, "--coverage")

        said = capsys.readouterr().out
        assert code == 1
        assert "worse  booking/good  holds   end, end.phase: expected deferred; got booked" in said
        assert "needs_review" in said
        assert "A claim made in a test." in page.read_text(encoding="utf-8")

    def test_fails_when_coverage_is_asked_for_and_not_complete(self, folder: Path, capsys: pytest.CaptureFixture[str]):
        good = folder / "dialogues" / "booking" / "good.toml"

        assert evaluate(good) == 0
        assert evaluate(good, "--coverage") == 1
        assert "no dialogue reaches rule reply.decline: The patient declined" in capsys.readouterr().out

    def test_says_what_is_wrong_with_a_place_or_a_run(self, tmp_path: Path, folder: Path, capsys):
        (tmp_path / "empty").mkdir()
        (tmp_path / "x.json").write_text("{}}")

        assert evaluate(tmp_path / "empty") != 0
        assert evaluate(folder / "dialogues" / "booking" / "good.toml", "--against", tmp_path / "x.json") != 0
        said = capsys.readouterr().err
        assert "neither dialogues nor messages are there" in said
        assert "below a folder called `dialogues`" in " ".join(said.split())
        assert "not a run" in said


class TestCoverage:
    def test_tells_what_is_reached_and_what_is_not(self, run):
        found = coverage(reached_by(run(PICKS).played), maple_policy())

        assert {"booked", "contacted", "queued"} == found.reached["phase"]
        assert {"queued touch", "contacted book"} <= found.reached["edge"]
        assert {"first-message en", "booked en"} == found.reached["script"]
        assert {"reply.accept", "outreach.touch"} <= found.reached["rule"]
        assert "opted_out" in found.missing("phase")
        assert "offer_open book" in found.missing("edge")
        assert "booked es" in found.missing("script")
        assert not found.complete

    def test_takes_excuses_and_tells_idle_ones(self, run, tmp_path: Path):
        place = tmp_path / "unreached.toml"
        place.write_text('[rule]\n"outbound.too-long" = "unit test"\n"reply.accept" = "?"\n[phase]\nbookd = "typo"\n')
        found = coverage(reached_by(run(PICKS).played), maple_policy(), read_excuses(place))

        assert "outbound.too-long" not in found.missing("rule")
        assert found.idle == ("rule reply.accept", "phase bookd")

    @pytest.mark.parametrize("text", ['[rules]\na = "b"', '[rule]\na = ""', "[rule"])
    def test_refuses_excuses_without_a_reason_or_a_kind(self, tmp_path: Path, text: str):
        place = tmp_path / "unreached.toml"
        place.write_text(text)

        with pytest.raises(ConfigurationError, match="unreached"):
            read_excuses(place)


class TestCompare:
    def test_tells_the_direction_of_every_change(self):
        def message(kind: str) -> MessageRecord:
            return MessageRecord(text="words", label="clinical", read_as=kind, kind=kind)

        holds, broken = (DialogueRecord(claim="c", passed=p, findings=() if p else ("f",)) for p in (True, False))
        before = RunRecord(
            dialogues={"a": holds, "b": broken, "c": holds},
            messages={"1": message("right"), "2": message("missed"), "3": message("right")},
        )
        after = RunRecord(
            dialogues={"a": broken, "b": holds, "c": holds, "d": holds},
            messages={"1": message("missed"), "2": message("needless"), "3": message("right"), "4": message("right")},
        )

        found = [(c.direction, c.what, c.after) for c in compare(before, after)]

        assert found == [
            (Direction.WORSE, "a", "f"),
            (Direction.WORSE, "clinical: words", "missed (missed)"),
            (Direction.BETTER, "b", "holds"),
            (Direction.BETTER, "clinical: words", "needless (needless)"),
            (Direction.OTHER, "clinical: words", "right (right)"),
            (Direction.OTHER, "d", "holds"),
        ]
        assert compare(before, before) == ()

    def test_reads_what_was_written(self, folder: Path, run):
        from treatment_agent.evals import record

        made = record.record([run(PICKS), run(WRONG)])
        record.write_record(made, folder / "run.json")

        assert record.read_record(folder / "run.json") == made
        assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["format"] == 1


class TestPage:
    def test_escapes_what_patients_write_and_shows_failing_ones_first(self, run):
        hostile = run('[[turn]]\npatient = "<script>alert(1)</script>"\n[end]\nphase = "with_staff"\nsent = []\n')
        page = render(Report([run(PICKS), hostile]))

        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert page.index('data-state="broken"') < page.index('data-state="holds"')
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert page.count("<script>") == 1

    def test_tells_the_words_that_were_weighed(self, run):
        page = render(Report([run(PICKS)]))

        assert "accept 1.00" in page or "accept 0." in page
        assert "The patient picked an offered time." in page
