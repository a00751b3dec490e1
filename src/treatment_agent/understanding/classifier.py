"""The trained reader of a message: how likely each topic and each routine intent is, given what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from types import MappingProxyType

import numpy as np

from treatment_agent.domain.interpretation import Intent, Situation, Topic
from treatment_agent.domain.text import normalize
from treatment_agent.understanding.encoder import Encoder, Floats
from treatment_agent.understanding.wordpiece import WordPiece

Label = Topic | Intent

# What was asked, as one word in front of the message. Training uses the same ones.
ASKED_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "nothing": "nothing",
        "first_message": "first",
        "reminder": "reminder",
        "offer": "offer",
        "callback_ask": "call",
        "reason_ask": "reason",
        "booked": "booked",
    }
)
# A longer text is read in windows; a topic on the seam is whole in one of them.
_OVERLAP = 16
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Reading:
    """Calibrated probabilities of all labels, the likeliest first. They add up to 1."""

    probabilities: tuple[tuple[Label, float], ...]

    @property
    def topic_mass(self) -> float:
        """The summed probability of everything a person must answer."""
        return sum(share for label, share in self.probabilities if isinstance(label, Topic))

    @property
    def topic(self) -> tuple[Topic, float]:
        """The likeliest topic."""
        return next((label, share) for label, share in self.probabilities if isinstance(label, Topic))

    @property
    def intent(self) -> tuple[Intent, float]:
        """The likeliest routine intent."""
        return next((label, share) for label, share in self.probabilities if isinstance(label, Intent))

    def of(self, label: Label) -> float:
        """The probability of one label."""
        return next(share for own, share in self.probabilities if own is label)


class Classifier:
    """Reads texts with the encoder in `understanding/model`. Knows no thresholds: those are `second_reader`'s."""

    def __init__(self, folder: Traversable) -> None:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        arrays = np.load(BytesIO((folder / "weights.npz").read_bytes()), allow_pickle=False)
        self._encoder = Encoder(dict(arrays), int(card["heads"]))
        self._cutter = WordPiece((folder / "pieces.txt").read_text(encoding="utf-8").splitlines())
        self._labels: tuple[Label, ...] = tuple(_label(name) for name in card["labels"])
        self._temperature = float(card["temperature"])

    @staticmethod
    def load() -> Classifier:
        """The shipped classifier, read from its files once per process."""
        return _shipped()

    def read(self, text: str, situation: Situation) -> Reading:
        """Read one text. Linear in its length; a long one is read in windows and the most topical window counts."""
        return self.read_all((text,), situation)[0]

    def read_all(self, texts: Sequence[str], situation: Situation) -> tuple[Reading, ...]:
        """Read several texts of one message together, which costs less than one by one."""
        rows: list[list[int]] = []
        owners: list[int] = []
        for number, text in enumerate(texts):
            for row in self._windows(folded_text(text, situation.ours), situation):
                rows.append(row)
                owners.append(number)
        shares = [_calibrated(row, self._temperature) for row in self._scores(rows)]
        readings = [self._reading(share) for share in shares]
        return tuple(
            max((r for r, owner in zip(readings, owners, strict=True) if owner == number), key=lambda r: r.topic_mass)
            for number in range(len(texts))
        )

    def _scores(self, rows: Sequence[list[int]]) -> Iterator[Floats]:
        for first in range(0, len(rows), _AT_ONCE):
            yield from self._encoder.scores(rows[first : first + _AT_ONCE], self._cutter.pad)

    def _windows(self, folded: str, situation: Situation) -> Iterator[list[int]]:
        cutter = self._cutter
        before = [cutter.cls, *cutter.ids(ASKED_WORDS[situation.asked.value]), cutter.sep]
        ids = cutter.ids(folded)
        room = self._encoder.longest - len(before) - 1
        for first in range(0, max(len(ids) - _OVERLAP, 1), room - _OVERLAP):
            yield [*before, *ids[first : first + room], cutter.sep]

    def _reading(self, shares: Floats) -> Reading:
        pairs = sorted(zip(self._labels, map(float, shares), strict=True), key=lambda pair: -pair[1])
        return Reading(tuple(pairs))


def folded_text(text: str, ours: Sequence[str] = ()) -> str:
    """The message as the classifier sees it: lower case, no accents, single spaces, without quotes of ours."""
    return normalize(text, ours).folded


@lru_cache(maxsize=1)
def _shipped() -> Classifier:
    return Classifier(files("treatment_agent.understanding") / "model")


def _label(name: str) -> Label:
    return Topic(name) if name in {topic.value for topic in Topic} else Intent(name)


def _calibrated(scores: Floats, temperature: float) -> Floats:
    grown = np.exp((scores - scores.max()) / np.float32(temperature))
    out: Floats = grown / grown.sum()
    return out
