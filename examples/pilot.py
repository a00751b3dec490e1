"""A careful start: one family of work, one provider, recent diagnoses only, and staff complete every booking."""

from treatment_agent import CsvCaseSource, Family
from treatment_agent.demo.policy import maple_policy
from treatment_agent.demo.sample import sample_office
from treatment_agent.domain.scheduling import Authority
from treatment_agent.policies.practice import Scope

policy = maple_policy().model_copy(
    update={
        "version": "pilot",
        "scope": Scope(families=(Family.CROWN,), provider_ids=("lee",), oldest_days=30),
        "authority": Authority.PROPOSE,
    }
)
office = sample_office(policy)
office.coordinator.enroll(CsvCaseSource(office.export))
office.next_morning()
outcome = office.text_from_ana("the first one")
print(outcome.phase_after)
print(office.last_text())
for task in office.coordinator.handoffs():
    print(task.kind, task.due_at.isoformat(), task.summary)
