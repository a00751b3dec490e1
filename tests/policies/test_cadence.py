from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import CHICAGO, CROWN, NOW, OFFICE, POLICY, case, instants

from treatment_agent.policies.cadence import after_touch, first_due, is_review, script_for
from treatment_agent.policies.practice import Cadence, PracticePolicy, Script, Step


def local(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=CHICAGO)


def with_steps(*steps: Step) -> PracticePolicy:
    return POLICY.model_copy(update={"cadence": Cadence(steps=steps)})


def seen_on(day: date | None) -> object:
    return case(CROWN.model_copy(update={"diagnosed_on": day}), visit_on=day)


class TestFirstDue:
    def test_is_the_morning_after_the_visit(self) -> None:
        assert first_due(case(), POLICY, local(24, 17)) == local(25, 10)

    def test_is_at_once_when_now_is_the_very_time(self) -> None:
        assert first_due(case(), POLICY, local(25, 10)) == local(25, 10)

    def test_is_the_next_morning_when_the_time_has_passed(self) -> None:
        assert first_due(case(), POLICY, local(25, 10, 1)) == local(26, 10)

    @pytest.mark.parametrize("day", [date(2026, 6, 1), None])
    def test_is_once_and_soon_for_an_old_or_unknown_visit(self, day: date | None) -> None:
        assert first_due(seen_on(day), POLICY, local(25, 8)) == local(25, 10)  # type: ignore[arg-type]

    def test_moves_a_sunday_to_monday(self) -> None:
        assert first_due(seen_on(date(2026, 11, 28)), POLICY, local(28, 17)) == local(30, 10)  # type: ignore[arg-type]

    def test_moves_off_a_holiday(self) -> None:
        office = OFFICE.model_copy(update={"holidays": (date(2026, 11, 25),)})

        assert first_due(case(), POLICY.model_copy(update={"office": office}), local(24, 17)) == local(26, 10)

    @pytest.mark.parametrize(("month", "day"), [(3, 6), (10, 30)])
    def test_stays_at_ten_local_when_clocks_change(self, month: int, day: int) -> None:
        due = first_due(seen_on(date(2026, month, day)), POLICY, local(day, 12, month=month))  # type: ignore[arg-type]

        assert due.astimezone(CHICAGO).time() == time(10)

    @given(
        now=instants(2026, 2027),
        visit_on=st.dates(date(2025, 1, 1), date(2027, 12, 1)),
    )
    def test_property_never_lies_in_the_past_or_on_a_sunday(self, now: datetime, visit_on: date) -> None:
        due = first_due(seen_on(visit_on), POLICY, now)  # type: ignore[arg-type]

        assert due >= now
        assert due.astimezone(CHICAGO).weekday() != 6


class TestAfterTouch:
    def test_gives_each_step_its_gap_and_then_review(self) -> None:
        assert after_touch(0, POLICY, NOW) == (1, local(30, 10))
        assert after_touch(1, POLICY, local(30, 10)) == (2, local(12, 10, month=12))
        assert after_touch(2, POLICY, local(12, 10, month=12)) == (3, local(19, 10, month=12))

    def test_stays_at_review_once_there(self) -> None:
        assert after_touch(3, POLICY, NOW)[0] == 3

    def test_never_bursts_when_a_touch_was_late(self) -> None:
        late = local(20, 16, month=12)

        assert after_touch(0, POLICY, late) == (1, local(24, 10, month=12))


class TestIsReview:
    def test_is_true_only_after_the_last_step(self) -> None:
        assert [is_review(step, POLICY) for step in range(5)] == [False, False, False, True, True]


class TestScriptFor:
    @pytest.mark.parametrize(
        ("step", "slots", "script_id"),
        [
            (0, 2, "first-message"),
            (0, 5, "first-message"),
            (0, 1, "first-message-one"),
            (0, 0, "first-message-none"),
            (1, 2, "reminder-1"),
            (1, 1, "reminder-1-one"),
            (2, 0, "reminder-2-none"),
        ],
    )
    def test_names_no_more_times_than_there_are(self, step: int, slots: int, script_id: str) -> None:
        assert script_for(step, POLICY, case(), NOW, slots) == script_id

    @pytest.mark.parametrize(
        ("visit_on", "script_id"),
        [
            (date(2026, 9, 27), "first-message"),
            (date(2026, 9, 26), "first-message-stale"),
            (None, "first-message-stale"),
        ],
    )
    def test_is_softer_for_an_old_diagnosis(self, visit_on: date | None, script_id: str) -> None:
        old = seen_on(visit_on)

        assert script_for(0, POLICY, old, NOW, 2) == script_id  # type: ignore[arg-type]
        assert script_for(1, POLICY, old, NOW, 2) == "reminder-1"  # type: ignore[arg-type]

    def test_keeps_an_own_script_without_variants(self) -> None:
        own = Script(id="hello", version=1, language="en", text="{office}: hello", approved_by="Pat")
        policy = with_steps(Step(after_days=1, script_id="hello"))
        policy = policy.model_copy(update={"scripts": policy.scripts.with_script(own)})

        assert [script_for(0, policy, seen_on(None), NOW, n) for n in range(3)] == ["hello"] * 3  # type: ignore[arg-type]
