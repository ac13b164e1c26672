"""One step of a training run, the moving average of the weights, and how fast it goes."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

__all__ = ["averaged", "pace", "stepped", "was_done"]


def stepped(net: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    """Moves a network down a loss; a gradient longer than 1 is shortened.

    Args:
        loss: a scalar. rate: of learning.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()


@torch.no_grad()
def averaged(average: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """Moves averaged weights towards a network's.

    Args:
        decay: the most that is kept of the average. step: its number, from 1: early ones keep less, so that
            the random beginning is soon forgotten.
    """
    for slow, fast in zip(average.parameters(), net.parameters(), strict=True):
        slow.lerp_(fast, 1 - min(decay, step / (step + 10)))


def pace(step: int, steps: int, first: int, started: float) -> tuple[float, float]:
    """Steps a second since step `first` at `started` (`time.monotonic`), and minutes that are left."""
    rate = (step - first) / (time.monotonic() - started)
    return rate, (steps - step) / rate / 60


def was_done(step: int, first: int) -> bool:
    """Whether a run that began at step `first` had nothing to do, which is said.

    It had ended, or was killed before it exported: its caller exports what the state holds.
    """
    done = step == first
    if done:
        print("all steps are done; --steps asks for more")
    return done
