"""`compare`: live models are recorded through the real client, and played again with nobody there."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from treatment_agent.cli import main
from treatment_agent.domain.interpretation import Intent, Topic
from treatment_agent.testing import OpenAIServer, Served, answer

Run = Callable[..., tuple[int, str, str]]

OPEN = "gotta wait for the zorbing circuit to wind down first"
PLAIN = "what other times do you have?"
COSTS = "how much does it cost? call me, this is Ana, 312-555-0117"
LABELS = {OPEN: Intent.DEFER, PLAIN: Intent.OTHER_TIMES}
DIALOGUE = """
claim = "A question about money goes to a person."
now = "2026-11-25T10:00:00-06:00"

[[turn]]
patient = "how much is it"
must_hand_off = "financing"

[end]
phase = "with_staff"
language = "en"
sent = ["first-message", "handoff-financing"]
bookings = []
handoffs = [{ topic = "financing", urgency = "soon", status = "opened" }]
reasons = ["cost"]
"""


def good(body: dict[str, Any]) -> Served | str:
    """A model that knows all labels; what names people has stand-ins."""
    asked = json.loads(body["messages"][-1]["content"])["message"]
    return Served(answer((asked, LABELS.get(asked, Topic.FINANCING))), cached_tokens=800)


def careless(body: dict[str, Any]) -> str:
    """A model that takes everything for small talk."""
    return answer((json.loads(body["messages"][-1]["content"])["message"], Intent.ACK))


def suite_in(folder: Path) -> Path:
    """Three messages and a dialogue."""
    (folder / "dialogues").mkdir(parents=True)
    (folder / "dialogues" / "money.toml").write_text(DIALOGUE, encoding="utf-8")
    rows = [(OPEN, "defer"), (PLAIN, "other_times"), (COSTS, "financing")]
    lines = [
        json.dumps({"text": text, "label": label, "context": "offer", "lang": "en", "voice": "v"})
        for text, label in rows
    ]
    (folder / "messages").mkdir()
    (folder / "messages" / "m.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return suite_in(tmp_path / "suite")


def models(tmp_path: Path, *servers: tuple[str, str], more: str = "") -> Path:
    """The file with models at these addresses."""
    rows = "".join(
        f'[[model]]\nname = "{name}"\nopenai = "test"\nbase_url = "{url}"\nkey_from = "INVENTED"\n'
        f"dollars_per_million = {{ input = 1, cached = 0.5, output = 10 }}\n{more}"
        for name, url in servers
    )
    (tmp_path / "models.toml").write_text(rows, encoding="utf-8")
    return tmp_path / "models.toml"


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two models recorded into a folder, and what that printed."""
    folder = tmp_path_factory.mktemp("tape")
    suite = suite_in(folder / "suite")
    with OpenAIServer(good) as one, OpenAIServer(careless) as two, pytest.MonkeyPatch.context() as patch:
        patch.setenv("INVENTED", "invented-key")
        file = models(folder, ("good", one.url), ("careless", two.url))
        printed = io.StringIO()
        with redirect_stdout(printed), pytest.raises(SystemExit) as ended:
            main(["compare", str(suite), "--models", str(file), "--record", "--json", str(folder / "live.json")])
    assert not ended.value.code, printed.getvalue()
    return folder, printed.getvalue()


@pytest.fixture
def recorded(tape: tuple[Path, str], tmp_path: Path) -> tuple[str, str]:
    """A copy of it in this test's folder: what was printed, and the table as JSON. The servers are gone."""
    shutil.copytree(tape[0], tmp_path, dirs_exist_ok=True)
    return tape[1], (tmp_path / "live.json").read_text(encoding="utf-8")


