"""`neuromem bench holographic`: how many gists one vector can hold and still tell apart."""

from __future__ import annotations

from collections.abc import Sequence

from ..holographic import Hologram
from ..owners import Progress
from .common import emit, numbers, parser, progress

__all__ = ["main", "share_right"]

SUBJECTS, RELATIONS = 40, 25
MOST = SUBJECTS * RELATIONS  # gists


def main(argv: list[str]) -> int:
    """Runs the bench."""
    arguments = parser("holographic")
    arguments.add_argument("--widths", default="1024,4096", help="numbers of a vector")
    arguments.add_argument("--gists", default="10,30,100,300", help=f"gists in it; {MOST:,} at most")
    options = arguments.parse_args(argv)
    widths = numbers("--widths", options.widths)
    counts = numbers("--gists", options.gists, MOST)
    with progress("asking") as step:
        rows = [
            {"width": width, "gists": count, **share_right(width, count, options.seed, step)}
            for width in widths for count in counts
        ]  # fmt: skip
    emit({"bench": "holographic", "asked_among": "every object told", "runs": rows}, options.json)
    return 0


def share_right(width: int, count: int, seed: int = 0, step: Progress | None = None) -> dict[str, float]:
    """Lays gists into one vector and asks for each one's object: the share that comes first, and its lead."""
    gists = told(count)
    hologram = Hologram.of(gists, width, seed)
    right, lead = 0, 0.0
    for done, gist in enumerate(gists):
        subject, relation, value = gist.split("|")
        best, *others = hologram.ask(subject, relation, limit=2)
        right += best.part == value
        lead += (best.score - others[0].score if others else best.score) * (1 if best.part == value else -1)
        if step is not None:
            step(done + 1, count)
    return {"right": right / count, "lead": lead / count, "bits_a_gist": 32 * width / count}


def told(count: int) -> Sequence[str]:
    """Gists of so many different objects, no two of which share subject and relation; at most `MOST`."""
    pairs = [(who, what) for who in range(SUBJECTS) for what in range(RELATIONS)]
    return [
        f"person {who}|relation {what}|thing {number}" for number, (who, what) in enumerate(pairs[:count])
    ]
