"""A small transformer encoder, forward only, in numpy: from pieces of words to one row of scores per text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]
_EPSILON = np.float32(1e-12)
_NOT_THERE = np.float32(-1e9)
_GELU = np.float32(0.7978845608028654)


class Encoder:
    """Embeddings, self-attention layers, mean over the words, and one linear layer over the labels.

    Args:
        arrays: As `training/train.py` writes them. A weight matrix is `name` (int8) with `name.scale` (float32 per
            row); everything else is float32.
        heads: Attention heads per layer.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]], heads: int) -> None:
        self._heads = heads
        self._words = np.asarray(arrays["words"], dtype=np.int8)
        self._word_scale = np.asarray(arrays["words.scale"], dtype=np.float32)
        names = {name for name in arrays if not name.startswith("words") and not name.endswith(".scale")}
        self._weights: dict[str, Floats] = {name: _widened(arrays, name) for name in names}
        self._layers = sum(name.endswith(".qkv") for name in names)

    @property
    def longest(self) -> int:
        """The most pieces a text may have."""
        return int(self._weights["places"].shape[0])

    def scores(self, texts: Sequence[Sequence[int]], pad: int) -> tuple[Floats, Floats]:
        """One row of label scores per text, and what each of its pieces added to each score (text, piece, label).

        Each text is a non-empty list of piece numbers, `longest` at most. The score is a mean over the pieces, so what
        a piece adds is exact; what it adds depends on all others.
        """
        size = max(len(text) for text in texts)
        ids = np.full((len(texts), size), pad, dtype=np.int64)
        there = np.zeros((len(texts), size), dtype=np.float32)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = text
            there[row, : len(text)] = 1.0
        hidden = self._words[ids].astype(np.float32) * self._word_scale[ids][..., None]
        hidden = self._norm(hidden + self._weights["places"][:size], "start")
        mask = ((1.0 - there) * _NOT_THERE)[:, None, None, :]
        for layer in range(self._layers):
            hidden = self._layer(hidden, mask, f"layer{layer}")
        added = hidden @ self._weights["label"] * (there / there.sum(axis=1, keepdims=True))[..., None]
        return added.sum(axis=1) + self._weights["label.bias"], added

    def _layer(self, hidden: Floats, mask: Floats, name: str) -> Floats:
        rows, size, width = hidden.shape
        split = self._linear(hidden, f"{name}.qkv").reshape(rows, size, 3, self._heads, width // self._heads)
        query, key, value = split.transpose(2, 0, 3, 1, 4)
        weight = _softmax(query @ key.swapaxes(-1, -2) / np.float32(np.sqrt(width // self._heads)) + mask)
        mixed = (weight @ value).transpose(0, 2, 1, 3).reshape(rows, size, width)
        hidden = self._norm(hidden + self._linear(mixed, f"{name}.out"), f"{name}.norm1")
        inner = _gelu(self._linear(hidden, f"{name}.up"))
        return self._norm(hidden + self._linear(inner, f"{name}.down"), f"{name}.norm2")

    def _linear(self, values: Floats, name: str) -> Floats:
        flat = values.reshape(-1, values.shape[-1])
        out: Floats = flat @ self._weights[name] + self._weights[f"{name}.bias"]
        return out.reshape(*values.shape[:-1], -1)

    def _norm(self, values: Floats, name: str) -> Floats:
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
        out: Floats = centred / spread * self._weights[f"{name}.gain"] + self._weights[f"{name}.shift"]
        return out


def _widened(arrays: Mapping[str, NDArray[np.generic]], name: str) -> Floats:
    plain = np.asarray(arrays[name]).astype(np.float32)
    scale = arrays.get(f"{name}.scale")
    wide = plain if scale is None else plain * np.asarray(scale, dtype=np.float32)[:, None]
    # A matrix is applied from the right, and numpy is a third faster when it lies that way in memory.
    return wide if wide.ndim == 1 or name == "places" else np.ascontiguousarray(wide.T)


def _softmax(values: Floats) -> Floats:
    grown = np.exp(values - values.max(axis=-1, keepdims=True))
    out: Floats = grown / grown.sum(axis=-1, keepdims=True)
    return out


def _gelu(values: Floats) -> Floats:
    # The tanh form: numpy has no error function, and training uses the same form.
    inner = values * values
    inner *= np.float32(0.044715) * _GELU
    inner += _GELU
    inner *= values
    np.tanh(inner, out=inner)
    inner += np.float32(1)
    inner *= values
    inner *= np.float32(0.5)
    return inner
