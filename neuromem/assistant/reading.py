"""Reading: which of a few passages answers a question, and where in it the answer stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Packed", "Passage", "Verdict", "pack"]

HEADS = 12
JOINT = 4  # layers that read a passage by itself; those above see all passages
ORDERS = 16  # places in time that are told apart
QUESTION, BEFORE, TEXT = 32, 24, 48  # most tokens of each part
_NONE = -1e4


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that may answer, as they were said."""

    text: str
    before: str = ""  # what was said just before
    time: float = 0.0  # Unix seconds


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the reader says of a passage."""

    chance: float  # 0 to 1 that it answers; the rest of all is that none does
    start: int = 0  # characters of its text where the answer begins …
    end: int = 0  # … and ends


@dataclass(frozen=True)
class Packed:
    """Sequences of tokens, one after the other: of each question its passages, and last the question alone."""

    ids: Tensor  # [N]
    places: Tensor  # [N] in its sequence
    parts: Tensor  # [N] 0 question, 1 talk before, 2 passage
    orders: Tensor  # [N] of the passage in time, 0 the newest
    offsets: list[tuple[int, int]]  # of each token in its part's text
    firsts: Tensor  # [S] where each sequence begins
    rows: Tensor  # [S, T] tokens of each sequence; N where there is none
    mask: Tensor  # [S, 1, T] 0 or very low
    joint_rows: Tensor  # [Q, J] tokens of each question
    joint_mask: Tensor  # [Q, 1, J]
    same: Tensor  # [Q, J, J] 1 where two tokens are of the same sequence
    real: Tensor  # [Q, most sequences] where there is one


def pack(tokenizer: Tokenizer, asked: Sequence[tuple[str, Sequence[Passage]]]) -> Packed:
    """Questions, each with its passages, as tokens."""
    ids: list[int] = []
    places: list[int] = []
    parts: list[int] = []
    orders: list[int] = []
    offsets: list[tuple[int, int]] = []
    owner: list[int] = []  # sequence of each token
    groups: list[list[int]] = []  # sequences of each question
    sequence = 0
    for question, passages in asked:
        newest = sorted(range(len(passages)), key=lambda place: -passages[place].time)
        order_of = {place: order for order, place in enumerate(newest)}
        groups.append([])
        head = _cut(tokenizer, question, QUESTION, last=True)
        for place in range(len(passages) + 1):
            length = 0
            pieces = [(head, 0)]
            if place < len(passages):
                passage = passages[place]
                pieces += [
                    (_cut(tokenizer, passage.before, BEFORE, last=True), 1),
                    (_cut(tokenizer, passage.text, TEXT, last=False), 2),
                ]
            for (tokens, spans), part in pieces:
                ids += tokens
                offsets += spans
                parts += [part] * len(tokens)
                length += len(tokens)
            places += range(length)
            order = min(order_of.get(place, ORDERS - 1), ORDERS - 1)
            orders += [order] * length
            owner += [sequence] * length
            groups[-1].append(sequence)
            sequence += 1
    return _packed(ids, places, parts, orders, offsets, owner, groups)


def _cut(tokenizer: Tokenizer, text: str, most: int, last: bool) -> tuple[list[int], list[tuple[int, int]]]:
    """At most so many tokens of a text, from its beginning or its end, with a separator behind them.

    The question begins with [CLS]: it is what the tokenizer puts in front.
    """
    read = tokenizer.encode(text)
    ids, spans = read.ids, list(read.offsets)
    cls, sep = ids[0], ids[-1]
    ids, spans = ids[1:-1], spans[1:-1]
    if last:
        ids, spans = ids[-most:], spans[-most:]
    else:
        ids, spans = ids[:most], spans[:most]
    if most == QUESTION:
        return [cls, *ids, sep], [(0, 0), *spans, (0, 0)]
    return [*ids, sep], [*spans, (0, 0)]


def _packed(
    ids: list[int],
    places: list[int],
    parts: list[int],
    orders: list[int],
    offsets: list[tuple[int, int]],
    owner: list[int],
    groups: list[list[int]],
) -> Packed:
    count = len(ids)
    owners = torch.tensor(owner)
    sizes = torch.bincount(owners)
    firsts = torch.cumsum(sizes, 0) - sizes
    rows = _rows(firsts.tolist(), sizes.tolist(), count)
    begins = [int(firsts[group[0]]) for group in groups]
    lengths = [int(sizes[group].sum()) for group in groups]
    joint = _rows(begins, lengths, count)
    owned = torch.cat([owners, torch.tensor([-1])])[joint]
    most = max(len(group) for group in groups)
    return Packed(
        torch.tensor(ids), torch.tensor(places), torch.tensor(parts), torch.tensor(orders), offsets, firsts,
        rows, _masked(rows, count), joint, _masked(joint, count),
        (owned[:, :, None] == owned[:, None, :]).float(),
        torch.tensor([[place < len(group) for place in range(most)] for group in groups]),
    )  # fmt: skip


def _rows(begins: list[int], lengths: list[int], count: int) -> Tensor:
    places = torch.arange(max(lengths))[None, :]
    rows = torch.tensor(begins)[:, None] + places
    return torch.where(places < torch.tensor(lengths)[:, None], rows, count)


def _masked(rows: Tensor, count: int) -> Tensor:
    return torch.where(rows == count, _NONE, 0.0)[:, None, :]
