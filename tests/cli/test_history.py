"""Reading past messages: one bad line never costs another."""

from __future__ import annotations

import json

import pytest

from treatment_agent.cli.history import BadLine, Line, read_history


def one(raw: str | bytes) -> Line | BadLine:
    lines = list(read_history([raw if isinstance(raw, bytes) else raw.encode()]))
    assert len(lines) == 1
    return lines[0]


class TestReadHistory:
    def test_reads_every_field_of_a_full_line(self) -> None:
        item = {
            "id": "m-1",
            "text": "1 please",
            "context": "offer",
            "language": "en",
            "now": "2026-11-23T10:00:00-06:00",
            "offers": ["2026-12-01T09:00:00-06:00", "2026-12-03T14:00:00-06:00"],
        }

        assert one(json.dumps(item)) == Line(1, item)

    def test_leaves_fields_alone_that_it_does_not_know(self) -> None:
        line = one('{"id": 7, "text": "ok", "expected": {"label": "ack"}}')

        assert isinstance(line, Line)
        assert line.item["expected"] == {"label": "ack"}

    def test_counts_lines_from_one_and_passes_over_blank_ones(self) -> None:
        lines = list(read_history([b"\xef\xbb\xbf{}\n", b"\n", b"  \r\n", b'{"id": "a", "text": "x"}\r\n']))

        assert [line.number for line in lines] == [1, 4]
        assert isinstance(lines[0], BadLine)
        assert isinstance(lines[1], Line)

    @pytest.mark.parametrize(
        ("raw", "says"),
        [
            ("not json", "not JSON"),
            ('{"id": "a", "text": "x"', "not JSON"),
            ('["id", "text"]', "not a JSON object"),
            ('"text"', "not a JSON object"),
            ("[" * 100_000, "not"),
            ('{"text": "x"}', "no `id`"),
            ('{"id": "a"}', "no `text`"),
            ('{"id": "", "text": "x"}', "`id` must"),
            ('{"id": true, "text": "x"}', "`id` must"),
            ('{"id": null, "text": "x"}', "`id` must"),
            ('{"id": "a", "text": null}', "`text` must"),
            ('{"id": "a", "text": 5}', "`text` must"),
            ('{"id": "a", "text": "x", "context": "lunch"}', "unknown `context`"),
            ('{"id": "a", "text": "x", "context": []}', "unknown `context`"),
            ('{"id": "a", "text": "x", "language": 3}', "`language` must"),
            ('{"id": "a", "text": "x", "now": "tomorrow"}', "`now` is not"),
            ('{"id": "a", "text": "x", "now": "1826-11-23T10:00"}', "`now` is not"),
            ('{"id": "a", "text": "x", "media": -1}', "`media` must"),
            ('{"id": "a", "text": "x", "offers": "2026-12-01T09:00"}', "`offers` must be a list"),
            ('{"id": "a", "text": "x", "offers": ["2026-12-01T09:00", "noon"]}', "`offers` number 2"),
            (b'{"id": "a", "text": "\xff"}', "not UTF-8"),
        ],
    )
    def test_says_what_is_wrong_with_a_line(self, raw: str | bytes, says: str) -> None:
        line = one(raw)

        assert isinstance(line, BadLine)
        assert says in line.reason

    def test_never_repeats_what_a_patient_wrote(self) -> None:
        line = one('{"id": "a", "text": "MARKER-WORDS", "now": "MARKER-TIME", "context": "MARKER-CONTEXT"}')

        assert isinstance(line, BadLine)
        assert "MARKER" not in line.reason

    def test_takes_a_time_without_offset_for_the_office_to_place(self) -> None:
        assert isinstance(one('{"id": "a", "text": "x", "now": "2026-11-23T10:00", "offers": []}'), Line)

    def test_takes_null_for_a_field_left_out_and_offers_as_objects(self) -> None:
        line = one('{"id": "a", "text": "x", "context": null, "offers": [{"start": "2026-12-01T09:00"}]}')

        assert line == Line(1, {"id": "a", "text": "x", "offers": ["2026-12-01T09:00"]})

    def test_replaces_half_an_emoji(self) -> None:
        line = one('{"id": "a", "text": "ok \\ud83d"}')

        assert isinstance(line, Line)
        assert str(line.item["text"]).encode("utf-8")
