"""The encoder as torch sees it: the same sums as `treatment_agent.understanding.encoder`, with gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, HEADS, LONGEST = 384, 12, 64


class Layer(nn.Module):
    """Self-attention and feed-forward, each with a residual and a norm behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12)
        self.drop = nn.Dropout(0.1)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """One layer on."""
        rows, size, _ = hidden.shape
        query, key, value = self.qkv(hidden).view(rows, size, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(rows, size, WIDTH)
        hidden = self.norm1(hidden + self.drop(self.out(mixed)))
        inner = F.gelu(self.up(hidden), approximate="tanh")
        return self.norm2(hidden + self.drop(self.down(inner)))


class Network(nn.Module):
    """Embeddings, layers, mean over the words, one linear layer over the labels."""

    def __init__(self, pieces: int, layers: int, labels: int) -> None:
        super().__init__()
        self.words = nn.Embedding(pieces, WIDTH)
        self.places = nn.Embedding(LONGEST, WIDTH)
        self.start = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))
        self.label = nn.Linear(WIDTH, labels)
        self.drop = nn.Dropout(0.1)

    def forward(self, ids: Tensor, there: Tensor) -> Tensor:
        """Label scores; `there` is 1 where a piece stands and 0 where a row is padded."""
        hidden = self.words(ids) + self.places.weight[: ids.shape[1]]
        hidden = self.drop(self.start(hidden))
        mask = there[:, None, None, :].bool()
        for layer in self.layers:
            hidden = layer(hidden, mask)
        weight = there[..., None].to(hidden.dtype)
        return self.label(self.drop((hidden * weight).sum(1) / weight.sum(1)))

    def start_from(self, source: dict[str, Tensor], kept_pieces: list[int], kept_layers: list[int]) -> None:
        """Take over the weights of a published BERT encoder: some of its word rows and some of its layers."""
        with torch.no_grad():
            self.words.weight.copy_(source["embeddings.word_embeddings.weight"][kept_pieces])
            kinds = source["embeddings.token_type_embeddings.weight"][0]
            self.places.weight.copy_(source["embeddings.position_embeddings.weight"][:LONGEST] + kinds)
            _copy(self.start, source, "embeddings.LayerNorm")
            for layer, number in zip(self.layers, kept_layers, strict=True):
                name = f"encoder.layer.{number}"
                for what in ("weight", "bias"):
                    parts = [source[f"{name}.attention.self.{part}.{what}"] for part in ("query", "key", "value")]
                    getattr(layer.qkv, what).copy_(torch.cat(parts))
                _copy(layer.out, source, f"{name}.attention.output.dense")
                _copy(layer.norm1, source, f"{name}.attention.output.LayerNorm")
                _copy(layer.up, source, f"{name}.intermediate.dense")
                _copy(layer.down, source, f"{name}.output.dense")
                _copy(layer.norm2, source, f"{name}.output.LayerNorm")


def _copy(target: nn.Module, source: dict[str, Tensor], name: str) -> None:
    target.weight.copy_(source[f"{name}.weight"])
    target.bias.copy_(source[f"{name}.bias"])
