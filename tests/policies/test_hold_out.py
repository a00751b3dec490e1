"""The draw of the hold-out: who enters the books without being written to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from policy_samples import NOW, POLICY, case, conversation, facts
from pydantic import ValidationError

from treatment_agent.policies import entering, outreach, queue
from treatment_agent.policies.hold_out import HoldOut

HALF = POLICY.model_copy(update={"hold_out": HoldOut(share=0.5)})


def first(policy, *, held: bool) -> str:
    return next(name for name in map(str, range(1000)) if policy.hold_out.holds(name) is held)


class TestHolds:
    def test_holds_nobody_by_default(self) -> None:
        assert not any(HoldOut().holds(str(n)) for n in range(1000))

    @pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
    def test_holds_about_the_share(self, share: float) -> None:
        held = sum(HoldOut(share=share).holds(f"case-{n}") for n in range(20_000))

        assert held / 20_000 == pytest.approx(share, abs=0.015)

    def test_holds_the_same_cases_again_and_others_under_another_salt(self) -> None:
        drawn = [{n for n in range(400) if HoldOut(share=0.3, salt=salt).holds(str(n))} for salt in ("", "", "spring")]

        assert drawn[0] == drawn[1] != drawn[2]

    def test_holds_more_of_the_same_cases_when_the_share_grows(self) -> None:
        few, many = ({n for n in range(400) if HoldOut(share=s).holds(str(n))} for s in (0.1, 0.3))

        assert few < many

    @pytest.mark.parametrize("wrong", [{"share": 0.6}, {"share": -0.1}, {"within_days": 0}])
    def test_refuses_settings_that_make_no_sense(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValidationError):
            HoldOut.model_validate(wrong)


class TestAssess:
    def test_holds_out_a_case_by_chance_and_lets_another_in(self) -> None:
        held = entering.assess(case(id=first(HALF, held=True)), HALF, NOW)
        free = entering.assess(case(id=first(HALF, held=False)), HALF, NOW)

        assert (held.eligible, held.skip_rule) == (False, "queue.hold-out")
        assert (free.eligible, free.skip_rule) == (True, None)

    def test_draws_a_household_as_one(self) -> None:
        held, free = first(HALF, held=True), first(HALF, held=False)
        ids = [next(n for n in map(str, range(1000)) if HALF.hold_out.holds(n) is not held) for held in (True, False)]

        for household, expected in ((held, False), (free, True)):
            patient = case().patient.model_copy(update={"household_id": household})
            found = [entering.assess(case(id=i, patient=patient), HALF, NOW).eligible for i in ids]
            assert found == [expected, expected]

    def test_names_the_rule_of_the_queue_first(self) -> None:
        wrong = case(id=first(HALF, held=True), visit_on=None, procedures=(case().procedures[0].model_copy(
            update={"diagnosed_on": None}
        ),))  # fmt: skip

        assert (
            entering.assess(wrong, HALF, NOW).skip_rule == queue.assess(wrong, HALF, NOW).skip_rule == "queue.no-date"
        )


class TestTouch:
    def touch(self, rule: str | None) -> outreach.Touch:
        known = replace(facts(conversation=conversation(offers=())), skip_rule=rule)
        return outreach.Touch(facts=known, case=case(), policy=HALF, now=NOW, event_id="t", step=0)

    def test_is_dropped_for_a_case_that_is_held_out(self) -> None:
        decision = outreach.before_chart(self.touch("queue.hold-out"))

        assert decision is not None
        assert decision.rules == ("queue.hold-out",)
        assert decision.says == ()

    def test_goes_on_for_another(self) -> None:
        assert outreach.before_chart(self.touch(None)) is None
