"""Room: openings against invitations, and the year's end. The rules are `limit.capacity` and `limit.year-end`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import CHICAGO, POLICY, slot

from treatment_agent.domain.scheduling import VisitPlan
from treatment_agent.domain.treatment import Family
from treatment_agent.policies.capacity import Room, kind_of, room_request
from treatment_agent.policies.limits import Limits

CROWN = VisitPlan(Family.CROWN, ("p1",), 90, ("lee",))
FILLING = VisitPlan(Family.FILLING, ("p2",), 60, ("lee",))
MORNING = datetime(2026, 12, 1, 9, tzinfo=CHICAGO)


def openings(*hours: float, minutes: int = 90, provider: str = "lee"):
    return tuple(
        replace(slot(n, MORNING + timedelta(hours=h), minutes), provider_id=provider) for n, h in enumerate(hours)
    )


def invited(room: Room, plan: VisitPlan, times: int) -> int:
    return sum(room.invite(kind_of(plan)) for _ in range(times))


class TestRoom:
    @pytest.mark.parametrize(("ratio", "most"), [(1, 3), (2, 6), (0.5, 1), (1 / 3, 1)])
    def test_is_openings_times_the_ratio(self, ratio: float, most: int) -> None:
        room = Room(ratio)
        room.open(kind_of(CROWN), openings(0, 2, 4))

        assert invited(room, CROWN, 10) == most

    def test_counts_starting_times_that_overlap_once(self) -> None:
        room = Room(1)
        room.open(kind_of(CROWN), openings(0, 0.5, 1, 1.5, 2))

        assert invited(room, CROWN, 10) == 2

    def test_of_another_provider_at_the_same_time_is_room_too(self) -> None:
        room = Room(1)
        room.open(kind_of(CROWN), (*openings(0), *openings(0, provider="kim")))

        assert invited(room, CROWN, 10) == 2

    def test_is_shared_by_visits_that_need_the_same_chair(self) -> None:
        room = Room(1)
        room.open(kind_of(CROWN), openings(0, 3))
        room.open(kind_of(FILLING), openings(0, 3, minutes=60))

        assert invited(room, CROWN, 1) == 1
        assert invited(room, FILLING, 10) == 1

    def test_can_be_given_back(self) -> None:
        room = Room(1)
        room.open(kind_of(CROWN), openings(0))
        assert invited(room, CROWN, 2) == 1
        room.give_back(kind_of(CROWN))

        assert invited(room, CROWN, 2) == 1

    @given(st.lists(st.floats(0, 40), max_size=25), st.floats(0.1, 4), st.integers(0, 60))
    def test_never_lets_more_in_than_the_ratio_allows(self, hours: list[float], ratio: float, asked: int) -> None:
        room = Room(ratio)
        room.open(kind_of(CROWN), openings(*hours))

        assert invited(room, CROWN, asked) <= len(hours) * ratio + 1e-6


class TestRoomRequest:
    def test_looks_so_many_weeks_ahead(self) -> None:
        now = datetime(2026, 6, 1, 10, tzinfo=CHICAGO)
        request = room_request(CROWN, POLICY, now)

        assert request.latest.date() == date(2026, 6, 29)
        assert request.limit > 1000

    def test_ends_with_the_year_in_the_crunch(self) -> None:
        now = datetime(2026, 12, 10, 10, tzinfo=CHICAGO)

        assert room_request(CROWN, POLICY, now).latest == datetime(2027, 1, 1, tzinfo=CHICAGO)

    def test_counts_january_in_the_last_week(self) -> None:
        now = datetime(2026, 12, 26, 10, tzinfo=CHICAGO)

        assert room_request(CROWN, POLICY, now).latest.date() == date(2027, 1, 23)

    def test_does_not_end_with_the_year_without_a_crunch(self) -> None:
        policy = POLICY.model_copy(update={"limits": Limits(crunch_months=())})
        now = datetime(2026, 12, 10, 10, tzinfo=CHICAGO)

        assert room_request(CROWN, policy, now).latest.date() == date(2027, 1, 7)
