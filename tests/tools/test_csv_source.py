"""CSV exports in the shapes in which offices really send them."""

from __future__ import annotations

import csv
import tracemalloc
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from treatment_agent.domain.patients import Flag, PatientStatus, Permission
from treatment_agent.domain.treatment import Case, Family, ProcedureStatus
from treatment_agent.errors import AdapterUnavailable, BadRow, ConfigurationError
from treatment_agent.tools.columns import Columns
from treatment_agent.tools.csv_source import CsvCaseSource

HEADER = "Patient ID,First Name,Last Name,DOB,Wireless Phone,Proc Code,Tooth,Fee,Date Diagnosed"
ANN = '101,Ann,Lee,02/03/1980,(312) 555-0101,D2740,30,"$1,250.00",11/17/2026'
BOB = "102,Bob,Ray,04/05/1971,312.555.0102,D2392,14,310,11/18/2026"


@pytest.fixture
def export(tmp_path: Path):
    """Write a file and return it; bytes as they are, text as UTF-8, lists as lines."""

    def write(content: bytes | str | list[str]) -> Path:
        path = tmp_path / "export.csv"
        if isinstance(content, list):
            content = "\n".join(content) + "\n"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(path: Path, **settings) -> tuple[list[Case], list[BadRow]]:
    items = list(CsvCaseSource(path, **settings).read())
    return [i for i in items if isinstance(i, Case)], [i for i in items if isinstance(i, BadRow)]


def places(bad: list[BadRow]) -> list[tuple[str, str | None]]:
    return [(b.place, b.column) for b in bad]


