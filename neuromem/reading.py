"""Reading: which of a few passages answers a question, and where in it the answer stands.

A small network reads the question beside each passage, then all of them at once; `training/train_reader.py`
made it, `checkpoints/reader.md` says of what. Its lowest layers and its words are the transformer encoder's.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .encoders.bert import Bert, layer_of, normed, through
from .encoders.int8file import identity_of, read_checkpoint
from .encoders.transformer import TransformerEncoder, identity_of_lowest, lowest_layers
from .errors import InvalidInput
from .linear import product_kind
from .shipped import checkpoint_path

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Packed", "Passage", "PassageReading", "Reader", "pack", "stands_on"]

HEADS = 12
FROZEN = 2  # layers that are the encoder's own
JOINT = 4  # layers that read a passage by itself; those above see all passages
RANKS = 17  # places in the order of the candidates that are told apart; the last: not known
ORDERS = 16  # places in time that are told apart
QUESTION, BEFORE, TEXT = 32, 20, 48  # most tokens of each part …
STATEMENT = 48  # … and of a statement in the place of the question
LONGEST = 16  # tokens of an answer
CHECKPOINT = "reader.safetensors"
PLAIN = """
a an the of to in on at for from by with and or but so is are was were be been am do does did has have had
i me my mine we us our you your he him his she her it its they them their this that these those there what
which who whom whose when where why how much many will would can could should shall may might must not no
s t m re ve ll d as if than then
"""
CHUNKS = 4  # groups of sequences of about the same length


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that may answer, as they were said."""

    text: str
    before: str = ""  # what was said just before
    time: float = 0.0  # Unix seconds
    rank: int = RANKS - 1  # among the candidates, 0 the likeliest; RANKS - 1: not known


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What the reader says of a passage."""

    chance: float  # 0 to 1 that it answers; the rest of all is that none does
    start: int = 0  # characters of its text where the answer begins …
    end: int = 0  # … and ends


class Reader:
    """Reads passages for a question; loaded when first used, safe across threads.

    >>> reader = Reader()
    >>> [reading] = reader.read("What is my dog called?", [Passage("My dog's name is Potola.")])
    >>> reading.chance > 0.5
    True
    """

    def __init__(self, path: str | Path | None = None, most: int = QUESTION) -> None:
        """
        Args:
            path: a checkpoint; None takes the assistant's. It belongs to the shipped transformer.
            most: tokens of a question that are read, the last ones.
        """
        self.path, self._most = Path(path) if path else checkpoint_path(CHECKPOINT), most
        self._lock = threading.Lock()
        self._network: _Network | None = None

    @property
    def is_there(self) -> bool:
        """Whether the checkpoint exists."""
        return self.path.is_file()

    def load(self) -> _Network:
        """Loads the weights, if that has not been done; `read` does it by itself.

        Raises:
            NotFound: there is no such checkpoint. InvalidInput: it belongs to another transformer.
        """
        with self._lock:
            if self._network is None:
                weights, config = read_checkpoint(self.path, "reader")
                below = TransformerEncoder().path  # its words and lowest layers
                lowest = _lowest(below)
                if config["encoder"] != identity_of_lowest(below, FROZEN):
                    problem = f"{self.path.name} was trained on another encoder than {below.name}"
                    raise InvalidInput("reader", problem, "train it again: python -m training.train_reader")
                self._network = _Network(weights, lowest, int(config["layers"]))
            return self._network

    @property
    def least(self) -> float:
        """Chance from which on a passage is an answer, chosen on dialogues held out."""
        return self.load().least

    def read(self, question: str, passages: Sequence[Passage]) -> list[PassageReading]:
        """What is read in each passage; the chances and that of "none of them" add up to 1.

        Args:
            question: with what it leans on in front. passages: at most about 16, in any order.
        """
        if not passages:
            return []
        batch, chances, spans = self._read(question, passages)
        out = []
        first = 0
        for place, passage in enumerate(passages):
            tokens = range(first, first + batch.sizes[0][place])
            first = tokens.stop
            inside = [t for t in tokens if batch.parts[t] == 2 and batch.offsets[t][1] > batch.offsets[t][0]]
            start, end = _span(inside, spans, batch.offsets) if inside else (0, len(passage.text))
            out.append(PassageReading(chances[place], start, end))
        return out

    def chances(self, question: str, passages: Sequence[Passage]) -> list[float]:
        """As `read`, the chances alone."""
        return self._read(question, passages)[1][:-1] if passages else []

    def _read(self, question: str, passages: Sequence[Passage]) -> tuple[Packed, list[float], Tensor]:
        network = self.load()
        batch = pack(network.tokenizer, [(question, passages)], self._most)
        scores, spans = network(batch)
        return batch, scores.softmax(dim=0).tolist(), spans


def stands_on(encoder: str, checkpoint: Path) -> bool:
    """Whether a memory's encoder is the one on whose words and lowest layers a checkpoint stands.

    A memory with another encoder would load both for it, so it goes without.

    Args:
        encoder: its name.
    """
    below = TransformerEncoder().path
    there = checkpoint.is_file() and below.is_file()
    own = encoder.startswith(f"{TransformerEncoder.kind}:") and there
    return own and encoder.endswith(f"@{identity_of(below)}")


@lru_cache(1)
def _lowest(path: Path) -> Bert:
    """What all readers stand on; in RAM once."""
    return lowest_layers(path, FROZEN)


def _span(tokens: Sequence[int], spans: Tensor, offsets: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Characters from the likeliest first token of the answer to its last."""
    begins, ends = spans[tokens, 0].tolist(), spans[tokens, 1].tolist()
    pairs = (
        (begins[first] + ends[last], first, last)
        for first in range(len(tokens))
        for last in range(first, min(len(tokens), first + LONGEST))
    )
    _, first, last = max(pairs)
    return offsets[tokens[first]][0], offsets[tokens[last]][1]


