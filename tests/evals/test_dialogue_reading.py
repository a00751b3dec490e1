"""Mistakes in a dialogue file are told with their line, their key and a suggestion; the schema is the published one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.reading import find_files, read_dialogue
from treatment_agent.evals.schema import schema, schema_text

REPOSITORY = Path(__file__).resolve().parents[2]
MEANT = "did you mean"
GOOD = """claim = "A claim made in a test."
now = "2026-11-25T10:00:00-06:00"

[[turn]]
patient = "2 please"

[[turn]]
wait = "3 days"
[turn.expect]
sent = []

[end]
phase = "booked"
sent = ["first-message"]
"""


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "d.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        read_dialogue(path)
    return [line.removeprefix(f"{path}:") for line in str(raised.value).splitlines()]


class TestMistakes:
    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ("patient =", "patiant =", "5: turn.1.patiant: there is no such key; {} 'patient'?"),
            ("sent = []", "snet = []", "10: turn.2.expect.snet: there is no such key; {} 'sent'?"),
            ("claim =", "clam =", "1: clam: there is no such key; {} 'claim'?"),
            ("[end]", "[ennd]", "12: ennd: there is no such key; {} 'end'?"),
            ("sent = []", 'sent = "a"', '10: turn.2.expect.sent: write it as a list: ["..."]'),
            ('"3 days"', '"three days"', "8: turn.2.wait: cannot read 'three days'; write a wait like 35m"),
            ("-06:00", "", "2: now: input should have timezone info"),
            ('phase = "booked"', 'phase = "bookd"', "13: end.phase: there is no 'bookd'; {} 'booked'?"),
            ('wait = "3 days"', 'staff = "resove"', "8: turn.2.staff.does: there is no 'resove'; {} 'resolve'?"),
            (
                'wait = "3 days"',
                'staff = { does = "record_consent", evidence = "told me so" }',
                "8: turn.2.staff.evidence: write the number of a form, call or note such as form-17, without spaces",
            ),
            (
                'wait = "3 days"',
                'staff = { does = "record_consent", purpose = "News" }',
                "8: turn.2.staff.purpose: write small letters and underscores, such as marketing",
            ),
            ('now = "', 'kind = "callback"\nnow = "', "2: kind: there is no 'callback'; {} 'call_back'?"),
            ("[end]", "[end]\nconsent", "13: not TOML: "),
            (
                'phase = "booked"',
                "phase = booked",
                '13: not TOML: Invalid value (at line 13, column 9); write phase = "booked"',
            ),
        ],
    )
    def test_are_told_with_line_and_suggestion(self, tmp_path, old, new, told):
        told = told.format(MEANT)

        assert any(line.startswith(told) for line in mistakes(tmp_path, GOOD.replace(old, new, 1)))

    def test_include_two_things_in_one_turn(self, tmp_path):
        (told,) = mistakes(tmp_path, GOOD.replace('wait = "3 days"', 'patient = "x"\nstaff = "acknowledge"'))

        assert told == "7: turn.2: patient and staff in one turn; write a [[turn]] for each"

    def test_include_a_missing_end(self, tmp_path):
        (told,) = mistakes(tmp_path, GOOD.partition("[end]")[0])

        assert told == "1: end: this is missing; every dialogue ends with what must be on the books"

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ("sent = []", 'not_sent = ["ofer"]', "10: turn.2.expect.not_sent: there is no script 'ofer'; {} 'offer'?"),
            (
                "sent = []",
                'rules = ["reply.c"]',
                "10: turn.2.expect.rules: there is no rule 'reply.c'; {} 'reply.ack'?",
            ),
            (
                "sent = []",
                'tools = ["chart.chek"]',
                "10: turn.2.expect.tools: there is no tool 'chart.chek'; {} 'chart.check'?",
            ),
            ('["first-message"]', '["bookd"]', "14: end.sent: there is no script 'bookd'; {} 'booked'?"),
            ('wait = "3 days"', 'about = "anna"', "8: turn.2.about: there is no patient 'anna'; {} 'ana'?"),
            (
                '"2 please"',
                '"2"\nsender = "anna"',
                "6: turn.1.sender: there is no number, mailbox or patient 'anna'; {} 'ana'?",
            ),
        ],
    )
    def test_include_names_of_nothing(self, run, old, new, told):
        result = run(GOOD.replace(old, new), head="")

        assert result.mistake.partition(".toml:")[2] == told.format(MEANT)

    def test_include_a_first_text_that_cannot_leave(self, run):
        result = run(GOOD.replace("T10:00:00", "T04:00:00"), head="")

        assert "start: no first text left at 2026-11-25 04:00 (queue.eligible); choose a time" in result.mistake

    @pytest.mark.parametrize(
        ("table", "told"),
        [
            (
                "[practice.policy.contact]\nmax_per_weak = 1",
                f".toml:5: practice.policy.contact.max_per_weak: there is no such key; {MEANT} 'max_per_week'?",
            ),
            (
                '[practice.policy]\nauthority = "bok"',
                f".toml:5: practice.policy.authority: there is no 'bok'; {MEANT} 'book'?",
            ),
            ("[practice.policy.contact]\nmax_per_week = 'x'", ".toml:5: practice.policy.contact.max_per_week: input"),
            ("[practice.policy.contact]\nmax_per_week = -1", "contact.max_per_week: is less than max_per_day"),
            ('[interpreter]\nuse = "no.such:thing"', "interpreter no.such:thing: ModuleNotFoundError"),
            ('[interpreter]\nuse = "json:loads"', "interpreter json:loads: calling it raised TypeError"),
            ('[interpreter]\nuse = "json:JSONDecoder"', "interpreter json:JSONDecoder: it has no `interpret`"),
        ],
    )
    def test_include_what_cannot_be_staged(self, run, table, told):
        assert told in run(GOOD.replace("[[turn]]", f"{table}\n\n[[turn]]", 1), head="").mistake


class TestFindFiles:
    def test_are_below_a_folder_of_that_name(self, tmp_path):
        for place in ("dialogues/a/one.toml", "dialogues/two.toml", "thresholds.toml", "other/three.toml"):
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text("")

        assert [p.stem for p in find_files(tmp_path)] == ["one", "two"]
        assert [p.stem for p in find_files(tmp_path / "dialogues" / "a")] == ["one"]


class TestSchema:
    def test_is_the_published_one(self):
        published = (REPOSITORY / "docs" / "dialogue.schema.json").read_text(encoding="utf-8")

        assert published == schema_text(), "python -m treatment_agent.evals.schema > docs/dialogue.schema.json"

    def test_knows_every_key_and_refuses_others(self):
        made = json.loads(json.dumps(schema()))

        assert {"claim", "now", "turn", "end", "never_says"} <= set(made["properties"])
        assert made["additionalProperties"] is False
        assert set(made["required"]) == {"claim", "now", "turn", "end"}
