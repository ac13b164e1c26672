"""Words decoded byte by byte, for measuring: what is right, how sure the decoder was, what it would guess.

Every decode is free-running: one greedy pass from the codes alone. (A parallel decoder is never shown the
right bytes, so there is no teacher-forced figure to mistake for it.) The *controls* are what comes out with
no slot and with another text's: the greater share of right bytes is no merit of the memory and is subtracted
where information is counted.

Axes: B texts, P patches of all of them, U units of a patch, N bytes of all texts.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..codec import PAD, SURE, Codec, starts_of, to_patches
from ..ladder import TEXT_BYTES, VERBATIM, halve, octaves, stair

__all__ = ["Spoken", "at_strength", "control", "first_guess", "full_texts", "random_slots", "speak"]

CHUNK = 128  # texts decoded in one pass


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was decoded for texts whose right bytes are known."""

    exact: list[bool]  # B: the whole text, as the codec reads it
    right: Tensor  # [N] bool, each byte in its place
    chance: Tensor  # [N] probability that the decoder gave the byte it chose

    @property
    def right_bytes(self) -> float:
        """Share of bytes that are right."""
        return float(self.right.double().mean())

    @property
    def confident(self) -> Tensor:
        """[N] bytes sure enough to be shown."""
        return self.chance >= SURE


@torch.no_grad()
def speak(codec: Codec, texts: Sequence[bytes], codes: Tensor, height: float) -> Spoken:
    """Decodes codes greedily and compares with the texts that they were made of.

    Args:
        codes: [P, U] full amplitude 1. height: grid steps that amplitude 1 is high, as the decoder is told.
    """
    exact: list[bool] = []
    right, chance = [torch.zeros(0, dtype=torch.bool)], [torch.zeros(0)]
    at = 0
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        patches, lengths = to_patches(chunk)
        part = codes[at : at + len(patches)].to(codec.device)
        at += len(patches)
        heights = torch.full((len(part),), height, device=part.device)
        fields = torch.full((len(part),), VERBATIM.index, device=part.device)
        said, _ = codec.read(part, heights, fields, lengths)
        exact += [one == other for one, other in zip(said, chunk, strict=True)]
        chances = codec.decoder(part, heights, fields, starts_of(lengths.to(part.device))).softmax(2).cpu()
        best = chances.max(dim=2)
        own = patches != PAD
        right.append((best.indices == patches)[own])
        chance.append(best.values[own])
    return Spoken(exact, torch.cat(right), torch.cat(chance))


@torch.no_grad()
def first_guess(codec: Codec, texts: Sequence[bytes], height: float = VERBATIM.amplitude) -> Tensor:
    """[P, U] whole grid steps: the encoder's codes as they are stored before any gradient step."""
    codes, _ = codec.encode(texts)
    return torch.round(codes * height)


def at_strength(weights: Tensor, strength: float) -> tuple[Tensor, float]:
    """Stored words at a strength: (weights [P, U] in grid steps, what a step height of 1 is worth then)."""
    stairs = stair(torch.full((len(weights),), strength), VERBATIM.stairs)
    halvings, fraction = octaves(stairs)
    left = torch.round(halve(weights, halvings).float() * fraction[:, None])
    return left, float(stairs[0]) if len(stairs) else strength


def control(codec: Codec, texts: Sequence[bytes], codes: Tensor, height: float) -> dict[str, float]:
    """Shares of bytes that come out right with no slot (all codes zero) and from other patches.

    Args: as `speak`.
    """
    others = codes.roll(len(codes) // 2, dims=0) if len(codes) > 1 else torch.zeros_like(codes)
    return {
        "no_slot": speak(codec, texts, torch.zeros_like(codes), height).right_bytes,
        "other_slot": speak(codec, texts, others, height).right_bytes,
    }


def random_slots(count: int, seed: int = 0) -> list[bytes]:
    """Full slots of random bytes: nothing in them can be guessed."""
    rng = random.Random(seed)
    return [rng.randbytes(TEXT_BYTES) for _ in range(count)]


def full_texts(texts: Sequence[str]) -> list[str]:
    """The texts one after the other, cut into pieces that fill a slot (but for a character cut in two)."""
    data = " ".join(texts).encode()
    out: list[str] = []
    at = 0
    while len(data) - at >= TEXT_BYTES:
        piece = data[at : at + TEXT_BYTES].decode(errors="ignore")
        out.append(piece)
        at += len(piece.encode())
    return out
