"""The responder's network: a small LLaMA, so that llama.cpp runs it as it runs any.

RMSNorm (Zhang and Sennrich, arXiv 1910.07467), SwiGLU (Shazeer, arXiv 2002.05202), rotary positions
(Su et al., arXiv 2104.09864), put together as in LLaMA (Touvron et al., arXiv 2302.13971); one matrix for
tokens in and out.

Axes: N tokens of all sequences, S sequences, W width, H heads, D width of a head, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["LOUD", "ResponderNet", "Shape", "hold_still", "pointing"]

EPS = 1e-5
BASE = 500_000.0  # of the rotary positions: most channels compare what tokens are, wherever they stand
STEADY, SHARP, NEAR = (
    4.0,
    2.0,
    4,
)  # of `copying`: the constant channel, its weight, channel pairs that turn fast
HANDED, MATCH, COPIED = 0.1, 16.0, 1.0  # …: how loudly tokens are handed on, compared and said
LATELY, RECENT = (3, 7), 1.2  # of `pointing`: channel pairs, their weight;
MEANT, POINTED = 6.0, 0.4  # … how loudly meanings are compared, and marks handed on
TELLS = 0.5  # weight of the loss of `points`
LOUD = 0.1  # size of a token's channels at the beginning


@dataclass(frozen=True)
class Shape:
    """How large it is."""

    vocabulary: int
    width: int = 256
    layers: int = 5
    heads: int = 8
    hidden: int = 640
    context: int = 4_096  # tokens it may be run with

    @property
    def parameters(self) -> int:
        """How many weights."""
        layer = 4 * self.width**2 + 3 * self.width * self.hidden + 2 * self.width
        return self.vocabulary * self.width + self.layers * layer + self.width


class Layer(nn.Module):
    """One layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, hidden = shape.width, shape.hidden
        self.heads = shape.heads
        self.before, self.between = nn.RMSNorm(width, EPS), nn.RMSNorm(width, EPS)
        self.query, self.key, self.value, self.mix = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, h: Tensor, turns: Tensor, sizes: Sequence[int]) -> Tensor:
        """[N, W] → [N, W].

        Args:
            turns: of `rotation`. sizes: tokens of each sequence, which sees itself alone.
        """
        normed = self.before(h)
        split = (len(h), self.heads, -1)
        query = rotated(self.query(normed).view(split), turns)
        key = rotated(self.key(normed).view(split), turns)
        parts = [
            part.transpose(0, 1).split(list(sizes), 1)
            for part in (query, key, self.value(normed).view(split))
        ]
        seen = [
            F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
            for q, k, v in zip(*parts, strict=True)
        ]
        h = h + self.mix(torch.cat(seen, 1).transpose(0, 1).reshape(h.shape))
        normed = self.between(h)
        out: Tensor = h + self.down(F.silu(self.gate(normed)) * self.up(normed))
        return out


