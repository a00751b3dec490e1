"""Models to compare, from a TOML file, and what came of each on the same dialogues and messages."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from pydantic import Field, ValidationError, model_validator

from treatment_agent.domain.office import Agreement
from treatment_agent.domain.shares import Share
from treatment_agent.domain.value import Value
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.cassette import Heard, Recorder, Replayer
from treatment_agent.evals.messages import Judged, LabelledMessage, judge_messages
from treatment_agent.evals.model_calls import named_calls
from treatment_agent.evals.staging import local_interpreter
from treatment_agent.evals.suite import run_files
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter
from treatment_agent.triage import Triage
from treatment_agent.understanding.language_model import Mode, ModelCalls, ModelInterpreter, OpenAICalls, Patience
from treatment_agent.understanding.language_model.interpreter import require_agreement
from treatment_agent.understanding.language_model.openai_calls import OPENAI, Api
from treatment_agent.understanding.language_model.resilience import Breaker
from treatment_agent.understanding.union import beside_local

LOCAL_ONLY = "local only"
_MILLION = 1_000_000


class Price(Value):
    """Dollars for a million tokens. `cached` are input tokens that the provider had kept; as `input` if not given."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)


class Rival(Value):
    """One model. `openai` is its name behind the OpenAI protocol; `calls` is a `module:name` of your own instead.

    `key_from` names the environment variable with the key; the key itself never stands in a file.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=60)
    openai: str = ""
    base_url: str = OPENAI
    key_from: str = "OPENAI_API_KEY"
    api: Api = Api.CHAT
    structured: bool = True
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    calls: str = ""
    mode: Mode = Mode.ALWAYS
    dollars_per_million: Price | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Rival:
        if bool(self.openai) == bool(self.calls):
            raise ValueError("give either `openai`, the model's name, or `calls`, a module:name of your own")
        return self

    def reached(self) -> ModelCalls:
        """The way to this model.

        Raises:
            ConfigurationError: it cannot be made: no key, no such module.
        """
        if self.openai:
            return OpenAICalls(
                self.openai,
                api_key=os.environ.get(self.key_from),
                base_url=self.base_url,
                api=self.api,
                structured=self.structured,
                options=self.options,
            )
        return named_calls(self.calls)


class Rivals(Value):
    """The file: the models, and the agreement that is needed to ask one elsewhere."""

    model: tuple[Rival, ...] = Field(min_length=1)
    agreement: Agreement | None = None

    @model_validator(mode="after")
    def _names(self) -> Rivals:
        names = [rival.name for rival in self.model]
        if len(set(names)) < len(names):
            raise ValueError("two models have the same name")
        return self


def read_rivals(path: Path) -> Rivals:
    """Read the file.

    Raises:
        ConfigurationError: it is not there or not of this form, with the place.
    """
    try:
        return Rivals.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigurationError(f"{path}: {where}: {first['msg']}") from None


@dataclass(frozen=True, slots=True)
class Suite:
    """What everybody is asked: the same dialogues, the same messages, the same policy."""

    dialogues: tuple[Path, ...]
    messages: tuple[LabelledMessage, ...]
    policy: PracticePolicy

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.dialogues) + len(self.messages)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `recall` and `needless` count messages, `gates` dialogues that keep every hard gate.

    A call is one attempt; `failed` counts those without an answer. Milliseconds are those of a call: the middle one,
    and the one that nineteen of twenty stay below. `dollars` is None without a price.
    """

    name: str
    recall: Share
    needless: Share
    right: Share
    gates: Share
    calls: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    dollars: float | None = None
    median_ms: int | None = None
    slow_ms: int | None = None


def compare(
    suite: Suite, rivals: Rivals, cassettes: Path, *, record: bool, told: Callable[[str, int], None]
) -> Iterator[Row]:
    """The local interpreter alone first, then each model beside it. `told` hears the name and how far it is.

    Raises:
        ConfigurationError: a model cannot be asked, does not answer, or its cassette lacks an answer.
    """
    agreement = rivals.agreement or suite.policy.baa_on_file
    taken = [_taped(rival, cassettes, agreement, record=record) for rival in rivals.model]
    yield _row(LOCAL_ONLY, suite, local_interpreter(), told, lambda: None)
    for rival, taped in zip(rivals.model, taken, strict=True):
        # Every message is asked about, however the ones before it went; and a kept failure need not be waited for.
        patience, breaker = Patience(wait_seconds=0.3 if record else 0), Breaker(failures=_MILLION)
        model = ModelInterpreter(taped, baa=agreement, mode=rival.mode, patience=patience, breaker=breaker)
        asked = Suite(suite.dialogues, suite.messages, suite.policy.model_copy(update={"baa_on_file": agreement}))
        beside = beside_local(model, agreement, local=local_interpreter())
        row = _row(rival.name, asked, beside, told, taped.check)
        yield _with_use(row, taped.heard, rival.dollars_per_million)


def _taped(rival: Rival, cassettes: Path, agreement: Agreement | None, *, record: bool) -> Recorder | Replayer:
    place = cassettes / f"{rival.name}.jsonl"
    if not record:
        return Replayer(rival.name, place)
    calls = rival.reached()
    try:
        require_agreement(calls, agreement)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"model {rival.name}: {error}; here: write [agreement] into the file of models"
        ) from None
    return Recorder(rival.name, calls, place)


def _row(
    name: str, suite: Suite, interpreter: Interpreter, told: Callable[[str, int], None], check: Callable[[], None]
) -> Row:
    done = 0
    results = []
    for result in run_files(suite.dialogues, policy=suite.policy, interpreter=interpreter):
        check()
        if result.mistake:
            raise ConfigurationError(result.mistake)
        results.append(result.passed)
        told(name, done := done + 1)
    judged: list[Judged] = []
    for one in judge_messages(suite.messages, Triage(suite.policy, interpreter=interpreter)):
        check()
        judged.append(one)
        told(name, done := done + 1)
    routine = [j for j in judged if not j.needs_person and j.message.label != "opt_out"]
    return Row(
        name=name,
        recall=Share.of(j.handed_off for j in judged if j.needs_person),
        needless=Share.of(j.handed_off for j in routine),
        right=Share.of(j.right for j in judged),
        gates=Share.of(results),
    )


def _with_use(row: Row, heard: Sequence[Heard], price: Price | None) -> Row:
    replies = [one.reply for one in heard if one.reply is not None]
    tokens: Mapping[str, int] = {
        name: sum(getattr(reply, name) for reply in replies)
        for name in ("input_tokens", "cached_tokens", "output_tokens")
    }
    times = sorted(one.milliseconds for one in heard)
    cuts = quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 19
    return Row(
        row.name,
        row.recall,
        row.needless,
        row.right,
        row.gates,
        calls=len(heard),
        failed=len(heard) - len(replies),
        dollars=_dollars(tokens, price) if price else None,
        median_ms=round(cuts[9]) if times else None,
        slow_ms=round(cuts[18]) if times else None,
        **tokens,
    )


def _dollars(tokens: Mapping[str, int], price: Price) -> float:
    cached = tokens["cached_tokens"]
    kept = price.cached if price.cached is not None else price.input
    fresh = tokens["input_tokens"] - cached
    return (fresh * price.input + cached * kept + tokens["output_tokens"] * price.output) / _MILLION
