"""Trains the linear reader (`understanding/ngrams.py`) on the same rows as the encoder. Takes under a minute."""
# ruff: noqa: S311 -- seeded chance is the point

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rows import TOPICS, Row, variations
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from treatment_agent.understanding.classifier import ASKED_WORDS, folded_text
from treatment_agent.understanding.ngrams import PLACES, blocks

ROUNDS, ALPHA, PASSES = 3, 5e-6, 10


def train_linear(rows: Sequence[Row], seed: int, folder: Path) -> None:
    """Fit, quantise to int8 and write `ngrams.npz`."""
    chance = random.Random(seed)
    every = [row for _ in range(ROUNDS) for row in variations(rows, chance)]
    model = SGDClassifier(loss="log_loss", alpha=ALPHA, max_iter=PASSES, tol=None, random_state=seed)
    model.fit(_matrix(every, chance), np.array([row.label in TOPICS for row in every]))
    weights = model.coef_[0]
    step = float(np.quantile(np.abs(weights[weights != 0]), 0.9999)) / 127
    whole = np.clip(np.round(weights / step), -127, 127).astype(np.int8)
    np.savez_compressed(folder / "ngrams.npz", weights=whole, step=np.float64(step), bias=model.intercept_[0])


def _matrix(rows: Sequence[Row], chance: random.Random) -> csr_matrix:
    places: list[np.ndarray] = []
    values: list[np.ndarray] = []
    ends = [0]
    for row in rows:
        found = blocks(folded_text(row.text), ASKED_WORDS[chance.choice(row.contexts)])
        places.extend(found)
        values.extend(np.full(len(block), 1 / np.sqrt(len(block)), dtype=np.float32) for block in found)
        ends.append(ends[-1] + sum(len(block) for block in found))
    return csr_matrix((np.concatenate(values), np.concatenate(places), ends), shape=(len(rows), PLACES))
