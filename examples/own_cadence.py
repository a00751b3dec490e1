"""A cadence of your own is data: old diagnoses get one soft text, fillings a later hour, the others one reminder."""

from datetime import time

from treatment_agent import CsvCaseSource, Family
from treatment_agent.demo.policy import maple_policy
from treatment_agent.demo.sample import sample_office
from treatment_agent.policies.practice import Cadence, CadenceVariant, Step

cadence = Cadence(
    steps=(
        Step(after_days=2, at=time(11, 30), script_id="first-message"),
        Step(after_days=6, at=time(17), script_id="reminder-1"),
    ),
    review_after_days=5,
    variants=(
        CadenceVariant(from_age_days=60, steps=(Step(after_days=1, script_id="first-message", offers_times=False),)),
        CadenceVariant(families=(Family.FILLING,), steps=(Step(after_days=3, at=time(15), script_id="first-message"),)),
    ),
)
policy = maple_policy().model_copy(update={"version": "unhurried", "cadence": cadence})
office = sample_office(policy)
office.coordinator.enroll(CsvCaseSource(office.export))
for row in office.coordinator.work_list():
    due_at = row.conversation.due_at
    when = due_at.astimezone(policy.office.tz).strftime("%a %d %b, %H:%M") if due_at else row.skip_rule
    print(row.conversation.id, when)
