"""What the reader is trained on says what it should."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from neuromem.encoders.lexical import HashEncoder
from neuromem.reading import Passage
from training.reader_samples import Sample, packed
from training.talks import look_up, read_talk, read_talks, rewritten, sample_of
from training.train_reader import rate_at, vocabulary

TALK = """# Ana | 2026-11-02
1 11-02 09:00 Our new dog is a whippet.
2 11-02 09:01 She's called Potola, my nephew chose it.
3 12-30 10:00 The rent is 1,200 now.
4 01-02 10:00 They raised it again, 1,350 from February.
?
01-03 10:00 known | What's the dog's name? // How do I call the whippet? | Potola | Bella | 1 2
01-03 10:01 superseded | What do I pay for the flat? | 1,350 | 1,200 | 3 4
01-03 10:02 unknown | Which vet do we go to? | | nephew | 2
"""


@pytest.fixture
def talk(tmp_path: Path):
    path = tmp_path / "01_ana.txt"
    path.write_text(TALK, encoding="utf-8")
    return read_talk(path)


def test_a_script_is_read(talk) -> None:
    assert [len(ask.wordings) for ask in talk.asks] == [2, 1, 1]
    assert [ask.evidence for ask in talk.asks] == [[0, 1], [2, 3], [1]]
    assert talk.turns[3][0] > talk.turns[2][0], "January comes after December"


def test_a_turn_comes_with_what_was_said_just_before(talk) -> None:
    assert talk.passage(1).before == "Our new dog is a whippet."
    assert talk.passage(3).before == ""


def test_the_newest_turn_is_right_and_its_answer_marked(talk) -> None:
    look_up(talk, HashEncoder())
    sample, turns = sample_of(talk, talk.asks[1], 0, 12)
    [right] = sample.right
    assert turns[right] == 3
    begin, end = sample.starts[right][0][0], sample.ends[right][0][1]
    assert sample.passages[right].text[begin:end] == "1,350"


def test_nothing_answers_the_unknown(talk) -> None:
    look_up(talk, HashEncoder())
    assert not sample_of(talk, talk.asks[2], 0, 12)[0].right


def test_what_is_left_out_for_training_leaves_no_answer(talk) -> None:
    look_up(talk, HashEncoder())
    seen = [sample_of(talk, talk.asks[0], 0, 12, random.Random(seed))[0] for seed in range(60)]
    for sample in seen:
        told = any("Potola" in passage.text for passage in sample.passages)
        assert told == bool(sample.right)
    assert 5 < sum(not sample.right for sample in seen) < 30


def test_the_answer_moves_along_when_a_text_is_rewritten() -> None:
    sample = Sample("?", [Passage("Ana pays 9 euros")], frozenset([0]), {0: [(9, 10)]}, {0: [(9, 10)]})
    moved = rewritten(sample, lambda text: text.replace("Ana", "Konstantina"))
    assert moved.passages[0].text[slice(*moved.starts[0][0])] == "9"


def test_marks_are_the_tokens_of_the_answer() -> None:
    text = "She's called Potola, my nephew chose it."
    sample = Sample("Name?", [Passage(text)], frozenset([0]), {0: [(13, 14)]}, {0: [(18, 19)]})
    batch, wanted = packed(vocabulary(), [sample])
    begin = batch.offsets[int(wanted.starts.nonzero()[0])][0]
    end = batch.offsets[int(wanted.ends.nonzero()[-1])][1]
    assert text[begin:end] == "Potola"
    assert wanted.right.tolist() == [[True, False]]


def test_every_sixth_file_is_held_out(tmp_path: Path) -> None:
    for number in range(1, 13):
        (tmp_path / f"{number:02}_x.txt").write_text(TALK, encoding="utf-8")
    train, held = read_talks([tmp_path])
    assert (len(train), len(held)) == (10, 2)


def test_the_learning_rate_warms_up_and_falls() -> None:
    rates = [rate_at(step, 1_000, 1.0) for step in (0, 200, 990)]
    assert rates == [pytest.approx(1 / 60), 1.0, pytest.approx(0.02)]
