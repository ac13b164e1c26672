"""Keys: the address under which a slot is found, and the write loop that sets it apart.

A key is a sentence embedding and a hashed lexical sketch side by side, so that one cosine is a hybrid
of meaning and words. That is the *target*. Where other slots are close to it, a few projected
gradient steps sculpt the key: the cues by which the fact will be asked for should prefer it to its
neighbours by a margin, and it should not shadow them, while it stays in a cone around its target.
Only the keys being written move.

Axes: B keys being written, K key width, C cues of a key, J neighbours of a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from .bank import SlotBank
from .config import BankConfig, RecallConfig, WriteConfig
from .encoders import CachedEncoder, Encoder, LexicalSketch, ear_of, join_keys
from .senses import SENSE_BYTES, Senses, packed, senses_of
from .strangers import STRANGERS, Strangeness, strangeness
from .text import idf, is_heard, normalize, sentences, stems

__all__ = ["Keys", "answering_for_all", "neighbours_of", "sculpt_keys"]

CONFUSABLE = 0.8  # cosine with a neighbour from which a key is sculpted: below, talk of one thing is context
MOST_TOLD = 10.0  # nats of one word at most: an unheard-of name is no sermon
ANSWERS = 0.9  # cosine with a text in several slots of the part that answers for all of it
STEP, BACK = 0.3, 0.05  # of one step: away from neighbours and towards cues; back to the target


class _Sentences:
    """Texts cut into their sentences, as they are encoded."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.folded = [normalize(text, casefold=False) for text in texts]
        pieces = [sentences(text) or [text] for text in self.folded]
        self.every = [piece for said in pieces for piece in said]
        self.owner = [row for row, said in enumerate(pieces) for _ in said]  # whose each is


_strangers: dict[str, Strangeness] = {}  # by key space