class TestCsvCaseSource:
    def test_reads_a_plain_export(self, export) -> None:
        cases, bad = read(export([HEADER, ANN, BOB]))

        assert bad == []
        assert [c.id for c in cases] == ["case-101", "case-102"]
        ann = cases[0]
        assert ann.patient.first_name.get_secret_value() == "Ann"
        assert ann.patient.last_name.get_secret_value() == "Lee"
        assert ann.patient.born_on == date(1980, 2, 3)
        assert ann.patient.mobile is not None
        assert ann.patient.mobile.e164 == "+13125550101"
        assert ann.patient.language == "en"
        assert ann.patient.sms is Permission.UNKNOWN
        procedure = ann.procedures[0]
        assert (procedure.code, procedure.tooth, procedure.fee_cents) == ("D2740", "30", 125_000)
        assert procedure.family is Family.CROWN
        assert procedure.id == "101-D2740-30"
        assert ann.diagnosed_on == date(2026, 11, 17)
        assert ann.visit_on == date(2026, 11, 17)

    def test_gathers_rows_of_one_patient_that_follow_each_other(self, export) -> None:
        second = "101,Ann,Lee,02/03/1980,(312) 555-0101,D2950,30,200,11/17/2026"

        cases, bad = read(export([HEADER, ANN, second, BOB, ANN]))

        assert bad == []
        assert [(c.id, len(c.procedures)) for c in cases] == [("case-102", 1), ("case-101", 2)]

    def test_joins_rows_of_one_patient_that_are_scattered(self, export) -> None:
        header = "PatNum,FName,ProcCode,Flags,TxtMsgOk"
        rows = ["1,Ann,D2740,Protected,No", "2,Bob,D2740,,Yes", "1,Ann,D2950,,Yes", "3,Cy,D2740,,", "1,Ann,D2392,,Yes"]

        cases, bad = read(export([header, *rows]))

        assert bad == []
        assert [c.id for c in cases] == ["case-2", "case-3", "case-1"]
        ann = cases[2]
        assert ann.patient.flags == {Flag.PROTECTED}
        assert ann.patient.sms is Permission.NO
        assert [p.code for p in ann.procedures] == ["D2740", "D2950", "D2392"]

    def test_reads_alerts_and_consent_under_other_names(self, export) -> None:
        rows = ["1,Ann,D2740,Penicillin allergy,Yes", "2,Bob,D2740,n/a,No", "3,Cy,D2740,No known allergies,"]

        cases, bad = read(export(["PatNum,FName,ProcCode,Alerts,Consent to Text", *rows]))

        assert bad == []
        assert [c.patient.flags for c in cases] == [{Flag.MEDICAL_ALERT}, set(), set()]
        assert [c.patient.sms for c in cases] == [Permission.YES, Permission.NO, Permission.UNKNOWN]

    def test_tells_which_headers_it_did_not_read(self, export) -> None:
        source = CsvCaseSource(
            export(["PatNum,FName,ProcCode,Favourite,Cell,Shoe,212-555-0101", "1,Ann,D2740,x,,x,x"]),
            columns=Columns(ignore=("Shoe",)),
        )

        assert (source.unread_headers, source.absent_fields) == ((), ())
        list(source.read())

        assert source.unread_headers == ("Favourite",)
        assert source.absent_fields == ("sms", "diagnosed_on", "provider_id")

    @pytest.mark.parametrize(
        "cell",
        [
            "(312) 555-0105 (cell)",
            "312-555-0105 / 312-555-0106",
            "312.555.0105 x12",
            "312.555.0105 ext. 12",
            "Cell: 312-555-0105",
            "H: 312-555-0106; C: 312-555-0105",
            "+1 312 555 0105",
        ],
    )
    def test_reads_phones_with_labels_and_extensions(self, export, cell: str) -> None:
        cases, bad = read(export(["PatNum,FName,ProcCode,Cell", f'1,Ann,D2740,"{cell}"']))

        assert bad == []
        assert cases[0].patient.mobile is not None
        assert cases[0].patient.mobile.e164 == "+13125550105"

    @pytest.mark.parametrize("cell", ["555-0101", "12", "call the sister"])
    def test_keeps_the_case_when_the_phone_cannot_be_read(self, export, cell: str) -> None:
        cases, bad = read(export(["PatNum,FName,ProcCode,Cell", f"1,Ann,D2740,{cell}"]))

        assert [(c.id, c.patient.mobile) for c in cases] == [("case-1", None)]
        assert places(bad) == [("line 2", "Cell")]
        assert "kept without" in bad[0].fix
        assert cell not in bad[0].fix

    @pytest.mark.parametrize("how", ["synced_at", "as_of"])
    def test_refuses_a_diagnosis_in_the_future(self, export, how: str) -> None:
        rows = ["1,Ann,D2740,12/11/2026,TP", "2,Bob,D2740,11/23/2026,TP", "3,Cy,D2740,12/11/2026,Scheduled"]
        path = export(["PatNum,FName,ProcCode,Date,ProcStatus", *rows])
        now = datetime(2026, 11, 23, 18, tzinfo=UTC)

        source = CsvCaseSource(path, synced_at=now) if how == "synced_at" else CsvCaseSource(path).as_of(now)
        items = list(source.read())

        assert [i.id for i in items if isinstance(i, Case)] == ["case-2", "case-3"]
        assert places([i for i in items if isinstance(i, BadRow)]) == [("line 2", "Date")]
        assert len(read(path)[0]) == 3

    def test_reads_an_open_dental_query(self, export) -> None:
        header = (
            "PatNum,LName,FName,Preferred,PatStatus,Birthdate,WirelessPhone,Email,TxtMsgOk,PreferContactMethod,Language,"
            "Guarantor,State,Zip,ProcNum,ProcDate,DateTP,ProcFee,Surf,ToothNum,Priority,ProcStatus,ProcCode,ProvAbbr"
        )
        row = (
            "7,Rivera,Guadalupe,Lupe,Patient,1990-05-06,(312)555-0107,LUPE@Example.com,Yes,TextMessage,spa,7,IL,60601,"
            "9001,0001-01-01,2026-11-17,1250.0000,MOD,30,1,TP,D2740,DOC1"
        )

        cases, bad = read(export([header, row]), dates="iso")

        assert bad == []
        patient, procedure = cases[0].patient, cases[0].procedures[0]
        assert patient.first_name.get_secret_value() == "Lupe"
        assert (patient.language, patient.sms, patient.household_id, patient.state) == ("es", Permission.YES, "7", "IL")
        assert str(patient.email) == "***@example.com"
        assert procedure.id == "9001"
        assert procedure.diagnosed_on == date(2026, 11, 17)
        assert (procedure.provider_id, procedure.plan_priority, procedure.surface) == ("DOC1", "1", "MOD")
        assert procedure.status is ProcedureStatus.PLANNED

    def test_reads_one_column_with_the_whole_name(self, export) -> None:
        cases, bad = read(
            export(["Pat #;Patient;ADA Code;Amount", '5;"RIVERA, ANA M";2740;1250,5']), decimal_comma=True
        )

        assert bad == []
        assert cases[0].patient.first_name.get_secret_value() == "Ana"
        assert cases[0].patient.last_name.get_secret_value() == "Rivera"
        assert cases[0].value_cents == 125_050

    def test_reads_what_flags_and_methods_say(self, export) -> None:
        header = "PatNum,FName,ProcCode,PreferContactMethod,Flags,Status,Premed,SMS consent"
        rows = [
            "1,Ann,D2740,DoNotCall,,Active,,Yes",
            "2,Bob,D2740,SeeNotes,,Active,,Yes",
            '3,Cy,D2740,,"Balance Due; Open complaint",Deceased,Amoxicillin,No',
            "4,Di,D2740,,,Completed,none,",
        ]

        cases, bad = read(export([header, *rows]))

        assert bad == []
        assert cases[0].patient.flags == {Flag.DO_NOT_CONTACT}
        assert cases[1].patient.sms is Permission.NO
        assert cases[2].patient.flags == {Flag.BALANCE_DUE, Flag.OPEN_COMPLAINT, Flag.MEDICAL_ALERT}
        assert cases[2].patient.status is PatientStatus.DECEASED
        assert cases[3].procedures[0].status is ProcedureStatus.COMPLETED
        assert cases[3].patient.status is PatientStatus.ACTIVE
        assert cases[3].patient.sms is Permission.UNKNOWN

    def test_reads_next_appointments_in_the_office_zone_over_a_dst_night(self, export) -> None:
        header = "PatNum,FName,ProcCode,Next Appt"
        rows = [
            "1,Ann,D2740,10/30/2026 9:00 AM",
            "2,Bob,D2740,11/02/2026 09:00",
            "3,Cy,D2740,11/02/2026",
            "4,Di,D2740,",
        ]

        cases, _ = read(export([header, *rows]))

        assert [c.next_visit_at for c in cases] == [
            datetime(2026, 10, 30, 14, tzinfo=UTC),
            datetime(2026, 11, 2, 15, tzinfo=UTC),
            datetime(2026, 11, 3, 5, 59, tzinfo=UTC),
            None,
        ]

    def test_keeps_the_strictest_word_of_several_rows(self, export) -> None:
        header = "PatNum,FName,ProcCode,TxtMsgOk,Flags,Status"
        rows = ["1,Ann,D2740,Yes,,Active", "1,Ann,D2950,No,Protected,Inactive"]

        cases, _ = read(export([header, *rows]))

        assert len(cases) == 1
        assert cases[0].patient.sms is Permission.NO
        assert cases[0].patient.flags == {Flag.PROTECTED}
        assert cases[0].patient.status is PatientStatus.INACTIVE

    def test_refuses_a_second_person_under_one_id(self, export) -> None:
        cases, bad = read(export(["PatNum,FName,ProcCode", "1,Ann,D2740", "1,Bob,D2950"]))

        assert [len(c.procedures) for c in cases] == [1]
        assert bad[0].place == "line 3"
        assert "another name" in bad[0].fix

    def test_reads_where_the_patient_lives(self, export) -> None:
        rows = ["1,Ann,D2740,ma,2134,US/Eastern,Lee;Ann", "2,Bob,D2740,,,,"]

        (ann, bob), bad = read(export(["PatNum,FName,ProcCode,State,Zip,Time Zone,Guarantor", *rows]))

        assert bad == []
        assert (ann.patient.state, ann.patient.zone) == ("MA", "US/Eastern")
        assert ann.patient.postal_code is not None
        assert ann.patient.postal_code.get_secret_value() == "02134"
        assert ann.patient.household_id is not None
        assert "Lee" not in ann.patient.household_id
        assert (bob.patient.state, bob.patient.postal_code, bob.patient.zone) == (None, None, None)

    def test_takes_a_guardian_for_a_minor(self, export) -> None:
        header = "PatNum,FName,ProcCode,DOB,Mobile,Guarantor Name,Guardian Phone,Guardian"
        cases, bad = read(export([header, "1,Kim,D2740,01/02/2015,,x,312-555-0109,Dana"]))

        assert bad == []
        contact = cases[0].patient.contact_on(date(2026, 11, 23))
        assert contact.first_name.get_secret_value() == "Dana"
        assert contact.mobile is not None
        assert contact.mobile.e164 == "+13125550109"


