"""Each factor of the score, its points and its words."""

from __future__ import annotations

from datetime import date

import pytest
from policy_samples import CROWN, NOW, POLICY, case, patient, procedure

from treatment_agent.domain.treatment import Case
from treatment_agent.errors import PolicyError
from treatment_agent.policies.practice import PracticePolicy, PriorityWeights
from treatment_agent.policies.priority import PriorityFactor, points_of, priority_factor
from treatment_agent.policies.queue import assess

TODAY = date(2026, 11, 25)


def points(some: Case, today: date = TODAY, **weights: object) -> dict[str, tuple[int, str]]:
    found = points_of(some, today, PriorityWeights.model_validate(weights))
    return {p.factor: (p.points, p.why) for p in found}


def with_factors(*factors: PriorityFactor) -> PracticePolicy:
    return POLICY.model_copy(update={"priority_factors": factors})


class TestBenefitYear:
    @pytest.mark.parametrize(
        ("today", "weeks"), [(date(2026, 10, 1), 13), (date(2026, 11, 25), 5), (date(2026, 12, 31), 0)]
    )
    def test_ends_with_the_calendar_where_the_chart_says_nothing(self, today: date, weeks: int) -> None:
        assert points(case(), today)["priority.benefit-year-end"] == (
            20,
            f"most benefit years end with December, in {weeks} weeks",
        )

    @pytest.mark.parametrize("today", [date(2026, 9, 30), date(2027, 1, 1), date(2026, 5, 1)])
    def test_counts_only_in_its_last_months(self, today: date) -> None:
        assert "priority.benefit-year-end" not in points(case(), today)

    @pytest.mark.parametrize(
        ("today", "counts"),
        [
            (date(2026, 3, 31), False),
            (date(2026, 4, 1), True),
            (date(2026, 6, 30), True),
            (date(2026, 7, 1), False),
            (date(2026, 12, 1), False),
        ],
    )
    def test_of_a_fiscal_plan_ends_when_it_ends(self, today: date, counts: bool) -> None:
        fiscal = case(who=patient(benefits_end_month=6))

        assert ("priority.benefit-year-end" in points(fiscal, today)) is counts

    def test_that_ends_in_january_counts_from_november(self) -> None:
        found = points(case(who=patient(benefits_end_month=1)), TODAY)["priority.benefit-year-end"]

        assert found == (20, "the patient's benefit year ends with January, in 9 weeks")

    def test_of_the_office_may_be_fiscal_too(self) -> None:
        assert "priority.benefit-year-end" not in points(case(), TODAY, benefit_year_end_month=9)


class TestMissedVisits:
    @pytest.mark.parametrize(("missed", "expected"), [(1, -5), (3, -15), (9, -15)])
    def test_cost_points_up_to_a_limit(self, missed: int, expected: int) -> None:
        found = points(case(who=patient(missed_visits=missed)))["priority.missed-visits"]

        assert found == (expected, f"{missed} visits missed or cancelled late")

    def test_that_never_happened_are_not_mentioned(self) -> None:
        assert "priority.missed-visits" not in points(case())


class TestProvider:
    def test_rule_counts_the_most_of_the_open_procedures(self) -> None:
        both = case(procedure("p1", "D2740", provider_id="kim"), CROWN)

        assert points(both, provider_points=(("lee", 3), ("kim", 8)))["priority.provider"][0] == 8
        assert points(case(), provider_points=(("lee", 3), ("kim", 8)))["priority.provider"][0] == 3

    def test_rule_says_nothing_about_others(self) -> None:
        assert "priority.provider" not in points(case(), provider_points=(("kim", 8),))

    def test_rule_for_a_stranger_is_a_mistake(self) -> None:
        policy = POLICY.model_copy(update={"priority": PriorityWeights(provider_points=(("nobody", 3),))})

        with pytest.raises(PolicyError, match=r"office\.providers"):
            policy.validate_all()


@priority_factor("priority.loyalty", why="has been coming for years")
def loyalty(case: Case, today: date) -> int:
    return 7 if case.patient.id == "ana" else 0


@priority_factor("priority.broken")
def broken(case: Case, today: date) -> int:
    raise RuntimeError("Ana +13125550117")


class TestOwnFactor:
    def test_is_a_small_pure_function_with_words(self) -> None:
        found = assess(case(), with_factors(loyalty), NOW)

        assert found.points[-1].factor == "priority.loyalty"
        assert (found.points[-1].points, found.points[-1].why) == (7, "has been coming for years")
        assert found.score == assess(case(), POLICY, NOW).score + 7
        assert isinstance(loyalty, PriorityFactor)

    def test_that_fails_counts_nothing_and_repeats_no_words(self) -> None:
        found = assess(case(), with_factors(broken, loyalty), NOW)

        assert [(p.factor, p.points) for p in found.points[-2:]] == [("priority.broken", 0), ("priority.loyalty", 7)]
        assert "Ana" not in repr(found)

    def test_counts_in_the_digest_of_the_policy(self) -> None:
        assert with_factors(loyalty).digest != POLICY.digest

    def test_needs_an_id_of_its_own(self) -> None:
        with pytest.raises(PolicyError, match=r"two factors are called 'priority\.loyalty'"):
            with_factors(loyalty, loyalty).validate_all()
