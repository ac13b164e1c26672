"""`neuromem bench ablation`: what the steps of the write loop gain over none.

Values: hard texts are written with no step and with the loop: how many are exact, how many of those without
being cut into more slots, and the lowest strength at which the words are still verbatim.
Keys: many near-identical facts ("X's dog is called Y"; X and Y are made up), each asked for by "what is X's
dog called?": recall@1 with the encoder's keys as they are, and with sculpted ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..bank import SlotBank
from ..config import Config, RecallConfig, WriteConfig
from ..encoders import Encoder, WrappedEncoder, load_encoder
from ..facts import parse_gist
from ..keys import Keys
from ..owners import Progress
from ..question import Question, take_apart
from ..recall import Ranking
from ..tell import cues_for
from ..writer import Draft
from .codec import drafts_of, measure
from .common import emit, mean, parser, progress, read_texts, share
from .generated import GeneratedFact, hard_texts, near_identical
from .slots import START_MS, FactBank

__all__ = ["TableEncoder", "main", "recall_among"]

VALUE_MEASURES = "exact exact_unsplit lowest_strength_mean slots_per_fact steps_mean ms_per_fact lies".split()


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if the loop does not gain in each measure."""
    default = WriteConfig()
    arguments = parser("ablation")
    arguments.add_argument("--texts", metavar="FILE", help="one text per line; generated hard texts without")
    arguments.add_argument("--count", type=int, default=400, help="generated hard texts")
    arguments.add_argument("--near", type=int, default=5_000, help="near-identical facts; 0: leave keys out")
    arguments.add_argument("--encoder", help="as Memory's: sentence, sentence:FOLDER, hash")
    arguments.add_argument("--key-steps", type=int, default=default.key_steps)
    arguments.add_argument("--key-margin", type=float, default=default.key_margin)
    arguments.add_argument("--key-anchor", type=float, default=default.key_anchor)
    arguments.add_argument("--neighbours", type=int, default=default.neighbours)
    options = arguments.parse_args(argv)
    arms = {
        "no steps": WriteConfig(max_steps=0, key_steps=0),
        "loop": WriteConfig(
            key_steps=options.key_steps, key_margin=options.key_margin, key_anchor=options.key_anchor,
            neighbours=options.neighbours,
        ),
    }  # fmt: skip
    texts = read_texts(options.texts) if options.texts else hard_texts(options.count, options.seed)
    facts = near_identical(options.near, options.seed)
    encoder = TableEncoder(load_encoder(options.encoder))
    rows: dict[str, dict[str, Any]] = {}
    with progress("writing") as step:
        for name, write in arms.items():
            values = Config(write=WriteConfig(max_steps=write.max_steps, key_steps=0))
            measured = measure(drafts_of(texts), values, step)
            rows[name] = {measure_: measured[measure_] for measure_ in VALUE_MEASURES}
            if facts:
                rows[name] |= recall_among(facts, Config(write=write), encoder, step)
    gains = gained(rows["no steps"], rows["loop"])
    sizes = {"texts": len(texts), "near_identical": len(facts)}
    emit({"bench": "ablation", **sizes, "arms": rows, "gains": gains}, options.json)
    return int(not all(gains.values()))


def gained(without: dict[str, Any], with_loop: dict[str, Any]) -> dict[str, bool]:
    """Whether the loop is better, measure by measure (or as good where nothing is left to gain)."""
    out = {}
    bests = {"exact": 1.0, "exact_unsplit": 1.0, "recall@1": 1.0, "lowest_strength_mean": 0.0}
    for name, best in bests.items():
        if name in without:
            nearer = abs(best - with_loop[name]) < abs(best - without[name])
            out[name] = nearer or with_loop[name] == without[name] == best
    return out


def recall_among(
    facts: Sequence[GeneratedFact],
    config: Config,
    encoder: Encoder,
    step: Progress | None = None,
    *,
    by_key: bool = False,
) -> dict[str, float]:
    """recall@1 of each fact's question among all facts, and how far the right one is ahead.

    Args:
        by_key: ranked by the cosine of the keys alone; else by all evidence, as a search is.
    """
    drafts = [Draft(fact.text, ("", "", "", ""), cues_for(parse_gist(fact.gist))) for fact in facts]
    written = FactBank(drafts, config=config, encoder=encoder, progress=step)
    keys = Keys(encoder, config.bank, config.recall)
    first, lead = [], []
    for done, (fact, memory_id) in enumerate(zip(facts, written.ids, strict=True), 1):
        question = take_apart(fact.question, keys, (), START_MS)
        found = _by_key(written.bank, question) if by_key else _by_evidence(written.bank, question)
        first.append(found[0][0] == memory_id)
        if first[-1] and len(found) > 1:
            lead.append(found[0][1] - found[1][1])
        if step is not None:
            step(done, len(facts))
    return {
        "recall@1": share(first),
        "missed": first.count(False),
        "mean_lead": mean(lead),
    }


def _by_evidence(bank: SlotBank, question: Question) -> list[tuple[str, float]]:
    """The two best memories, with their scores."""
    return [(hit.id, hit.score) for hit in Ranking(bank, question, START_MS, RecallConfig()).best(2)]


def _by_key(bank: SlotBank, question: Question) -> list[tuple[str, float]]:
    cosines, rows = bank.lookup(question.vector, 2)
    return list(zip(bank.ids_of(rows), cosines.tolist(), strict=True))


class TableEncoder(WrappedEncoder):
    """An encoder that remembers every vector: both arms of a comparison are encoded once."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.table: dict[str, Tensor] = {}

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width] unit rows."""
        new = [text for text in dict.fromkeys(texts) if text not in self.table]
        self.table |= dict(zip(new, self.encoder.encode(new), strict=True)) if new else {}
        return torch.stack([self.table[text] for text in texts]) if texts else torch.zeros(0, self.width)
