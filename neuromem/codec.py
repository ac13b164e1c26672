"""The frozen codec: words ↔ the value of a slot (its layout is in `ladder.py`).

All patches of all fields speak one learned code: an encoder makes 16 numbers in [-1, 1] of eight
bytes, and a decoder reads a whole field in one parallel pass, each patch with its neighbours as
context, knowing how coarse the grid is at present. Any bytes can be said.

Axes: B texts or slots, P patches (ragged: the patches of all texts one after the other), U units of
a patch, V units of a value, J bytes of a patch, C byte classes (256 and PAD).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from .confidence import DAMAGED_GIST, GIST, WORDS, Map
from .errors import BankFileInvalid, NotFound
from .forgetting import Fidelity
from .ladder import FIELDS, GIST_FIELDS, PATCH_BYTES, UNITS, VERBATIM, Field, alive, in_use, stair
from .lately import Lately
from .linear import PackedLinear
from .shipped import checkpoint_path

__all__ = ["Codec", "CodecConfig", "Reading", "default_codec", "starts_of", "to_patches"]

PAD = 256  # class of a byte position after the end of the text
CLASSES = 257
DAMAGED = 1.5  # height of a code that no writing leaves (they end at 1.25), and hardly any noise
SURE = 0.5  # a character is shown when the decoder gives it at least this probability


@dataclass(frozen=True, slots=True)
class Reading:
    """What one slot says."""

    text: str
    fidelity: Fidelity
    confidence: float  # chance that every character shown is right (`confidence.py`)


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """Sizes of the two networks."""

    byte_width: int = 24  # embedding of a byte in the encoder
    encoder_width: int = 512
    width: int = 256  # of the decoder
    expansion: int = 2  # of its MLPs
    blocks: int = 3
    head_width: int = 64  # numbers per byte before the classes


class PatchEncoder(nn.Module):
    """Eight bytes [P, J] → a code [P, U] in [-1, 1]: a linear map of the bytes, corrected by an MLP."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        flat = PATCH_BYTES * config.byte_width
        self.embed = nn.Embedding(CLASSES, config.byte_width)
        self.skip = nn.Linear(flat, UNITS)
        self.mlp = nn.Sequential(
            nn.Linear(flat, config.encoder_width),
            nn.GELU(),
            nn.Linear(config.encoder_width, config.encoder_width),
            nn.GELU(),
            nn.Linear(config.encoder_width, UNITS),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Codes [P, U] of byte classes [P, J]."""
        flat = self.embed(patches).flatten(1)
        return torch.tanh(self.skip(flat) + self.mlp(flat))


class Block(nn.Module):
    """Residual: each patch looks at its two neighbours, then an MLP (ConvNeXt, arXiv 2201.03545)."""

    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.left = nn.Parameter(torch.randn(width) * 0.1)
        self.centre = nn.Parameter(torch.ones(width))
        self.right = nn.Parameter(torch.randn(width) * 0.1)
        self.up = PackedLinear(width, expansion * width)
        self.down = PackedLinear(expansion * width, width)

    def forward(self, x: Tensor, has_left: Tensor, has_right: Tensor) -> Tensor:
        """[P, width] → [P, width]; has_left and has_right [P, 1] are 0 at the ends of a text."""
        h = self.norm(x)
        left = functional.pad(h, (0, 0, 1, -1)) * has_left
        right = functional.pad(h, (0, 0, -1, 1)) * has_right
        mixed: Tensor = h * self.centre + left * self.left + right * self.right
        out: Tensor = x + self.down(self.up(mixed, gelu=True))
        return out


class PatchDecoder(nn.Module):
    """Codes [P, U] → byte logits [P, J, C], in one parallel pass."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.enter = PackedLinear(UNITS, config.width)
        self.field = nn.Embedding(len(FIELDS), config.width)
        self.level = nn.Sequential(nn.Linear(1, 32), nn.GELU(), nn.Linear(32, 2 * config.width))
        self.blocks = nn.ModuleList(Block(config.width, config.expansion) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)
        self.head = PackedLinear(config.width, PATCH_BYTES * config.head_width)
        self.classes = PackedLinear(config.head_width, CLASSES)

    def forward(self, codes: Tensor, levels: Tensor, fields: Tensor, starts: Tensor) -> Tensor:
        """Args:
        codes: [P, U] estimates of the codes, full amplitude 1.
        levels: [P] grid steps that amplitude 1 is high at present.
        fields: [P] index of each patch's field.
        starts: [P] True at the first patch of each text.
        """
        scale, shift = self.level(torch.log2(levels)[:, None] / 4 - 0.75).chunk(2, dim=1)
        x = self.enter(codes) * (1 + scale) + shift + self.field(fields)
        has_left = (~starts)[:, None].to(x.dtype)
        has_right = functional.pad(has_left, (0, 0, -1, 1))
        for block in self.blocks:
            x = block(x, has_left, has_right)
        heads: Tensor = self.head(self.norm(x), gelu=True)
        logits: Tensor = self.classes(heads.reshape(len(x) * PATCH_BYTES, -1))
        return logits.view(len(x), PATCH_BYTES, -1)


def to_patches(texts: Sequence[bytes], closed: bool = False) -> tuple[Tensor, Tensor]:
    """Cuts texts into patches.

    Args:
        closed: each text has a PAD behind it, one that fills its last patch has a patch more.

    Returns:
        patches: [P, J] int64 byte classes, the last patch of a text filled with PAD.
        lengths: [B] patches of each text; an empty one has a patch that says so.
    """
    sizes = np.array([len(text) for text in texts], dtype=np.int64)
    lengths = np.maximum(1, -(-(sizes + int(closed)) // PATCH_BYTES))
    padded = [text.ljust(length * PATCH_BYTES, b"\0") for text, length in zip(texts, lengths, strict=True)]
    flat = np.frombuffer(b"".join(padded), dtype=np.uint8).astype(np.int64)
    ends = (lengths * PATCH_BYTES).cumsum()
    for end, size, length in zip(ends, sizes, lengths, strict=True):
        flat[end - length * PATCH_BYTES + size : end] = PAD
    return torch.from_numpy(flat).view(-1, PATCH_BYTES), torch.from_numpy(lengths)


def starts_of(lengths: Tensor) -> Tensor:
    """[P] True at the first patch of each text of `lengths` patches."""
    starts = torch.zeros(int(lengths.sum()), dtype=torch.bool, device=lengths.device)
    firsts = (lengths.cumsum(0) - lengths)[lengths > 0]
    starts[firsts] = True
    return starts


class Codec(nn.Module):
    """Encoder and decoder with their layout. Frozen in use; trained by `training/train_codec.py`."""

    def __init__(self, config: CodecConfig | None = None) -> None:
        super().__init__()
        self.config = config or CodecConfig()
        self.encoder = PatchEncoder(self.config)
        self.decoder = PatchDecoder(self.config)
        self.identity = ""
        self._words, self._gists = Lately(self._read_values), Lately(self._read_gists)

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Self:
        """Reads a checkpoint.

        Raises:
            NotFound: no such file.
            BankFileInvalid: not a codec checkpoint.
        """
        path = Path(path)
        if not path.is_file():
            raise NotFound(
                f"codec checkpoint {path} does not exist; reinstall neuromem or give an existing file"
            )
        try:
            with safe_open(path, "pt") as file:
                config = CodecConfig(**json.loads(file.metadata()["config"]))
                weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
            codec = cls(config)
            codec.load_state_dict(weights)
        except Exception as error:
            reason = str(error).split("\n")[0]
            raise BankFileInvalid(
                f"{path} is not a codec checkpoint ({reason}); reinstall neuromem"
            ) from error
        codec.identity = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        codec.eval().requires_grad_(False).to(device)
        for module in codec.modules():
            if isinstance(module, PackedLinear):
                module.pack()
        return codec

    def save(self, path: str | Path, notes: dict[str, str] | None = None) -> None:
        """Writes the checkpoint in half precision, with its configuration and `notes` as metadata."""
        weights = {
            name: tensor.detach().half().cpu().contiguous() for name, tensor in self.state_dict().items()
        }
        save_file(weights, path, metadata={"config": json.dumps(asdict(self.config)), **(notes or {})})

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.decoder.enter.weight.device

    def encode(self, texts: Sequence[bytes]) -> tuple[Tensor, Tensor]:
        """First guess of the codes: ([P, U] in [-1, 1], [B] patches of each text)."""
        patches, lengths = to_patches(texts)
        codes: Tensor = self.encoder(patches.to(self.device))
        return codes, lengths

    def read_values(self, values: Tensor, strength: Tensor) -> list[Reading]:
        """Says what slots hold: their words, else the highest rung of the gist that is left.

        A pure function of the weights and the stair of strength: what was read a moment ago is not
        read again.

        Args:
            values: [B, V] grid steps at the present strength, as `ladder.worn` gives them.
            strength: [B] that strength.
        """
        return self._words(values, strength)

    def _read_values(self, values: Tensor, strength: Tensor) -> list[Reading]:
        """`read_values` of values that were not read a moment ago."""
        living = alive(values).tolist()
        readings = self._say(values, strength, [rungs_of(row) for row in living], GIST)
        damaged = [
            row
            for row, reading in enumerate(readings)
            if living[row][VERBATIM.index] and reading.fidelity is Fidelity.FORGOTTEN
        ]
        if damaged:
            for row, gist in zip(damaged, self.read_gists(values[damaged], strength[damaged]), strict=True):
                readings[row] = gist
        return readings

    def note(
        self,
        values: Tensor,
        words: Sequence[tuple[str, float] | None],
        gists: Sequence[Sequence[bytes]],
        soon: bool = True,
    ) -> None:
        """Notes what values say at strength 1, where it was proven, so that they need not be read.

        Args:
            values: [B, V] grid steps.
            words: of each, and the decoder's chance that they are right; None where they were not proven.
            gists: of each, its segments up to the first that was not proven.
            soon: as `Lately.note`.
        """
        full = torch.ones(len(values))
        said = [read and Reading(read[0], Fidelity.VERBATIM, WORDS(read[1])) for read in words]
        self._words.note(values, full, said, soon)
        self._gists.note(values, full, [_proven(gist) if gist else None for gist in gists], soon)

    def forget_readings(self) -> None:
        """Drops what was read lately: deleted words must not linger in RAM either."""
        self._words.forget()
        self._gists.forget()

    def read_gists(self, values: Tensor, strength: Tensor) -> list[Reading]:
        """As `read_values`, leaving the words aside."""
        return self._gists(values, strength)

    def _read_gists(self, values: Tensor, strength: Tensor) -> list[Reading]:
        living = [[False, *row[1:]] for row in alive(values).tolist()]
        return self._say(values, strength, [rungs_of(row) for row in living], DAMAGED_GIST)

    @torch.no_grad()
    def _say(self, values: Tensor, strength: Tensor, wanted: list[list[Field]], trust: Map) -> list[Reading]:
        """Reads the wanted fields of each row, all in one pass; `trust` is that in gists."""
        sought = [(row, field) for row, fields in enumerate(wanted) for field in fields]
        if not sought:
            return [assemble([], fields, trust) for fields in wanted]
        rows = torch.tensor([row for row, _ in sought])
        first, end, index = torch.tensor([[f.first, f.first + f.patches, f.index] for _, f in sought]).T
        patches = values.view(len(values), -1, UNITS)
        place = torch.arange(patches.shape[1])
        inside = (place >= first[:, None]) & (place < end[:, None])  # [S, all patches of a value]
        sought_only = patches.cpu()[rows] * inside[:, :, None]
        used = in_use(sought_only) & inside
        # up to the last patch that holds anything; one that was lost before it is read as it is
        used = used.flip(1).cummax(dim=1).values.flip(1) & inside
        stairs = torch.tensor([field.stairs for _, field in sought])
        levels = torch.tensor([field.amplitude for _, field in sought]) * stair(strength.cpu()[rows], stairs)
        text, patch = used.nonzero(as_tuple=True)
        device = values.device
        level = levels[text].to(device)
        codes = patches[rows[text].to(device), patch.to(device)] / level[:, None]
        texts, sure, chance = self.spell(codes, level, index[text].to(device), used.sum(dim=1))
        # far higher than anything is ever written: damage, not noise
        impossible = codes.abs().amax(dim=1) * level > DAMAGED * level + 1
        sure[text[impossible.cpu()]] = 0.0
        pieces = iter(zip(texts, sure.tolist(), chance.tolist(), strict=True))
        return [assemble([next(pieces) for _ in fields], fields, trust) for fields in wanted]

    def read(
        self, codes: Tensor, levels: Tensor, fields: Tensor, lengths: Tensor
    ) -> tuple[list[bytes], Tensor]:
        """Greedy decode of ragged patches.

        Args:
            codes: [P, U]. levels, fields: [P]. lengths: [B] patches of each text.

        Returns:
            The B byte strings (each cut at its first PAD) and [B] the least probability with which
            any shown byte was chosen (1 for an empty text).
        """
        texts, sure, _ = self.spell(codes, levels, fields, lengths)
        return texts, sure

    def spell(
        self, codes: Tensor, levels: Tensor, fields: Tensor, lengths: Tensor
    ) -> tuple[list[bytes], Tensor, Tensor]:
        """`read`, and [B] the decoder's chance that all bytes shown, and the end, are right."""
        if len(codes) == 0:
            return [b""] * len(lengths), torch.ones(len(lengths)), torch.ones(len(lengths))
        logits = self.decoder(codes, levels, fields, starts_of(lengths.to(codes.device)))
        heights = logits.detach().float().cpu().numpy()  # from here on numpy: many times as fast as torch
        rows, top = heights.argmax(axis=2), heights.max(axis=2, keepdims=True)
        sure = 1 / np.exp(heights - top).sum(axis=2)  # the greatest of the softmax
        texts, least, every, at = [], [], [], 0
        for length in lengths.tolist():
            flat, probability = rows[at : at + length].reshape(-1), sure[at : at + length].reshape(-1)
            at += length
            pads = np.flatnonzero(flat == PAD)
            stop = int(pads[0]) if len(pads) else len(flat)
            texts.append(flat[:stop].astype(np.uint8).tobytes())
            shown = probability[: stop + 1]
            least.append(float(shown.min()) if length else 1.0)
            every.append(float(np.log(shown.astype(np.float64)).sum()))
        return texts, torch.tensor(least), torch.tensor(every, dtype=torch.float64).exp()


def rungs_of(living: Sequence[bool]) -> list[Field]:
    """The fields to say, of those alive or not: the words, else the gist as far as it has no gap."""
    if living[VERBATIM.index]:
        return [VERBATIM]
    out: list[Field] = []
    for field in GIST_FIELDS:
        if not living[field.index]:
            break
        out.append(field)
    return out


def assemble(pieces: list[tuple[bytes, float, float]], fields: list[Field], trust: Map) -> Reading:
    """Joins the pieces of a gist (or the words alone), stopping before the first that cannot be trusted.

    Args:
        pieces: of each field its bytes, the least probability of any, and the chance of all of them.
        trust: what that chance is worth for gists.
    """
    said, together = Reading("", Fidelity.FORGOTTEN, 1.0), 1.0
    for (piece, sure, chance), field in zip(pieces, fields, strict=True):
        try:
            text = piece.decode()
        except UnicodeDecodeError:  # damaged: fields end between characters when they are written
            break
        if sure < SURE:
            break
        together *= chance
        worth = WORDS if field is VERBATIM else trust
        said = Reading(said.text + text, field.rung, worth(together))
    return said


def _proven(pieces: Sequence[bytes]) -> Reading:
    """What the fields of a gist say, of which every byte is right; those that have no piece are left out."""
    sure = [(piece, 1.0, 1.0) for piece in pieces]
    return assemble(sure, list(GIST_FIELDS[: len(sure)]), DAMAGED_GIST)


@lru_cache(maxsize=4)
def default_codec(device: str = "cpu") -> Codec:
    """The shipped codec, loaded once per device."""
    return Codec.load(checkpoint_path("codec.safetensors"), device)
