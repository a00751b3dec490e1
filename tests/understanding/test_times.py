from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from phrase_tables import OFFICE, SITUATION, cases_of, moment, slot, spelled_out

from treatment_agent.domain.interpretation import Asked, Situation
from treatment_agent.domain.text import normalize
from treatment_agent.understanding.times.reading import TimeReading, read_times

TABLES = ("days", "hours", "exclusions", "deferrals", "later_times", "last_times", "told_times", "texted_times")


def read(text: str, situation: Situation = SITUATION) -> TimeReading:
    """The reading of a message as typed."""
    return read_times(normalize(text), situation)


def at(*when: int, offers: tuple = ()) -> Situation:
    """A situation on another day of the office."""
    return Situation(now=datetime(*when, tzinfo=OFFICE), offers=offers)


def days_of(reading: TimeReading) -> list[date]:
    """The dates on which a window starts."""
    return [window.start.date() for window in reading.windows]


def ids(case: dict) -> str:
    """The phrase names its test."""
    return case["text"]


class TestPhrases:
    @pytest.mark.parametrize("case", [case for table in TABLES for case in cases_of(table)], ids=ids)
    def test_reads_the_phrase_as_written_down(self, case):
        reading = read(case["text"])
        if "windows" in case:
            assert [(window.start, window.end) for window in reading.for_call] == spelled_out(case["windows"])
            visits = spelled_out(case.get("visits", case["windows"]))
            assert [(window.start, window.end) for window in reading.windows] == visits
        assert reading.instant == (moment(case["instant"]) if "instant" in case else None)
        assert reading.until == (date.fromisoformat(case["until"]) if "until" in case else None)
        assert reading.ambiguous is case.get("ambiguous", False)

    @pytest.mark.parametrize("case", cases_of("no_times"), ids=ids)
    def test_reads_nothing_when_no_time_is_meant(self, case):
        assert read(case["text"]) == TimeReading()


class TestToday:
    def test_weekday_of_today_is_next_week(self):
        assert days_of(read("monday")) == [date(2026, 11, 30)]

    def test_weekday_of_today_is_today_for_a_call_when_its_clock_time_is_ahead(self):
        assert read("monday at 3").for_call[0].start == datetime(2026, 11, 23, 15, tzinfo=OFFICE)

    def test_weekday_of_today_is_next_week_for_a_visit(self):
        assert read("monday at 3").windows[0].start == datetime(2026, 11, 30, 15, tzinfo=OFFICE)

    def test_weekday_of_today_is_next_week_when_its_clock_time_is_past(self):
        assert read("monday at 9").windows[0].start == datetime(2026, 11, 30, 9, tzinfo=OFFICE)

    def test_clock_time_that_has_passed_is_called_tomorrow(self):
        assert read("call me at 9:59").instant == datetime(2026, 11, 24, 9, 59, tzinfo=OFFICE)

    def test_clock_time_of_this_very_minute_is_called_tomorrow(self):
        assert read("call me at 10").instant == datetime(2026, 11, 24, 10, tzinfo=OFFICE)

    def test_window_that_has_begun_starts_now(self):
        assert read("this morning").windows[0].start == SITUATION.now

    def test_window_that_is_over_is_left_out(self):
        assert read("this morning", at(2026, 11, 23, 13)).windows == ()

    def test_next_weekday_is_in_next_week_said_on_a_friday(self):
        assert days_of(read("next tuesday", at(2026, 11, 27, 10))) == [date(2026, 12, 1)]

    def test_next_week_begins_tomorrow_on_a_sunday(self):
        assert days_of(read("next week", at(2026, 11, 29, 10))) == [date(2026, 11, 30)]

    def test_this_week_is_the_coming_one_on_a_sunday(self):
        reading = read("this week", at(2026, 11, 29, 10))
        assert reading.windows[-1].end == datetime(2026, 12, 7, tzinfo=OFFICE)

    def test_this_weekend_is_today_on_a_sunday(self):
        assert days_of(read("this weekend", at(2026, 11, 29, 10))) == [date(2026, 11, 29)]


