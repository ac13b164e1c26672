"""The forward pass of a small BERT, fast on one CPU thread: what two of the encoders run.

Axes: B texts, T tokens, H hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..linear import Product, product_kind
from .base import Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Bert", "BertConfig", "Layer", "layer_of", "normalized", "normed", "pooled", "through"]

BATCH = 32  # texts of one forward pass
Norm = tuple[Tensor, Tensor]  # weight, bias


class BertConfig(NamedTuple):
    """What the weights' shapes do not say."""

    heads: int
    eps: float
    layers: int
    most_tokens: int


class Layer(NamedTuple):
    """The weights of one layer."""

    qkv: Product
    mix: Product
    norm_1: Norm
    up: Product
    down: Product
    norm_2: Norm


class Bert:
    """BERT, the mean of its token vectors, unit length (Devlin et al., 2018; Reimers and Gurevych, 2019).

    Texts of equally many tokens go through together, so there is neither padding nor a mask.
    """

    def __init__(
        self,
        weights: dict[str, Tensor],
        tokenizer: Tokenizer,
        config: BertConfig,
        device: torch.device,
        half: bool = False,
    ) -> None:
        """
        Args:
            weights: float32 tensors by Hugging Face's names (``embeddings.…``, ``encoder.layer.0.…``).
            tokenizer: truncates to at most `config.most_tokens` from here on.
            config: as it was trained.
            device: where the products are computed; vectors come back on the CPU.
            half: bfloat16 will do where the processor multiplies it.
        """
        self.heads, self.eps = config.heads, config.eps
        self.device = device
        self.tokenizer = tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(config.most_tokens)
        take = {name: value.to(device) for name, value in weights.items()}
        self.words = take["embeddings.word_embeddings.weight"]
        self.width = self.words.shape[1]
        self.places = take["embeddings.position_embeddings.weight"]
        self.places = self.places + take["embeddings.token_type_embeddings.weight"][0]
        self.norm = _pair(take, "embeddings.LayerNorm")
        kind = product_kind(device, half)
        self.layers = [layer_of(take, f"encoder.layer.{index}", kind) for index in range(config.layers)]

    def encode(self, texts: list[str]) -> Tensor:
        """[B, H] float32 unit rows on the CPU, B >= 1."""
        return self.encode_words(texts, [()] * len(texts))[0]

    def encode_words(self, texts: list[str], spans: Sequence[Sequence[Span]]) -> tuple[Tensor, Tensor]:
        """Vectors of texts, and of words in them: the mean of the word's tokens, of any length.

        Args:
            spans: of each text, where its words stand, in order.

        Returns:
            [B, H] unit rows and [W, H] rows of all words, one text after the other; zero for a word behind
            the last token that is read. Float32, on the CPU.
        """
        # One by one: a batch would start the tokenizer's threads, which do not survive a fork.
        read = [self.tokenizer.encode(text) for text in texts]
        rows_of: dict[int, list[int]] = {}
        for row, tokens in enumerate(read):
            rows_of.setdefault(len(tokens.ids), []).append(row)
        out = torch.empty(len(texts), self.width)
        words = torch.zeros(sum(map(len, spans)), self.width)
        first = [0, *accumulate(map(len, spans))]
        for rows in rows_of.values():
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                states = self._states(torch.tensor([read[row].ids for row in part], device=self.device))
                out[part] = normalized(states.mean(dim=1)).cpu()
                for row, state in zip(part, states, strict=True):
                    if spans[row]:
                        own = pooled(state.cpu(), read[row].offsets, spans[row])
                        words[first[row] : first[row + 1]] = own
        return out, words

    @torch.inference_mode()
    def _states(self, ids: Tensor) -> Tensor:
        """[B, T] token ids to [B, T, H], what each token means where it stands."""
        count, length = ids.shape

        def attended(qkv: Tensor) -> Tensor:
            q, k, v = qkv.view(count, length, *qkv.shape[1:]).permute(2, 0, 3, 1, 4)
            return F.scaled_dot_product_attention(q, k, v).transpose(1, 2)

        h = self._layers((self.words[ids] + self.places[:length]).view(-1, self.width), attended)
        return h.view(count, length, self.width)

    def _layers(self, h: Tensor, attended: Callable[[Tensor], Tensor]) -> Tensor:
        """[N, H] embeddings of all tokens to their states.

        Args:
            attended: mixes the values [N, 3, heads, H / heads] of each text's tokens.
        """
        return through(self.layers, normed(h, self.norm, self.eps), self.heads, self.eps, attended)


def through(
    layers: Sequence[Layer], h: Tensor, heads: int, eps: float, attended: Callable[[Tensor], Tensor]
) -> Tensor:
    """[N, H] states of tokens through layers; `attended` as in `Bert`."""
    size = h.shape[1]
    for layer in layers:
        qkv = layer.qkv(h, False).view(-1, 3, heads, size // heads)
        h = normed(layer.mix(attended(qkv).reshape(-1, size), False) + h, layer.norm_1, eps)
        h = normed(layer.down(layer.up(h, True), False) + h, layer.norm_2, eps)
    return h


def normed(rows: Tensor, norm: Norm, eps: float) -> Tensor:
    """[N, H] rows, layer-normalized."""
    return F.layer_norm(rows, (rows.shape[1],), *norm, eps)


def normalized(rows: Tensor) -> Tensor:
    """[B, H] rows of length 1."""
    return F.normalize(rows, dim=1)


def pooled(states: Tensor, offsets: Sequence[Span], spans: Sequence[Span]) -> Tensor:
    """[W, H] means of the tokens [T, H] that make up words; zero for a word without any."""
    inside = [
        [place for place, (begin, stop) in enumerate(offsets) if begin < end and start < stop]
        for start, end in spans
    ]
    share = torch.zeros(len(spans), len(states))
    for row, places in enumerate(inside):
        share[row, places] = 1 / max(1, len(places))
    return share @ states


def _pair(weights: dict[str, Tensor], prefix: str) -> Norm:
    return weights[f"{prefix}.weight"], weights[f"{prefix}.bias"]


def layer_of(weights: dict[str, Tensor], prefix: str, linear: Callable[[Tensor, Tensor], Product]) -> Layer:
    """A layer of weights by Hugging Face's names."""
    qkv = [_pair(weights, f"{prefix}.attention.self.{name}") for name in ("query", "key", "value")]
    return Layer(
        linear(torch.cat([weight for weight, _ in qkv]), torch.cat([bias for _, bias in qkv])),
        linear(*_pair(weights, f"{prefix}.attention.output.dense")),
        _pair(weights, f"{prefix}.attention.output.LayerNorm"),
        linear(*_pair(weights, f"{prefix}.intermediate.dense")),
        linear(*_pair(weights, f"{prefix}.output.dense")),
        _pair(weights, f"{prefix}.output.LayerNorm"),
    )