class _Network:
    """The network, ready to read."""

    def __init__(self, weights: dict[str, Tensor], bert: Bert, layers: int) -> None:
        self.bert, self.tokenizer = bert, bert.tokenizer
        kind = product_kind(bert.device, half=True)
        self.layers = [layer_of(weights, f"encoder.layer.{index}", kind) for index in range(FROZEN, layers)]
        self.weights = {name: value for name, value in weights.items() if not name.startswith("encoder")}
        self.least = float(self.weights["least"])

    @torch.inference_mode()
    def __call__(self, batch: Packed) -> tuple[Tensor, Tensor]:
        """Scores [S] of one question's sequences, and [N, 2] of tokens as the answer's first and last."""
        bert, weights = self.bert, self.weights

        def apart(qkv: Tensor) -> Tensor:
            return _apart(qkv, batch.chunks)

        h = normed(bert.words[batch.ids] + bert.places[batch.places], bert.norm, bert.eps)
        h = through(bert.layers, h, bert.heads, bert.eps, apart)
        h = h + weights["parts"][batch.parts] + weights["marks"][batch.marks]
        h = through(self.layers[: JOINT - FROZEN], h, bert.heads, bert.eps, apart)
        h = h + weights["orders"][batch.orders]
        for layer, own in zip(self.layers[JOINT - FROZEN :], weights["own"], strict=True):
            bias = own * batch.same[0]

            def together(qkv: Tensor, bias: Tensor = bias) -> Tensor:
                mixed = _mixed(qkv.permute(1, 2, 0, 3)[:, None], bias[None, None])
                return mixed[0].transpose(0, 1).flatten(1)

            h = through([layer], h, bert.heads, bert.eps, together)
        scores = F.linear(h[batch.firsts], weights["score.weight"], weights["score.bias"])
        scores = scores + weights["ranks"][batch.ranks]
        return scores.squeeze(1), F.linear(h, weights["span.weight"], weights["span.bias"])


def _apart(qkv: Tensor, chunks: Sequence[Tensor]) -> Tensor:
    """[N, 3, heads, D] → [N, heads · D], each token among those of its sequence."""
    count, _, heads, size = qkv.shape
    filled = torch.cat([qkv, qkv.new_zeros(1, 3, heads, size)])
    out = qkv.new_empty(count + 1, heads * size)
    for rows in chunks:
        bias = torch.where(rows == count, -1e4, 0.0)[:, None, None, :]
        mixed = _mixed(filled[rows].permute(2, 0, 3, 1, 4), bias)
        out[rows.flatten()] = mixed.transpose(1, 2).reshape(-1, heads * size)
    return out[:count]


def _mixed(qkv: Tensor, bias: Tensor) -> Tensor:
    """[G, heads, T, D]: attention of [3, G, heads, T, D], with a bias that spreads over it."""
    q, k, v = qkv
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(qkv.dtype))


@dataclass(frozen=True)
class Packed:
    """Sequences of tokens in a row: of each question its passages, and last the question alone."""

    ids: Tensor  # [N]
    places: Tensor  # [N] in its sequence
    parts: Tensor  # [N] 0 question, 1 talk before, 2 passage
    orders: Tensor  # [N] of the passage in time, 0 the newest
    marks: Tensor  # [N] 1: a word piece of the passage, or of the talk before, that the question has too
    offsets: list[tuple[int, int]]  # of each token in its part's text
    firsts: Tensor  # [S] where each sequence begins
    ranks: Tensor  # [S] of the passage among the candidates; RANKS for the question alone
    chunks: list[Tensor]  # [G, T] tokens of sequences of about the same length; N where there is none
    bounds: list[tuple[int, int]]  # of each question its first token, and the one after its last
    same: list[Tensor]  # [J, J] of each question: 1 where two tokens are of the same sequence
    sizes: list[list[int]]  # tokens of each sequence of each question

    @property
    def real(self) -> Tensor:
        """[Q, most sequences]: where there is one."""
        counts = torch.tensor([len(sizes) for sizes in self.sizes])
        return torch.arange(int(counts.max()))[None, :] < counts[:, None]


