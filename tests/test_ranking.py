"""A ranking grows: what is asked for later is what a new one would give."""

from __future__ import annotations

from neuromem import Memory
from neuromem.config import Config, RecallConfig, WriteConfig
from neuromem.question import take_apart
from neuromem.recall import Ranking

START = 1_780_000_000.0
CHAPTER = "Chapter {number} tells of the harbour town {town} and its {number} lighthouses."


def test_a_ranking_that_is_asked_for_more_gives_what_a_new_one_would() -> None:
    """Long memories take up the best passages, so that more of them have to be weighed."""
    texts = [" ".join(CHAPTER.format(number=n, town=town) for n in range(48)) for town in range(3)]
    texts += [f"The rope of boat {number} is new" for number in range(9)]
    with Memory(config=Config(write=WriteConfig(max_steps=0)), clock=lambda: START) as memory:
        memory.add([{"role": "user", "content": text} for text in texts], user_id="ana", infer=False)
        bank, now_ms, few = memory.bank("ana"), int(START * 1_000), RecallConfig(candidates=12)
        question = take_apart("Which town has lighthouses?", memory.engine.keys, (), now_ms)

        def ids(ranking: Ranking, limit: int) -> list[str]:
            return [hit.id for hit in ranking.best(limit)]

        grown = Ranking(bank, question, now_ms, few)
        for limit in (1, 2, 3, 4, 5, 6, 12):
            assert ids(grown, limit) == ids(Ranking(bank, question, now_ms, few), limit)
        assert len(ids(grown, 12)) == 12