class ResponderNet(nn.Module):
    """Tokens of a prompt → what comes next."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.last = nn.RMSNorm(shape.width, EPS)
        for name, weights in self.layers.named_parameters():
            if weights.dim() == 2:
                deep = (2 * shape.layers) ** -0.5 if name.endswith(("mix.weight", "down.weight")) else 1.0
                nn.init.normal_(weights, std=0.4 * deep * shape.width**-0.5)
        # tokens larger than what the layers add at first: copying needs to see which token it was
        nn.init.normal_(self.tokens.weight, std=LOUD)
        nn.init.constant_(self.last.weight, 1 / (LOUD * shape.width**0.5))
        if shape.layers > 1:
            copying(self)

    def forward(self, ids: Tensor, sizes: Sequence[int]) -> Tensor:
        """States [N, W] of tokens [N] of sequences that follow each other without padding."""
        return self.states(ids, sizes)[0]

    def states(self, ids: Tensor, sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
        """States [N, W] after the last layer and before it."""
        places = torch.cat([torch.arange(size, device=ids.device) for size in sizes])
        turns = rotation(places, self.shape.width // self.shape.heads)
        h = self.tokens(ids)
        before = h
        for layer in self.layers:
            before, h = h, layer(h, turns, sizes)
        return self.last(h), self.last(before)

    def loss(
        self, ids: Tensor, sizes: Sequence[int], weights: Tensor, points: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean cross entropy of what is to be said, and which of it would be said [those of a weight].

        Args:
            ids: [N]. weights: [N] of each token as something to say. points: [N] the mark that a token's
                state before the last layer should tell, as if to be said next; -1: none. (In training alone:
                finding a memory takes several layers, and from answers alone the first of them learn slowly.)
        """
        states, before = self.states(ids, sizes)
        said = weights.nonzero()[:, 0]  # never the first of a sequence
        scores = F.linear(states[said - 1], self.tokens.weight).float()
        costs = F.cross_entropy(scores, ids[said], reduction="none")
        mean = (costs * weights[said]).sum() / weights[said].sum()
        telling = (points >= 0).nonzero()[:, 0]
        if len(telling):
            told = F.linear(before[telling], self.tokens.weight).float()
            mean = mean + TELLS * F.cross_entropy(told, points[telling])
        return mean, scores.argmax(1) == ids[said]

    @torch.no_grad()
    def said(self, prompt: Sequence[int], end: int, most: int = 96) -> list[int]:
        """The likeliest tokens, one after the other, up to `end` or `most` of them."""
        ids = list(prompt)
        for _ in range(most):
            state = self(torch.tensor(ids), [len(ids)])[-1]
            ids.append(int((self.tokens.weight @ state).argmax()))
            if ids[-1] == end:
                break
        return ids[len(prompt) :]


def rotation(places: Tensor, size: int) -> Tensor:
    """Complex numbers [N, D / 2] by which pairs of a head's channels are turned at places [N]."""
    speeds = BASE ** -(torch.arange(0, size, 2, device=places.device).float() / size)
    angles = places[:, None] * speeds
    return torch.polar(torch.ones_like(angles), angles)