def pack(
    tokenizer: Tokenizer, asked: Sequence[tuple[str, Sequence[Passage]]], most: int = QUESTION
) -> Packed:
    """Questions, each with its passages, as tokens.

    Args:
        most: tokens of a question; of a longer one its end is read.
    """
    tokens: list[_Token] = []
    sizes: list[list[int]] = []
    ranks: list[int] = []
    unmarked = _unmarked(tokenizer)
    for question, passages in asked:
        newest = sorted(range(len(passages)), key=lambda place: -passages[place].time)
        orders = {place: min(order, ORDERS - 1) for order, place in enumerate(newest)}
        ranks += [*(min(passage.rank, RANKS - 1) for passage in passages), RANKS]
        head = _cut(tokenizer, question, most, last=True)
        alone = [_Token(id_, 0, ORDERS - 1, 0, span) for id_, span in head]
        asks = {id_ for id_, _ in head if id_ not in unmarked}
        sizes.append([])
        for place, passage in enumerate(passages):
            before = _cut(tokenizer, passage.before, BEFORE, last=True)[1:]
            text = _cut(tokenizer, passage.text, TEXT, last=False)[1:]
            pieces = ((head, 0), (before, 1), (text, 2))
            own = [
                _Token(id_, part, orders[place], int(part > 0 and id_ in asks), span)
                for piece, part in pieces
                for id_, span in piece
            ]
            tokens += own
            sizes[-1].append(len(own))
        tokens += alone
        sizes[-1].append(len(alone))
    return _packed(tokens, sizes, ranks)


@lru_cache(8)
def _unmarked(tokenizer: Tokenizer) -> frozenset[int]:
    """Word pieces that tell nothing when question and passage share them."""
    told = (
        tokenizer.token_to_id(piece) for piece in (*PLAIN.split(), *"?!.,:;'’-()", "[CLS]", "[SEP]", "[UNK]")
    )
    return frozenset(id_ for id_ in told if id_ is not None)


class _Token(NamedTuple):
    id: int
    part: int
    order: int
    mark: int
    span: tuple[int, int]  # characters


def _cut(tokenizer: Tokenizer, text: str, most: int, last: bool) -> list[tuple[int, tuple[int, int]]]:
    """[CLS], at most so many tokens of a text from its beginning or its end, [SEP]; with their characters."""
    read = tokenizer.encode(text)
    first, *inner, end = zip(read.ids, read.offsets, strict=True)
    return [first, *(inner[-most:] if last else inner[:most]), end]


def _packed(tokens: Sequence[_Token], sizes: list[list[int]], ranks: list[int]) -> Packed:
    flat = [size for group in sizes for size in group]
    firsts = [0, *accumulate(flat)]
    columns = [torch.tensor(column) for column in ([t.id for t in tokens], [t.part for t in tokens])]
    bounds, same, sequence = [], [], 0
    for group in sizes:
        owners = torch.repeat_interleave(torch.arange(len(group)), torch.tensor(group))
        same.append((owners[:, None] == owners[None, :]).float())
        bounds.append((firsts[sequence], firsts[sequence + len(group)]))
        sequence += len(group)
    return Packed(
        columns[0], torch.tensor([place for size in flat for place in range(size)]), columns[1],
        torch.tensor([token.order for token in tokens]), torch.tensor([token.mark for token in tokens]),
        [token.span for token in tokens],
        torch.tensor(firsts[:-1]), torch.tensor(ranks), _chunks(firsts, flat), bounds, same, sizes,
    )  # fmt: skip


def _chunks(firsts: Sequence[int], sizes: Sequence[int]) -> list[Tensor]:
    """Tokens of sequences, those of like length together, so that little is padded."""
    order = sorted(range(len(sizes)), key=lambda row: sizes[row])
    step = max(4, -(-len(order) // CHUNKS))
    out = []
    for at in range(0, len(order), step):
        rows = order[at : at + step]
        places = torch.arange(max(sizes[row] for row in rows))[None, :]
        begins = torch.tensor([firsts[row] for row in rows])[:, None]
        ends = torch.tensor([firsts[row] + sizes[row] for row in rows])[:, None]
        out.append(torch.where(begins + places < ends, begins + places, firsts[-1]))
    return out