class TestCompare:
    def test_puts_models_side_by_side_after_the_local_interpreter_alone(self, recorded: tuple[str, str]):
        local, good_one, careless_one = json.loads(recorded[1])

        assert local["name"] == "local only"
        assert (local["calls"], local["dollars"], local["needless"]) == (0, None, {"hits": 1, "total": 2})
        assert (good_one["recall"], good_one["needless"]) == ({"hits": 1, "total": 1}, {"hits": 0, "total": 2})
        assert careless_one["recall"] == {"hits": 1, "total": 1}
        assert (good_one["gates"], careless_one["gates"]) == ({"hits": 1, "total": 1},) * 2
        assert good_one["calls"] == 4
        assert (good_one["input_tokens"], good_one["cached_tokens"], good_one["output_tokens"]) == (3600, 3200, 240)
        assert good_one["dollars"] == pytest.approx((400 * 1 + 3200 * 0.5 + 240 * 10) / 1_000_000)
        assert 0 < good_one["median_ms"] <= good_one["slow_ms"]

    def test_shows_one_table_with_intervals(self, recorded: tuple[str, str]):
        rows = [line for line in recorded[0].splitlines() if line.strip()]

        assert "handoff recall" in " ".join(rows[:2])
        assert "100.0 % (20.7-100.0)" in recorded[0].replace("\n", " ")
        assert "$0.00" in recorded[0]

    def test_plays_what_was_recorded_with_nobody_there(self, recorded: tuple[str, str], run: Run):
        code, out, _ = run("compare", "suite", "--models", "models.toml", "--json", "again.json")

        assert (code, out) == (0, recorded[0])
        assert Path("again.json").read_text(encoding="utf-8") == recorded[1]

    def test_keeps_neither_key_nor_names_nor_numbers(self, recorded: tuple[str, str], tmp_path: Path):
        kept = (tmp_path / "cassettes" / "good.jsonl").read_text(encoding="utf-8")

        assert "this is [NAME1], [PHONE1]" in kept
        for word in ("invented-key", "Ana", "0117", "Authorization", "Bearer", "127.0.0.1"):
            assert word not in kept

    def test_ends_where_a_question_was_not_kept(self, recorded: tuple[str, str], run: Run, tmp_path: Path):
        place = tmp_path / "suite" / "messages" / "m.jsonl"
        place.write_text(place.read_text(encoding="utf-8").replace("zorbing", "yodelling"), encoding="utf-8")

        code, _, err = run("compare", "suite", "--models", "models.toml")

        assert code == 1
        assert "good.jsonl: there is no answer to a question that is asked now" in err.replace("\n", " ")
        assert "--record" in err
        assert "yodelling" not in err

    def test_plays_failures_as_they_came(self, run: Run, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        served = iter([Served(status=500), *["nonsense"] * 3])
        with OpenAIServer(lambda body: next(served, None) or good(body)) as server:
            models(tmp_path, ("moody", server.url))
            run("compare", str(suite), "--models", "models.toml", "--record", "--json", "live.json")

        run("compare", str(suite), "--models", "models.toml", "--json", "again.json")

        live, again = (json.loads(Path(name).read_text(encoding="utf-8"))[1] for name in ("live.json", "again.json"))
        assert live == again
        assert live["failed"] == 1


class TestMistake:
    def record(self, run: Run, suite: Path) -> str:
        code, _, err = run("compare", str(suite), "--models", "models.toml", "--record")
        assert code == 1
        return " ".join(err.split())

    def test_is_a_server_that_refuses_the_key(self, run: Run, suite: Path, tmp_path: Path):
        with OpenAIServer(lambda body: Served(status=401)) as server:
            models(tmp_path, ("good", server.url))
            assert "model good does not answer (rejected); check its key, name and address" in self.record(run, suite)
            assert len(server.requests) == 1

    def test_is_nobody_at_that_address(self, run: Run, suite: Path, tmp_path: Path):
        models(tmp_path, ("good", "http://127.0.0.1:9/v1"))

        assert "model good does not answer (connection)" in self.record(run, suite)

    def test_is_a_model_elsewhere_without_an_agreement(
        self, run: Run, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("INVENTED", "invented-key")
        models(tmp_path, ("good", "https://models.example/v1"))

        told = self.record(run, suite)
        assert "model good: " in told
        assert "no business associate agreement is on record" in told
        assert told.endswith("write [agreement] into the file of models")

    def test_is_a_cassette_that_is_not_there(self, run: Run, suite: Path, tmp_path: Path):
        models(tmp_path, ("good", "http://127.0.0.1:9/v1"))

        code, _, err = run("compare", str(suite), "--models", "models.toml")

        assert code == 1
        assert "good.jsonl: no cassette is there; record one with --record" in " ".join(err.split())

    def test_is_a_line_that_is_none(self, recorded: tuple[str, str], run: Run, tmp_path: Path):
        (tmp_path / "cassettes" / "good.jsonl").write_text('{"key": "a"}\n', encoding="utf-8")

        _, _, err = run("compare", "suite", "--models", "models.toml")

        assert "good.jsonl:1: not a line of a cassette" in " ".join(err.split())

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "model: Field required"),
            ('[[model]]\nname = "a/b"\nopenai = "x"', "model.0.name: String should match pattern"),
            ('[[model]]\nname = "a"', "give either `openai`"),
            ('[[model]]\nname = "a"\nopenai = "x"\nkey = "k"', "model.0.key: Extra inputs"),
            ('[[model]]\nname = "a"\nopenai = "x"\n' * 2, "two models have the same name"),
            ("[[model]", "models.toml: "),
        ],
    )
    def test_in_the_file_is_named(self, text: str, complaint: str, run: Run, suite: Path, tmp_path: Path):
        (tmp_path / "models.toml").write_text(text, encoding="utf-8")

        _, _, err = run("compare", str(suite), "--models", "models.toml")

        assert complaint in " ".join(err.split())
