"""From facts to rows: values written and proven, keys sculpted, a whole batch at once.

`Writer.write` changes nothing: it reads the bank (the neighbours that new keys must be told from) and
returns rows for `SlotBank.store`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from .bank import SlotBank
from .cached import forget_texts
from .codec import Codec
from .config import WriteConfig
from .courtesy import give_way
from .keys import Keys, answering_for_all, neighbours_of, sculpt_keys
from .ladder import GIST_FIELDS, TEXT_BYTES, UNITS, VERBATIM
from .layout import Rows, quantize_keys
from .marks import marks_of, traits_of
from .text import sentences, split_to_fit
from .write import NEVER, Values, write_values

__all__ = ["Draft", "ReadyRows", "WriteReport", "Writer"]

AROUND_SHARE = 0.4  # weight of what was said around a text in its key, beside the words' own
ASKED_NEXT = 128  # slots told in one go that are likely to be asked for: more are an import
SMALLEST_PIECE = 16  # bytes; what is inexact in so small a piece will not get better by splitting


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact to be written: its words and the four segments of its gist."""

    text: str
    gist: tuple[str, str, str, str]
    cues: tuple[str, ...] = ()  # ways in which it will be asked for
    own_rows: tuple[int, ...] = ()  # rows that it occupies already and will leave
    around: str = ""  # what was said with it, such as the question that it answers: it is found by that too


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What a write did."""

    steps: int  # gradient steps of its slowest part
    key_steps: int
    ms: float  # its share of the batch's time; encoder and log excluded
    exact: bool  # every word was read back from the rounded weights, without a gap
    floor: float  # lowest strength at which all words were read back exactly; 2 = never
    slots: int
    text_bits: int  # 8 per byte of text
    value_bits: int  # bits of the verbatim patches that hold it

    @property
    def bits_per_weight(self) -> float:
        """Bits of text per int8 weight that holds them."""
        return self.text_bits / max(1, self.value_bits / 8)


@dataclass(frozen=True, slots=True)
class ReadyRows:
    """A fact's rows, ready to be stored, and the report."""

    rows: Rows
    report: WriteReport


