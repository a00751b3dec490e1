"""The trained reader of a message: how likely each topic and each routine intent is, given what was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from types import MappingProxyType

import numpy as np

from treatment_agent.domain.interpretation import Intent, Situation, Span, Topic
from treatment_agent.domain.text import NormalizedText, normalize
from treatment_agent.understanding.encoder import Encoder, Floats
from treatment_agent.understanding.ngrams import Ngrams
from treatment_agent.understanding.wordpiece import Piece, WordPiece

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
# From this number on a piece is no everyday word.
_RARE = 1500


@dataclass(frozen=True, slots=True)
class Reading:
    """Calibrated probabilities of all labels, the likeliest first. They add up to 1.

    `words` are the places of the words in the text that was read, with what each says for each label: what it adds to
    the score, less for everyday words. `meaning` is a vector of length 1: like messages lie near each other.
    """

    probabilities: tuple[tuple[Label, float], ...]
    words: tuple[tuple[Span, Mapping[Label, float]], ...] = field(default=(), repr=False, compare=False)
    meaning: Floats | None = field(default=None, repr=False, compare=False)

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

    def weightiest(self, label: Label, most: int = 3) -> tuple[Span, ...]:
        """The words that speak most for a label, in the order of the text."""
        ranked = sorted(self.words, key=lambda word: -word[1].get(label, 0.0))[:most]
        return tuple(sorted((span for span, adds in ranked if adds.get(label, 0.0) > 0), key=lambda span: span.start))


class Classifier:
    """Reads texts with the encoder and the linear reader in `understanding/model`. Knows no limits: the judge does.

    `name` is the hash of its weights.
    """

    def __init__(self, folder: Traversable) -> None:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        arrays = np.load(BytesIO((folder / "weights.npz").read_bytes()), allow_pickle=False)
        self._encoder = Encoder(dict(arrays), int(card["heads"]))
        self._cutter = WordPiece((folder / "pieces.txt").read_text(encoding="utf-8").splitlines())
        self._labels: tuple[Label, ...] = tuple(label_named(name) for name in card["labels"])
        self._temperature = float(card["temperature"])
        self.name = str(card.get("weights_sha256", ""))
        table = np.load(BytesIO((folder / "ngrams.npz").read_bytes()), allow_pickle=False)
        self._ngrams = Ngrams(table["weights"], float(table["step"]), float(table["bias"]))

    @staticmethod
    def load() -> Classifier:
        """The shipped classifier, read from its files once per process."""
        return _shipped()

    def read(self, text: str, situation: Situation) -> Reading:
        """Read one text. Linear in its length; a long one is read in windows and the most topical window counts."""
        return self.read_all((text,), situation)[0]

    def linear_log_odds(self, text: str, situation: Situation) -> float:
        """What the linear reader says: the log-odds that a person must have the text."""
        return self._ngrams.log_odds(folded_text(text, situation.ours), ASKED_WORDS[situation.asked.value])

    def read_all(self, texts: Sequence[str], situation: Situation) -> tuple[Reading, ...]:
        """Read several texts of one message together, which costs less than one by one."""
        before = [self._cutter.cls, *self._cutter.ids(ASKED_WORDS[situation.asked.value]), self._cutter.sep]
        windows: list[_Window] = []
        for number, text in enumerate(texts):
            windows.extend(self._windows(number, normalize(text, situation.ours), len(before)))
        readings: list[Reading | None] = [None] * len(texts)
        for first in range(0, len(windows), _AT_ONCE):
            some = windows[first : first + _AT_ONCE]
            rows = [[*before, *(piece.id for piece in w.pieces), self._cutter.sep] for w in some]
            for window, (scores, added, mean) in zip(some, self._encoder.scores(rows), strict=True):
                found = self._reading(window, scores, added[len(before) :], mean)
                best = readings[window.owner]
                if best is None or found.topic_mass > best.topic_mass:
                    readings[window.owner] = found
        return tuple(reading for reading in readings if reading is not None)

    def _windows(self, owner: int, text: NormalizedText, before: int) -> Iterator[_Window]:
        pieces = self._cutter.cut(text.folded)
        room = self._encoder.longest - before - 1
        for first in range(0, max(len(pieces) - _OVERLAP, 1), room - _OVERLAP):
            yield _Window(owner, text, pieces[first : first + room])

    def _reading(self, window: _Window, scores: Floats, added: Floats, mean: Floats) -> Reading:
        shares = _calibrated(scores, self._temperature)
        pairs = sorted(zip(self._labels, map(float, shares), strict=True), key=lambda pair: -pair[1])
        words: dict[Span, Floats] = {}
        for piece, adds in zip(window.pieces, added, strict=False):
            span = window.text.span(piece.start, piece.end)
            # The vocabulary is sorted by frequency: "is" and "there" say little, however much they add.
            telling = adds * np.float32(min(1.0, piece.id / _RARE))
            words[span] = words[span] + telling if span in words else telling
        named = tuple((span, _Added(self._labels, adds)) for span, adds in words.items())
        return Reading(tuple(pairs), named, mean / np.float32(np.linalg.norm(mean)))


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of a text that fits the encoder. `owner` is the number of the text."""

    owner: int
    text: NormalizedText
    pieces: list[Piece]


class _Added(Mapping[Label, float]):
    """What a word says for each label; a view, because most readings are never asked."""

    __slots__ = ("_adds", "_labels")

    def __init__(self, labels: tuple[Label, ...], adds: Floats) -> None:
        self._labels, self._adds = labels, adds

    def __getitem__(self, label: Label) -> float:
        return float(self._adds[self._labels.index(label)])

    def __iter__(self) -> Iterator[Label]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)


def folded_text(text: str, ours: Sequence[str] = ()) -> str:
    """The message as the classifier sees it: lower case, no accents, single spaces, without quotes of ours."""
    return normalize(text, ours).folded


@lru_cache(maxsize=1)
def _shipped() -> Classifier:
    return Classifier(files("treatment_agent.understanding") / "model")


def label_named(name: str) -> Label:
    """The topic or intent of this name."""
    return Topic(name) if name in {topic.value for topic in Topic} else Intent(name)


def _calibrated(scores: Floats, temperature: float) -> Floats:
    grown = np.exp((scores - scores.max()) / np.float32(temperature))
    out: Floats = grown / grown.sum()
    return out
