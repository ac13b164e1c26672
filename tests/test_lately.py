"""What was read from weights a moment ago is not read again, and nothing else is taken for it."""

from __future__ import annotations

import torch

from neuromem.ladder import VALUE_UNITS
from neuromem.lately import Lately


def lately(capacity: int) -> tuple[Lately[int], list[int]]:
    """Readings that are the first unit of a value, and a list of those that were really read."""
    read: list[int] = []

    def reading(values: torch.Tensor, _strength: torch.Tensor) -> list[int]:
        said: list[int] = values[:, 0].tolist()
        read.extend(said)
        return said

    return Lately(reading, capacity), read


def values(*first: int) -> torch.Tensor:
    out = torch.zeros(len(first), VALUE_UNITS, dtype=torch.int8)
    out[:, 0] = torch.tensor(first)
    return out


def test_the_same_weights_at_the_same_stair_are_read_once() -> None:
    said, read = lately(10)
    assert said(values(1, 2), torch.ones(2)) == [1, 2]
    assert said(values(2, 1, 3), torch.ones(3)) == [2, 1, 3]
    assert read == [1, 2, 3]
    assert said(values(1), torch.tensor([0.999])) == [1]
    assert read == [1, 2, 3], "0.999 is read at the stair of 1"
    assert said(values(1), torch.tensor([0.5])) == [1]
    assert read == [1, 2, 3, 1]


def test_what_was_longest_not_asked_for_goes_first() -> None:
    said, read = lately(2)
    said(values(1, 2), torch.ones(2))
    said(values(1), torch.ones(1))
    said(values(3), torch.ones(1))
    read.clear()
    said(values(1, 3), torch.ones(2))
    assert read == []
    said(values(2), torch.ones(1))
    assert read == [2]


def test_what_is_known_is_not_read_and_what_is_forgotten_is() -> None:
    said, read = lately(10)
    said.note(values(1, 2), torch.ones(2), [7, None])
    assert said(values(1, 2), torch.ones(2)) == [7, 2]
    assert read == [2]
    said.forget()
    assert said(values(1), torch.ones(1)) == [1]


def test_what_is_known_but_hardly_asked_for_soon_takes_nobodys_place() -> None:
    said, read = lately(2)
    said.note(values(1), torch.ones(1), [7], soon=False)
    said(values(2), torch.ones(1))
    said.note(values(3), torch.ones(1), [9], soon=False)
    assert said(values(1, 2, 3), torch.ones(3)) == [7, 2, 3]
    assert read == [2, 3]
