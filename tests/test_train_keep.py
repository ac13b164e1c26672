"""The utterances labelled for keeping: well formed, balanced, and split the same way each time."""

from __future__ import annotations

from pathlib import Path

from neuromem.bench.talk import says
from training.talks import read_talks
from training.train_keep import FromUtterances, Utterance, read_labelled, split, told_in

TRAINING = Path(__file__).parents[1] / "training"
LABELLED = TRAINING / "keep"


def test_half_of_the_labelled_utterances_are_kept_and_each_is_there_once() -> None:
    told = read_labelled(LABELLED)
    assert len(told) > 7_000
    assert 0.45 < sum(each.keep for each in told) / len(told) < 0.55
    assert len({(each.text, each.context) for each in told}) == len(told)
    assert all(each.text.strip() and len(each.text) < 300 for each in told)
    assert all(turn.partition(":")[0] in ("user", "assistant") for each in told for turn in each.context)


def test_what_is_held_out_is_not_learned_from() -> None:
    told = read_labelled(LABELLED)
    train, held = split(told)
    assert len(train) + len(held) == len(told)
    assert not {(each.text, each.context) for each in train} & {(each.text, each.context) for each in held}


def test_what_answers_a_question_of_a_dialogue_is_to_be_kept() -> None:
    talks, _ = read_talks([TRAINING / "dialogues"])
    terms = [term for ask in talks[0].asks for term in ask.expected]
    told = told_in(talks[:1], 50)
    assert told
    assert all(each.keep and any(says(each.text, term) for term in terms) for each in told)


def test_samples_are_a_pure_function_of_seed_and_number() -> None:
    told = [
        Utterance("I keep bees.", (), True),
        Utterance("what a day", (), False),
        Utterance("He's a postman.", ("user: Jostein and I live in Fana.",), True),
    ]
    one, same, other = (FromUtterances(told, seed) for seed in (1, 1, 2))
    numbers = range(40)
    assert [one.sample(n) for n in numbers] == [same.sample(n) for n in numbers]
    assert [one.sample(n) for n in numbers] != [other.sample(n) for n in numbers]
    behind = {sample.passages[0].before for n in numbers for sample in [one.sample(n)]}
    assert len(behind) > 1  # what was said alone comes behind something else, too
