"""Labelled messages, the figures made of them, and the command that prints them."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest

from treatment_agent.cli.application import main
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.messages import Judged, LabelledMessage, read_messages
from treatment_agent.evals.metrics import Share
from treatment_agent.evals.table import Measure, by_group, calibration_error, errors_by_kind, measures

ZONE = ZoneInfo("America/Chicago")
FACTS = {"option": None, "windows": [], "call_at": None, "until": None, "reason": None}
MORNING = [["2026-12-04T08:00:00-06:00", "2026-12-04T12:00:00-06:00"]]


def message(label="accept", **more) -> LabelledMessage:
    row = {"text": "x", "label": label, "context": "offer", "lang": "en", "voice": "v", "style": "plain"}
    return LabelledMessage.model_validate(row | more)


def judged(row: LabelledMessage, action="auto", label=None, **facts) -> Judged:
    return Judged(row, {"action": action, "label": label or row.label, "facts": FACTS | facts}, ZONE)


class TestShare:
    def test_has_the_interval_of_wilson(self):
        assert Share(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
        assert Share(10, 10).interval == pytest.approx((0.7225, 1.0), abs=1e-4)

    def test_of_nothing_says_nothing(self):
        assert (Share(0, 0).value, Share(0, 0).interval) == (0.0, (0.0, 1.0))

    def test_counts_outcomes(self):
        assert Share.of(n > 1 for n in (1, 2, 3)) == Share(2, 3)


class TestFacts:
    @pytest.mark.parametrize(
        ("told", "understood", "right"),
        [
            ({"option": 2}, {"option": 2}, True),
            ({"option": 2}, {"option": 1}, False),
            ({"fits": ["2026-12-04T09:00"]}, {"windows": MORNING}, True),
            ({"fits": ["2026-12-04T13:00"]}, {"windows": MORNING}, False),
            ({"misses": ["2026-12-04T13:00"]}, {"windows": MORNING}, True),
            ({"misses": ["2026-12-04T09:00"]}, {"windows": MORNING}, False),
            ({"misses": ["2026-12-04T09:00"]}, {}, False),
            ({"until": "2026-12-27"}, {"until": "2026-12-27"}, True),
            ({"until": "2026-12-27"}, {"until": None}, False),
            ({"call_at": "2026-12-04T09:30"}, {"call_at": "2026-12-04T09:30:00-06:00"}, True),
            ({"call_at": "2026-12-04T09:30"}, {"windows": MORNING}, True),
            ({"call_at": "2026-12-04T09:30"}, {}, False),
        ],
    )
    def test_are_right_only_as_told(self, told, understood, right):
        assert judged(message(**told), **understood).facts is right


class TestMeasures:
    def by_name(self, rows, limits=None) -> dict[str, Measure]:
        return {m.name: m for m in measures(rows, limits or {})}

    def test_count_missed_and_needless_handoffs_apart(self):
        rows = [
            judged(message("clinical"), action="handoff"),
            judged(message("clinical"), label="accept"),
            judged(message("accept")),
            judged(message("defer"), action="handoff", label="other"),
            judged(message("opt_out"), label="opt_out"),
        ]
        found = self.by_name(rows)
        assert (found["recall"].share, found["needless"].share) == (Share(1, 2), Share(1, 2))
        assert (found["recall_plain"].share, found["needless_plain"].share) == (Share(1, 2), Share(1, 2))
        assert (found["opt_outs"].share, found["labels"].share) == (Share(1, 1), Share(3, 5))

    def test_tell_styles_and_sets_apart(self):
        rows = [
            judged(message("accept", lang="es")),
            judged(message("accept", voice="appointments"), action="handoff"),
            judged(message("clinical", voice="questions"), action="handoff"),
        ]
        found = self.by_name(rows)
        assert found["needless_harder"].share == Share(0, 1)
        assert found["appointments"].share == Share(1, 1)
        assert found["questions"].share == Share(1, 1)
        assert found["needless_plain"].share.total == 0

    def test_are_held_to_their_limits_from_the_right_side(self):
        rows = [judged(message("clinical"), label="accept"), judged(message("accept"), action="handoff")]
        found = self.by_name(rows, {"recall_plain": 0.5, "needless_plain": 0.5, "labels": 0.0})
        assert [found[n].met for n in ("recall_plain", "needless_plain", "labels")] == [False, False, True]

    def test_refuse_a_limit_for_nothing(self):
        with pytest.raises(ConfigurationError, match=r"no measure 'recal_plain'; did you mean 'recall_plain'\?"):
            measures([judged(message("clinical"))], {"recal_plain": 0.9})

    def test_tell_groups_apart(self):
        rows = [
            judged(message("clinical", lang="es"), action="handoff"),
            judged(message("clinical", lang="es"), label="accept"),
            judged(message("accept", lang="es"), action="handoff", label="other"),
            judged(message("opt_out"), label="opt_out"),
        ]
        assert by_group(rows, lambda j: j.message.lang) == (
            ("en", 1, Share(0, 0), Share(0, 0), Share(1, 1)),
            ("es", 3, Share(1, 2), Share(1, 1), Share(1, 3)),
        )

    def test_tell_how_far_sureness_is_from_being_right(self):
        def sure(confidence: float, *, right: bool) -> Judged:
            verdict = {"action": "auto", "label": "accept" if right else "defer", "confidence": confidence}
            return Judged(message("accept"), verdict, ZONE)

        honest = [sure(0.95, right=n > 0) for n in range(20)]
        boastful = [sure(1.0, right=n > 0) for n in range(2)]
        assert calibration_error(honest) == pytest.approx(0)
        assert calibration_error(boastful) == pytest.approx(0.5)
        assert calibration_error(honest + boastful) == pytest.approx(1 / 22)
        assert calibration_error([]) == 0

    def test_name_errors_by_kind_worst_first(self):
        rows = [
            judged(message("accept"), action="handoff", label="other"),
            judged(message("clinical"), label="accept"),
            judged(message("accept"), label="defer"),
            judged(message("clinical"), action="handoff", label="financing"),
            judged(message("accept")),
        ]
        kinds = [kind for kind, *_ in errors_by_kind(rows)]
        assert kinds == ["missed", "wrong answer", "needless", "wrong name"]


class TestReading:
    @pytest.mark.parametrize(
        ("line", "named"),
        [
            (
                '{"text": "x", "label": "nonsense", "context": "offer", "lang": "en", "voice": "v"}',
                "set.jsonl:1: label",
            ),
            ('{"text": "x", "label": "ack", "context": "offer", "lang": "en", "voice": "v", "fit": 1}', "fit"),
            ("{", "set.jsonl:1: not JSON"),
        ],
    )
    def test_names_file_line_and_field(self, tmp_path, line, named):
        (tmp_path / "set.jsonl").write_text(line + "\n", encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"set\.jsonl:1") as caught:
            read_messages(tmp_path)
        assert named in str(caught.value)

    def test_says_where_nothing_is(self, tmp_path):
        with pytest.raises(ConfigurationError, match="no message set"):
            read_messages(tmp_path)


class TestCommand:
    def run(self, tmp_path, capsys, limit: float) -> tuple[int, str]:
        folder = tmp_path / "messages"
        folder.mkdir()
        rows = [message("clinical", text="my tooth hurts when I chew"), message("ack", text="thanks!")]
        lines = [json.dumps(row.model_dump(mode="json")) for row in rows]
        (folder / "set.jsonl").write_text("\n".join(lines), encoding="utf-8")
        (tmp_path / "thresholds.toml").write_text(f"[messages]\nneedless_plain = {limit}\n", encoding="utf-8")
        with pytest.raises(SystemExit) as stopped:
            main(["eval", str(folder), "--labels", "--errors", str(tmp_path / "wrong.jsonl")])
        return int(stopped.value.code or 0), capsys.readouterr().out

    def test_prints_the_table_and_keeps_the_threshold(self, tmp_path, capsys):
        code, out = self.run(tmp_path, capsys, 0.5)
        assert code == 0
        assert "2 messages judged." in out
        assert "kept" in out
        assert "needless handoffs, plain and texting English" in out
        assert "Spanish" not in out, "a measure of nothing is not shown"
        assert "100.0 % (20.7-100.0)" in out
        assert "Calibration error 0." in out
        assert (tmp_path / "wrong.jsonl").read_text(encoding="utf-8") == ""

    def test_fails_when_a_threshold_is_not_kept(self, tmp_path, capsys):
        code, out = self.run(tmp_path, capsys, -0.1)
        assert code == 1
        assert "NOT KEPT" in out
