"""The utterances labelled for keeping: well formed, balanced, and split the same way each time."""

from __future__ import annotations

from pathlib import Path

from training.train_keep import read_labelled, split

LABELLED = Path(__file__).parents[1] / "training" / "keep"


def test_half_of_the_labelled_utterances_are_kept_and_each_is_there_once() -> None:
    told = read_labelled(LABELLED)
    assert len(told) > 2_000
    assert 0.45 < sum(each.keep for each in told) / len(told) < 0.55
    assert len({(each.text, each.context) for each in told}) == len(told)
    assert all(each.text.strip() and len(each.text) < 300 for each in told)
    assert all(turn.partition(":")[0] in ("user", "assistant") for each in told for turn in each.context)


def test_what_is_held_out_is_not_learned_from() -> None:
    told = read_labelled(LABELLED)
    train, held = split(told)
    assert len(train) + len(held) == len(told)
    assert not {(each.text, each.context) for each in train} & {(each.text, each.context) for each in held}