class TestEncodings:
    ROW = "1,José,Núñez,D2740"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
    def test_is_found_out(self, export, encoding: str) -> None:
        content = "PatNum,FName,LName,ProcCode\r\n" + self.ROW + "\r\n"

        cases, bad = read(export(content.encode(encoding)))

        assert bad == []
        assert cases[0].patient.first_name.get_secret_value() == "José"
        assert cases[0].patient.last_name.get_secret_value() == "Núñez"

    def test_is_found_out_when_the_first_foreign_letter_comes_late(self, export) -> None:
        plain = "".join(f"{n},Ann,Lee,D2740\n" for n in range(10, 200_000, 7))

        cases, _ = read(export(("PatNum,FName,LName,ProcCode\n" + plain + self.ROW + "\n").encode("cp1252")))

        assert cases[-1].patient.first_name.get_secret_value() == "José"

    def test_rejects_names_with_lost_letters_when_the_wrong_one_is_declared(self, export) -> None:
        path = export(f"PatNum,FName,LName,ProcCode\n{self.ROW}\n2,Ann,Lee,D2740\n".encode("cp1252"))

        cases, bad = read(path, encoding="utf-8")

        assert [c.patient.id for c in cases] == ["2"]
        assert places(bad) == [("line 2", "FName")]
        assert "encoding" in bad[0].fix

    def test_explains_a_workbook(self, export) -> None:
        with pytest.raises(ConfigurationError, match="CSV UTF-8"):
            read(export(b"PK\x03\x04 whatever"))

    def test_explains_an_unknown_one(self, export) -> None:
        with pytest.raises(ConfigurationError, match="unknown encoding 'klingon'"):
            read(export([HEADER, ANN]), encoding="klingon")

    def test_is_unavailable_when_the_file_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(AdapterUnavailable, match=r"absent\.csv"):
            CsvCaseSource(tmp_path / "absent.csv").read()


