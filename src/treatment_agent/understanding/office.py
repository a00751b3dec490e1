"""What one office taught the local interpreter: its own examples, and how much it wants handed off.

A message that lies near an example is read as that example where the judge was in doubt. Near means alike to the
encoder, for the same question of ours: a reply that patients of this office keep writing. An example never lifts what
word lists surely found, an emergency, a sensitive matter, or anything the judge gives to a person with more than even
odds. The file holds vectors and labels, and no words. `treatment-agent tune` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from treatment_agent.domain.interpretation import Asked, ClauseReading, Intent, Span, Topic
from treatment_agent.errors import ConfigurationError
from treatment_agent.understanding.classifier import Classifier, Label, label_named
from treatment_agent.understanding.encoder import Floats
from treatment_agent.understanding.evidence import Evidence
from treatment_agent.understanding.judge import Judge, fitting, shipped_judge

PART = "office"
LIKENESS = 0.9
_CARD, _VECTORS = "office.json", "examples.npy"
# From here on the judge is not in doubt.
_SURE = 0.5
_NEVER_LIFTED = frozenset((Topic.EMERGENCY, Topic.SENSITIVE))


@dataclass(frozen=True, slots=True)
class Near:
    """The example that a message is most like, its number (from 1) and the cosine of the angle between them."""

    label: Label
    number: int
    likeness: float


@dataclass(frozen=True, slots=True, eq=False)
class OfficeModel:
    """Examples of an office, one row of `meanings` each, with the label and the questions it holds for.

    `likeness` is the least cosine at which a message is read as an example. `model` names the weights that made the
    vectors.
    """

    judge: Judge
    labels: tuple[Label, ...]
    contexts: tuple[frozenset[Asked], ...]
    meanings: Floats
    model: str
    likeness: float = LIKENESS

    @property
    def version(self) -> str:
        """What of it decides, for the record of a turn."""
        return f"office-{len(self.labels)}-{self.judge.limits.person:g}-{self.likeness:g}"

    @staticmethod
    def read(folder: Path) -> OfficeModel:
        """As `write` left it.

        Raises:
            ConfigurationError: it is not there, not whole, or was made with other weights; names the fix.
        """
        try:
            card = json.loads((folder / _CARD).read_text(encoding="utf-8"))
            meanings = np.load(folder / _VECTORS, allow_pickle=False).astype(np.float32)
            shipped = shipped_judge()
            found = OfficeModel(
                judge=replace(shipped, limits=replace(shipped.limits, person=float(card["person"]))),
                labels=tuple(label_named(name) for name in card["labels"]),
                contexts=tuple(frozenset(map(Asked, row)) for row in card["contexts"]),
                meanings=meanings,
                model=str(card["model"]),
                likeness=float(card["likeness"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"office model {folder}: cannot be read ({type(error).__name__}); make it with `treatment-agent tune`"
            ) from None
        if len(found.labels) != len(meanings) or found.model != Classifier.load().name:
            raise ConfigurationError(
                f"office model {folder}: made for another version; run `treatment-agent tune` on your messages again"
            )
        return found

    def write(self, folder: Path) -> None:
        """Into a folder, made if needed.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        card = {
            "model": self.model,
            "person": self.judge.limits.person,
            "likeness": self.likeness,
            "labels": [label.value for label in self.labels],
            "contexts": [sorted(row) for row in self.contexts],
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / _VECTORS, self.meanings.astype(np.float16))
            (folder / _CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"--out {folder}: {error.strerror or 'cannot be written'}") from error

    def nearest(self, meaning: Floats | None, asked: Asked) -> Near | None:
        """The example that decides: the nearest one near enough; a topic that is near enough before any intent."""
        if meaning is None or not len(self.labels):
            return None
        alike = self.meanings @ meaning
        near = [n for n in range(len(alike)) if alike[n] >= self.likeness and asked in self.contexts[n]]
        if not near:
            return None
        first = max(near, key=lambda n: alike[n])
        if not isinstance(self.labels[first], Topic):
            first = max((n for n in near if isinstance(self.labels[n], Topic)), key=lambda n: alike[n], default=first)
        return Near(self.labels[first], first + 1, float(alike[first]))

    def settle(self, seen: Evidence) -> tuple[ClauseReading, ...]:
        """As the judge settles it, unless an example speaks."""
        clauses = self.judge.settle(seen)
        near = self.nearest(seen.whole.meaning, seen.situation.asked)
        if near is None or any(c.label is Intent.OPT_OUT for c in clauses):
            return clauses
        handed = any(c.label is None or isinstance(c.label, Topic) for c in clauses)
        if isinstance(near.label, Topic) or near.label is Intent.OPT_OUT:
            if any(isinstance(c.label, Topic) for c in clauses):
                return clauses
            named = tuple(c for c in seen.clauses if c.label is not None)
            return (*named, self._as_example(near, near.label, Span(0, len(seen.text))))
        if not handed or not self._in_doubt(seen, clauses):
            return clauses
        known = {c.label for c in seen.clauses} - {None, Intent.ACK}
        intent = fitting(near.label, known, seen)
        return tuple(c if c.label is not None else self._as_example(near, intent, c.span) for c in seen.clauses)

    def _in_doubt(self, seen: Evidence, clauses: Sequence[ClauseReading]) -> bool:
        """True when a person gets the message only because it might need one."""
        sure = any(isinstance(c.label, Topic) for c in seen.clauses) or _NEVER_LIFTED & {c.label for c in clauses}
        worst = max(part.topic_mass for part in (seen.whole, *seen.parts))
        return not sure and max(worst, self.judge.probability(seen)) < _SURE

    def _as_example(self, near: Near, label: Label, span: Span) -> ClauseReading:
        return ClauseReading(span, label, near.likeness, PART, f"{PART}.example-{near.number}", self.likeness, (span,))
