"""What a model answered, kept in a file, so that an evaluation can be played again without it.

One JSON line per call: the question as it was sent (with stand-ins for names and numbers), the answer or the kind of
failure, tokens and milliseconds. No key, no header, no address.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from treatment_agent.domain.interpretation import ModelFailure
from treatment_agent.errors import ConfigurationError, ModelFailed
from treatment_agent.understanding.language_model import ModelCalls, Reply, Request
from treatment_agent.understanding.language_model.resilience import within

# What speaks of the service, not of one answer. So many in a row, and nothing more is asked: a key may be wrong.
_SERVICE: Final = frozenset(
    {
        ModelFailure.TIMEOUT,
        ModelFailure.CONNECTION,
        ModelFailure.SERVER,
        ModelFailure.RATE_LIMITED,
        ModelFailure.REJECTED,
        ModelFailure.BROKEN,
    }
)
_MOST_IN_A_ROW: Final = 9
_COUNTS: Final = ("input_tokens", "cached_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Heard:
    """One call: the answer, or why there is none, and how long it took."""

    reply: Reply | None
    failed: ModelFailure | None
    milliseconds: int


class Recorder:
    """`ModelCalls` that asks another one and writes every call to a file, which begins anew with the first one.

    Raises:
        ConfigurationError: the file cannot be written.
    """

    def __init__(self, name: str, calls: ModelCalls, path: Path) -> None:
        self.name, self.remote = name, calls.remote
        self._calls, self._path = calls, path
        self._lock = threading.Lock()
        self.heard: list[Heard] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            raise ConfigurationError(f"{path}: {error.strerror or 'cannot be written'}") from error

    def ask(self, request: Request, *, timeout: float) -> Reply:
        """Ask, and write down what came of it.

        Raises:
            ModelFailed: as the other one; an answer that comes too late counts as `timeout` here too.
        """
        began, reply, failed = time.monotonic(), None, None
        try:
            # A little sooner than whoever asked gives up, so that a call that hangs is written down as well.
            reply = within(max(timeout / 2, timeout - 0.5), lambda: self._calls.ask(request, timeout=timeout))
        except ModelFailed as error:
            failed = ModelFailure(error.kind)
        heard = Heard(reply, failed, round(1000 * (time.monotonic() - began)))
        with self._lock:
            self.heard.append(heard)
            # What an earlier recording kept is gone only now that there is something in its place.
            with self._path.open("a" if len(self.heard) > 1 else "w", encoding="utf-8") as file:
                file.write(json.dumps(_line(self.name, request, heard), ensure_ascii=False) + "\n")
        if reply is None:
            raise ModelFailed(failed or ModelFailure.BROKEN)
        return reply

    def check(self) -> None:
        """Stop where the service itself does not work.

        Raises:
            ConfigurationError: the last nine calls failed, with how.
        """
        last = [heard.failed for heard in self.heard[-_MOST_IN_A_ROW:]]
        refused = self.heard[-1:] and self.heard[-1].failed is ModelFailure.REJECTED
        if refused or (len(last) == _MOST_IN_A_ROW and _SERVICE.issuperset(last)):
            kinds = ", ".join(sorted({str(kind) for kind in last if kind}))
            raise ConfigurationError(f"model {self.name} does not answer ({kinds}); check its key, name and address")


class Replayer:
    """`ModelCalls` that answers from a file and asks nobody.

    The same question gets its answers in the order they were given, then the last one again.

    Raises:
        ConfigurationError: the file is not there, or a line is not one of a cassette.
    """

    remote = False

    def __init__(self, name: str, path: Path) -> None:
        self.name, self._path = name, path
        self._answers: dict[str, list[Heard]] = defaultdict(list)
        self._next: dict[str, int] = defaultdict(int)
        self.heard: list[Heard] = []
        self.missed = 0
        for key, heard in _read(path):
            self._answers[key].append(heard)

    def ask(self, request: Request, *, timeout: float) -> Reply:
        """The kept answer.

        Raises:
            ModelFailed: the kept call failed; or nothing was kept, and then `check` fails too.
        """
        key = key_of(self.name, request)
        answers = self._answers.get(key)
        if answers is None:
            self.missed += 1
            # Not tried again. What it does to the evaluation does not matter: `check` ends it.
            raise ModelFailed(ModelFailure.REJECTED)
        heard = answers[min(self._next[key], len(answers) - 1)]
        self._next[key] += 1
        self.heard.append(heard)
        if heard.reply is None:
            raise ModelFailed(heard.failed or ModelFailure.BROKEN)
        return heard.reply

    def check(self) -> None:
        """Stop where something was asked that was not kept.

        Raises:
            ConfigurationError: with the file, and what to do.
        """
        if self.missed:
            raise ConfigurationError(
                f"{self._path}: there is no answer to a question that is asked now; the prompt, the messages, the "
                "dialogues or the local interpreter have changed since. Record it again with --record"
            )


def key_of(name: str, request: Request) -> str:
    """Names a question to a model: everything it is told."""
    told = [name, request.instructions, request.examples, request.question, request.schema]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]


def _line(name: str, request: Request, heard: Heard) -> dict[str, object]:
    told: dict[str, object] = {"key": key_of(name, request), "question": request.question}
    if heard.reply is None:
        told["failed"] = heard.failed
    else:
        told |= {"said": heard.reply.text, **{count: getattr(heard.reply, count) for count in _COUNTS}}
    return told | {"milliseconds": heard.milliseconds}


def _read(path: Path) -> list[tuple[str, Heard]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{path}: no cassette is there; record one with --record") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            told: Mapping[str, object] = json.loads(line)
            failed = ModelFailure(str(told["failed"])) if "failed" in told else None
            counts = (int(str(told[count])) for count in _COUNTS)
            reply = None if failed else Reply(str(told["said"]), *counts)
            found.append((str(told["key"]), Heard(reply, failed, int(str(told["milliseconds"])))))
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError(f"{path}:{number}: not a line of a cassette; record it again") from None
    return found
