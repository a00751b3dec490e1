from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from phrase_tables import cases_of

from treatment_agent.domain.interpretation import Situation
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.text import normalize
from treatment_agent.understanding.options import pick_option
from treatment_agent.understanding.times.reading import read_times

ZONES = [
    ZoneInfo(name) for name in ("America/Chicago", "America/Los_Angeles", "America/New_York", "America/Havana", "UTC")
]
PHRASES = [
    case["text"]
    for table in ("days", "hours", "exclusions", "deferrals", "options", "no_times")
    for case in cases_of(table)
]
WORDS = sorted({word for phrase in PHRASES for word in phrase.split()})

moments = st.builds(
    lambda naive, zone: naive.replace(tzinfo=zone),
    st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2032-12-31")),
    st.sampled_from(ZONES),
)
messages = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join),
    st.lists(st.sampled_from(PHRASES), max_size=4).map(", ".join),
    st.text(alphabet="0123456789:/-.,# apmthndstor$", max_size=60),
)


@st.composite
def situations(draw):
    """Any moment, with none to three offers in the weeks after it."""
    now = draw(moments)
    hours = draw(st.lists(st.integers(1, 24 * 40), max_size=3))
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)  # an hour is an hour on DST nights too
    times = [[(hour + timedelta(hours=ahead + more)).astimezone(now.tzinfo) for more in (0, 1)] for ahead in hours]
    offers = tuple(Slot(start, end, "lee", str(n)) for n, (start, end) in enumerate(times))
    return Situation(now=now, offers=offers, provider_names=(("lee", "Dr. Lee"),))


class TestReadTimes:
    @settings(max_examples=400, deadline=None)
    @given(messages, situations())
    def test_property_windows_are_aware_sorted_disjoint_and_in_the_future(self, message, situation):
        reading = read_times(normalize(message), situation)
        for window in reading.windows:
            assert window.start.tzinfo is situation.now.tzinfo
            assert situation.now <= window.start < window.end
        assert all(one.end < other.start for one, other in pairwise(reading.windows))

    @settings(max_examples=300, deadline=None)
    @given(messages, situations())
    def test_property_instant_and_until_are_in_the_future(self, message, situation):
        reading = read_times(normalize(message), situation)
        assert reading.instant is None or reading.instant.timestamp() > situation.now.timestamp()
        assert reading.until is None or reading.until > situation.now.date()

    @settings(max_examples=200, deadline=None)
    @given(messages, situations())
    def test_property_spans_lie_in_the_message(self, message, situation):
        spans = read_times(normalize(message), situation).spans
        assert all(0 <= span.start < span.end <= len(message) for span in spans)


class TestPickOption:
    @settings(max_examples=400, deadline=None)
    @given(messages, situations())
    def test_property_pick_is_an_offer_and_never_also_ambiguous(self, message, situation):
        pick = pick_option(normalize(message), situation)
        assert pick.option is None or 1 <= pick.option <= len(situation.offers)
        assert pick.option is None or not pick.ambiguous
        assert pick.span is None or 0 <= pick.span.start < pick.span.end <= len(message)
