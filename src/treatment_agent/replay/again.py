"""One kept turn decided again, by the code that decides live turns."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache

from treatment_agent.coordinator.deciding import Deciding
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.graph.build import Graph, build_graph
from treatment_agent.ledger import codec
from treatment_agent.policies.limits import APPROVAL_WAIT, PAUSE_WAIT
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter
from treatment_agent.replay.export import sent_text
from treatment_agent.replay.history import SentText, Turn
from treatment_agent.replay.kept import Answers, KeptChart, KeptInterpreter, KeptScheduler

# Says who decided, not what was decided.
_WHO = ("policy", "interpreter")


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a turn: the record as data, the texts, and when the conversation is due next (ISO time).

    `assumed` names what the world was not asked then, so that an answer had to be made up.
    """

    record: dict[str, object]
    texts: tuple[SentText, ...]
    due_at: str
    assumed: tuple[str, ...] = ()
    outcome: TurnRecord | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Again:
    """Decides kept turns with a policy and an interpreter. `reread` False keeps the readings of then."""

    policy: PracticePolicy
    interpreter: Interpreter
    reread: bool = True

    def decide(self, turn: Turn) -> Decided:
        """What this policy and interpreter make of the turn.

        Raises:
            ValueError: the turn lacks what it was decided on; see `Turn.missing`.
        """
        inputs = turn.inputs
        if inputs is None or turn.missing:
            raise ValueError(f"turn {turn.seq} of case {turn.conversation_id}: {turn.missing}")
        answers = Answers(inputs)
        reading = None if self.reread else turn.outcome.interpretation
        deciding = Deciding(
            policy=self.policy,
            interpreter=KeptInterpreter(self.interpreter, answers, reading),
            scheduler=KeptScheduler(answers),
            chart=KeptChart(answers),
            graph=_graph(),
        )
        now = turn.outcome.at
        if inputs.held_by:
            wait = APPROVAL_WAIT if inputs.held_by == "limit.approval" else PAUSE_WAIT
            commit = deciding.waiting(turn.stored, inputs.facts, inputs.held_by, wait, now=now)
        else:
            commit = deciding.decide(turn.stored, inputs.facts, now=now, stopped=inputs.stopped)
        due = commit.conversation.due_at
        return Decided(
            record=as_data(commit.record),
            texts=tuple(sent_text(message) for message in commit.outbox),
            due_at="" if due is None else due.astimezone(now.tzinfo).isoformat(),
            assumed=tuple(answers.assumed),
            outcome=commit.record,
        )


def then(turn: Turn) -> Decided:
    """What came of the turn when it happened."""
    due = None if turn.inputs is None else turn.inputs.due_at
    return Decided(
        record=as_data(turn.outcome),
        texts=turn.texts,
        due_at="" if due is None else due.astimezone(turn.outcome.at.tzinfo).isoformat(),
    )


def as_data(record: TurnRecord) -> dict[str, object]:
    """A record as JSON data, without the names of policy and interpreter."""
    found: dict[str, object] = json.loads(codec.dump(codec.load(TurnRecord, codec.dump(record))))
    reading = found.get("interpretation")
    if isinstance(reading, dict):
        found["interpretation"] = {k: v for k, v in reading.items() if k not in _WHO}
    return {k: v for k, v in found.items() if k not in _WHO}


@cache
def _graph() -> Graph:
    return build_graph()
