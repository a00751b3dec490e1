"""A guardrail of your own: a small class. Whatever it stops goes to a person."""

from treatment_agent import CsvCaseSource, Topic
from treatment_agent.demo.policy import maple_policy
from treatment_agent.demo.sample import sample_office
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.interpretation import Interpretation, Situation
from treatment_agent.domain.turn import Verdict


class Shuttle:
    """Patients who ask for our shuttle are called by the front desk, whatever else they write."""

    id = "guardrail.shuttle"

    def check(
        self, text: str, interpretation: Interpretation, conversation: Conversation, situation: Situation
    ) -> Verdict | None:
        """Stop any message that names the shuttle."""
        return Verdict(topic=Topic.HUMAN, rule=self.id) if "shuttle" in text.lower() else None


policy = maple_policy().model_copy(update={"guardrails": (Shuttle(),), "version": "with-shuttle"})
office = sample_office(policy)
office.coordinator.enroll(CsvCaseSource(office.export))
office.next_morning()
outcome = office.text_from_ana("2 works. i will come by shuttle")
print(outcome.phase_after, outcome.rules[0], outcome.handoff.owner if outcome.handoff else None)
