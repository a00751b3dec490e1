from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from treatment_agent.domain.patients import Flag
from treatment_agent.domain.treatment import Case
from treatment_agent.errors import AdapterUnavailable, BadRow, ConfigurationError
from treatment_agent.tools.columns import Columns
from treatment_agent.tools.json_source import JsonCaseSource

FLAT = {"patient_id": 1, "first_name": "Ann", "code": "D2740", "fee": 1250.5, "diagnosed_on": "2026-11-17", "sms": True}
NESTED = {
    "patient": {
        "id": 2,
        "first_name": "Bob",
        "contact": {"mobile": "312-555-0102"},
        "guardian": {"first_name": "Dana"},
    },
    "provider": {"id": "lee", "first_name": "Pat"},
    "procedures": [
        {"id": 21, "code": "D2740", "tooth": 30, "fee": "1,250.00"},
        {"id": 22, "code": "D2950", "tooth": 30, "fee": None},
    ],
}


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "cases.json"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def read(path: Path, **settings) -> tuple[list[Case], list[BadRow]]:
    items = list(JsonCaseSource(path, **settings).read())
    return [i for i in items if isinstance(i, Case)], [i for i in items if isinstance(i, BadRow)]


class TestJsonCaseSource:
    @pytest.mark.parametrize(
        "text",
        [
            json.dumps([FLAT, NESTED]),
            json.dumps([FLAT, NESTED], indent=2),
            json.dumps({"exported": "2026-11-23", "patients": [FLAT, NESTED]}),
            json.dumps(FLAT) + "\n\n" + json.dumps(NESTED) + "\n",
            "\ufeff" + json.dumps(FLAT) + "\n" + json.dumps(NESTED),
        ],
        ids=["array", "indented", "wrapped", "lines", "lines with a byte order mark"],
    )
    def test_reads_every_layout_alike(self, file, text: str) -> None:
        cases, bad = read(file(text))

        assert bad == []
        ann, bob = cases
        assert (ann.id, ann.value_cents, ann.diagnosed_on) == ("case-1", 125_050, date(2026, 11, 17))
        assert ann.patient.sms == "yes"
        assert [p.id for p in bob.procedures] == ["21", "22"]
        assert bob.provider_id == "lee"
        assert bob.patient.first_name.get_secret_value() == "Bob"
        assert bob.patient.mobile is not None
        assert bob.patient.mobile.e164 == "+13125550102"
        assert bob.patient.guardian is not None
        assert bob.patient.guardian.first_name.get_secret_value() == "Dana"

    def test_reads_one_object(self, file) -> None:
        assert [c.id for c in read(file(json.dumps(NESTED, indent=1)))[0]] == ["case-2"]

    @pytest.mark.parametrize("text", ["{}\n{}", "[{}, {}]"])
    def test_goes_on_after_half_a_letter(self, file, text: str) -> None:
        one, two = json.dumps(FLAT), json.dumps(FLAT | {"patient_id": 2, "first_name": "\ud83d"})

        rows = list(JsonCaseSource(file(text.replace("{}", one, 1).replace("{}", two, 1))).read())

        assert {type(row) for row in rows} == {Case, BadRow}
        assert next(row for row in rows if isinstance(row, BadRow)).column == "first_name"

    def test_reports_broken_lines_and_goes_on(self, file) -> None:
        lines = [
            json.dumps(FLAT),
            '{"patient_id": 7, "first_name":',
            "[1]",
            json.dumps(FLAT | {"patient_id": 3, "code": "?"}),
        ]

        cases, bad = read(file("\n".join([*lines, json.dumps(NESTED)])))

        assert [c.id for c in cases] == ["case-1", "case-2"]
        assert [(b.place, b.column) for b in bad] == [("line 2", None), ("line 3", None), ("line 4", "code")]

    def test_names_the_procedure_that_cannot_be_read(self, file) -> None:
        record = NESTED | {"procedures": [{"code": "D2740"}, {"code": "x"}, 5]}

        cases, bad = read(file(json.dumps([record, NESTED | {"procedures": []}])))

        assert len(cases[0].procedures) == 1
        assert [b.place for b in bad] == ["record 1, procedure 2", "record 1, procedure 3", "record 2"]

    def test_takes_keys_mapped_by_hand(self, file) -> None:
        record = {"who": {"ref": "9"}, "names": {"call": "Cy"}, "what": "D2740"}
        columns = Columns(patient_id="who.ref", first_name="names.call", code="what")

        assert read(file(json.dumps([record])), columns=columns)[0][0].id == "case-9"

    def test_finds_keys_that_the_first_record_lacks(self, file) -> None:
        cases, bad = read(file(json.dumps([{"patient_id": 1, "code": "D2740"}, FLAT])))

        assert [c.id for c in cases] == ["case-1"]
        assert [b.place for b in bad] == ["record 1"]

    def test_reads_keys_that_turn_up_late(self, file) -> None:
        lines = [json.dumps(FLAT | {"patient_id": n}) for n in range(300)]
        lines.append(json.dumps(FLAT | {"patient_id": 999, "do_not_contact": True}))

        cases, bad = read(file("\n".join(lines)))

        assert (len(cases), bad) == (301, [])
        assert cases[300].patient.flags == {Flag.DO_NOT_CONTACT}

    def test_explains_what_is_wrong_with_the_whole(self, file, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="not JSON"):
            read(file("patient_id,first_name"))
        with pytest.raises(ConfigurationError, match="no column for code"):
            read(file('[{"patient_id": 1, "first_name": "Ann"}]'))
        with pytest.raises(ConfigurationError, match="array"):
            read(file("17"))
        with pytest.raises(AdapterUnavailable):
            read(tmp_path / "absent.json")
        assert read(file("[]")) == ([], [])

    @pytest.mark.parametrize("layout", ["array", "lines"])
    def test_joins_scattered_records_of_one_patient(self, file, layout: str) -> None:
        records = [
            FLAT | {"flags": "protected"},
            FLAT | {"patient_id": 5, "shoe": 9},
            FLAT | {"code": "D2950", "sms": False},
        ]
        text = json.dumps(records) if layout == "array" else "\n".join(map(json.dumps, records))
        source = JsonCaseSource(file(text))

        cases = [c for c in source.read() if isinstance(c, Case)]

        assert [c.id for c in cases] == ["case-5", "case-1"]
        assert cases[1].patient.flags == {Flag.PROTECTED}
        assert cases[1].patient.sms == "no"
        assert source.unread_headers == ("shoe",)
        assert source.absent_fields == ("mobile", "provider_id")

    def test_explains_an_empty_file(self, file) -> None:
        with pytest.raises(ConfigurationError, match="the file is empty"):
            read(file(" \n"))

    def test_repeats_no_value(self, file) -> None:
        marker = "Qz7Zebra!"
        lines = [json.dumps(FLAT | {key: marker, "x": [marker]}) for key in FLAT] + [f'{{"{marker}"', f'"{marker}"']

        _, bad = read(file("\n".join(lines)))

        assert len(bad) >= len(FLAT)
        assert not any(marker in f"{row!r} {row} {vars(row)}" for row in bad)
