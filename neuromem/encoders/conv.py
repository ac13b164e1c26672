"""The fast encoder of our own: characters → a unit vector, with no vocabulary.

A word is the sum of hashed character n-grams (Bojanowski et al., arXiv 1607.04606; Weinberger et al., 2009),
so that a misspelt or misheard word lies near the right one; convolutions over the words add their
neighbours; a learned gate says how much each word counts. Distilled from the transformer
(`checkpoints/conv.md`). Case and punctuation, which a recognizer does not write, are not read.

Axes: B texts, T words of all texts one after the other, F features of all words, H channels.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..cached import of_texts
from ..linear import PackedLinear
from .int8file import read_checkpoint, write_checkpoint
from .own import OwnEncoder

__all__ = ["ConvConfig", "ConvEncoder", "ConvNet", "Features", "features_of", "save_conv"]

KIND = "conv"
MOST_WORDS = 128
MOST_NGRAMS = 48  # of one word: longer "words" are keys and hashes
NGRAMS = (3, 4, 5)
WORD = re.compile(r"[^\W_]+")
QUIET = str.maketrans("", "", "'’`´")  # "dog's" and "dogs" are spelt alike by a recognizer


@dataclass(frozen=True, slots=True)
class ConvConfig:
    """Sizes of the network."""

    word_buckets: int = 1 << 15
    ngram_buckets: int = 1 << 16
    table_width: int = 192
    channels: int = 384
    blocks: int = 3
    width: int = 384  # of the vectors


class Features(NamedTuple):
    """Texts as the network reads them."""

    ids: Tensor  # [F] int64 rows of the table
    shares: Tensor  # [F] float32 weight of each in its word
    word: Tensor  # [F] int64 word that it belongs to
    text: Tensor  # [T] int64 text that each word belongs to
    inner: Tensor  # [T, 2] float32: whether there is a word to the left, to the right

    def to(self, device: torch.device | str) -> Features:
        """The same on another device."""
        return Features(*(part.to(device) for part in self))


def folded_words(text: str) -> list[str]:
    """Words without case, punctuation and apostrophes; a text without any is one empty word."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(QUIET)
    return WORD.findall(folded)[:MOST_WORDS] or [""]


