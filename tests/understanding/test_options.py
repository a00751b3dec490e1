from __future__ import annotations

import pytest
from phrase_tables import SITUATION, cases_of, slot

from treatment_agent.domain.interpretation import Situation
from treatment_agent.domain.text import normalize
from treatment_agent.understanding.options import OptionPick, pick_option

TABLES = ("options", "later_options", "last_options", "told_options", "refused_options")


def pick(text: str, *offers, names=()) -> OptionPick:
    """The pick among the usual offers, or among the given ones."""
    situation = Situation(now=SITUATION.now, offers=offers, provider_names=names) if offers else SITUATION
    return pick_option(normalize(text), situation)


class TestPhrases:
    @pytest.mark.parametrize(
        "case", [case for table in TABLES for case in cases_of(table)], ids=lambda case: case["text"]
    )
    def test_picks_what_is_written_down(self, case):
        found = pick(case["text"])
        assert (found.option, found.ambiguous) == (case.get("option"), case.get("ambiguous", False))


class TestOtherOffers:
    FIRST = slot(1, 2026, 12, 1, 9)
    SAME_DAY = slot(2, 2026, 12, 1, 14)
    NEXT_WEEK = slot(3, 2026, 12, 8, 9)

    def test_nothing_is_picked_without_offers(self):
        assert pick_option(normalize("tuesday at 9"), Situation(now=SITUATION.now)) == OptionPick(None)

    def test_day_that_fits_two_offers_is_ambiguous(self):
        assert pick("tuesday", self.FIRST, self.SAME_DAY) == OptionPick(None, True, pick("tuesday").span)

    def test_time_tells_two_offers_of_a_day_apart(self):
        assert pick("tuesday at 2", self.FIRST, self.SAME_DAY).option == 2

    def test_time_that_fits_two_offers_is_ambiguous(self):
        assert pick("9", self.FIRST, self.NEXT_WEEK).ambiguous

    def test_date_tells_two_tuesdays_apart(self):
        assert pick("tuesday the 8th", self.FIRST, self.NEXT_WEEK).option == 2

    def test_later_is_the_latest_whatever_the_order(self):
        assert pick("the later one", self.NEXT_WEEK, self.SAME_DAY).option == 1

    def test_either_is_the_earliest_whatever_the_order(self):
        assert pick("either works", self.NEXT_WEEK, self.SAME_DAY).option == 2

    def test_number_beyond_the_offers_is_a_time(self):
        assert pick("9", self.FIRST, self.SAME_DAY).option == 1

    def test_bare_hour_fits_the_half_of_day_that_was_offered(self):
        assert pick("the 7 o'clock", slot(1, 2026, 12, 1, 19), self.NEXT_WEEK).option == 1

    def test_hour_with_am_does_not_fit_the_evening(self):
        assert pick("7am", slot(1, 2026, 12, 1, 19), self.NEXT_WEEK) == OptionPick(None)

    def test_exclusion_leaves_nothing_picked_among_three(self):
        assert pick("not the first one", self.FIRST, self.SAME_DAY, self.NEXT_WEEK) == OptionPick(None)

    def test_third_option_is_picked_by_ordinal(self):
        assert pick("the third one", self.FIRST, self.SAME_DAY, self.NEXT_WEEK).option == 3

    def test_date_and_option_number_that_differ_are_ambiguous(self):
        assert pick("the 2nd", slot(1, 2026, 12, 2, 9), slot(2, 2026, 12, 3, 9)).ambiguous

    def test_ordinal_with_one_is_never_a_date(self):
        assert pick("the 2nd one", slot(1, 2026, 12, 2, 9), slot(2, 2026, 12, 3, 9)).option == 2


class TestProviders:
    NAMES = (("lee", "Dr. Ana Lee"), ("roy", "Dr. Roy"))
    OFFERS = (slot(1, 2026, 12, 1, 9), slot(2, 2026, 12, 1, 14, provider="roy"))

    def test_provider_picks_when_only_one_offer_is_theirs(self):
        assert pick("with dr roy please", *self.OFFERS, names=self.NAMES).option == 2

    def test_provider_of_every_offer_picks_nothing(self):
        assert pick("with dr lee") == OptionPick(None)

    def test_provider_of_no_offer_picks_nothing(self):
        names = (*self.NAMES, ("kim", "Dr. Kim"))
        assert pick("tuesday with dr kim", *self.OFFERS, names=names) == OptionPick(None)

    def test_provider_decides_between_two_times_of_a_day(self):
        assert pick("tuesday with dr roy", *self.OFFERS, names=self.NAMES).option == 2


class TestSpan:
    def test_span_is_what_decided_as_typed(self):
        message = "Hi, I'd LOVE the  Tuesday one"
        assert pick(message).span.of(message) == "the  Tuesday"