class TestDates:
    def test_day_of_month_is_next_month_once_it_has_passed(self):
        assert days_of(read("the 20th")) == [date(2026, 12, 20)]

    def test_day_of_month_skips_a_month_that_has_no_such_day(self):
        assert days_of(read("the 31st")) == [date(2026, 12, 31)]

    def test_offered_date_is_preferred_and_doubtful_when_a_nearer_one_fits(self):
        reading = read("the 3rd", at(2026, 12, 1, 10, offers=(slot(1, 2027, 1, 3, 9),)))
        assert days_of(reading) == [date(2027, 1, 3)]
        assert reading.ambiguous

    def test_date_of_last_week_is_the_past(self):
        assert read("11/17 was bad").windows == ()

    def test_date_early_next_year_is_found(self):
        assert days_of(read("1/14")) == [date(2027, 1, 14)]

    def test_no_such_date_is_read(self):
        assert read("2/30").windows == ()

    def test_february_29_is_found_in_a_leap_year_only(self):
        assert read("feb 29").windows == ()
        assert days_of(read("feb 29", at(2027, 11, 23, 10))) == [date(2028, 2, 29)]

    def test_month_that_is_over_is_next_year(self):
        assert read("in march").until == date(2027, 3, 1)

    def test_this_month_is_what_is_left_and_defers_nothing(self):
        reading = read("in november")
        assert (days_of(reading), reading.until) == ([date(2026, 11, 24)], None)

    def test_christmas_is_next_year_once_it_has_passed(self):
        assert days_of(read("day before christmas", at(2026, 12, 27, 10))) == [date(2027, 12, 24)]

    @pytest.mark.parametrize(
        ("name", "day"),
        [
            ("mlk day", date(2027, 1, 18)),
            ("presidents day", date(2027, 2, 15)),
            ("easter", date(2027, 3, 28)),
            ("mothers day", date(2027, 5, 9)),
            ("memorial day", date(2027, 5, 31)),
            ("fathers day", date(2027, 6, 20)),
            ("july 4th", date(2027, 7, 4)),
            ("4th of july", date(2027, 7, 4)),
            ("labor day", date(2027, 9, 6)),
            ("halloween", date(2027, 10, 31)),
            ("veterans day", date(2027, 11, 11)),
        ],
    )
    def test_named_day_defers_to_the_day_after(self, name, day):
        assert read(f"after {name}").until == day + timedelta(days=1)

    def test_after_the_holidays_is_tomorrow_on_new_years_day(self):
        assert read("after the holidays", at(2027, 1, 1, 10)).until == date(2027, 1, 2)


class TestZones:
    def test_times_are_in_the_zone_of_now(self):
        situation = replace(SITUATION, now=SITUATION.now.astimezone(ZoneInfo("America/Los_Angeles")), offers=())
        window = read("tomorrow at 2", situation).windows[0]
        assert window.start.utcoffset() == timedelta(hours=-8)
        assert window.start.hour == 14

    def test_wall_clock_holds_over_the_change_to_winter_time(self):
        window = read("tomorrow at 9", at(2026, 10, 31, 10)).windows[0]
        assert (window.start.hour, window.start.utcoffset()) == (9, timedelta(hours=-6))

    def test_day_of_the_change_ends_at_midnight(self):
        window = read("sunday", at(2026, 10, 31, 10)).windows[0]
        assert (window.end.date(), window.end.hour) == (date(2026, 11, 2), 0)

    def test_minutes_are_counted_through_the_change(self):
        reading = read("in 30 minutes", at(2026, 11, 1, 1, 45))
        assert reading.instant.timestamp() - at(2026, 11, 1, 1, 45).now.timestamp() == 1800


class TestReading:
    def test_spans_point_at_the_words_as_typed(self):
        message = "Hi!  Can I come  TUESDAY  after  3?"
        assert [span.of(message) for span in read(message).spans] == ["TUESDAY", "after  3"]

    def test_windows_reach_42_days_unless_a_farther_date_is_named(self):
        assert read("after tomorrow").windows[-1].end == datetime(2027, 1, 5, tzinfo=OFFICE)
        assert read("in june").windows[0].start == datetime(2027, 6, 1, tzinfo=OFFICE)

    def test_habit_is_spelled_out_for_21_days_from_tomorrow(self):
        days = days_of(read("mornings"))
        assert (days[0], days[-1], len(days)) == (date(2026, 11, 24), date(2026, 12, 14), 21)

    def test_long_message_is_read_from_its_beginning(self):
        assert days_of(read("this wednesday please. " + "x " * 9000)) == [date(2026, 11, 25)]

    @pytest.mark.parametrize(
        "text", ["the week of " * 400, "the " * 1200, "after " * 800, "1, " * 1500, "dec 8, " * 600]
    )
    def test_repetition_does_not_nest(self, text):
        assert isinstance(read(text), TimeReading)


class TestWeeksMeant:
    def test_weekday_of_a_visit_is_the_coming_one_and_the_one_in_the_offered_week(self):
        assert days_of(read("friday")) == [date(2026, 11, 27), date(2026, 12, 4)]

    def test_weekday_of_an_offer_is_the_offered_day(self):
        assert days_of(read("tuesday at 2")) == [date(2026, 12, 1)]

    def test_weekday_of_a_call_is_the_coming_one(self):
        assert [window.start.date() for window in read("friday").for_call] == [date(2026, 11, 27)]

    def test_weekday_when_a_visit_stands_is_this_or_next_week(self):
        booked = Situation(now=SITUATION.now, asked=Asked.BOOKED)
        assert days_of(read("friday", booked)) == [date(2026, 11, 27), date(2026, 12, 4)]

    def test_said_this_or_next_leaves_one_day(self):
        assert days_of(read("this friday")) == [date(2026, 11, 27)]
        assert days_of(read("next friday")) == [date(2026, 12, 4)]

    def test_without_offers_the_coming_one_is_meant(self):
        assert days_of(read("friday", at(2026, 11, 23, 10))) == [date(2026, 11, 27)]
