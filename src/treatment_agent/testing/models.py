"""A language model by script, and the switch that forbids any model call."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from treatment_agent.domain.interpretation import Intent, ModelFailure, Topic
from treatment_agent.errors import ModelFailed
from treatment_agent.understanding.language_model.answer import UNCLEAR
from treatment_agent.understanding.language_model.calls import SWITCH, Reply, Request

Step = str | ModelFailure | Reply


def answer(
    *clauses: tuple[str, Topic | Intent | None],
    language: str = "en",
    confidence: float = 0.95,
    facts: Mapping[str, object] | None = None,
) -> str:
    """The JSON that a model answers with: the words of each clause and their label, None for what is unclear.

    >>> answer(("1 works", Intent.ACCEPT), facts={"option": 1})[:31]
    '{"language": "en", "clauses": ['
    """
    empty: dict[str, object] = dict.fromkeys(("option", "call_at", "until", "reason", "asks"))
    told = {
        "language": language,
        "clauses": [
            {"quote": words, "label": label or UNCLEAR, "confidence": confidence, "evidence": [words]}
            for words, label in clauses
        ],
        "facts": {**empty, "windows": [], **(facts or {})},
    }
    return json.dumps(told, ensure_ascii=False)


class ScriptedModel:
    """`ModelCalls` that answers from a script, one step per call: a text, a `Reply`, or a `ModelFailure` to fail with.

    Fails on a call too many at once, and `done()`, or leaving the `with` block, fails for it again (the coordinator
    turns an error into a handoff) and for steps that nobody asked for.
    """

    def __init__(self, steps: Iterable[Step] = (), *, name: str = "scripted", remote: bool = False) -> None:
        """Answer with these steps in order."""
        self._steps = tuple(steps)
        self._name = name
        self._remote = remote
        self._requests: list[Request] = []
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """As given to the constructor."""
        return self._name

    @property
    def remote(self) -> bool:
        """As given to the constructor."""
        return self._remote

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request so far, the unexpected ones included."""
        with self._lock:
            return tuple(self._requests)

    def ask(self, request: Request, *, timeout: float) -> Reply:
        """The next step.

        Raises:
            AssertionError: the script has no step left.
            ModelFailed: the step is a failure.
        """
        with self._lock:
            self._requests.append(request)
            number = len(self._requests)
        if number > len(self._steps):
            raise AssertionError(f"ScriptedModel: call {number}, but the script has {len(self._steps)} steps")
        step = self._steps[number - 1]
        if isinstance(step, ModelFailure):
            raise ModelFailed(step)
        return step if isinstance(step, Reply) else Reply(step)

    def done(self) -> None:
        """Check that every step was used, and no call was too many.

        Raises:
            AssertionError: with both numbers.
        """
        calls, steps = len(self.requests), len(self._steps)
        if calls != steps:
            raise AssertionError(f"ScriptedModel: {calls} calls for a script of {steps} steps")

    def __enter__(self) -> ScriptedModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.done()


@contextmanager
def no_model_calls() -> Iterator[None]:
    """Forbid every model call of this process inside the block, in all threads.

    Raises:
        AssertionError: at the call, and again at the end of the block, because the coordinator turns an interpreter's
            error into a handoff.
    """
    before = SWITCH.refused
    SWITCH.off()
    try:
        yield
    finally:
        SWITCH.on()
    if SWITCH.refused != before:
        raise AssertionError(f"{SWITCH.refused - before} calls of a language model where `no_model_calls` forbids them")
