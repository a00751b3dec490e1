"""Simulated patients: the same seed is the same story, one office can be told alone, and a broken promise shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from treatment_agent.cli.application import main
from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.interpretation import ModelFailure
from treatment_agent.evals import simulate as simulation
from treatment_agent.evals.acting import Author
from treatment_agent.evals.personas import drawn, personas, read_as
from treatment_agent.evals.promises import Broken
from treatment_agent.evals.simulate import Simulated, simulate
from treatment_agent.policies.scripts import default_scripts
from treatment_agent.testing import OpenAIServer, ScriptedModel
from treatment_agent.understanding.language_model import Patience


@pytest.fixture(scope="module", autouse=True)
def _short() -> Iterator[None]:
    """Small offices, and two weeks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "OFFICE_SIZE", 4)
        patch.setattr(simulation, "DAYS", 15)
        yield


@pytest.fixture(scope="module")
def two_offices() -> Simulated:
    """One story, told once for all."""
    return simulate(8, policy=maple_policy(), seed=3)


class TestSimulate:
    def test_breaks_no_promise_and_tells_the_same_story_twice(self, two_offices):
        assert two_offices.broken == ()
        assert [p.number for p in two_offices.patients] == list(range(1, 9))
        assert sum(p.received for p in two_offices.patients) > 0
        assert simulate(8, policy=maple_policy(), seed=3) == two_offices

    def test_tells_one_office_alone_with_what_was_said(self, two_offices):
        alone = simulate(8, policy=maple_policy(), seed=3, only=7)
        assert [p.number for p in alone.patients] == list(range(5, 9))
        assert alone.patients == tuple(
            replace(p, lines=a.lines) for p, a in zip(two_offices.patients[4:], alone.patients, strict=True)
        )
        assert any(line.who == "office" for p in alone.patients for line in p.lines)

    def test_refuses_a_patient_that_is_not_there(self):
        with pytest.raises(ValueError, match="no patient 99"):
            simulate(12, policy=maple_policy(), only=99)


class TestPersonas:
    def test_are_twelve_people_with_different_wishes(self):
        assert len(personas()) >= 11
        assert len({p.goal for p in personas()}) == len(personas())

    def test_are_drawn_by_their_weight(self):
        chance = Random(1)
        names = [drawn(chance).name for _ in range(2000)]
        common = {p.name: p.weight for p in personas()}
        assert names.count("eager") > names.count("emergency")
        assert set(names) == set(common)

    def test_read_every_script_of_ours(self):
        assert {read_as(s.id) for s in default_scripts().scripts} == {"touch", "offer", "person", "booked", "any"}

    def test_fall_silent_after_their_last_turn(self):
        silent = next(p for p in personas() if p.name == "silent")
        eager = next(p for p in personas() if p.name == "eager")
        assert silent.answers("first-message", 0, Random(1)) is None
        assert eager.answers("first-message", eager.turns, Random(1)) is None


class TestAuthor:
    EAGER = next(p for p in personas() if p.name == "eager")
    ONCE = Patience(attempts=1)

    def test_writes_in_character_with_the_conversation_before_it(self):
        with ScriptedModel(['{"text": "the first one, thx"}']) as model:
            author = Author(model, self.ONCE)
            said = [f"office: {n}" for n in range(20)]
            assert author.writes(self.EAGER, said, "1") == "the first one, thx"
        told = json.loads(model.requests[0].question)
        assert (told["wants"], told["language"], told["might_write"]) == ("books at once", "en", "1")
        assert told["conversation"] == said[-12:]
        assert author.texts == 1

    @pytest.mark.parametrize("bad", [ModelFailure.REFUSED, "hello", '{"text": " "}', '{"text": 1}', '{"txt": "x"}'])
    def test_takes_the_text_of_the_persona_where_the_model_has_none(self, bad):
        with ScriptedModel([bad]) as model:
            author = Author(model, self.ONCE)
            assert author.writes(self.EAGER, (), "1 please") == "1 please"
        assert (author.texts, len(author.meter.failures)) == (0, 1)

    def test_writes_no_novels(self):
        with ScriptedModel([json.dumps({"text": "x" * 9000})]) as model:
            assert Author(model, self.ONCE).writes(self.EAGER, (), "1") == "x" * 500


class TestCommandWithModel:
    def test_lets_a_model_write_and_plays_what_was_kept_again(self, capsys, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        arguments = ["simulate", "--patients", "2", "--seed", "5", "--only", "1", "--cassette", "kept.jsonl"]
        with OpenAIServer(lambda body: '{"text": "2 please, this is Zora"}') as server:
            (tmp_path / "our_patients.py").write_text(
                "from treatment_agent.understanding.language_model import OpenAICalls\n"
                f"calls = OpenAICalls('m', base_url={server.url!r})\n"
            )
            live = self.out(capsys, *arguments, "--model", "our_patients:calls")
            asked = len(server.requests)

        again = self.out(capsys, *arguments)

        assert f"Words by the model: {asked} of {asked} texts" in live
        assert asked > 0
        assert again == live
        assert "2 please, this is Zora" in again

    def test_says_what_is_no_way_to_a_model(self, capsys):
        with pytest.raises(SystemExit):
            main(["simulate", "--patients", "1", "--model", "json:dumps_"])
        assert "calls json:dumps_: AttributeError; write module:name" in capsys.readouterr().err

    def out(self, capsys, *arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        assert ended.value.code == 0, captured
        return captured.out


class TestCommand:
    def test_shows_how_it_ended(self, capsys):
        with pytest.raises(SystemExit) as ended:
            main(["simulate", "--patients", "4", "--seed", "5"])
        out = capsys.readouterr().out
        assert ended.value.code == 0, out
        assert "How it ended" in out
        assert "Funnel" in out
        assert "Every promise held" in out

    def test_names_the_seed_of_a_broken_promise_and_exits_with_1(self, capsys, monkeypatch):
        monkeypatch.setattr(simulation, "check", lambda books: (Broken("P1", "case-2", "planted"),))
        with pytest.raises(SystemExit) as ended:
            main(["simulate", "--patients", "4", "--seed", "5", "--only", "2"])
        out = capsys.readouterr().out
        assert ended.value.code == 1
        assert "BROKEN P1 case-2: planted" in out
        assert "treatment-agent simulate --patients 4 --seed 5 --only 1" in out
        assert "Patient 2," in out

    def test_says_which_patients_there_are(self, capsys):
        with pytest.raises(SystemExit) as ended:
            main(["simulate", "--patients", "6", "--only", "7"])
        assert ended.value.code == 1
        assert "numbered from 1 to 6" in capsys.readouterr().err