class TestShapes:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
    def test_delimiters_and_line_endings(self, tmp_path: Path, delimiter: str, ending: str) -> None:
        path = tmp_path / "export.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=delimiter, lineterminator=ending)
            writer.writerows([["PatNum", "FName", "Proc Code", "Fee"], ["1", "Ann", "D2740", "1,250.00"]])

        cases, bad = read(path)

        assert bad == []
        assert cases[0].value_cents == 125_000

    def test_a_title_above_and_a_total_below(self, export) -> None:
        content = ["Unscheduled Treatment Report", '"Maple Dental, Chicago"', "", HEADER, ANN, BOB, ",,,,,,,,"]
        content += ['Total:,,,,,,,"1,560.00",', "Page 1 of 1"]

        cases, bad = read(export(content))

        assert [c.id for c in cases] == ["case-101", "case-102"]
        assert places(bad) == [("line 8", None), ("line 9", None)]
        assert all("nothing to do" in b.fix for b in bad)

    def test_a_header_again_in_the_middle(self, export) -> None:
        cases, bad = read(export([HEADER, ANN, HEADER, BOB]))

        assert len(cases) == 2
        assert places(bad) == [("line 3", None)]
        assert "header" in bad[0].fix

    def test_a_line_break_within_quotes(self, export) -> None:
        cases, bad = read(
            export(['PatNum,FName,ProcCode,"Chart\nNote"', '1,Ann,D2740,"line one\nline two"', "2,Bob,XX,"])
        )

        assert [c.patient.id for c in cases] == ["1"]
        assert places(bad) == [("line 5", "ProcCode")]

    def test_quotes_that_are_never_closed_cost_one_line_only(self, export) -> None:
        rows = [f"{n},Ann,Lee,02/03/1980,(312) 555-0101,D2740,30,100,11/17/2026" for n in range(1, 201)]
        rows[9] = '10,"Ann,Lee,02/03/1980,(312) 555-0101,D2740,30,100,11/17/2026'
        rows[19] = '20,"Ann,Lee,02/03/1980,(312) 555-0101,D2740,30,100,11/17/2026'

        cases, bad = read(export([HEADER, *rows]))

        assert places(bad) == [("line 11", None), ("line 21", None)]
        assert len(cases) == 198

    def test_a_quote_never_closed_in_a_big_file(self, export) -> None:
        rows = [f"{n},Ann,Lee,02/03/1980,(312) 555-0101,D2740,30,100,11/17/2026" for n in range(5000)]
        rows[9] = rows[9].replace("Lee", '"Lee')

        cases, bad = read(export([HEADER, *rows]))

        assert places(bad) == [("line 11", None)]
        assert len(cases) == 4999

    def test_quotes_within_a_name(self, export) -> None:
        cases, bad = read(export(["PatNum,FName,ProcCode", '1,"Robert ""Bob""",D2740', '2,Al "Big",D2740']))

        assert bad == []
        assert [c.patient.first_name.get_secret_value() for c in cases] == ['Robert "Bob"', 'Al "Big"']

    def test_short_and_long_rows(self, export) -> None:
        rows = ["1,Ann,D2740", "2,Bob,D2740,30,,,", "3,Cy,D2740,30,extra,cells", "4,Di"]

        cases, bad = read(export(["PatNum,FName,ProcCode,Tooth", *rows]))

        assert [c.patient.id for c in cases] == ["1", "2"]
        assert places(bad) == [("line 4", None), ("line 5", "ProcCode")]

    def test_empty_lines_and_cells(self, export) -> None:
        cases, bad = read(export(["PatNum,FName,ProcCode,Mobile,Email,Fee", "", "1,Ann,D2740,,,", " , ,,,,", ",,,,,"]))

        assert bad == []
        assert cases[0].patient.mobile is None
        assert cases[0].value_cents == 0

    def test_an_empty_file_and_a_header_alone(self, export) -> None:
        for nothing in ("", "\n \n", "\ufeff"):
            with pytest.raises(ConfigurationError, match="the file is empty"):
                read(export(nothing))
        assert read(export([HEADER])) == ([], [])

    def test_a_header_twice_is_reported_and_can_be_mapped(self, export) -> None:
        path = export(["PatNum,FName,ProcCode,Phone,Phone", "1,Ann,D2740,312-555-0101,312-555-0102"])

        first, bad = read(path)
        second, fine = read(path, columns=Columns(mobile="Phone#2"))

        assert first[0].patient.mobile is not None
        assert first[0].patient.mobile.e164 == "+13125550101"
        assert places(bad) == [("line 1", "Phone")]
        assert "'Phone#2'" in bad[0].fix
        assert second[0].patient.mobile is not None
        assert second[0].patient.mobile.e164 == "+13125550102"
        assert fine == []

    def test_a_hint_of_excel_in_the_first_line(self, export) -> None:
        cases, bad = read(export(["sep=;", "PatNum;FName;ProcCode", '="001";Ann;D2740']))

        assert bad == []
        assert cases[0].patient.id == "001"

    def test_streams_with_flat_memory(self, tmp_path: Path) -> None:
        def peak(rows: int) -> int:
            path = tmp_path / f"{rows}.csv"
            with path.open("w", encoding="utf-8") as file:
                file.write(HEADER + "\n")
                file.writelines(f"{n}{ANN[3:]}\n" for n in range(rows))
            tracemalloc.start()
            assert sum(1 for _ in CsvCaseSource(path).read()) == rows
            result = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return result

        # Files of 2 and 5 times the size of the buffer that finds the encoding.
        assert peak(10_000) < 1.5 * peak(4_000) + 1_000_000


