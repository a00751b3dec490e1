"""A small transformer encoder, forward only, in numpy: from pieces of words to the scores of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]
_EPSILON = np.float32(1e-12)
_GELU = np.float32(0.7978845608028654)


class Encoder:
    """Embeddings, self-attention layers, mean over the words, and one linear layer over the labels.

    The pieces of all texts stand side by side in one matrix, a column per piece: nothing is padded, and a matrix of
    weights is applied from the left as it lies in the file, which numpy does best for few columns.

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

    def scores(self, texts: Sequence[Sequence[int]]) -> list[tuple[Floats, Floats, Floats]]:
        """Per text one score for each label, what each of its pieces added to each (piece, label), and the mean piece.

        Each text is a non-empty list of piece numbers, `longest` at most. The score is a mean over the pieces, so what
        a piece adds is exact; what it adds depends on all others.
        """
        ends = np.cumsum([len(text) for text in texts]).tolist()
        stretches = [slice(end - len(text), end) for text, end in zip(texts, ends, strict=True)]
        ids = np.concatenate([np.asarray(text, dtype=np.int64) for text in texts])
        places = np.concatenate([self._weights["places"][: len(text)] for text in texts])
        rows = self._words[ids].astype(np.float32) * self._word_scale[ids][:, None] + places
        hidden = self._norm(np.ascontiguousarray(rows.T), "start")
        for layer in range(self._layers):
            hidden = self._layer(hidden, stretches, f"layer{layer}")
        adds = (self._weights["label"] @ hidden).T
        bias = self._weights["label.bias"]
        shares = [adds[stretch] / np.float32(stretch.stop - stretch.start) for stretch in stretches]
        means = [hidden[:, stretch].mean(axis=1) for stretch in stretches]
        return [(share.sum(axis=0) + bias, share, mean) for share, mean in zip(shares, means, strict=True)]

    def _layer(self, hidden: Floats, stretches: Sequence[slice], name: str) -> Floats:
        mixed = self._attend(self._linear(hidden, f"{name}.qkv"), stretches)
        mixed = self._linear(mixed, f"{name}.out")
        mixed += hidden
        hidden = self._norm(mixed, f"{name}.norm1")
        inner = self._linear(_gelu(self._linear(hidden, f"{name}.up")), f"{name}.down")
        inner += hidden
        return self._norm(inner, f"{name}.norm2")

    def _attend(self, projected: Floats, stretches: Sequence[slice]) -> Floats:
        """Every piece looks at the pieces of its own text."""
        width = projected.shape[0] // 3
        size = width // self._heads
        query, key, value = projected.reshape(3, self._heads, size, -1)
        mixed = np.empty((self._heads, size, projected.shape[1]), dtype=np.float32)
        query *= np.float32(1 / np.sqrt(size))
        for stretch in stretches:
            weight = _softmax(key[..., stretch].swapaxes(-1, -2) @ query[..., stretch])
            np.matmul(value[..., stretch], weight, out=mixed[..., stretch])
        return mixed.reshape(width, -1)

    def _linear(self, values: Floats, name: str) -> Floats:
        out: Floats = self._weights[name] @ values
        out += self._weights[f"{name}.bias"][:, None]
        return out

    def _norm(self, values: Floats, name: str) -> Floats:
        centred: Floats = values - values.mean(axis=0)
        centred /= np.sqrt(np.einsum("ij,ij->j", centred, centred) / np.float32(len(values)) + _EPSILON)
        centred *= self._weights[f"{name}.gain"][:, None]
        centred += self._weights[f"{name}.shift"][:, None]
        return centred


def _widened(arrays: Mapping[str, NDArray[np.generic]], name: str) -> Floats:
    plain = np.asarray(arrays[name]).astype(np.float32)
    scale = arrays.get(f"{name}.scale")
    return plain if scale is None else plain * np.asarray(scale, dtype=np.float32)[:, None]


def _softmax(values: Floats) -> Floats:
    """Over the last axis but one: a column per piece that looks."""
    grown: Floats = np.exp(values - values.max(axis=-2, keepdims=True))
    grown /= grown.sum(axis=-2, keepdims=True)
    return grown


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
