"""Who comes first, in your own words: weights are data, and a factor of your own is a small pure function."""

from datetime import date

from treatment_agent import Case, CsvCaseSource
from treatment_agent.demo.policy import maple_policy
from treatment_agent.demo.sample import sample_office
from treatment_agent.policies.practice import PriorityWeights
from treatment_agent.policies.priority import priority_factor
from treatment_agent.policies.queue import assess


@priority_factor("priority.front-tooth", why="a front tooth: people do not like to wait")
def front_tooth(case: Case, today: date) -> int:
    """Ten points if any open procedure is on an upper front tooth."""
    return 10 if any(p.tooth in {"7", "8", "9", "10"} for p in case.open_procedures) else 0


policy = maple_policy().model_copy(
    update={
        "version": "front-teeth-first",
        "priority": PriorityWeights(benefit_year_end_month=6, provider_points=(("lee", 4),)),
        "priority_factors": (front_tooth,),
    }
)
office = sample_office(policy)
for case in CsvCaseSource(office.export).read():
    if isinstance(case, Case):
        found = assess(case, policy, office.clock.now())
        print(f"{case.id}: {found.score}" if found.eligible else f"{case.id}: left out, {found.skip_rule}")
        for points in found.points:
            print(f"  {points.points:+d} {points.factor}: {points.why}")
