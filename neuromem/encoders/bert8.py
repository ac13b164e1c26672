"""The same small BERT in 8-bit integers, by ONNX Runtime: one sentence in a third of the time.

A product of one sentence takes the time in which its weights come from memory, and int8 weights are a half
of bfloat16's; the checkpoint holds them as int8 anyway. Each product's input is rounded to 8 bits as well,
on a grid fitted to that input (dynamic quantization). A few channels of it are far larger than the rest and
would make that grid coarse; so each is divided by what is usual for it and its weights are multiplied
by the same (SmoothQuant: Xiao et al., arXiv 2211.10438, eq. 4, with a migration strength of 0.8).

Axes: T tokens, H hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .base import Span
from .bert import BertConfig, normalized, pooled
from .int8file import SCALE
from .onnxgraph import Graph

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["PEAKS", "WORDS", "Bert8"]

WORDS = "embeddings.word_embeddings.weight"

PEAKS = ("attention.self.peaks", "intermediate.peaks", "output.peaks")
"""Names behind ``encoder.layer.N.``: largest absolute inputs of a layer's products, by channel."""

MIGRATION = 0.8  # SmoothQuant's α
MICROSOFT = "com.microsoft"
Floats = NDArray[np.float32]


class Bert8:
    """See `Bert`, whose vectors these are to a cosine of 0.998. Safe across threads; no threads of its own.

    Every text goes through alone: its vector is the same bits in whatever company.
    """

    def __init__(self, weights: Mapping[str, Tensor], tokenizer: Tokenizer, config: BertConfig) -> None:
        """
        Args:
            weights: float32 tensors by Hugging Face's names, and `PEAKS` where they were measured; `WORDS`
                may be int8 with the scales of its rows under ``….scale``.
            tokenizer: truncates to at most `config.most_tokens` from here on.
            config: as it was trained.
        """
        self.tokenizer = tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(config.most_tokens)
        take = {name: value.numpy() for name, value in weights.items()}
        self.words = take[WORDS]
        self.scales: Floats = take.get(WORDS + SCALE, np.ones(len(self.words), dtype=np.float32))
        kinds = take["embeddings.token_type_embeddings.weight"]
        self.places: Floats = take["embeddings.position_embeddings.weight"] + kinds[0]
        self.width = self.words.shape[1]
        self._session = _session(_model(take, config, self.width))

    def encode(self, texts: list[str]) -> Tensor:
        """[B, H] float32 unit rows, B >= 1."""
        return self.encode_words(texts, [()] * len(texts))[0]

    def encode_words(self, texts: list[str], spans: Sequence[Sequence[Span]]) -> tuple[Tensor, Tensor]:
        """[B, H] and [W, H]: see `Bert.encode_words`."""
        means, words = [], [torch.zeros(0, self.width)]
        for text, own in zip(texts, spans, strict=True):
            tokens = self.tokenizer.encode(text)
            states = self.states(tokens.ids)
            means.append(states.mean(dim=0))
            if own:
                words.append(pooled(states, tokens.offsets, own))
        return normalized(torch.stack(means)), torch.cat(words)

    def states(self, ids: Sequence[int]) -> Tensor:
        """[T, H]: what each of T tokens means where it stands."""
        embedded = self.words[ids].astype(np.float32) * self.scales[ids][:, None] + self.places[: len(ids)]
        (out,) = self._session.run(None, {"embedded": embedded[None]})
        return torch.from_numpy(out[0])


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    # more than this would join sum and norm to one operator, which is slower than the two
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])


def _model(weights: Mapping[str, Floats], config: BertConfig, width: int) -> bytes:
    """The layers as an ONNX model: embeddings [1, T, H] to states [1, T, H]."""
    graph = _BertGraph(weights, config)
    states = graph.norm("embedded", "embeddings.LayerNorm")
    for index in range(config.layers):
        states = graph.layer(states, f"encoder.layer.{index}.")
    return graph.model("embedded", states, width)