class TestBadRows:
    @pytest.mark.parametrize(
        ("column", "cell", "word"),
        [
            ("Patient ID", "", "empty"),
            ("Patient ID", "Ann Lee", "not an id"),
            ("First Name", "", "first name"),
            ("First Name", "http://x.example", "not a name"),
            ("DOB", "13/45/1980", "date"),
            ("Proc Code", "", "empty"),
            ("Proc Code", "CROWN", "CDT"),
            ("Tooth", "thirty!", "tooth"),
            ("Fee", "(45.00)", "negative"),
            ("Fee", "1.250,00", "decimal_comma"),
            ("Date Diagnosed", "25/12/2026", "dates="),
        ],
    )
    def test_name_line_column_and_fix_and_the_rest_goes_on(self, export, column: str, cell: str, word: str) -> None:
        names = HEADER.split(",")
        row = dict(
            zip(
                names,
                ["101", "Ann", "Lee", "02/03/1980", "(312) 555-0101", "D2740", "30", "1", "11/17/2026"],
                strict=True,
            )
        )
        row[column] = f'"{cell}"'

        cases, bad = read(export([HEADER, BOB, ",".join(row.values()), BOB]))

        assert len(cases) == 1
        assert len(cases[0].procedures) == 1
        assert places(bad) == [("line 3", column)]
        assert word in bad[0].fix

    @pytest.mark.parametrize(
        ("column", "cell"),
        [
            ("Language", "Klingon"),
            ("TxtMsgOk", "Maybe"),
            ("Email", "ann at example"),
            ("PatStatus", "Sleeping"),
            ("Flags", "Purple"),
            ("Status", "Odd"),
            ("Time Zone", "Mars/Base"),
        ],
    )
    def test_consent_status_and_flags_are_never_guessed(self, export, column: str, cell: str) -> None:
        cases, bad = read(export([f"PatNum,FName,ProcCode,{column}", f"1,Ann,D2740,{cell}"]))

        if column == "Language":
            assert cases[0].patient.language == "und"
        else:
            assert (cases, places(bad)) == ([], [("line 2", column)])

    def test_flag_words_can_be_taught(self, export) -> None:
        path = export(["PatNum,FName,ProcCode,Flags", "1,Ann,D2740,VIP;Latex"])

        cases, bad = read(path, columns=Columns(flag_words=(("vip", None), ("latex", Flag.MEDICAL_ALERT))))

        assert bad == []
        assert cases[0].patient.flags == {Flag.MEDICAL_ALERT}

    def test_repeat_no_cell_in_text_repr_or_traceback(self, export) -> None:
        marker = "Qz7Zebra"
        names = [*HEADER.split(","), "Email", "Flags", "PatStatus", "TxtMsgOk", "Time Zone", "Surf", "Next Appt"]
        good = ["101", "Ann", "Lee", "02/03/1980", "(312) 555-0101", "D2740", "30", "1", "11/17/2026", *[""] * 7]
        rows = []
        for position in range(len(names)):
            for bad_cell in (marker, f"{marker} 99!", f"@{marker}"):
                cells = list(good)
                cells[position] = bad_cell
                rows.append(",".join(cells))
        rows += [f'"{marker},Lee', f"{marker}" + ",x" * 40, f"Total {marker}", marker]

        _, bad = read(export([",".join(names), *rows]))

        assert len(bad) > len(names)
        assert {b.column for b in bad} >= {"Patient ID", "DOB", "Wireless Phone", "Proc Code", "Fee", "Email", "Flags"}
        for row in bad:
            assert marker not in f"{row} {row!r} {row.args} {vars(row)}"
            assert row.__traceback__ is None
            assert row.__context__ is None


