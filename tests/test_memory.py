"""Memory: the contract of the public face, through the real parts."""

from __future__ import annotations

import inspect
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import category

import pytest
import torch
from conftest import MIDDAY, FakeClock
from strings import FACTS, LONG_TEXT, NASTY

from neuromem import Memory
from neuromem.encoders import Encoder, load_encoder
from neuromem.forgetting import Fidelity

POTOLA = "My dog's name is Potola"


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


@pytest.fixture(scope="session")
def sentence_encoder() -> Encoder:
    """The default encoder, loaded once."""
    return load_encoder(None)


@pytest.fixture
def meaning(fake_clock: FakeClock, sentence_encoder: Encoder) -> Iterator[Memory]:
    """A memory in RAM that understands other words for the same thing."""
    with Memory(encoder=sentence_encoder, clock=fake_clock) as memory:
        yield memory


def tell(memory: Memory, text: str, user_id: str = "ana", **more: Any) -> str:
    """Adds one fact as it is; returns its id."""
    (written,) = memory.add(text, user_id=user_id, infer=False, **more)
    return written.id


def state_of(memory: Memory, user_id: str = "ana") -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in memory.bank(user_id).state_dict().items()}


def unchanged(memory: Memory, before: dict[str, torch.Tensor], user_id: str = "ana") -> bool:
    now = memory.bank(user_id).state_dict()
    return set(now) == set(before) and all(tensor.equal(before[name]) for name, tensor in now.items())


def events(memory: Memory, user_id: str = "ana") -> list[str]:
    return [record.kind for record in memory.engine.log.events(f"user:{user_id}")]


# --- the signatures that others rely on --------------------------------------------------------

