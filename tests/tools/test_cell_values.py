from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treatment_agent.domain.private import PhoneNumber
from treatment_agent.errors import ConfigurationError
from treatment_agent.tools.cell_dates import DateReader, before
from treatment_agent.tools.cell_values import (
    CellProblem,
    cents,
    household,
    identifier,
    language_code,
    person_name,
    procedure_code,
    split_name,
    text_of,
)

DAYS = st.dates(min_value=date(1901, 1, 1), max_value=date(2068, 12, 31))


def by_library(text: str, region: str) -> str | None:
    """What the library says, without the quick way."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def by_us(text: str, region: str) -> str | None:
    try:
        return PhoneNumber.parse(text, region=region).e164
    except ValueError:
        return None


class TestPhoneNumberParse:
    @settings(max_examples=500)
    @given(
        st.sampled_from(["", "1", "+1", "1-", "+1 ", "1 ", "1.", "+", "0", "01"]),
        st.text("0123456789", min_size=3, max_size=3),
        st.text("0123456789", min_size=3, max_size=3),
        st.text("0123456789", min_size=3, max_size=5),
        st.sampled_from(
            ["{}{}{}", "({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "{} {} {}", "({}){}{}", " {}-{}{} ", "({} {}{}"]
        ),
        st.sampled_from(["US", "US", "CA", "MX", "GB"]),
    )
    def test_property_the_quick_way_gives_what_the_library_gives(
        self, prefix: str, area: str, exchange: str, line: str, shape: str, region: str
    ) -> None:
        text = prefix + shape.format(area, exchange, line)

        assert by_us(text, region) == by_library(text, region)

    @pytest.mark.parametrize("region", ["US", "CA", "MX", "GB"])
    @pytest.mark.parametrize(
        "text",
        [
            "3125550117",
            "13125550117",
            "+13125550117",
            "0125550117",
            "1125550117",
            "11125550117",
            "+11125550117",
            "01125550117",
            "(112) 555-0117",
            "2005550117",
            "9995550117",
            "312555011",
            "31255501170",
            "1 (312) 555 0117",
        ],
    )
    def test_agrees_with_the_library_at_the_edges(self, text: str, region: str) -> None:
        assert by_us(text, region) == by_library(text, region)

    @settings(max_examples=300)
    @given(st.text("0123456789+-. ()x", max_size=16))
    def test_property_any_notation_gives_what_the_library_gives(self, text: str) -> None:
        assert by_us(text, "US") == by_library(text, "US")

    def test_refuses_a_number_without_area_code(self) -> None:
        with pytest.raises(ValueError, match="number of digits"):
            PhoneNumber.parse("555-0117")

    def test_keeps_the_main_number_of_one_with_an_extension(self) -> None:
        assert PhoneNumber.parse("312.555.0117 x2").e164 == "+13125550117"


class TestCents:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1250", 125_000),
            ("$1,250.00", 125_000),
            ("1,250", 125_000),
            ("1250.5", 125_050),
            ("(45.00)", -4500),
            ("$(45.00)", -4500),
            ("($45.00)", -4500),
            ("-$45", -4500),
            ("$-45", -4500),
            ("45.00-", -4500),
            ("45.00 CR", -4500),
            ("+45", 4500),
            (".50", 50),
            ("1250.0000", 125_000),
            ("$ -", 0),
            ("$ 1 250.00", 125_000),
            ("N/A", 0),
            ("", 0),
            (None, 0),
            (1250, 125_000),
            (1250.1, 125_010),
            (Decimal("19.99"), 1999),
        ],
    )
    def test_reads(self, text: str, expected: int) -> None:
        assert cents(text) == expected

    @pytest.mark.parametrize(
        "text", ["1.250,00", "1250,00", "12,50", "1,2,3", "12.345", "abc", "12 dollars", "--5", "1.2.3"]
    )
    def test_refuses(self, text: str) -> None:
        with pytest.raises(CellProblem, match="money"):
            cents(text)

    @pytest.mark.parametrize(
        ("text", "expected"), [("1.250,00 €", 125_000), ("1250,5", 125_050), ("1'250", 125_000), ("(45,00)", -4500)]
    )
    def test_reads_decimal_commas_when_declared(self, text: str, expected: int) -> None:
        assert cents(text, decimal_comma=True) == expected

    def test_refuses_points_when_decimal_commas_are_declared(self) -> None:
        with pytest.raises(CellProblem):
            cents("1,250.00", decimal_comma=True)

    @given(st.integers(-10_000_000_00, 10_000_000_00), st.sampled_from(["{}", "${}", "{} USD", "$ {}"]), st.booleans())
    def test_property_reads_back_what_it_shows(self, amount: int, shape: str, brackets: bool) -> None:
        number = f"{abs(amount) // 100:,}.{abs(amount) % 100:02}"
        text = shape.format(number)
        if amount < 0:
            text = f"({text})" if brackets else f"-{text}"

        assert cents(text) == amount

    @given(st.integers(0, 10_000_000_00))
    def test_property_reads_back_decimal_commas(self, amount: int) -> None:
        euros = f"{amount // 100:,}".replace(",", ".")

        assert cents(f"{euros},{amount % 100:02} €", decimal_comma=True) == amount

    @given(st.text(max_size=12))
    def test_property_refuses_or_reads_but_never_breaks(self, text: str) -> None:
        with suppress(CellProblem):
            assert isinstance(cents(text), int)


class TestDateReader:
    @pytest.mark.parametrize(
        "text",
        [
            "11/7/2026",
            "11/07/26",
            "11-07-2026",
            "11.07.2026",
            "2026-11-07",
            "2026/11/7",
            "20261107",
            "Nov 7, 2026",
            "November 7th, 2026",
            "7 November 2026",
            "07-Nov-26",
            "07NOV2026",
            "Sat, Nov 7, 2026",
            "Saturday 11/7/2026",
            "11/7/2026 12:00:00 AM",
            "2026-11-07T00:00:00",
            "2026-11-07 00:00:00.000",
        ],
    )
    def test_reads_with_the_month_first(self, text: str) -> None:
        assert DateReader("mdy").day(text) == date(2026, 11, 7)

    @pytest.mark.parametrize(
        ("style", "text"),
        [
            ("dmy", "7/11/2026"),
            ("excel", "46333"),
            ("%Y week %j", "2026 week 311"),
            ("iso", "2026-11-07"),
            ("ymd", "26-11-07"),
        ],
    )
    def test_reads_other_styles(self, style: str, text: str) -> None:
        assert DateReader(style).day(text) == date(2026, 11, 7)

    @pytest.mark.parametrize(
        "text", ["", "0001-01-01", "1/1/0001", "00/00/0000", "01/01/1880", "1/1/1900", "N/A", "none"]
    )
    def test_reads_no_date_as_none(self, text: str) -> None:
        assert DateReader("mdy").day(text) is None

    @pytest.mark.parametrize(
        "text", ["25/12/2026", "2/30/2026", "tomorrow", "11/7", "11/7/026", "2026-13-01", "46333", "1/2/3"]
    )
    def test_refuses(self, text: str) -> None:
        with pytest.raises(CellProblem, match="dates="):
            DateReader("mdy").day(text)

    def test_tries_several_orders_and_refuses_what_can_be_read_two_ways(self) -> None:
        reader = DateReader(("mdy", "dmy"))

        assert reader.day("12/25/2026") == reader.day("25/12/2026") == date(2026, 12, 25)
        assert reader.day("5/5/2026") == date(2026, 5, 5)
        with pytest.raises(CellProblem, match="two days"):
            reader.day("3/4/2026")

    @given(DAYS)
    def test_property_reads_back_every_day_in_every_style(self, day: date) -> None:
        assert DateReader("mdy").day(f"{day:%m/%d/%Y}") == day
        assert DateReader("mdy").day(f"{day.month}/{day.day}/{day.year}") == day
        assert DateReader("dmy").day(f"{day:%d.%m.%Y}") == day
        assert DateReader(("mdy", "dmy")).day(f"{day:%Y-%m-%d}") == day
        assert DateReader("dmy").day(f"{day:%b %d, %Y}") == day

    @given(st.text(max_size=20))
    def test_property_refuses_or_reads_but_never_breaks(self, text: str) -> None:
        with suppress(CellProblem):
            moment = DateReader(("mdy", "dmy", "excel")).moment(text)
            assert moment is None or moment.utcoffset() == timedelta(0)

    @pytest.mark.parametrize(
        ("text", "utc"),
        [
            ("11/1/2026 12:30 AM", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
            ("11/1/2026 3:00 AM", datetime(2026, 11, 1, 9, tzinfo=UTC)),
            ("3/14/2027 1:30 AM", datetime(2027, 3, 14, 7, 30, tzinfo=UTC)),
            ("3/14/2027 3:30 AM", datetime(2027, 3, 14, 8, 30, tzinfo=UTC)),
            ("2026-12-01T09:00:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
            ("2026-12-01T09:00:00-0500", datetime(2026, 12, 1, 14, tzinfo=UTC)),
            ("12/1/2026 12:15 p.m.", datetime(2026, 12, 1, 18, 15, tzinfo=UTC)),
            (date(2026, 12, 1), datetime(2026, 12, 2, 5, 59, tzinfo=UTC)),
            (datetime(2026, 12, 1, 9), datetime(2026, 12, 1, 15, tzinfo=UTC)),  # noqa: DTZ001  as databases give it
            (datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("America/New_York")), datetime(2026, 12, 1, 14, tzinfo=UTC)),
        ],
    )
    def test_reads_office_times_over_dst_nights(self, text: object, utc: datetime) -> None:
        assert DateReader("mdy", zone="America/Chicago").moment(text) == utc

    @pytest.mark.parametrize("text", ["11/1/2026 25:00", "11/1/2026 13:00 PM", "11/1/2026 0:30 AM", "11/1/2026 9:75"])
    def test_refuses_times_that_are_none(self, text: str) -> None:
        with pytest.raises(CellProblem, match="time of day"):
            DateReader("mdy").moment(text)

    def test_puts_birthdays_into_the_century_before_the_visit(self) -> None:
        assert before(date(2045, 3, 4), date(2026, 11, 17)) == date(1945, 3, 4)
        assert before(date(2026, 11, 17), date(2026, 11, 17)) == date(2026, 11, 17)
        assert before(date(2000, 2, 29), date(1999, 1, 1)) == date(1900, 2, 28)

    def test_explains_a_style_that_is_none(self) -> None:
        with pytest.raises(ConfigurationError, match="'usa'"):
            DateReader("usa")


class TestProcedureCode:
    @pytest.mark.parametrize(
        "text",
        [
            "D2740",
            "d2740",
            "2740",
            "D2740 ",
            "02740",
            "D02740",
            "D 2740",
            "'2740",
            "D2740 - Crown",
            "2740: x",
            2740,
            2740.0,
        ],
    )
    def test_reads(self, text: object) -> None:
        assert procedure_code(text) == "D2740"

    def test_gives_back_the_zero_that_a_spreadsheet_dropped(self) -> None:
        assert procedure_code("140") == "D0140"

    @pytest.mark.parametrize("text", ["CROWN", "N4118", "27400", "D27", "D2740.1", "D2740X", "2740 2750"])
    def test_refuses(self, text: str) -> None:
        with pytest.raises(CellProblem, match="CDT"):
            procedure_code(text)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "en"),
            (None, "en"),
            ("spa", "es"),
            ("Spanish", "es"),
            ("es-MX", "es"),
            ("EN_us", "en"),
            ("Español", "es"),
            ("vie", "vi"),
            ("Chinese (Mandarin)", "zh"),
            ("Haitian Creole", "ht"),
            ("Klingon", "und"),
        ],
    )
    def test_languages(self, text: str | None, code: str) -> None:
        assert language_code(text) == code

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("JANE", "Jane"),
            ("mary ann", "mary ann"),
            ("O'NEIL", "O'Neil"),
            ("DJ", "DJ"),
            ("Zoë", "Zoë"),
            ("Ann\nLee", "Ann Lee"),
        ],
    )
    def test_names(self, text: str, name: str) -> None:
        assert person_name(text) == name

    @pytest.mark.parametrize("text", ["Ann2", "a@b.c", "www/x", "x" * 61, "Ann\ufffd", "{name}", "Ann; STOP"])
    def test_names_that_are_none(self, text: str) -> None:
        with pytest.raises(CellProblem, match="not a name"):
            person_name(text)

    def test_whole_names(self) -> None:
        assert split_name("Rivera, Ana M") == ("Ana", "Rivera")
        assert split_name("Ana Rivera") == ("Ana", "Rivera")
        assert split_name("Cher") == ("Cher", "")

    def test_ids(self) -> None:
        assert identifier(1234.0) == "1234"
        assert identifier('="007"') == "007"
        with pytest.raises(CellProblem):
            identifier("Lee, Ann")

    def test_a_guarantors_name_groups_without_being_readable(self) -> None:
        assert household("17") == "17"
        digest = household("Lee, Ann")
        assert digest == household("LEE, ANN")
        assert digest is not None
        assert "lee" not in digest.lower()

    def test_ways_to_write_nothing(self) -> None:
        assert [text_of(cell) for cell in (None, "", "  ", "NULL", "\\N", "#N/A", "-", "n/a")] == [""] * 8