class Keys:
    """Makes keys and query vectors: the encoder and the sketch, joined."""

    def __init__(self, encoder: Encoder, bank: BankConfig, recall: RecallConfig) -> None:
        self.encoder = CachedEncoder(encoder)
        self.sketch = LexicalSketch(bank.lexical_buckets)
        self.lexical_weight = recall.lexical_weight if bank.lexical_buckets else 0.0

    @cached_property
    def ear(self) -> CachedEncoder:
        """Encodes questions that a recognizer wrote: the encoder itself where it has nothing for them."""
        own = ear_of(self.encoder.encoder)
        return self.encoder if own is None else CachedEncoder(own)

    @cached_property
    def senses(self) -> Senses | None:
        """How words are compared; None if the encoder does not tell them apart."""
        return senses_of(self.encoder.encoder)

    @property
    def identity(self) -> str:
        """Name of the key space: banks of another one are refused."""
        name = f"{self.encoder.name}+lex{self.sketch.buckets}@{self.lexical_weight:g}+sentences"
        return name if self.senses is None else f"{name}+senses@{self.senses.identity}"

    @property
    def strangers(self) -> Strangeness:
        """How alike texts are that have nothing in common; measured once for each key space."""
        if self.identity not in _strangers:
            _strangers[self.identity] = strangeness(self.targets(STRANGERS))
        return _strangers[self.identity]

    @property
    def width(self) -> int:
        """K."""
        return self.encoder.width + self.sketch.buckets

    def targets(self, texts: Sequence[str]) -> Tensor:
        """[B, K] unit keys of texts. The same list gives the same bits, whatever was asked before.

        The dense part of a text of several sentences is the sum of theirs, each weighed by how much it
        tells: what somebody did should not drown in "Hey! How are you?".
        """
        said = _Sentences(texts)
        return self._joined(said, self.encoder.encode(said.every))

    def addresses(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """`targets` of texts, and the senses of their words [B, SENSES · SENSE_BYTES], in one pass."""
        if self.senses is None:
            return self.targets(texts), packed([torch.zeros(0, SENSE_BYTES)] * len(texts))
        said = _Sentences(texts)
        vectors, words, states = zip(*self.encoder.words(said.every), strict=True)
        codes = torch.split(self.senses.codes(torch.cat(states)), [len(found) for found in words])
        told: list[dict[str, Tensor]] = [{} for _ in texts]
        for row, found, own in zip(said.owner, words, codes, strict=True):
            for stem, code in zip(found, own, strict=True):
                told[row].setdefault(stem, code)
        none = torch.zeros(0, SENSE_BYTES, dtype=torch.uint8)
        each = [torch.stack(list(found.values())) if found else none for found in told]
        return self._joined(said, torch.stack(vectors)), packed(each)

    def _joined(self, said: _Sentences, vectors: Tensor) -> Tensor:
        """[B, K] unit keys of texts, of the vectors of all their sentences."""
        weight = torch.tensor([_told_by(piece) for piece in said.every])[:, None]
        dense = torch.zeros(len(said.folded), self.encoder.width)
        dense.index_add_(0, torch.tensor(said.owner, dtype=torch.int64), vectors * weight)
        return join_keys(dense, self.sketch.sketch(said.folded), self.lexical_weight)

    def queries(self, texts: Sequence[str]) -> Tensor:
        """[B, K] unit vectors of texts as if each was asked for, whole; bits as of `targets`."""
        folded = [normalize(text, casefold=False) for text in texts]
        return join_keys(self.encoder.encode(folded), self.sketch.sketch(folded), self.lexical_weight)

    def query(self, text: str) -> Tensor:
        """[K] unit vector of a question, typed or heard; the embedding is cached."""
        return self.whole(text, self._encoder_for(text))

    def _encoder_for(self, question: str) -> CachedEncoder:
        return self.ear if is_heard(question) else self.encoder

    def whole(self, text: str, encoder: CachedEncoder) -> Tensor:
        """[K] unit vector of a text, not cut into sentences, by one of the two encoders; cached."""
        folded = normalize(text, casefold=False)
        dense = encoder.query(folded)[None]
        return join_keys(dense, self.sketch.sketch([folded]), self.lexical_weight)[0]

    def near(self, text: str) -> Tensor:
        """[K] as `targets` of one text, but for the last bits: its sentences are cached, as by `query`."""
        said = _Sentences([text])
        if len(said.every) == 1:
            return self.whole(text, self.encoder)
        self.encoder.prepare(said.every)
        return self._joined(said, torch.stack([self.encoder.query(piece) for piece in said.every]))[0]

    def prepare(self, texts: Sequence[str]) -> None:
        """Encodes questions that are about to be asked, together where the encoder gains by that."""
        typed: list[str] = []
        heard: list[str] = []
        for text in texts:
            (heard if is_heard(text) else typed).append(normalize(text, casefold=False))
        self.encoder.prepare(typed)
        if heard:  # what nobody asks of it is not loaded
            self.ear.prepare(heard)

    def forget(self) -> None:
        """Drops what was encoded lately: deleted words must not linger in RAM."""
        self.encoder.forget()
        if "ear" in self.__dict__:  # one that was never made knows nothing, and its file may be damaged
            self.ear.forget()

    def query_senses(self, text: str) -> dict[str, Tensor]:
        """What each content word of a question means there: stem → [SENSE_BITS] unit vector."""
        if self.senses is None:
            return {}
        found, states = self._encoder_for(text).query_words(normalize(text, casefold=False))
        return dict(zip(reversed(found), self.senses.of(states).flip(0), strict=True))  # the first counts


def _told_by(sentence: str) -> float:
    """How much a sentence tells: the information of its content words, in nats; a question tells half."""
    told = sum(min(idf(stem), MOST_TOLD) for stem in set(stems(sentence)))
    return 0.5 + told * (0.5 if sentence.endswith("?") else 1.0)


def neighbours_of(
    targets: Tensor, groups: Sequence[int], bank: SlotBank, own: Sequence[int], count: int
) -> Tensor:
    """The nearest other keys of each key being written: of the bank, and of the batch itself.

    Args:
        targets: [B, K] unit rows. groups: B numbers, equal for parts of one memory (no rivals).
        own: rows of the bank that are about to be overwritten, and so are no rivals either.
        count: most neighbours J.

    Returns:
        [B, J, K] unit rows, nearest first; rows less near than `CONFUSABLE` are zero.
    """
    stored, similarity = bank.nearest(targets, count, own)
    batch = targets @ targets.T
    group = torch.tensor(groups)
    batch[group[:, None] == group[None, :]] = -1.0
    near = batch.topk(min(count, len(targets)), dim=1)
    similarity = torch.cat([similarity, near.values], dim=1)
    keys = torch.cat([stored, targets[near.indices]], dim=1)
    best = similarity.topk(min(count, similarity.shape[1]), dim=1)
    chosen = keys.gather(1, best.indices[:, :, None].expand(-1, -1, keys.shape[2]))
    return chosen * (best.values > CONFUSABLE)[:, :, None]


def sculpt_keys(target: Tensor, cues: Tensor, neighbours: Tensor, config: WriteConfig) -> tuple[Tensor, int]:
    """Sets confusable keys apart from their neighbours.

    For each row, projected gradient descent on
    ``hinge(m + max_j cue·k_j - cue·k) + hinge(m + k·k_j - target·k_j) + (1 - k·target)``, kept within the
    cone ``k·target >= key_anchor``: each cue should prefer the key to its strongest rival by the margin m,
    and the key should be less like each neighbour than its target is, by the margin, so that it does not
    come up when the neighbour is asked for.

    Args:
        target: [B, K] unit rows. cues: [B, C, K] unit rows; a zero cue is ignored.
        neighbours: [B, J, K] unit rows of other slots; a zero row is ignored.

    Returns:
        keys [B, K] unit rows, and the steps taken.
    """
    key, steps, margin = target.clone(), 0, config.key_margin
    real = neighbours.norm(dim=2) > 0  # [B, J]
    asked = cues.norm(dim=2) > 0  # [B, C]
    natural = torch.einsum("bjk,bk->bj", neighbours, target)
    rivals = torch.einsum("bck,bjk->bcj", cues, neighbours).masked_fill(~real[:, None], -1.0)
    rival, which = rivals.max(dim=2)  # [B, C] the strongest competitor for each cue
    # a cue pulls the key towards what tells it from its rival, not towards what both share
    rival_key = neighbours.gather(1, which[:, :, None].expand(-1, -1, key.shape[1]))
    apart = cues - (cues * rival_key).sum(dim=2, keepdim=True) * rival_key
    for step in range(config.key_steps):
        losing = asked & (torch.einsum("bck,bk->bc", cues, key) < rival + margin)
        shadowing = real & (torch.einsum("bjk,bk->bj", neighbours, key) > natural - margin)
        if not bool(losing.any() or shadowing.any()):
            break
        steps = step + 1
        pull = (apart * losing[:, :, None]).mean(dim=1)
        push = (neighbours * shadowing[:, :, None]).sum(dim=1) / shadowing.sum(dim=1)[:, None].clamp(min=1)
        key = functional.normalize(key + STEP * (pull - push) + BACK * target, dim=1)
        key = _into_cone(key, target, config.key_anchor)
    return key, steps


def answering_for_all(parts: Tensor, whole: Tensor) -> Tensor:
    """Keys of a text in several slots: the part most like the whole text also answers for it.

    No part of a long text is near the whole, so that other texts may be nearer to its own words. One part
    turned towards them is enough, and the others are found by what they say alone.

    Args:
        parts: [N, K] unit rows. whole: [K] unit vector by which the text is asked for.

    Returns:
        [N, K] unit rows, all but one as they were.
    """
    nearest = int((parts @ whole).argmax())
    out = parts.clone()
    out[nearest] = _into_cone(parts[nearest][None], whole[None], ANSWERS)[0]
    return out


def _into_cone(key: Tensor, target: Tensor, anchor: float) -> Tensor:
    """Rotates keys that left the cone around their targets back to its edge."""
    cosine = (key * target).sum(dim=1, keepdim=True)
    across = functional.normalize(key - cosine * target, dim=1)
    edge = anchor * target + (1 - anchor**2) ** 0.5 * across
    return torch.where(cosine < anchor, functional.normalize(edge, dim=1), key)