class Writer:
    """The write loop over a batch of facts."""

    def __init__(self, codec: Codec, keys: Keys, config: WriteConfig) -> None:
        self.codec, self.keys, self.config = codec, keys, config

    def forget_readings(self) -> None:
        """Drops what was read, encoded and worked out lately: deleted words must not linger in RAM either."""
        self.codec.forget_readings()
        self.keys.forget()
        forget_texts()

    def write(self, drafts: Sequence[Draft], bank: SlotBank) -> list[ReadyRows]:
        """Writes facts; nothing is stored yet.

        Args:
            drafts: non-empty texts.
            bank: whose keys the new ones are told from.
        """
        if not drafts:
            return []
        started = time.perf_counter()
        pieces, values = self._pieces(drafts)
        spent = time.perf_counter() - started
        owner = [index for index, parts in enumerate(pieces) for _ in parts]
        give_way()
        targets, senses, asked = self._targets(pieces, drafts)
        give_way()
        started = time.perf_counter()
        keys, key_steps = self._keys(targets, owner, drafts, bank, asked)
        key = quantize_keys(keys)
        share = (spent + time.perf_counter() - started) * 1_000 / max(1, len(drafts))
        written, at = [], 0
        for parts, draft in zip(pieces, drafts, strict=True):
            rows = slice(at, at + len(parts))
            at += len(parts)
            marks = marks_of(parts, draft.around)
            own = Rows(
                key[rows], values.value[rows], values.floor[rows], marks, traits_of(parts), senses[rows]
            )
            written.append(ReadyRows(own, _report(parts, values, rows, key_steps, share)))
        self._note(pieces, drafts, values)
        return written

    def _note(self, pieces: list[list[str]], drafts: Sequence[Draft], values: Values) -> None:
        """Has at hand what the loop has just read and proven: it is what is asked for next."""
        words: list[tuple[str, float] | None] = []
        gists: list[list[bytes]] = []
        proven = iter(zip(values.fields.tolist(), values.chance.tolist(), strict=True))
        for parts, draft in zip(pieces, drafts, strict=True):
            for place, part in enumerate(parts):
                fields, chance = next(proven)
                gap = next((at for at, field in enumerate(GIST_FIELDS) if not fields[field.index]), None)
                words.append((part, chance) if fields[VERBATIM.index] else None)
                gists.append([] if place else [segment.encode() for segment in draft.gist[:gap]])
        self.codec.note(values.value, words, gists, soon=len(words) <= ASKED_NEXT)

    def _pieces(self, drafts: Sequence[Draft]) -> tuple[list[list[str]], Values]:
        """Texts cut to fit slots, and cut again where a piece cannot be made exact."""
        pieces = [split_to_fit(draft.text, TEXT_BYTES) for draft in drafts]
        values = self._values(drafts, pieces)
        for index, finer in self._inexact(pieces, values).items():
            single = [finer]
            again = self._values([drafts[index]], single)
            while more := self._inexact(single, again):
                single = [more[0]]
                again = self._values([drafts[index]], single)
            values = _replace(values, pieces, index, again)
            pieces[index] = single[0]
        return pieces, values

    def _inexact(self, pieces: list[list[str]], values: Values) -> dict[int, list[str]]:
        """Facts that hold an inexact piece which is worth cutting, with the finer cut."""
        out: dict[int, list[str]] = {}
        at = 0
        for index, parts in enumerate(pieces):
            finer: list[str] = []
            for offset, part in enumerate(parts):
                size = len(part.encode())
                wanting = bool(values.floor[at + offset] >= NEVER) and size > SMALLEST_PIECE
                finer += split_to_fit(part, max(SMALLEST_PIECE, -(-size // 2))) if wanting else [part]
            at += len(parts)
            if len(finer) > len(parts):
                out[index] = finer
        return out

    def _values(self, drafts: Sequence[Draft], pieces: list[list[str]]) -> Values:
        texts, gists = [], []
        for draft, parts in zip(drafts, pieces, strict=True):
            texts += [part.encode() for part in parts]
            # the gist of the whole fact goes with its first part
            gists += [tuple(part.encode() for part in draft.gist), *[(b"",) * 4] * (len(parts) - 1)]
        return write_values(self.codec, texts, gists, self.config)

    def _targets(
        self, pieces: list[list[str]], drafts: Sequence[Draft]
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """What each part is found by, [parts of all facts, K], the senses of its words, and the cues encoded.

        One of several parts answers for the whole text; the first also for the questions it will be asked
        by, as far as its gist tells them (`WriteConfig.cue_share`); all of them for what was said around.
        """
        said = list(zip(pieces, drafts, strict=True))
        cues = [cue for draft in drafts if _has_cue(draft) for cue in draft.cues]
        cues = cues if self.config.cue_share else []
        every, senses = self.keys.addresses([part for parts in pieces for part in parts] + cues)
        targets, asked = every[: len(every) - len(cues)], every[len(every) - len(cues) :]
        encoded = dict(zip(cues, asked, strict=True))
        long = [draft.text for parts, draft in said if len(parts) > 1]
        wholes, at = iter(self.keys.queries(long) if long else ()), 0
        beside = [draft.around for draft in drafts if draft.around]
        around = iter(self.keys.targets(beside) if beside else ())
        for parts, draft in said:
            rows = slice(at, at + len(parts))
            if len(parts) > 1:
                targets[rows] = answering_for_all(targets[rows], next(wholes))
            if cues and _has_cue(draft):
                way = torch.stack([encoded[cue] for cue in draft.cues]).mean(dim=0)
                targets[at] = normalize(targets[at] + self.config.cue_share * way, dim=0)
            if draft.around:
                targets[rows] = normalize(targets[rows] + AROUND_SHARE * next(around), dim=1)
            at += len(parts)
        return targets, senses[: len(targets)], encoded

    def _keys(
        self, targets: Tensor, owner: list[int], drafts: Sequence[Draft], bank: SlotBank,
        encoded: dict[str, Tensor],
    ) -> tuple[Tensor, int]:  # fmt: skip
        """Targets, sculpted where they have near neighbours. Only for those are the other cues encoded."""
        if self.config.key_steps == 0:
            return targets, 0
        leaving = [row for draft in drafts for row in draft.own_rows]
        neighbours = neighbours_of(targets, owner, bank, leaving, self.config.neighbours)
        crowded = (neighbours.norm(dim=2) > 0).any(dim=1).nonzero().flatten()
        if len(crowded) == 0:
            return targets, 0
        near = [drafts[owner[row]] for row in crowded.tolist()]
        cues = self._cues(targets[crowded], near, encoded)
        sculpted, steps = sculpt_keys(targets[crowded], cues, neighbours[crowded], self.config)
        keys = targets.clone()
        keys[crowded] = sculpted
        return keys, steps

    def _cues(self, own: Tensor, drafts: Sequence[Draft], encoded: dict[str, Tensor]) -> Tensor:
        """[B, C, K]: each text itself, then the ways to ask for it; zero where a fact has fewer.

        Args:
            own: [B, K] targets. drafts: B, the facts that they are of. encoded: cues that are so already.
        """
        new = list(dict.fromkeys(cue for draft in drafts for cue in draft.cues if cue not in encoded))
        vectors = encoded | dict(zip(new, self.keys.targets(new) if new else (), strict=True))
        cues = torch.zeros(len(own), 1 + max(len(draft.cues) for draft in drafts), own.shape[1])
        cues[:, 0] = own
        for row, draft in enumerate(drafts):
            for place, cue in enumerate(draft.cues):
                cues[row, 1 + place] = vectors[cue]
        return cues


def _has_cue(draft: Draft) -> bool:
    """Whether the question that a gist answers stands for the text: for a single statement it does."""
    return bool(draft.cues) and len(sentences(draft.text)) == 1


def _replace(values: Values, pieces: list[list[str]], index: int, new: Values) -> Values:
    """`values` with the rows of fact `index` exchanged."""
    start = sum(len(parts) for parts in pieces[:index])
    stop = start + len(pieces[index])

    def joined(old: Tensor, fresh: Tensor) -> Tensor:
        return torch.cat([old[:start], fresh, old[stop:]])

    return Values(
        joined(values.value, new.value),
        joined(values.floor, new.floor),
        joined(values.fields, new.fields),
        joined(values.steps, new.steps),
        joined(values.chance, new.chance),
    )


def _report(parts: list[str], values: Values, rows: slice, key_steps: int, ms: float) -> WriteReport:
    floor = float(values.floor[rows].max())
    words = values.value[rows, VERBATIM.units].reshape(len(parts), -1, UNITS)
    patches = (words != 0).any(dim=2).sum()
    return WriteReport(
        steps=int(values.steps[rows].max()),
        key_steps=key_steps,
        ms=ms,
        exact=floor < NEVER,
        floor=floor,
        slots=len(parts),
        text_bits=8 * sum(len(part.encode()) for part in parts),
        value_bits=int(patches) * UNITS * 8,
    )
