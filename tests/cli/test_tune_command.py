"""`tune` shows the effect of an office's examples, and loses no handoff silently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from treatment_agent.cli.application import main

COST = "how much is the crown going to run me"


def tune(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["tune", *arguments])
    return int(exit_.value.code or 0)


@pytest.fixture
def reference(tmp_path: Path) -> str:
    return _file(tmp_path / "reference.jsonl", (COST, "financing"), ("is it safe to wait with it", "clinical"))


def _file(place: Path, *rows: tuple[str, str]) -> str:
    lines = [json.dumps({"text": text, "label": label, "context": "offer"}) for text, label in rows]
    place.write_text("\n".join(lines), encoding="utf-8")
    return str(place)


def test_shows_the_effect_and_writes_the_folder(tmp_path, reference, capsys):
    own = _file(tmp_path / "own.jsonl", ("the second one is good", "human"), ("thursday at 2 is fine", "accept"))
    assert tune(own, "--reference", reference, "--out", str(tmp_path / "office")) == 0
    said = capsys.readouterr().out
    assert "1 of them; label right 1 before, 2 after" in said
    assert "100.0 % [34.2, 100.0] of 2" in said
    assert "HANDOFFS LOST" not in said
    assert (tmp_path / "office" / "office.json").is_file()


def test_says_loudly_that_handoffs_would_be_lost_and_writes_nothing(tmp_path, reference, capsys):
    missed = ("the purple one with sprinkles upside down", "other")
    own = _file(tmp_path / "own.jsonl", missed, ("thursday at 2 is fine", "accept"))
    place = tmp_path / "office"
    assert tune(own, "--reference", reference, "--person", "0.9999", "--out", str(place)) == 1
    assert "HANDOFFS LOST: 1 messages" in capsys.readouterr().out
    assert not place.exists()
    assert tune(own, "--reference", reference, "--person", "0.9999", "--out", str(place), "--accept-lost-handoffs") == 0
    assert place.is_dir()


def test_an_example_that_contradicts_a_sure_guardrail_changes_nothing(tmp_path, reference, capsys):
    own = _file(tmp_path / "own.jsonl", (COST, "accept"), ("is it safe to wait with it", "affirm"))
    assert tune(own, "--reference", reference) == 0
    assert "HANDOFFS LOST" not in capsys.readouterr().out


def test_names_the_line_and_the_fix_and_never_the_text(tmp_path, capsys):
    own = _file(tmp_path / "own.jsonl", ("my crown fell out", "clincal"))
    assert tune(own) == 1
    said = capsys.readouterr()
    assert "own.jsonl:1: label: " in said.err
    assert "use one of" in said.err
    assert "crown fell" not in said.out + said.err
