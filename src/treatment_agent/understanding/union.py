"""Two interpreters beside each other: another one may understand more, it can never hand off less."""

from __future__ import annotations

from dataclasses import replace

from pydantic import SecretStr

from treatment_agent.domain.interpretation import ClauseReading, Intent, Interpretation, Situation, Topic
from treatment_agent.domain.office import Agreement
from treatment_agent.ports import Interpreter
from treatment_agent.understanding.language_model.beside import BesideLocal
from treatment_agent.understanding.language_model.interpreter import ModelInterpreter, require_agreement
from treatment_agent.understanding.local import LocalInterpreter

# Below this the local interpreter rather did not understand than found a topic: the other one may have.
_FOUND = 0.5


class Union:
    """Implements `ports.Interpreter`: what another interpreter reads, and what the local one found beside it.

    Topics and opt-outs of either side count. Where the local one only abstained, the other one's reading stands. An
    error of the other one is an error here: the graph hands the message to a person.
    """

    def __init__(self, other: Interpreter, local: LocalInterpreter | None = None) -> None:
        self._other = other
        self._local = local or LocalInterpreter()

    @property
    def version(self) -> str:
        """Both versions, recorded with every turn."""
        return f"{self._other.version}/{self._local.version}"

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """Read the message twice."""
        answer = self._other.interpret(text, situation)
        own = self._local.interpret(text, situation)
        # What is no interpretation at all raises here; the graph hands the message to a person.
        known = {clause.label for clause in answer.clauses}
        added = tuple(clause for clause in own.clauses if clause.label not in known and _found(clause))
        return replace(answer, clauses=(*answer.clauses, *added))


def beside_local(
    interpreter: Interpreter | None, baa: Agreement | None = None, *, local: LocalInterpreter | None = None
) -> Interpreter:
    """The local interpreter, or the given one with the local one beside it. A language model may do less.

    Raises:
        ConfigurationError: a language model that is not on this machine, and `baa`, the office's record, is None.
    """
    require_agreement(interpreter, baa)
    if interpreter is None or isinstance(interpreter, LocalInterpreter | Union | BesideLocal):
        return interpreter or local or LocalInterpreter()
    if isinstance(interpreter, ModelInterpreter):
        return BesideLocal(interpreter, local or LocalInterpreter())
    return Union(interpreter, local)


def _found(clause: ClauseReading) -> bool:
    return clause.label is Intent.OPT_OUT or (isinstance(clause.label, Topic) and clause.confidence >= _FOUND)