def rotated(heads: Tensor, turns: Tensor) -> Tensor:
    """Queries or keys [N, H, D] turned by their places.

    Channels 2i and 2i + 1 are a pair, as in LLaMA's own code and in llama.cpp for "llama". (Transformers
    pairs i with i + D / 2, so its converter reorders the rows of q and k: not needed here.)
    """
    pairs = torch.view_as_complex(heads.float().reshape(*heads.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turns[:, None]).flatten(-2).to(heads.dtype)


@torch.no_grad()
def copying(net: ResponderNet) -> None:
    """Weights with which half of the heads of two layers copy, before anything is learned.

    Heads of the first layer look at the token before (by a channel that is the same for all tokens, turned by
    one place) and hand it on; heads of the second look where what was handed on is the token at hand, and
    add the token that stands there to what is said next: an induction head (Elhage et al., "A mathematical
    framework for transformer circuits", 2021). That weights may begin as what they are likely to become:
    Trockman and Kolter, arXiv 2305.09828.
    """
    width, heads = net.shape.width, net.shape.heads
    size = width // heads
    first, second = cast(Layer, net.layers[0]), cast(Layer, net.layers[1])
    net.tokens.weight[:, 0] = STEADY * LOUD  # adds the same to every token's score: says nothing
    angles = BASE ** -(torch.arange(0, size, 2).float() / size)
    slow = slice(size // 2, size)  # channels that hardly turn
    wheres, keeps = (torch.linalg.qr(torch.randn(width, heads // 2 * size))[0] for _ in range(2))
    keeps[0] = 0.0
    for head in range(heads // 2):
        rows = slice(head * size, (head + 1) * size)
        query, key = torch.zeros(size, width), torch.zeros(size, width)
        for pair in range(NEAR):
            query[2 * pair, 0] = SHARP
            key[2 * pair, 0], key[2 * pair + 1, 0] = SHARP * angles[pair].cos(), SHARP * angles[pair].sin()
        first.query.weight[rows], first.key.weight[rows] = query, key
        handed = torch.randn(size, width) * width**-0.5
        handed[:, 0] = 0.0
        first.value.weight[rows] = handed
        where, kept = wheres[:, rows], keeps[:, rows]
        first.mix.weight[:, rows] = HANDED * where
        half = size // 2
        query, key = torch.zeros(size, width), torch.zeros(size, width)
        query[slow], key[slow] = MATCH * handed[:half], MATCH * where.T[:half]
        second.query.weight[rows], second.key.weight[rows] = query, key
        second.value.weight[rows], second.mix.weight[:, rows] = kept.T, COPIED * kept


@torch.no_grad()
def pointing(net: ResponderNet, marks: Tensor) -> None:
    """Weights with which a token knows behind which mark it stands, and finds words like itself.

    A head of the first layer looks at the last mark (by a channel that marks alone have); the other heads of
    the second layer look at tokens of a like meaning, and hand on behind which mark these stand.

    Args:
        marks: numbers of the marks in the vocabulary.
    """
    width, heads = net.shape.width, net.shape.heads
    size, head = width // heads, heads // 2
    first, second = cast(Layer, net.layers[0]), cast(Layer, net.layers[1])
    net.tokens.weight[:, 1] = 0.0
    net.tokens.weight[marks] = LOUD * torch.randn(len(marks), width)
    net.tokens.weight[marks, 0] = net.tokens.weight[marks, 1] = STEADY * LOUD
    rows = slice(head * size, (head + 1) * size)
    query, key = torch.zeros(size, width), torch.zeros(size, width)
    for pair in range(*LATELY):
        query[2 * pair, 0] = key[2 * pair, 1] = RECENT
    first.query.weight[rows], first.key.weight[rows] = query, key
    value = torch.randn(size, width) * width**-0.5
    value[:, :2] = 0.0
    where = torch.linalg.qr(torch.randn(width, size))[0]
    first.value.weight[rows], first.mix.weight[:, rows] = value, 3 * HANDED * where
    # what the first layer wrote is no part of what a token means
    written = torch.linalg.qr(torch.cat([first.mix.weight[:, : rows.stop], torch.eye(width, 2)], 1))[0]
    for other in range(head, heads):
        rows = slice(other * size, (other + 1) * size)
        alike = torch.zeros(size, width)
        random = torch.randn(size - size // 2, width) * width**-0.5
        alike[size // 2 :] = MEANT * (random - random @ written @ written.T)
        second.query.weight[rows], second.key.weight[rows] = alike, alike
        second.value.weight[rows], second.mix.weight[:, rows] = where.T, POINTED * value.T


def hold_still(net: ResponderNet) -> None:
    """Keeps what copies and points as it is: in training its gradient is 0.

    A step of Adam moves all weights alike, and so loses these before the others have learned to use them.
    """
    heads, width = net.shape.heads, net.shape.width
    half = width // heads * (heads // 2)
    most = half + width // heads
    first, second = cast(Layer, net.layers[0]), cast(Layer, net.layers[1])

    def still(rows: slice, columns: slice) -> Callable[[Tensor], Tensor]:
        def hook(gradient: Tensor) -> Tensor:
            gradient = gradient.clone()
            gradient[rows, columns] = 0.0
            return gradient

        return hook

    every = slice(None)
    kept = [(linear.weight, slice(most), every) for linear in (first.query, first.key, first.value)]
    kept += [(linear.weight, slice(half), every) for linear in (second.query, second.key)]
    kept += [(first.mix.weight, every, slice(most)), (net.tokens.weight, every, slice(2))]
    for weights, rows, columns in kept:
        weights.register_hook(still(rows, columns))  # type: ignore[no-untyped-call]
