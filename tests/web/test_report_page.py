"""The report's page: escaped, without a network or a script, and right on nothing, on little and on much."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from test_page import HOSTILE, Reader, read

from treatment_agent.domain.measures import Cohort, Comparison, DeskTime, Funnel, Group, Measures, Path
from treatment_agent.domain.review import AskedTime, Fault, Objection, Review
from treatment_agent.domain.shares import Share
from treatment_agent.domain.survival import Survival
from treatment_agent.policies.office import OfficeProfile, Provider
from treatment_agent.web import report_charts, report_page, telling

NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)
OFFICE = OfficeProfile(
    name="Maple Dental",
    phone="(312) 555-0100",
    booking_link="https://maple.example/book",
    address="12 Maple Ave, Chicago",
    zone="America/Chicago",
    providers=(Provider(id="lee", name="Dr. Lee"),),
)
EMPTY = Review(since=NOW - timedelta(days=7), until=NOW)
FUNNEL = Funnel(
    entered=40,
    contacted=Share(36, 40),
    responded=Share(18, 36),
    booked=Share(12, 40),
    opted_out=Share(2, 36),
    value_entered_cents=4_000_000,
    value_booked_cents=1_250_000,
    value_kept_cents=450_000,
)
WAITS = Survival.of([(3, True), (8, True), (20, False), (9, True), (30, False)])


def measures(**changes: object) -> Measures:
    full = Measures(
        at=NOW,
        funnel=FUNNEL,
        by_week=tuple(Cohort(date(2026, 1, 5) + n * timedelta(days=7), FUNNEL, n > 12) for n in range(15)),
        by_month=(Cohort(date(2026, 1, 1), FUNNEL), Cohort(date(2026, 2, 1), FUNNEL)),
        by_provider=(Group("lee", FUNNEL), Group("", FUNNEL)),
        by_family=(Group("inlay_onlay", FUNNEL),),
        paths=(Path(0, "first-message-stale", "sms", 36, Share(18, 36), Share(12, 36)),),
        reasons={"cost": 3},
        handoffs=(DeskTime("financing", 3, Share(3, 40), 1, WAITS, WAITS, Share(2, 3)),),
        days_to_scheduled=WAITS,
        left_out={"queue.no-consent": 2},
    )
    return replace(full, **changes)  # type: ignore[arg-type]


def review(words: str = "Cost is the issue", **changes: object) -> Review:
    full = replace(
        EMPTY,
        messages=9,
        objections=(Objection("cost", 2, (words,)),),
        asked_times=(AskedTime("Saturday", 4, 3),),
        faults=(Fault("fault.time-not-open", "Nothing open suited", "Open blocks.", 3, 2, "Saturday"),),
    )
    return replace(full, **changes)  # type: ignore[arg-type]


def page(told: Measures | None = None, said: Review | None = None, **more: object) -> Reader:
    return read(report_page.render(told or measures(), said or review(), OFFICE, **more))  # type: ignore[arg-type]


def text(reader: Reader) -> str:
    return " ".join(" ".join(reader.texts).split())


class TestRender:
    def test_shows_markup_in_a_patients_words_as_words(self) -> None:
        reader = page(said=review(HOSTILE), notes=(HOSTILE,))

        tags = [tag for tag, _ in reader.tags]
        assert "img" not in tags
        assert "script" not in tags
        assert any(HOSTILE in words for words in reader.texts)
        assert [name for _, attrs in reader.tags for name in attrs if name.startswith("on")] == []

    def test_refers_to_nothing_on_the_network(self) -> None:
        reader = page()

        assert not [tag for tag, _ in reader.tags if tag in {"link", "iframe", "object", "embed", "base", "img", "a"}]
        assert not [attrs for _, attrs in reader.tags if {"src", "href", "action", "xlink:href"} & attrs.keys()]
        assert not re.search(r"@import|url\(|https?:|//[a-z]", reader.raw["style"])
        policy = [attrs["content"] for tag, attrs in reader.tags if attrs.get("http-equiv")]
        assert policy[0] is not None
        assert policy[0].startswith("default-src 'none'")
        assert "script-src" not in policy[0]

    def test_closes_every_tag_and_has_no_id_twice(self) -> None:
        reader = page(measures(comparison=Comparison(30, Share(9, 30), Share(2, 20))))

        # The drawings' own tags close themselves.
        drawn = {"rect", "path"}
        assert [tag for tag in reader.open if tag not in drawn] == []
        ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        named = {name for _, attrs in reader.tags if (name := attrs.get("aria-labelledby"))}
        assert named <= set(ids)

    def test_tells_each_rate_with_its_counts_and_its_range(self) -> None:
        told = text(page())

        assert "12 of 40 patients booked: $12,500 of treatment is on the calendar." in told
        assert "30% of those entered; likely 18 to 45%" in told
        assert "50% of those contacted; likely 34 to 66%" in told
        assert "$4,500" in told
        assert "2 of 36; likely 2 to 18%" in told
        assert "Half within 9 days" in told

    def test_shows_the_last_twelve_weeks_and_which_still_run(self) -> None:
        told = text(page())

        assert "Jan 19" not in told
        assert "Jan 26" in told
        assert "still running" in told

    def test_names_providers_and_families(self) -> None:
        told = text(page())

        assert "Dr. Lee $12,500 booked, $4,500 completed" in told
        assert "Nobody named" in told
        assert "Inlay or onlay" in told
        assert "First message step 1, by text, for an older diagnosis" in told

    def test_shows_what_patients_say_and_what_to_mend(self) -> None:
        told = text(page())

        assert "Cost 2 patients Cost is the issue" in told
        assert "Nothing open suited: Saturday (3 times) Open blocks." in told
        assert "Saturday 4 3 without a fitting opening" in told

    @pytest.mark.parametrize(
        ("comparison", "words"),
        [
            (Comparison(30, Share(60, 120), Share(10, 60)), "+33 bookings in 100 cases from +19 to +45"),
            (Comparison(30, Share(5, 12), Share(1, 3)), "Not clear yet: +8 bookings in 100 cases"),
            (
                Comparison(30, maturing=9, first_on=date(2026, 12, 24)),
                "The first comparison is due on Thu Dec 24, 2026.",
            ),
        ],
    )
    def test_tells_the_lift_only_as_surely_as_it_is_known(self, comparison: Comparison, words: str) -> None:
        told = text(page(measures(comparison=comparison)))

        assert words in told
        assert ("Not clear yet" in told) == words.startswith("Not clear")

    def test_is_friendly_about_an_empty_ledger(self) -> None:
        told = text(page(Measures(at=NOW), EMPTY))

        assert "Nobody is being followed up yet." in told
        assert "No texts have gone out yet." in told
        assert "nan" not in told.lower().split()

    def test_warns_of_few_cases(self) -> None:
        few = replace(FUNNEL, entered=3, contacted=Share(3, 3), booked=Share(1, 3))

        assert "Read the ranges" in text(page(measures(funnel=few)))
        assert "Read the ranges" not in text(page())


class TestLead:
    @pytest.mark.parametrize(
        ("funnel", "words"),
        [
            (Funnel(entered=1), "1 patient on the list, and nobody has been written to yet."),
            (
                Funnel(entered=2, contacted=Share(2, 2), responded=Share(1, 2)),
                "We wrote to 2 patients; 1 answered, and nobody has booked yet.",
            ),
        ],
    )
    def test_says_how_far_it_has_come(self, funnel: Funnel, words: str) -> None:
        assert report_page.lead(funnel) == words


class TestCharts:
    def test_draw_the_growing_share_within_the_box(self) -> None:
        curve = report_charts.curve(WAITS)

        assert curve is not None
        assert curve.line == "M0,100L21.43,100L21.43,80L57.14,80L57.14,60L64.29,60L64.29,40L100,40"
        numbers = [float(n) for n in re.findall(r"[\d.]+", curve.line + curve.band)]
        assert all(0 <= n <= 100 for n in numbers)
        assert (curve.median, curve.median_x) == (9, 64.29)
        assert report_charts.curve(Survival.of([(3, False)])) is None

    def test_put_shares_on_one_scale(self) -> None:
        top = report_charts.scale_of([Share(3, 60), Share(1, 1), Share(0, 0)][:1])

        assert top == 0.2
        assert report_charts.whisker(Share(6, 60), top).at == 50
        assert report_charts.whisker(Share(1, 1), top).high == 100
        assert report_charts.scale_of([]) == 1.0


class TestTelling:
    @pytest.mark.parametrize(
        ("amount", "words"),
        [(0.2, "12 min"), (1.0, "1 hour"), (3.54, "3.5 hours"), (47.0, "47 hours"), (72.0, "3 days")],
    )
    def test_says_how_long(self, amount: float, words: str) -> None:
        assert telling.hours(amount) == words

    def test_says_that_fewer_than_half_are_scheduled(self) -> None:
        assert telling.median_days(Survival.of([(3, True), (9, False), (9, False)])) == (
            "fewer than half are scheduled yet; 2 of 3 still wait"
        )

    def test_says_nothing_of_nothing(self) -> None:
        assert (telling.percent(Share(0, 0)), telling.span(Share(0, 0))) == ("–", "")
