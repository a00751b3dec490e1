"""An office's own labelled messages: what they would change, on messages they were not taken from.

The office model is made from four fifths of the messages and tried on the last fifth, five times, so that every message
is judged once by a model that never saw it (the same words twice are always on one side). Beside that, it is tried on
messages of this project that a person must have: none of them may be lost.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from treatment_agent.domain.interpretation import Asked, ClauseReading, Intent, Interpretation, Situation, strictest
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.shares import Share
from treatment_agent.domain.treatment import Family
from treatment_agent.domain.value import Value
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.messages import LABELS, TOPICS
from treatment_agent.policies.replies import main_intent
from treatment_agent.triage import DEFAULT_NOW, DEFAULT_OFFERS
from treatment_agent.understanding.classifier import Classifier, label_named
from treatment_agent.understanding.contradicting import torn
from treatment_agent.understanding.evidence import Evidence
from treatment_agent.understanding.judge import shipped_judge
from treatment_agent.understanding.local import Heard, LocalInterpreter
from treatment_agent.understanding.office import LIKENESS, OfficeModel

_FOLDS = 5
_OFFERS = tuple(Slot(s, s + timedelta(hours=1), "lee", f"o{n}", Family.CROWN) for n, s in enumerate(DEFAULT_OFFERS, 1))

Settle = Callable[[Evidence], tuple[ClauseReading, ...]]


class Example(Value):
    """One line of an office's file: the message, its label (training/LABELS.md), and what had been asked."""

    text: str = Field(min_length=1, repr=False)
    label: str
    contexts: tuple[Asked, ...] = Field(min_length=1)
    lang: str = "en"

    model_config = Value.model_config | {"extra": "ignore"}

    @model_validator(mode="before")
    @classmethod
    def _one_context(cls, row: Any) -> Any:
        return row | {"contexts": [row["context"]]} if isinstance(row, dict) and "context" in row else row

    @field_validator("label")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in LABELS:
            raise ValueError(f"label {value!r} is unknown; use one of {', '.join(sorted(LABELS))}")
        return value

    @property
    def fold(self) -> int:
        """Which fifth it belongs to."""
        return zlib.crc32(" ".join(self.text.lower().split()).encode("utf-8", "surrogatepass")) % _FOLDS


@dataclass(frozen=True, slots=True)
class Read:
    """An example, and everything that lists, parsers and classifier say of it (`seen` is None where lists decide)."""

    example: Example
    heard: Heard | None
    seen: Evidence | None


@dataclass(frozen=True, slots=True)
class Effect:
    """Figures before and after, the number of messages read otherwise, and of handoffs that would be lost."""

    before: dict[str, Share]
    after: dict[str, Share]
    changed: int
    lost: int


def read_examples(place: Traversable) -> tuple[Example, ...]:
    """The lines of a JSONL file.

    Raises:
        ConfigurationError: a line is not of this form; names the line and the field, never the text.
    """
    found: list[Example] = []
    for number, line in enumerate(place.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                found.append(Example.model_validate(json.loads(line)))
            except ValidationError as error:
                first = error.errors(include_input=False)[0]
                where = ".".join(str(part) for part in first["loc"]) or "line"
                raise ConfigurationError(f"{place.name}:{number}: {where}: {first['msg']}") from None
            except json.JSONDecodeError as error:
                raise ConfigurationError(f"{place.name}:{number}: not JSON: {error.msg}") from None
    return tuple(found)


def reference() -> tuple[Example, ...]:
    """Messages that a person must have, by voices that nobody trained on."""
    return read_examples(files("treatment_agent.evals") / "reference.jsonl")


def read_all(examples: Iterable[Example]) -> Iterator[Read]:
    """Every example read once, in the first situation it holds in."""
    local, classifier = LocalInterpreter(), Classifier.load()
    for example in examples:
        language = "es" if example.lang == "es" else "en"
        heard = local.hear(example.text, _situation(example.contexts[0], language))
        weighs = heard is not None and local.weighs(heard)
        yield Read(example, heard, local.evidence(heard, classifier) if heard is not None and weighs else None)


def _situation(asked: Asked, language: str) -> Situation:
    offers = () if asked is Asked.BOOKED else _OFFERS
    return Situation(DEFAULT_NOW, asked, offers, language, provider_names=(("lee", "Dr. Lee"),))


def fit(reads: Sequence[Read], *, person: float | None = None, likeness: float = LIKENESS) -> OfficeModel:
    """The office model of these messages. `person` is the judge's limit, the shipped one if None."""
    some = [read for read in reads if read.seen is not None and read.seen.whole.meaning is not None]
    judge = shipped_judge()
    limits = judge.limits if person is None else replace(judge.limits, person=person)
    rows = [read.seen.whole.meaning for read in some if read.seen is not None]
    return OfficeModel(
        judge=replace(judge, limits=limits),
        labels=tuple(label_named(read.example.label) for read in some),
        contexts=tuple(frozenset(read.example.contexts) for read in some),
        meanings=np.array(rows, dtype=np.float32).reshape(len(rows), -1) if rows else np.zeros((0, 1), np.float32),
        model=Classifier.load().name,
        likeness=likeness,
    )


def held_out(reads: Sequence[Read], *, person: float | None = None, likeness: float = LIKENESS) -> Effect:
    """The effect on the office's messages, each judged by a model that was made without it."""
    models = [fit([r for r in reads if r.example.fold != n], person=person, likeness=likeness) for n in range(_FOLDS)]
    return _effect(reads, lambda read: models[read.example.fold].settle)


def on(reads: Sequence[Read], model: OfficeModel) -> Effect:
    """The effect of a model on messages that it was not made from."""
    return _effect(reads, lambda _: model.settle)


def _effect(reads: Sequence[Read], settle: Callable[[Read], Settle]) -> Effect:
    local, shipped = LocalInterpreter(), shipped_judge().settle
    before = [_verdict(local, read, shipped) for read in reads]
    after = [_verdict(local, read, settle(read)) for read in reads]
    must = [read.example.label in TOPICS for read in reads]
    return Effect(
        before=_figures(reads, before),
        after=_figures(reads, after),
        changed=sum(old != new for old, new in zip(before, after, strict=True)),
        lost=sum(old[0] and not new[0] for old, new, needed in zip(before, after, must, strict=True) if needed),
    )


def _verdict(local: LocalInterpreter, read: Read, settle: Settle) -> tuple[bool, str]:
    """Handed off or not, and the one label."""
    if read.heard is None:
        return True, "other"
    heard: Interpretation = local.told(read.heard, read.heard.clauses if read.seen is None else settle(read.seen))
    topic = strictest(heard.topics)
    if Intent.OPT_OUT in heard.intents and (topic is None or topic.value != "emergency"):
        return False, Intent.OPT_OUT.value
    handed = topic is not None or heard.abstained or torn(heard.intents)
    return handed, str(topic or "other") if handed else str(main_intent(heard) or "other")


def _figures(reads: Sequence[Read], verdicts: Sequence[tuple[bool, str]]) -> dict[str, Share]:
    rows = [(read.example.label, *verdict) for read, verdict in zip(reads, verdicts, strict=True)]
    return {
        "handed off, of what a person must have": Share.of(handed for label, handed, _ in rows if label in TOPICS),
        "handed off needlessly, of the routine": Share.of(handed for label, handed, _ in rows if label not in TOPICS),
        "label right": Share.of(label == read for label, _, read in rows),
    }