SIGNATURES = {
    "__init__": "path config encoder clock",
    "add": "messages user_id metadata timestamp infer",
    "search": "query user_id limit filters fidelity budget_ms explain rehearse",
    "deep": "query user_id limit progress",
    "get": "id fidelity",
    "all": "user_id fidelity",
    "update": "id text",
    "delete": "id",
    "delete_all": "user_id",
    "history": "id",
    "conscious": "user_id",
    "sleep": "now",
    "rebuild": "user_id",
    "at": "timestamp",
    "verify": "",
    "bank": "user_id",
    "export": "path user_id profile",
    "import_": "path",
    "close": "",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_method_takes_the_arguments_of_the_contract(name: str) -> None:
    parameters = list(inspect.signature(getattr(Memory, name)).parameters)
    assert set(SIGNATURES[name].split()) <= set(parameters)


def test_the_defaults_are_those_of_the_contract() -> None:
    search = inspect.signature(Memory.search).parameters
    assert {name: search[name].default for name in ("limit", "fidelity", "explain", "rehearse")} == {
        "limit": 10, "fidelity": "auto", "explain": False, "rehearse": True,
    }  # fmt: skip
    assert inspect.signature(Memory.add).parameters["infer"].default is True


# --- add ---------------------------------------------------------------------------------------


def test_a_told_fact_is_written_word_for_word(memory: Memory) -> None:
    (written,) = memory.add(POTOLA, user_id="ana")
    assert (written.text, written.gist, written.event) == (POTOLA, "1|dog name|Potola", "ADD")
    assert written.exact
    assert written.report is not None
    assert written.report.slots == 1
    assert str(uuid.UUID(written.id)) == written.id


def test_what_is_asked_in_other_words_is_found(meaning: Memory) -> None:
    meaning.add(". ".join(FACTS) + ".", user_id="ana")
    for question, answer in (
        ("what is my dog called?", "Potola"),
        ("where does my sister live?", "Lisbon"),
        ("what can I not eat?", "peanuts"),
        ("which musical instrument do I play?", "cello"),
    ):
        best = meaning.search(question, user_id="ana")[0]
        assert answer in best.text
        assert best.fidelity == "verbatim"


def test_a_fact_told_again_is_reinforced_and_stays_one_memory(memory: Memory, fake_clock: FakeClock) -> None:
    first = tell(memory, POTOLA)
    fake_clock.advance(days=1)
    (again,) = memory.add("my dog's name is potola!", user_id="ana")
    assert (again.id, again.event) == (first, "REINFORCE")
    assert len(memory.all(user_id="ana")) == 1


def test_a_fact_told_twice_in_one_breath_is_one_memory(memory: Memory) -> None:
    written = memory.add(f"{POTOLA}. {POTOLA}.", user_id="ana")
    assert [item.event for item in written] == ["ADD", "REINFORCE"]
    assert len(memory.all(user_id="ana")) == 1


def test_questions_and_greetings_are_no_facts_but_stay_in_the_log(memory: Memory) -> None:
    written = memory.add(f"Hello! How are you? {POTOLA}. What is yours called?", user_id="ana")
    assert [item.text.rstrip(".") for item in written] == [POTOLA]
    said = [record.body["text"] for record in memory.engine.log.events("user:ana") if record.kind == "say"]
    assert any("How are you?" in text for text in said)


def test_a_turn_without_a_fact_gives_nothing_and_is_logged(memory: Memory) -> None:
    assert memory.add("What time is it?", user_id="ana") == []
    assert events(memory) == ["say"]
    assert memory.all(user_id="ana") == []


def test_without_inference_everything_is_kept_as_it_is(memory: Memory) -> None:
    (written,) = memory.add("What time is it?", user_id="ana", infer=False)
    assert memory.get(written.id).text == "What time is it?"


def test_messages_bring_names_roles_and_times(memory: Memory) -> None:
    written = memory.add(
        [
            {"role": "system", "content": "You are a helpful assistant."},
            {
                "role": "user",
                "name": "Ana",
                "content": "My dog is called Potola.",
                "timestamp": MIDDAY - 86_400,
            },
            {"role": "assistant", "content": "What a nice name!"},
            {
                "role": "user",
                "name": "Ben",
                "content": "I live in Graz.",
                "timestamp": "2026-03-01T08:00:00+00:00",
            },
        ],
        user_id="ana",
    )
    assert [item.text for item in written] == ["My dog is called Potola.", "I live in Graz."]
    assert written[0].gist.startswith("1|"), "the owner speaks of themselves"
    assert written[1].gist.startswith("Ben|"), "somebody else goes by their name"
    times = [memory.get(item.id).created_at for item in written]
    assert times == [datetime.fromtimestamp(MIDDAY - 86_400, UTC), datetime(2026, 3, 1, 8, tzinfo=UTC)]


def test_one_message_alone_may_be_given(memory: Memory) -> None:
    (written,) = memory.add({"role": "user", "content": POTOLA}, user_id="ana")
    assert written.text == POTOLA


@pytest.mark.parametrize(
    "timestamp",
    [
        MIDDAY - 3_600,
        datetime(2026, 3, 2, 11, tzinfo=UTC),
        datetime(2026, 3, 2, 11),
        "2026-03-02T12:00:00+01:00",
    ],
    ids=["seconds", "aware", "naive", "ISO"],
)
def test_a_time_may_be_given_in_four_ways(memory: Memory, timestamp: Any) -> None:
    id_ = tell(memory, POTOLA, timestamp=timestamp)
    assert memory.get(id_).created_at == datetime(2026, 3, 2, 11, tzinfo=UTC)


def test_old_talk_that_is_read_in_late_does_not_age_what_was_heard_since(
    memory: Memory, fake_clock: FakeClock
) -> None:
    id_ = tell(memory, POTOLA)
    before = memory.get(id_)
    tell(memory, POTOLA, timestamp=MIDDAY - 700 * 86_400)
    after = memory.get(id_)
    assert after.fidelity == "verbatim"
    assert after.strength >= before.strength
    assert after.created_at < before.created_at
    assert after.updated_at == before.updated_at


# --- any text ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_nasty_strings_are_said_word_for_word_or_flagged(memory: Memory) -> None:
    exact = 0
    kept = {name: text for name, text in NASTY.items() if text.strip()}
    for name, text in kept.items():
        (written,) = memory.add(text, user_id="ana", infer=False, metadata={"name": name})
        recall = memory.get(written.id)
        assert written.exact == (recall.fidelity == "verbatim")
        assert recall.metadata == {"name": name}
        if written.exact:
            exact += 1
            assert recall.text == text
        assert memory.get(written.id, fidelity="exact").text == text
        assert json.dumps(recall.to_dict())
        assert not [sign for sign in recall.gist if category(sign) == "Cc" and sign not in "\n\t\r"]
    assert exact > 0.8 * len(kept)
    assert memory.verify().ok


@pytest.mark.slow
def test_a_long_text_spans_slots_and_is_said_whole(memory: Memory) -> None:
    id_ = tell(memory, LONG_TEXT)
    assert memory.get(id_).text == LONG_TEXT
    rows = memory.bank("ana").rows_of(id_)
    assert len(rows) > 30
    assert len(memory.all(user_id="ana")) == 1


@pytest.mark.slow
def test_a_long_memory_does_not_crowd_out_the_others(memory: Memory) -> None:
    tell(memory, "apples and pens " * 300)
    others = [tell(memory, f"Basket {number} holds apples") for number in range(5)]
    found = memory.search("apples and pens", user_id="ana", limit=6)
    assert {recall.id for recall in found[1:]} == set(others)


def test_text_with_control_characters_shows_them_as_pictures_once_it_has_faded(
    memory: Memory, fake_clock: FakeClock
) -> None:
    id_ = tell(memory, "bell\a and escape\x1b[31m sequences are nasty")
    while memory.get(id_).fidelity == "verbatim":
        fake_clock.advance(days=1)
    assert memory.get(id_).text.isprintable()


# --- what a recall says ------------------------------------------------------------------------


def test_a_recall_has_the_fields_of_the_contract(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory, POTOLA, metadata={"topic": "pets"})
    (recall,) = memory.search("dog name", user_id="ana", rehearse=False)
    assert (recall.id, recall.text, recall.gist) == (id_, POTOLA, "1|dog name|Potola")
    assert recall.fidelity == "verbatim"
    assert recall.fidelity is Fidelity.VERBATIM
    assert (recall.strength, recall.superseded_by, recall.metadata) == (1.0, None, {"topic": "pets"})
    assert recall.created_at == recall.updated_at == datetime.fromtimestamp(MIDDAY, UTC)
    assert 0 < recall.score <= 1
    assert 0.5 < recall.confidence <= 1
    assert recall.explain is None
    assert set(recall.to_dict()) >= {
        "id",
        "text",
        "gist",
        "score",
        "strength",
        "fidelity",
        "created_at",
        "updated_at",
    }


def test_explain_shows_the_parts_of_the_score(memory: Memory) -> None:
    tell(memory, POTOLA)
    (recall,) = memory.search("dog", user_id="ana", explain=True)
    assert recall.explain is not None
    assert recall.explain["score"] == pytest.approx(recall.score)
    assert {"cosine", "strength"} <= set(recall.explain)


def test_a_memory_comes_back_under_its_id_in_any_spelling(memory: Memory) -> None:
    id_ = tell(memory, POTOLA)
    for spelling in (id_.upper(), "{" + id_ + "}", id_.replace("-", ""), f"urn:uuid:{id_}"):
        assert memory.get(spelling).id == id_
        assert memory.history(spelling)[0]["event"] == "ADD"


def test_everything_is_listed_oldest_first(memory: Memory) -> None:
    for age in (3, 1, 2):
        tell(memory, f"Tea number {age}", timestamp=MIDDAY - age)
    assert [recall.text for recall in memory.all(user_id="ana")] == [
        "Tea number 3",
        "Tea number 2",
        "Tea number 1",
    ]


def test_an_owner_who_never_said_anything_has_nothing(memory: Memory) -> None:
    assert memory.search("dog", user_id="nobody") == []
    assert memory.deep("dog", user_id="nobody") == []
    assert memory.all(user_id="nobody") == []
    assert memory.conscious(user_id="nobody") == []
    assert len(memory.bank("nobody")) == 0
    assert memory.users() == []


def test_the_conscious_set_is_what_matters_most(memory: Memory) -> None:
    memory.add("My name is Ana. I am allergic to peanuts. I had soup yesterday.", user_id="ana")
    texts = [recall.text for recall in memory.conscious(user_id="ana")]
    assert set(texts) == {"My name is Ana.", "I am allergic to peanuts."}


def test_limit_is_kept_and_results_fall_in_score(memory: Memory) -> None:
    for fact in FACTS:
        tell(memory, fact)
    found = memory.search("my dog and my sister and my bike", user_id="ana", limit=3)
    assert len(found) == 3
    scores = [recall.score for recall in found]
    assert scores == sorted(scores, reverse=True)


# --- looking and rehearsing --------------------------------------------------------------------


def test_looking_changes_nothing_bit_for_bit(memory: Memory, fake_clock: FakeClock) -> None:
    ids = [tell(memory, fact) for fact in FACTS]
    fake_clock.advance(days=20)
    before, length = state_of(memory), len(events(memory))
    for fidelity in ("auto", "weights", "exact"):
        memory.get(ids[0], fidelity=fidelity)
        memory.all(user_id="ana", fidelity=fidelity)
        memory.search("dog", user_id="ana", fidelity=fidelity, rehearse=False)
    memory.history(ids[0])
    memory.conscious(user_id="ana")
    memory.bank("ana")
    memory.at(MIDDAY + 86_400).all(user_id="ana")
    assert unchanged(memory, before)
    assert len(events(memory)) == length


def test_search_rehearses_what_it_returns(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory, POTOLA)
    fake_clock.advance(days=3)
    faded = memory.get(id_).strength
    assert faded < 1
    memory.search("what is my dog's name?", user_id="ana")
    assert memory.get(id_).strength == 1
    assert events(memory)[-1] == "rehearse"
    assert memory.history(id_)[-1]["event"] == "RECALL"


def test_what_hardly_fits_the_question_is_not_rehearsed(memory: Memory) -> None:
    tell(memory, POTOLA)
    memory.search("quantum chromodynamics on the lattice", user_id="ana")
    assert events(memory) == ["add"]


# --- update ------------------------------------------------------------------------------------


def test_an_update_gives_new_words_under_the_old_id(memory: Memory, fake_clock: FakeClock) -> None:
    id_ = tell(memory, POTOLA)
    fake_clock.advance(days=2)
    written = memory.update(id_, "My dog's name is Bello")
    assert (written.id, written.event, written.exact) == (id_, "UPDATE", True)
    recall = memory.get(id_)
    assert recall.text == "My dog's name is Bello"
    assert recall.created_at == datetime.fromtimestamp(MIDDAY, UTC)
    assert recall.updated_at - recall.created_at == timedelta(days=2)
    assert [step.get("text") for step in memory.history(id_)] == [POTOLA, "My dog's name is Bello"]


def test_an_update_may_need_more_slots_or_fewer(memory: Memory) -> None:
    id_ = tell(memory, POTOLA)
    long = "A long story about apples and pens. " * 12
    memory.update(id_, long)
    assert memory.get(id_).text == long
    memory.update(id_, "Short")
    assert memory.get(id_).text == "Short"
    assert len(memory.bank("ana")) == 1
