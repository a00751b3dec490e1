"""What flows through the graph.

`conversation` and `turn` are checkpointed: ids, enums and times. Everything else is per-turn scratch in untracked
channels and never reaches a checkpoint; patient text and contact data travel in the run's context.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, TypedDict

from langgraph.channels import UntrackedValue
from pydantic import SecretStr

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import Event
from treatment_agent.domain.interpretation import Interpretation, Situation
from treatment_agent.domain.messages import PlannedSend
from treatment_agent.domain.turn import Decision, TurnRecord, Verdict
from treatment_agent.policies.hearing import Turn
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.screening import Screening
from treatment_agent.ports import Chart, Interpreter, Scheduler


class TurnState(TypedDict, total=False):
    """The state of one run. `turn` is the write-ahead record of the last finished turn."""

    conversation: Conversation
    turn: TurnRecord | None
    event: Annotated[Event, UntrackedValue]
    screening: Annotated[Screening | None, UntrackedValue]
    interpretation: Annotated[Interpretation | None, UntrackedValue]
    verdicts: Annotated[tuple[Verdict, ...], UntrackedValue]
    failures: Annotated[tuple[str, ...], UntrackedValue]
    decisions: Annotated[tuple[Decision, ...], UntrackedValue]
    to_person: Annotated[bool, UntrackedValue]
    after: Annotated[Conversation, UntrackedValue]
    sends: Annotated[tuple[PlannedSend, ...], UntrackedValue]


def fresh(event: Event, facts: ConversationFacts) -> TurnState:
    """The input of a run: the conversation as the ledger has it, and nothing left over from the last turn."""
    return {
        "event": event,
        "conversation": facts.conversation,
        "verdicts": (),
        "failures": (),
        "decisions": (),
        "to_person": False,
    }


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What a run may use: the policy, the ports, the ledger's facts, and the words of the message. Never stored.

    `stopped`: the office's kill switch is thrown, so a person has every message.
    """

    policy: PracticePolicy
    interpreter: Interpreter
    scheduler: Scheduler
    chart: Chart
    facts: ConversationFacts
    now: datetime
    text: SecretStr = field(default=SecretStr(""))
    ours: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def situation(self) -> Situation:
        """What an interpreter may know."""
        conversation = self.facts.conversation
        return Situation(
            now=self.now.astimezone(self.policy.office.tz),
            asked=conversation.asked,
            offers=conversation.offers,
            language=conversation.language,
            provider_names=tuple((p.id, p.name) for p in self.policy.office.providers),
            ours=self.ours,
            hidden=self._hidden,
            visit=conversation.booking.slot.start if conversation.booking else None,
        )

    @property
    def _hidden(self) -> tuple[SecretStr, ...]:
        """Names of the people of this conversation."""
        if self.facts.case is None:
            return ()
        patient = self.facts.case.patient
        names = [patient.first_name, patient.last_name, *([patient.guardian.first_name] if patient.guardian else [])]
        return tuple(name for name in names if name.get_secret_value().strip())

    def heard(self, interpretation: Interpretation, event_id: str) -> Turn:
        """The input of a routine reply.

        Raises:
            ValueError: the sender is nobody's patient; guardrails hand those off before.
        """
        if self.facts.case is None:
            raise ValueError("no case: a stranger's message is never routine")
        return Turn(
            conversation=self.facts.conversation,
            interpretation=interpretation,
            case=self.facts.case,
            policy=self.policy,
            now=self.now,
            event_id=event_id,
            can_reschedule=self.scheduler.can_reschedule,
        )