class TestMissingColumns:
    def test_names_the_field_the_headers_and_the_way_out(self, export) -> None:
        with pytest.raises(ConfigurationError) as caught:
            read(export(["Acct Ref,First Name,Last Name,Proc Code", "1,Ann,Lee,D2740"]))

        text = str(caught.value)
        assert "no column for patient_id" in text
        assert "'Acct Ref', 'First Name', 'Last Name', 'Proc Code'" in text
        assert "Columns(patient_id='<your header>')" in text

    def test_are_mapped_by_hand_even_when_no_header_is_known(self, export) -> None:
        path = export(["Ref,Vorname,Leistung", "1,Ann,D2740"])

        cases, bad = read(path, columns=Columns(patient_id="Ref", first_name="vorname", code="Leistung"))

        assert bad == []
        assert cases[0].id == "case-1"

    def test_a_mapped_header_that_is_not_there(self, export) -> None:
        with pytest.raises(ConfigurationError, match=r"mobile \(mapped to 'Handy'\)"):
            read(export([HEADER, ANN]), columns=Columns(mobile="Handy"))

    def test_never_show_a_line_of_data_as_headers(self, export) -> None:
        with pytest.raises(ConfigurationError, match="no header line was found") as caught:
            read(export(["Zebra,Quagga,D2740,Mobile,+13125550101", ANN]))

        assert "Zebra" not in str(caught.value)

    def test_ignored_columns_are_not_read(self, export) -> None:
        cases, bad = read(
            export(["PatNum,FName,ProcCode,Flags", "1,Ann,D2740,Purple"]), columns=Columns(ignore=("flags",))
        )

        assert bad == []
        assert len(cases) == 1

    @pytest.mark.parametrize(
        ("setting", "words"),
        [
            ({"dates": "american"}, "mdy, dmy, iso"),
            ({"dates": ()}, "at least one"),
            ({"zone": "Chicago"}, "America/Chicago"),
            ({"synced_at": datetime(2026, 11, 23)}, "aware"),  # noqa: DTZ001  naive is the mistake
        ],
    )
    def test_wrong_settings_say_what_to_write(self, export, setting: dict[str, object], words: str) -> None:
        with pytest.raises(ConfigurationError, match=words):
            read(export([HEADER, ANN]), **setting)