@of_texts(65_536)
def _spelling(word: str, words: int, ngrams: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Rows and shares of a word: itself, and its n-grams with edges marked."""
    edged = f"<{word}>"
    grams = [edged[i : i + n] for n in NGRAMS for i in range(len(edged) - n + 1)][:MOST_NGRAMS]
    rows = [zlib.crc32(word.encode("utf-8", "replace")) % words]
    rows += [words + zlib.crc32(gram.encode("utf-8", "replace")) % ngrams for gram in grams]
    return tuple(rows), (1.0, *[1.0 / max(1, len(grams))] * len(grams))


def features_of(texts: Sequence[str], config: ConvConfig) -> Features:
    """Reads texts."""
    split = [folded_words(text) for text in texts]
    spelt = [_spelling(word, config.word_buckets, config.ngram_buckets) for words in split for word in words]
    counts = torch.tensor([len(rows) for rows, _ in spelt])
    lengths = torch.tensor([len(words) for words in split])
    text = torch.repeat_interleave(torch.arange(len(split)), lengths)
    same = functional.pad((text[1:] == text[:-1]).float(), (1, 1))
    return Features(
        torch.tensor(list(chain.from_iterable(rows for rows, _ in spelt))),
        torch.tensor(list(chain.from_iterable(shares for _, shares in spelt))),
        torch.repeat_interleave(torch.arange(len(spelt)), counts),
        text,
        torch.stack([same[:-1], same[1:]], dim=1),
    )


class ConvBlock(nn.Module):
    """Residual convolution over a word, its two neighbours, and the mean of its text."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.mix = PackedLinear(4 * channels, channels)
        self.out = PackedLinear(channels, channels)

    def forward(self, x: Tensor, inner: Tensor, text: Tensor, lengths: Tensor) -> Tensor:
        """[T, H] → [T, H]; lengths [B, 1] words of each text."""
        h = self.norm(x)
        left, right = functional.pad(h, (0, 0, 1, -1)), functional.pad(h, (0, 0, -1, 1))
        if len(lengths) == 1:  # a query: there is nothing to keep apart
            whole = h.mean(dim=0, keepdim=True).expand_as(h)
        else:
            left, right = left * inner[:, :1], right * inner[:, 1:]
            whole = (_summed(h, text, len(lengths)) / lengths)[text]
        out: Tensor = x + self.out(self.mix(torch.cat([left, h, right, whole], dim=1), gelu=True))
        return out


def _summed(rows: Tensor, text: Tensor, count: int) -> Tensor:
    """[B, H]: the sum of the rows [T, H] of each text."""
    return torch.zeros(count, rows.shape[1], dtype=rows.dtype, device=rows.device).index_add(0, text, rows)


class ConvNet(nn.Module):
    """Features of texts → [B, width] unit rows."""

    def __init__(self, config: ConvConfig) -> None:
        super().__init__()
        self.config = config
        rows = config.word_buckets + config.ngram_buckets
        self.table = nn.Parameter(torch.empty(rows, config.table_width))
        self.scale: Tensor | None = None  # [rows]: of a table kept as int8
        self.enter = PackedLinear(config.table_width, config.channels)
        self.blocks = nn.ModuleList(ConvBlock(config.channels) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.channels)
        self.gate = PackedLinear(config.channels, 1)
        self.leave = PackedLinear(config.channels, config.width)

    def forward(self, features: Features) -> Tensor:
        """[B, width] unit rows."""
        x: Tensor = self.enter(self._words(features))
        text, count = features.text, int(features.text[-1]) + 1
        lengths = _summed(torch.ones_like(x[:, :1]), text, count)
        for block in self.blocks:
            x = block(x, features.inner, text, lengths)
        h = self.norm(x)
        weight = functional.softplus(self.gate(h))
        pooled = _summed(h * weight, text, count) / _summed(weight, text, count)
        return functional.normalize(self.leave(pooled), dim=1)

    def _words(self, features: Features) -> Tensor:
        """[T, table width]: the sum of each word's features."""
        if self.scale is None:
            starts = functional.pad((features.word[1:] != features.word[:-1]).nonzero().flatten() + 1, (1, 0))
            summed: Tensor = functional.embedding_bag(
                features.ids, self.table, starts, mode="sum", per_sample_weights=features.shares
            )
            return summed
        rows = self.table[features.ids] * (self.scale[features.ids] * features.shares)[:, None]
        words = torch.zeros(len(features.text), rows.shape[1], device=rows.device)
        return words.index_add(0, features.word, rows)


class ConvEncoder(OwnEncoder[ConvNet]):
    """The fast encoder: characters, convolutions, a gate."""

    kind = KIND

    def _read(self) -> ConvNet:
        return _frozen(self.path, self.device)

    def _width_of(self, model: ConvNet) -> int:
        return model.config.width

    def _vectors(self, model: ConvNet, texts: list[str]) -> Tensor:
        rows: Tensor = model(features_of(texts, model.config).to(self.device)).cpu()
        return rows


def _frozen(path: Path, device: torch.device) -> ConvNet:
    """The network of a checkpoint, its table left as int8."""
    weights, config = read_checkpoint(path, KIND, keep_int8=("table",))
    net = ConvNet(ConvConfig(**{name: value for name, value in config.items() if name != "kind"}))
    net.scale = weights.pop("table.scale").to(device)
    net.table = nn.Parameter(weights.pop("table").to(device), requires_grad=False)
    net.load_state_dict({"table": net.table, **weights}, assign=True)
    net.eval().requires_grad_(False).to(device)
    for module in net.modules():
        if isinstance(module, PackedLinear):
            module.pack()
    return net


def save_conv(
    net: ConvNet, weights: Mapping[str, Tensor], path: str | Path, notes: Mapping[str, str]
) -> None:
    """Writes a checkpoint from a network's state dict."""
    write_checkpoint(weights, path, {"kind": KIND, **asdict(net.config)}, notes)
