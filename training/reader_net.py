"""The reader's network as it is trained: a BERT that reads a question beside each of a few passages.

The lower layers read each passage by itself with the question; the upper ones see all passages at once, so
that what one says ("my sister Runa") helps with another ("she took the post"), and what is newer is known
(fusion of passages in the encoder: Izacard and Grave, arXiv 2007.01282; there in the decoder). A last
sequence, the question alone, stands for "none of them".

Axes: Q questions, S sequences, N tokens of all sequences, T of the longest, H hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neuromem.encoders.int8file import read_checkpoint, write_checkpoint
from neuromem.encoders.transformer import identity_of_lowest
from neuromem.reading import FROZEN, HEADS, JOINT, ORDERS, RANKS, Packed

EPS = 1e-12
SPAN = 0.5  # weight of the loss of where the answer stands


@dataclass(frozen=True)
class Wanted:
    """What a batch should come to."""

    right: Tensor  # [Q, most sequences] bool: sequences that answer, or the one for "none"
    starts: Tensor  # [N] bool: tokens at which the answer may begin …
    ends: Tensor  # [N] bool: … and end; all False in a sequence of which it is not known


Mix = Callable[[Tensor, Tensor, Tensor], Tensor]


class Layer(nn.Module):
    """One layer of a BERT."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.mix, self.norm_1 = nn.Linear(width, width), nn.LayerNorm(width, eps=EPS)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm_2 = nn.LayerNorm(width, eps=EPS)

    def forward(self, h: Tensor, mix: Mix, drop: float) -> Tensor:
        """[N, H] → [N, H].

        Args:
            mix: attention of queries, keys and values [N, heads, D] each.
        """
        count, width = h.shape
        parts = [
            linear(h).view(count, HEADS, width // HEADS) for linear in (self.query, self.key, self.value)
        ]
        h = self.norm_1(h + self.mix(mix(*parts).reshape(count, width)))
        wide = F.gelu(self.up(h))
        out: Tensor = self.norm_2(h + F.dropout(self.down(wide), drop, self.training))
        return out


def apart(chunks: Sequence[Tensor]) -> Mix:
    """Attention inside each sequence.

    Args:
        chunks: [G, T] tokens of sequences of about the same length; N where there is none.
    """

    def mix(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        count = len(q)
        filled = [torch.cat([part, part.new_zeros(1, *part.shape[1:])]) for part in (q, k, v)]
        mixed, places = [], []
        for rows in chunks:
            q, k, v = (part[rows].transpose(1, 2) for part in filled)
            bias = torch.where(rows == count, -1e4, 0.0).to(q.dtype)[:, None, None, :]
            mixed.append(_attended(q, k, v, bias).transpose(1, 2).flatten(0, 1))
            places.append(rows.flatten())
        out = torch.empty_like(filled[0]).index_copy(0, torch.cat(places), torch.cat(mixed))
        return out[:count]

    return mix


def together(bounds: Sequence[tuple[int, int]], same: Sequence[Tensor], own: Tensor) -> Mix:
    """Attention among all tokens of a question.

    Args:
        bounds: first and last + 1 token of each question. same: [J, J] of each, 1 where two tokens are of
            one sequence; `own` is how much more those count.
    """

    def mix(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        out = []
        for (first, last), alike in zip(bounds, same, strict=True):
            here = [part[first:last].transpose(0, 1) for part in (q, k, v)]
            bias = (own * alike).to(q.dtype)
            out.append(_attended(here[0], here[1], here[2], bias).transpose(0, 1))
        return torch.cat(out)

    return mix


def _attended(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """By hand: the fused attention's way back takes three times as long on a CPU."""
    scores: Tensor = (q / q.shape[-1] ** 0.5) @ k.transpose(-1, -2) + bias
    return torch.matmul(scores.softmax(dim=-1).to(v.dtype), v)


class ReaderNet(nn.Module):
    """Scores of passages, and where in them the answer stands."""

    def __init__(self, encoder: Path, layers: int = 6, drop: float = 0.1) -> None:
        """
        Args:
            encoder: the shipped transformer's checkpoint: the tables of words and places are its own,
                frozen; the layers begin as its layers.
        """
        super().__init__()
        weights, _ = read_checkpoint(encoder, "transformer")
        words = weights["embeddings.word_embeddings.weight"]
        width, self.drop = words.shape[1], drop
        self.words: Tensor
        self.places: Tensor
        self.register_buffer("words", words, persistent=False)
        self.register_buffer(
            "places",
            weights["embeddings.position_embeddings.weight"]
            + weights["embeddings.token_type_embeddings.weight"][0],
            persistent=False,
        )
        self.ranks = nn.Parameter(torch.linspace(1.5, -1.5, RANKS + 1)[:, None])
        with torch.no_grad():
            self.ranks[RANKS - 1 :] = 0
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.norm.load_state_dict(
            {name: weights[f"embeddings.LayerNorm.{name}"] for name in ("weight", "bias")}
        )
        self.parts = nn.Parameter(torch.zeros(3, width))  # of a sequence: question, talk before, passage
        self.marks = nn.Parameter(torch.zeros(2, width))  # 1: the question has that word too
        self.orders = nn.Parameter(torch.zeros(ORDERS, width))  # 0: the newest passage
        self.own = nn.Parameter(torch.full((layers - JOINT,), 2.0))  # how much more one's own passage counts
        self.layers = nn.ModuleList(Layer(width) for _ in range(layers))
        for index, layer in enumerate(self.layers):
            layer.load_state_dict(_layer_of(weights, index))
        for frozen in (self.norm, *self.layers[:FROZEN]):
            frozen.requires_grad_(False)
        self.score = nn.Linear(width, 1)
        self.span = nn.Linear(width, 2)
        for head in (self.score, self.span):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, batch: Packed) -> tuple[Tensor, Tensor]:
        """Scores [S] of the sequences and [N, 2] of tokens as the answer's first and last."""
        inside = apart(batch.chunks)
        h = self.norm(self.words[batch.ids] + self.places[batch.places])
        for index, layer in enumerate(self.layers):
            if index == FROZEN:
                h = h + self.parts[batch.parts] + self.marks[batch.marks]
            if index == JOINT:
                h = h + self.orders[batch.orders]
            if index < JOINT:
                h = layer(h, inside, self.drop if index >= FROZEN else 0.0)
            else:
                h = layer(h, together(batch.bounds, batch.same, self.own[index - JOINT]), self.drop)
        return (self.score(h[batch.firsts]) + self.ranks[batch.ranks]).squeeze(1), self.span(h)

    @torch.no_grad()
    def chances(self, batch: Packed) -> Tensor:
        """[Q, most sequences] of the sequences of each question, the last real one's that of "none"."""
        with torch.autocast("cpu", torch.bfloat16):
            scores, _ = self(batch)
        return _table(scores, batch).float().softmax(dim=1)

    def loss(self, batch: Packed, wanted: Wanted) -> tuple[Tensor, Tensor]:
        """Loss, and [Q] whether what was chosen is right."""
        scores, spans = self(batch)
        table = _table(scores, batch)
        chance = table.float().log_softmax(dim=1)
        right = chance.masked_fill(~wanted.right, -1e4).logsumexp(dim=1)
        loss = -right.mean()
        for column, allowed in ((0, wanted.starts), (1, wanted.ends)):
            if allowed.any():
                loss = loss + SPAN * _span_loss(spans[:, column].float(), allowed, batch)
        best = table.argmax(dim=1)
        return loss, wanted.right.gather(1, best[:, None]).squeeze(1)


def _table(scores: Tensor, batch: Packed) -> Tensor:
    """Scores [S] as [Q, most sequences]; next to nothing where there is no sequence."""
    return scores.new_full(batch.real.shape, -1e4).masked_scatter(batch.real, scores)


def _span_loss(logits: Tensor, allowed: Tensor, batch: Packed) -> Tensor:
    """-log of the chance of the allowed tokens, among the passage's own, in sequences that have some."""
    logits = torch.cat([logits, logits.new_full((1,), -1e4)])
    inside = torch.cat([batch.parts == 2, torch.zeros(1, dtype=torch.bool)])
    allowed = torch.cat([allowed, torch.zeros(1, dtype=torch.bool)])
    total, number = logits.new_zeros(()), 0
    for rows in batch.chunks:
        rows = rows[allowed[rows].any(dim=1)]
        if len(rows):
            chance = logits[rows].masked_fill(~inside[rows], -1e4).log_softmax(dim=1)
            total = total - chance.masked_fill(~allowed[rows], -1e4).logsumexp(dim=1).sum()
            number += len(rows)
    return total / max(1, number)


_NAMES = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "mix": "attention.output.dense", "norm_1": "attention.output.LayerNorm", "up": "intermediate.dense",
    "down": "output.dense", "norm_2": "output.LayerNorm",
}  # fmt: skip


def _layer_of(weights: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    """A layer's weights by their names here."""
    return {
        f"{ours}.{kind}": weights[f"encoder.layer.{index}.{theirs}.{kind}"]
        for ours, theirs in _NAMES.items()
        for kind in ("weight", "bias")
    }


def load_reader(net: ReaderNet, path: Path) -> None:
    """Takes the weights of a checkpoint over, as far as a network has the layers for them."""
    weights, _ = read_checkpoint(path, "reader")
    own = {name: value for name, value in weights.items() if name in dict(net.named_parameters())}
    net.load_state_dict(own | {"own": own["own"][: len(net.own)]}, strict=False)
    for index in range(FROZEN, len(net.layers)):
        net.layers[index].load_state_dict(_layer_of(weights, index))


def load_start(net: ReaderNet, path: Path, part: str, strict: bool = True) -> None:
    """Takes over the weights that a run begins with: a checkpoint's, or those of the state of another run.

    Args:
        part: of a state, which of its networks. strict: whether that has to hold all weights, and no other.
    """
    if path.suffix == ".safetensors":
        load_reader(net, path)
    else:
        net.load_state_dict(torch.load(path, weights_only=True)[part], strict=strict)


def save_reader(net: ReaderNet, encoder: Path, path: Path, least: float, notes: dict[str, str]) -> None:
    """Writes the checkpoint: what the encoder's own does not hold.

    Args:
        encoder: the transformer's checkpoint.
        least: the chance from which on a passage answers.
    """
    out = {}
    for name, value in net.state_dict().items():
        head, _, rest = name.partition(".")
        if head == "norm" or (head == "layers" and int(rest.split(".")[0]) < FROZEN):
            continue  # the encoder's own
        if head == "layers":
            index, ours, kind = rest.split(".")
            name = f"encoder.layer.{index}.{_NAMES[ours]}.{kind}"
        out[name] = value
    out["least"] = torch.tensor([least])
    config = {"kind": "reader", "layers": len(net.layers), "encoder": identity_of_lowest(encoder, FROZEN)}
    write_checkpoint(out, path, config, notes)