class _BertGraph(Graph):
    def __init__(self, weights: Mapping[str, Floats], config: BertConfig) -> None:
        super().__init__()
        self._of, self._config = weights, config
        # x86 without VNNI adds pairs of products in 16 bits, too few for signed weights
        self._shift = 0 if _adds_in_32_bits() else 128

    def layer(self, states: str, prefix: str) -> str:
        of, attention = self._of, f"{prefix}attention."
        each = [attention + f"self.{name}." for name in ("query", "key", "value")]
        matrix, bias = (np.concatenate([of[name + kind] for name in each]) for kind in ("weight", "bias"))
        mixed = self._attended(states, matrix, bias, of.get(prefix + PEAKS[0]))
        mixed = self._product(mixed, attention + "output.dense.", None)
        states = self.norm(self.node("Add", mixed, states)[0], attention + "output.LayerNorm")
        up = self._product(states, prefix + "intermediate.dense.", of.get(prefix + PEAKS[1]))
        (active,) = self.node("Gelu", up, domain=MICROSOFT)
        down = self._product(active, prefix + "output.dense.", of.get(prefix + PEAKS[2]))
        return self.norm(self.node("Add", down, states)[0], prefix + "output.LayerNorm")

    def norm(self, rows: str, name: str) -> str:
        gain, bias = (self.weight(self._of[f"{name}.{kind}"]) for kind in ("weight", "bias"))
        return self.node("LayerNormalization", rows, gain, bias, axis=-1, epsilon=self._config.eps)[0]

    def _product(self, rows: str, name: str, peaks: Floats | None) -> str:
        matrix = self._of[name + "weight"]
        rows, matrix = self._balanced(rows, matrix, peaks)
        bias = self.weight(self._of[name + "bias"])
        return self.node("DynamicQuantizeMatMul", rows, *self._integers(matrix), bias, domain=MICROSOFT)[0]

    def _attended(self, rows: str, matrix: Floats, bias: Floats, peaks: Floats | None) -> str:
        rows, matrix = self._balanced(rows, matrix, peaks)
        level, step, zero = self.node("DynamicQuantizeLinear", rows, outputs=3)
        integers, scales, shifts = self._integers(matrix)
        inputs = (level, integers, self.weight(bias), step, scales, "", zero, shifts)
        return self.node("QAttention", *inputs, domain=MICROSOFT, num_heads=self._config.heads)[0]

    def _balanced(self, rows: str, matrix: Floats, peaks: Floats | None) -> tuple[str, Floats]:
        """Inputs [1, T, in] and weights [out, in] whose product stays, with no channel far above the rest."""
        if peaks is None:
            return rows, matrix
        heights = np.maximum(np.abs(matrix).max(axis=0), 1e-4)
        shares = np.maximum(peaks, 1e-4) ** MIGRATION / heights ** (1 - MIGRATION)
        shares = (shares / np.median(shares)).astype(np.float32)
        (divided,) = self.node("Mul", rows, self.weight(1 / shares))
        return divided, matrix * shares

    def _integers(self, matrix: Floats) -> tuple[str, str, str]:
        """The transpose of weights [out, in] as integers, with a scale and a zero point for each output."""
        scale = np.maximum(np.abs(matrix).max(axis=1), 1e-8) / 127
        levels = np.rint(matrix / scale[:, None]).T + self._shift
        kind = np.uint8 if self._shift else np.int8
        zeros = np.full(len(matrix), self._shift, kind)
        return self.weight(levels.astype(kind)), self.weight(scale.astype(np.float32)), self.weight(zeros)


def _adds_in_32_bits() -> bool:
    """Whether products of 8-bit numbers are summed exactly: everywhere but on older x86 processors."""
    import platform

    x86 = platform.machine().lower() in ("x86_64", "amd64")
    vnni = getattr(torch.cpu, "_is_vnni_supported", None)
    return not x86 or (vnni is not None and bool(vnni()))
