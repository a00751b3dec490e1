"""Mistakes in what says who is written to and when: cadence, its variants, workflows, priority."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from treatment_agent.domain.treatment import CaseKind
from treatment_agent.errors import ScriptError
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.steps import Step
from treatment_agent.policies.workflows import LIFTABLE
from treatment_agent.policies.zones import is_quiet

Problem = tuple[str, str]


def usable(policy: PracticePolicy, place: str, script_id: str) -> Iterator[Problem]:
    """A problem if the English text is unknown or not approved."""
    try:
        policy.scripts.get(script_id, "en")
    except ScriptError as error:
        yield place, str(error)


def all_steps(policy: PracticePolicy) -> Iterator[tuple[str, Step]]:
    """Every step of every cadence, with its place in the policy."""
    for place, steps in _cadences(policy):
        for index, step in enumerate(steps):
            yield f"{place}.steps[{index}]", step


def most_steps(policy: PracticePolicy) -> int:
    """The length of the longest cadence."""
    return max(len(steps) for _, steps in _cadences(policy))


def first_scripts(policy: PracticePolicy) -> frozenset[str]:
    """The texts that may be the first a patient gets."""
    return frozenset(steps[0].script_id for _, steps in _cadences(policy) if steps)


def _cadences(policy: PracticePolicy) -> Iterator[tuple[str, tuple[Step, ...]]]:
    yield "cadence", policy.cadence.steps
    for index, variant in enumerate(policy.cadence.variants):
        yield f"cadence.variants[{index}]", variant.steps
    for index, workflow in enumerate(policy.workflows):
        yield f"workflows[{index}].cadence", workflow.cadence.steps


def _steps(policy: PracticePolicy) -> Iterator[Problem]:
    for place, steps in _cadences(policy):
        if not steps:
            yield f"{place}.steps", "is empty: nobody is ever written to; add a Step"
    for place, step in all_steps(policy):
        if is_quiet(step.at, policy.contact):
            yield f"{place}.at", "lies in quiet hours; choose a time of day that may send"
        yield from usable(policy, f"{place}.script_id", step.script_id)
        if _slots_needed(policy, policy.scripts.fitting(step.script_id, 0)) > 0:
            yield (
                f"{place}.script_id",
                f"{step.script_id!r} names times, and some days there are none; add {step.script_id}-none",
            )


def _wake(policy: PracticePolicy) -> Iterator[Problem]:
    places = [("cadence", policy.cadence)]
    places += [(f"workflows[{i}].cadence", w.cadence) for i, w in enumerate(policy.workflows)]
    for place, cadence in places:
        wake = f"{place}.wake_script_id"
        yield from usable(policy, wake, cadence.wake_script_id)
        if _slots_needed(policy, cadence.wake_script_id) > 0:
            yield wake, f"{cadence.wake_script_id!r} names times; the wake-up text must do without"


def _variants(policy: PracticePolicy) -> Iterator[Problem]:
    for index, variant in enumerate(policy.cadence.variants):
        if variant.until_age_days is not None and variant.until_age_days <= variant.from_age_days:
            yield f"cadence.variants[{index}].until_age_days", "must be larger than from_age_days; no case fits"


def _workflows(policy: PracticePolicy) -> Iterator[Problem]:
    seen: set[CaseKind] = set()
    for index, workflow in enumerate(policy.workflows):
        place = f"workflows[{index}]"
        if workflow.kind is CaseKind.UNSCHEDULED:
            yield f"{place}.kind", "unscheduled treatment follows policy.cadence; set that instead"
        if workflow.kind in seen:
            yield f"{place}.kind", f"a second workflow for {workflow.kind.value!r}; only the first counts, remove one"
        seen.add(workflow.kind)
        if workflow.cadence.variants:
            yield f"{place}.cadence.variants", "are not looked at in a workflow; remove them"
        for rule in workflow.lifts:
            if rule not in LIFTABLE:
                known = ", ".join(sorted(LIFTABLE))
                yield f"{place}.lifts", f"{rule!r} may not be lifted; rules about the treatment are: {known}"


def _priority(policy: PracticePolicy) -> Iterator[Problem]:
    known = {p.id for p in policy.office.providers}
    for provider_id, _ in policy.priority.provider_points:
        if provider_id not in known:
            yield "priority.provider_points", f"{provider_id!r} is not in office.providers; add the provider there"
    ids = [str(getattr(factor, "id", "")) for factor in policy.priority_factors]
    for factor_id in dict.fromkeys(i for i in ids if ids.count(i) > 1):
        yield "priority_factors", f"two factors are called {factor_id!r}; give each an id of its own"


def _slots_needed(policy: PracticePolicy, script_id: str) -> int:
    try:
        return policy.scripts.get(script_id, "en").slots_needed
    except ScriptError:
        return 0


PLAN_CHECKS: Final[tuple[Callable[[PracticePolicy], Iterator[Problem]], ...]] = (
    _steps,
    _wake,
    _variants,
    _workflows,
    _priority,
)
