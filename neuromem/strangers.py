"""How alike an encoder finds statements that have nothing to do with each other.

Encoders differ: two unrelated sentences have a cosine of 0.0 with one and of 0.2 with another. What counts as
talk of the same thing is measured against that.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["STRANGERS", "Strangeness", "strangeness"]

STRANGERS = """
My grandmother was a midwife in the war
The printer on the second floor is out of toner
I take my coffee black
We drove over the pass in heavy snow
Her thesis is about the tax law of Venice
The cat sleeps on the radiator
I failed my driving test twice
Our choir sings on Thursday evenings
He sold his shares last spring
The kitchen tap drips at night
I'm allergic to walnuts
They painted the fence green
My flight to Oslo leaves at six
The twins have started nursery
I read crime novels in the bath
His knee was operated on in May
The bakery closes on Mondays
I keep the spare key under the pot
We lost the final on penalties
She speaks four languages
The mushrooms grew behind the barn
My phone number ends in 88
Grandpa never wore a watch
I want to learn to weld
The neighbours play the drums
Our wedding was on a boat
I owe Tom twenty euros
The museum was shut for repairs
He breeds racing pigeons
My favourite colour is orange
The dentist found two cavities
We eat fish on Fridays
""".strip().split("\n")


class Strangeness(NamedTuple):
    """Cosines of pairs of unrelated statements."""

    mean: float
    spread: float  # standard deviation

    def span(self) -> tuple[float, float]:
        """Cosines from which on two texts begin to have something in common, and clearly have."""
        return self.mean + 0.8 * self.spread, self.mean + 2 * self.spread


def strangeness(keys: Tensor) -> Strangeness:
    """Of an encoder, from its unit keys [B, K] of `STRANGERS`."""
    cosines = keys @ keys.T
    apart = cosines[~cosines.new_ones(len(keys), len(keys)).tril().bool()]
    return Strangeness(float(apart.mean()), float(apart.std()))
