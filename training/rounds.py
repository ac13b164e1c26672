"""What is trained on comes in rounds: each piece once a round, in an order of its own each time."""

from __future__ import annotations

import random


class Rounds:
    """Which piece sample after sample is made of."""

    def __init__(self, count: int, seed: int) -> None:
        """Args: count: pieces, one at least."""
        self._count, self._seed = count, seed
        self._round, self._order = -1, list[int]()

    def at(self, number: int) -> tuple[int, random.Random]:
        """Place of the piece of sample `number`, and its source of chance: functions of seed and number."""
        round_, place = divmod(number, self._count)
        if round_ != self._round:
            order = list(range(self._count))
            random.Random(self._seed * 31 + round_).shuffle(order)
            self._round, self._order = round_, order
        return self._order[place], random.Random(self._seed * 1_000_193 + number)
