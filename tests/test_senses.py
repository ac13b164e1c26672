"""Senses: words of like meaning are near, whatever they look like; twenty-four bytes a word say so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neuromem import Memory
from neuromem.bank import SlotBank
from neuromem.config import Config, WriteConfig
from neuromem.encoders import HashEncoder, load_encoder
from neuromem.keys import Keys
from neuromem.senses import SENSE_BITS, SENSE_BYTES, SENSES, Senses, nearest_words, packed, senses_of
from neuromem.text import content_words, normalize, stems

CONFIG = Config(write=WriteConfig(max_steps=0))
FACTS = [
    "I play the cello in an orchestra",
    "My sister is a nurse",
    "We painted the kitchen green. It took a day!",
]


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys(load_encoder(), CONFIG.bank, CONFIG.recall)


def some_senses(width: int = 200) -> Senses:
    generator = torch.Generator().manual_seed(0)
    axes = torch.linalg.qr(torch.randn(width, SENSE_BITS, generator=generator))[0]
    return Senses(torch.randn(width, generator=generator), axes, "some")


# Words


@given(st.text(max_size=80))
def test_content_words_are_where_they_are_said_to_be(text: str) -> None:
    folded = normalize(text, casefold=False)
    found = content_words(folded)
    assert all(0 <= begin < end <= len(folded) for _, begin, end in found)
    assert [begin for _, begin, _ in found] == sorted(begin for _, begin, _ in found)


def test_content_words_are_the_stems_of_a_text() -> None:
    for text in FACTS:
        assert [stem for stem, *_ in content_words(text)] == stems(text)


def test_a_sentence_means_the_same_whether_its_words_are_told_apart_or_not() -> None:
    encoder = load_encoder("transformer")
    spans = [[(begin, end) for _, begin, end in content_words(text)] for text in FACTS]
    vectors, words = encoder.encode_words(FACTS, spans)  # type: ignore[attr-defined]
    assert torch.equal(vectors, encoder.encode(FACTS))
    assert len(words) == sum(map(len, spans))
    assert bool((words.norm(dim=1) > 0).all())


def test_words_behind_the_last_token_that_is_read_mean_nothing() -> None:
    encoder = load_encoder("transformer")
    text = "word " * 400 + "cello"
    _, words = encoder.encode_words([text], [[(0, 4), (2000, 2005)]])  # type: ignore[attr-defined]
    assert bool(words[0].any())
    assert not bool(words[1].any())


# Codes


def test_the_cosine_of_signs_is_near_that_of_the_numbers() -> None:
    senses, generator = some_senses(), torch.Generator().manual_seed(1)
    states = torch.randn(300, 200, generator=generator)
    states[1:] = states[:1] + torch.linspace(0, 3, 299)[:, None] * states[1:]
    asked = senses.of(states[:1])
    slots = packed([code[None] for code in senses.codes(states)]).numpy()
    near = nearest_words(slots, np.arange(300), 300, asked.numpy())[:, 0]
    true = (senses.of(states) @ asked.T)[:, 0].numpy()
    assert np.corrcoef(near, true)[0, 1] > 0.98
    assert near[0] == near.max() <= 1


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 3), st.integers(0, 9))
def test_the_nearest_word_of_an_owner_is_the_nearest_of_any_of_its_slots(
    counts: list[int], asked: int, seed: int
) -> None:
    senses, generator = some_senses(), torch.Generator().manual_seed(seed)
    states = [torch.randn(count, 200, generator=generator) for count in counts]
    owner = np.arange(len(counts)) // 2
    question = senses.of(torch.randn(asked, 200, generator=generator)).numpy()
    codes = [senses.codes(part) for part in states]
    near = nearest_words(packed(codes).numpy(), owner, int(owner[-1]) + 1, question)
    for person in range(int(owner[-1]) + 1):
        mine = torch.cat([codes[slot] for slot in np.flatnonzero(owner == person)])
        bits = 2.0 * np.unpackbits(mine.numpy(), axis=1) - 1
        wanted = (bits @ question.T / SENSE_BITS**0.5).max(axis=0, initial=-2) if len(mine) else 0
        assert np.allclose(near[person], wanted, atol=1e-5)


def test_more_words_than_fit_are_left_out_and_no_word_is_no_code() -> None:
    codes = torch.full((SENSES + 5, SENSE_BYTES), 7, dtype=torch.uint8)
    assert packed([codes, codes[:0]]).tolist() == [[7] * SENSES * SENSE_BYTES, [0] * SENSES * SENSE_BYTES]
    unread = some_senses().codes(torch.zeros(1, 200))
    assert not bool(unread.any())


# In a bank


def test_every_slot_keeps_what_its_words_mean_each_once(keys: Keys) -> None:
    targets, senses = keys.addresses([*FACTS, "dog dog Dogs", "?"])
    assert torch.equal(targets, keys.targets([*FACTS, "dog dog Dogs", "?"]))
    told = senses.view(5, SENSES, SENSE_BYTES).any(dim=2).sum(dim=1).tolist()
    assert told == [len(dict.fromkeys(stems(text))) for text in (*FACTS, "dog dog Dogs", "?")]
    assert torch.equal(senses, keys.addresses([*FACTS, "dog dog Dogs", "?"])[1])


def test_a_word_is_nearest_to_the_one_that_it_means(keys: Keys) -> None:
    codes = keys.addresses(FACTS)[1].numpy()
    for question, stem, fact in (
        ("Which instrument do I play?", "instrument", 0), ("Who works in a hospital?", "hospit", 1),
        ("What colour are the walls?", "colour", 2),
    ):  # fmt: skip
        asked = keys.query_senses(question)[stem][None].numpy()
        assert int(nearest_words(codes, np.arange(3), 3, asked)[:, 0].argmax()) == fact


def test_senses_are_evidence_and_the_explanation_says_so() -> None:
    with Memory(config=CONFIG) as memory:
        memory.add([{"role": "user", "content": fact} for fact in FACTS], user_id="ana", infer=False)
        found = memory.search("Which instrument do I play?", user_id="ana", explain=True)[0]
        assert found.text == FACTS[0]
        assert found.explain is not None
        assert found.explain["senses"] > 0
        assert 0 < found.score <= 1


def test_an_encoder_that_tells_no_words_apart_has_no_senses() -> None:
    assert senses_of(HashEncoder()) is None
    keys = Keys(HashEncoder(), CONFIG.bank, CONFIG.recall)
    assert not bool(keys.addresses(FACTS)[1].any())
    assert keys.query_senses(FACTS[0]) == {}
    with Memory(config=CONFIG, encoder="conv") as memory:
        memory.add(FACTS[0], user_id="ana", infer=False)
        found = memory.search(FACTS[0], user_id="ana", explain=True)[0]
        assert found.explain is not None
        assert "senses" not in found.explain
        assert found.score > 0.8  # a perfect match counts as one without them, too


def test_the_key_space_has_the_name_of_its_senses(keys: Keys) -> None:
    assert keys.senses is not None
    assert keys.identity.endswith(f"+senses@{keys.senses.identity}")


def test_a_slot_stays_well_under_two_kilobytes() -> None:
    assert SlotBank(384).bytes_per_slot <= 1_500
