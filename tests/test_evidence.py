"""Recall weighs evidence: meaning, words, the talk around, who said it and when; and says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem import Memory
from neuromem.config import Config, WriteConfig
from neuromem.evidence import KINDS, gather, speakers_of
from neuromem.layout import DAY_MS
from neuromem.marks import (
    ASKS,
    MARKS,
    NAMES,
    NUMBER,
    ORDERS,
    TIME,
    is_own,
    mark_of,
    marks_of,
    name_mark,
    traits_of,
)
from neuromem.order import order_of
from neuromem.question import take_apart
from neuromem.text import normalize, stems

QUICK = Config(write=WriteConfig(max_steps=0, key_steps=0))
START = datetime(2025, 5, 1, 12, tzinfo=UTC)


def told(*said: tuple[str, str, float], encoder: str | None = None) -> Memory:
    """A memory that was told (speaker, words, minutes after the start) as they are."""
    memory = Memory(config=QUICK, encoder=encoder, clock=lambda: START.timestamp() + 90 * 86_400)
    messages = [
        {
            "role": "user",
            "name": name,
            "content": text,
            "timestamp": (START + timedelta(minutes=at)).timestamp(),
        }
        for name, text, at in said
    ]
    memory.add(messages, user_id="ana", infer=False)
    return memory


def first(memory: Memory, question: str) -> str:
    return memory.search(question, user_id="ana", fidelity="exact", rehearse=False)[0].text


def parts(memory: Memory, question: str, words: str) -> dict[str, float]:
    found = memory.search(question, user_id="ana", explain=True, fidelity="exact", rehearse=False)
    explained = next(recall.explain for recall in found if words in recall.text)
    assert explained is not None
    return explained


# Marks


@given(st.text(max_size=160))
def test_marks_are_those_of_the_content_words_in_order_and_never_zero_in_between(text: str) -> None:
    row = marks_of([text])[0].tolist()
    wanted = [mark_of(stem) for stem in dict.fromkeys(stems(text))][:MARKS]
    assert row == wanted + [0] * (MARKS - len(wanted))
    assert 0 not in wanted


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("Shall we go?", ASKS), ("we went yesterday", TIME), ("she has three cats", NUMBER),
        ("I love tea", 0),
        ("We met Anna and Ben", 2 * NAMES), ("He knows Al, Bo, Cy, Di and Ed", 3 * NAMES),
    ],
)  # fmt: skip
def test_traits_tell_what_kind_of_answer_a_text_can_be(text: str, bits: int) -> None:
    assert int(traits_of([text])[0]) == bits


def test_a_speaker_is_known_by_the_first_word_of_their_name_in_any_case() -> None:
    assert name_mark("Ana Lima") == name_mark("ana") != name_mark("Bo") > 0
    assert name_mark("") == name_mark(" ?") == 0


# Questions


def test_the_name_of_a_speaker_is_taken_out_of_what_is_embedded_and_kept_as_who_is_asked_about() -> None:
    with told(("Ana", "I took up pottery", 0), ("Bo", "I took up chess", 1)) as memory:
        keys = memory.engine.keys
        with memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
            speakers = speakers_of(open_.bank)
        asked = take_apart("What did Ana's brother and ana say?", keys, speakers, 0)
        assert (asked.text, asked.named) == ("What did brother and say?", name_mark("Ana"))
        both = take_apart("Do Ana and Bo play?", keys, speakers, 0)
        assert (both.text, both.named) == ("Do and play?", 0)
        nobody = take_apart("Ana?", keys, speakers, 0)
        assert nobody.text == "Ana?"  # something has to be embedded
        assert take_apart("Does Zoe play?", keys, speakers, 0).text == "Does Zoe play?"


@pytest.mark.parametrize(
    ("question", "wants"),
    [
        ("When did I move?", TIME), ("so when did i move", TIME), ("what year was it", TIME),
        ("Who is Al?", NAMES),
        ("hey where is it", NAMES), ("How many cats are there?", NUMBER), ("what do I like", 0),
    ],
)  # fmt: skip
def test_a_question_tells_the_kind_of_answer_it_wants(question: str, wants: int) -> None:
    with Memory(config=QUICK, encoder="hash") as memory:
        assert take_apart(question, memory.engine.keys, (), 0).wants == wants


# Evidence


def test_who_is_named_is_who_said_it() -> None:
    with told(
        ("Ana", "I took up pottery in spring", 0), ("Bo", "I took up pottery in spring too", 1)
    ) as memory:
        assert first(memory, "What did Ana take up?") == "I took up pottery in spring"
        assert first(memory, "What did Bo take up?") == "I took up pottery in spring too"
        assert parts(memory, "What did Bo take up?", "too")["speaker"] > 0
        assert "speaker" not in parts(memory, "What did Ana take up?", "spring too")


def test_talk_that_answers_a_question_is_found_by_the_words_of_the_question() -> None:
    with told(
        ("Ana", "I am off to work now, see you", 0),
        ("Ana", "What did you plant in the greenhouse this year?", 600),
        ("Bo", "Only tomatoes and peppers in the greenhouse.", 601),
        ("Ana", "My bicycle has a flat tyre again", 1_200),
    ) as memory:
        found = parts(memory, "what was planted in the greenhouse", "tomatoes")
        assert found["answers"] > 0
        assert (
            first(memory, "what was planted in the greenhouse")
            == "Only tomatoes and peppers in the greenhouse."
        )


def test_neighbours_of_another_session_or_about_something_else_are_no_context() -> None:
    talk = [
        ("Ana", "Our greenhouse tomatoes are ripe", 0.0),
        ("Ana", "The greenhouse tomatoes taste sweet", 1.0),
    ]
    apart = [(*talk[0][:2], 0.0), (*talk[1][:2], 3_000.0)]
    strangers = [
        ("Ana", "Our greenhouse tomatoes are ripe", 0.0),
        ("Ana", "My passport expires in March", 1.0),
    ]
    words = {}
    for name, said in (("talk", talk), ("apart", apart), ("strangers", strangers)):
        with told(*said) as memory:
            with memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
                asked = take_apart("are the tomatoes ripe", memory.engine.keys, (), 0)
                kinds = gather(open_.bank, asked, 10).kinds
            words[name] = float(kinds[1, KINDS.index("words around")])
    assert words["talk"] == pytest.approx(1)
    assert words["apart"] < 1
    assert words["strangers"] == 0


def test_who_asks_about_themselves_is_told_first_what_they_said_of_themselves() -> None:
    with told(
        ("", "The ranger Jocasta takes the tram to work", 0),
        ("", "I take the tram to work", 9_000),
        ("", "My aunt skis in Ortisei", 18_000),
        encoder="conv",  # one that compares words by what they mean tells persons apart itself
    ) as memory:
        assert parts(memory, "how do I get to work", "I take")["own"] > 0
        assert "own" not in parts(memory, "where do we ski", "aunt")  # its gist is about the aunt
        assert "own" not in parts(memory, "how do I get to work", "ranger")
        assert "own" not in parts(memory, "who takes the tram", "I take")
    with told(
        ("Bo", "I take the tram to work", 0), encoder="conv"
    ) as memory:  # what another one says of himself
        assert "own" not in parts(memory, "how do I get to work", "tram")


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("What\u2019s my internet handle?", True), ("i've moved", True), ("Who brought me up?", True),
        ("Where's our key?", True), ("tell me what Ana likes", False), ("How old is Mum?", False),
        ("Is this mine?", True), ("The mine is closed", False), ("An iguana escaped in Miami", False),
    ],
)  # fmt: skip
def test_a_text_that_speaks_of_the_one_who_says_it_is_known(text: str, own: bool) -> None:
    assert is_own(normalize(text)) == own


def test_what_has_the_meaning_and_the_words_is_weighed_together_and_a_long_question_trusts_words_more() -> (
    None
):
    talk = [
        ("Ana", "Our greenhouse tomatoes are ripe", 0.0),
        ("Ana", "The greenhouse tomatoes taste sweet", 1.0),
    ]
    kinds = {}
    with told(*talk) as memory, memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
        for question in ("are the tomatoes ripe", "are the big greenhouse tomatoes of our garden ripe yet"):
            asked = take_apart(question, memory.engine.keys, (), 0)
            row = gather(open_.bank, asked, 10).kinds[0]
            kinds[question] = dict(zip(KINDS, row.tolist(), strict=True))
    for found in kinds.values():
        both = min(found["meaning"], 0.5) * found["words around"]
        assert both > 0
        assert found["meaning and words"] == pytest.approx(both, abs=1e-6)
        assert 0 <= found["least sense"] <= found["senses"] + 1e-6
    short, long = kinds.values()
    assert long["many words"] / long["words around"] > short["many words"] / short["words around"]


def test_a_date_in_the_question_draws_what_was_told_then() -> None:
    days = {"3": 2, "20": 19}
    with told(*[("Ana", f"I went swimming, lane {day}", 1_440 * at) for day, at in days.items()]) as memory:
        assert first(memory, "what did I do on 3 May 2025?").endswith("3")
        assert first(memory, "what did I do on May 20th, 2025?").endswith("20")
        near = parts(memory, "what did I do on 3 May 2025?", "lane 3")["date"]
        assert near > 3 * parts(memory, "what did I do on 3 May 2025?", "lane 20").get("date", 0)


def test_a_rare_word_outweighs_a_common_one() -> None:
    with told(*[("Ana", f"the code of the {thing} is {n}1", 9_000 * n) for n, thing in enumerate(
        ("shed", "gate", "garage", "safe", "zorbex locker")
    )]) as memory:  # fmt: skip
        assert "zorbex" in first(memory, "code zorbex")
        rare, common = (parts(memory, "code zorbex", word)["words"] for word in ("zorbex", "shed"))
        assert rare > 2 * common > 0


def test_the_parts_of_a_score_add_up_to_it() -> None:
    with told(("Ana", "I moved to Leeds on May 3rd", 0), ("Bo", "I moved to York", 1)) as memory:
        for recall in memory.search("When did Ana move?", user_id="ana", explain=True, rehearse=False):
            assert recall.explain is not None
            evident = sum(value for kind, value in recall.explain.items() if kind in KINDS)
            weight = memory.config.recall.strength_weight
            assert recall.score == pytest.approx(evident * (1 - weight + weight * recall.strength), abs=1e-5)


# Order


def test_order_follows_time_whatever_was_written_first_and_is_kept_until_the_bank_changes() -> None:
    with told(("Ana", "later", 10), ("Ana", "earlier", 0), ("Ana", "a day after", 1_500)) as memory:
        with memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
            order = order_of(open_.bank)
            assert np.all(np.diff(order.time) > 0)
            assert order.near.tolist() == [False, True, False]
            assert order_of(open_.bank) is order
        memory.add("and one more", user_id="ana", infer=False)
        with memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
            assert len(order_of(open_.bank).rows) == 4


def test_a_memory_of_many_slots_is_one_memory() -> None:
    long = " ".join(f"Chapter {n} tells of the harbour town and its {n} lighthouses." for n in range(12))
    with told(("Ana", long, 0), ("Ana", "I like tea", 1)) as memory:
        assert first(memory, "which town has lighthouses") == long
        with memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
            order = order_of(open_.bank)
            assert set(order.memory.tolist()) == {1, 2}
            assert len(order.heads) == 2 < len(order.first)
            assert len(order.rows) > 2


def test_an_empty_bank_has_no_evidence() -> None:
    with Memory(config=QUICK, encoder="hash") as memory:
        memory.add("x", user_id="ana", infer=False)
        memory.delete(memory.all(user_id="ana")[0].id)
        assert memory.search("anything", user_id="ana") == []


def test_only_the_best_are_looked_at_closely_and_they_are_the_right_ones() -> None:
    with told(*[("Ana", f"I own {n} red marbles", n * DAY_MS / 60_000) for n in range(40)]) as memory:
        bank = memory.bank("ana")
        asked = take_apart("do I own 17 marbles", memory.engine.keys, (), 0)
        few, every = gather(bank, asked, 5), gather(bank, asked, 40)
        assert len(few.rows) == 5
        best = every.rows[np.argmax(every.scores())]
        assert best in few.rows
        assert few.rows[np.argmax(few.scores())] == best


def test_there_are_never_three_copies_of_one_fact_before_something_else() -> None:
    starts = enumerate(("So", "Well", "And", "Oh", "But"))
    copies = [("Ana", f"{start} our hamster Biscuit eats sunflower seeds", 5e3 * n) for n, start in starts]
    with told(*copies, ("Ana", "The hamster has a wheel", 60_000)) as memory:
        found = memory.search(
            "what does the hamster eat", user_id="ana", limit=3, fidelity="exact", rehearse=False
        )
        assert [("seeds" in recall.text) for recall in found] == [True, True, False]
        every = memory.search(
            "what does the hamster eat", user_id="ana", limit=6, fidelity="exact", rehearse=False
        )
        assert len(every) == 6  # none is lost


def test_what_the_user_said_goes_before_what_an_assistant_said_unless_that_is_asked_for() -> None:
    said = [
        {"role": "user", "content": "I would like to run a marathon in the spring."},
        {"role": "assistant", "content": "For a marathon in the spring I suggest sixteen weeks of training."},
    ]
    asked = {
        "When would I like to run the marathon?": "I would like",
        "What training did you suggest for the marathon in spring?": "For a marathon",
    }
    with Memory() as memory:
        memory.add(said, user_id="ana", infer=False)
        for question, start in asked.items():
            found = memory.search(question, user_id="ana")
            assert len(found) == 2, "nothing is dropped"
            assert found[0].text.startswith(start)
            assert all(hit.score >= 0 for hit in found)


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        ("Always include version numbers when I ask about libraries.", True),
        ("from now on answer in french", True),
        ("Thanks! Please never use emoji with me.", True),
        ("when i ask about the weather give me celsius", True),
        ("I always take my coffee black", False),
        ("Always a pleasure to see you!", False),
        ("When I ask my mother she says no", False),
    ],
)
def test_what_tells_an_assistant_how_to_answer_is_known_by_its_form(text: str, orders: bool) -> None:
    assert bool(int(traits_of([text])[0]) & ORDERS) == orders


def test_an_order_comes_up_with_its_topic_and_not_before_what_was_told_of_it() -> None:
    with Memory() as memory:
        memory.add("Always mention the calories when I ask about recipes.", user_id="ana", infer=False)
        for text in ("I cooked a lentil soup on Sunday", "Recipes are hard to follow", "My bike is green"):
            memory.add(text, user_id="ana", infer=False)
        asked = memory.search("Which recipe could I cook tonight?", user_id="ana", limit=2, explain=True)
        order = next(hit for hit in asked if hit.text.startswith("Always"))
        assert order.explain is not None
        assert order.explain["orders"] > 0
        assert memory.search("What colour is my bike?", user_id="ana")[0].text == "My bike is green"


# Chats with an assistant


CHAT = [
    ("user", "Here is what I have of the plan so far: the tent, two mats and a rope. Can you have a look?"),
    ("assistant", "For a camping trip by the lake in the rain, take dry socks and a tarpaulin as well."),
    ("user", "And here is the other list: the pan, two cups and a stove. Can you have a look at that?"),
    ("assistant", "For soup at home any pan will do; the stove is best left in the cellar."),
]


def chat(said: list[tuple[str, str]]) -> Memory:
    memory = Memory(config=QUICK)
    memory.add([{"role": role, "content": text} for role, text in said], user_id="ana", infer=False)
    return memory


def test_a_message_in_a_chat_is_also_found_by_what_the_assistant_answered() -> None:
    question = "What did I pack to go camping at the lake?"
    with chat(CHAT) as memory:
        assert first(memory, question) == CHAT[0][1]
        tent, pan = (parts(memory, question, words)["answered"] for words in ("the tent", "the pan"))
        assert tent > 0 > pan
    with chat([turn for turn in CHAT if turn[0] == "user"]) as memory:
        assert "answered" not in parts(memory, question, "the tent")


def test_words_tell_more_in_a_short_message_of_a_chat_and_nothing_more_outside_of_one() -> None:
    answer = ("assistant", "All right, that is noted.")
    short = ("user", "The boiler is from Veltheim.")
    filler = " Then there was this and that, and the hall, the stairs, the cupboards and the windows." * 8
    long = ("user", "The boiler is from Veltheim." + filler)
    question = "Where is the boiler from?"
    with chat([long, answer, short, answer]) as memory:
        found = memory.search(question, user_id="ana", explain=True, rehearse=False)
        told = [(len(hit.text), (hit.explain or {}).get("chat words", 0.0)) for hit in found]
        words = {length: value for length, value in told if value}
        assert words[len(short[1])] > words[len(long[1])] > 0
        assert len(words) == 2, "an assistant's words are no better sign than they were"
    with chat([long, short]) as memory:
        assert "chat words" not in parts(memory, question, "boiler")


def test_what_an_assistant_said_is_asked_for_without_a_chat_s_evidence() -> None:
    with chat(CHAT) as memory:
        found = parts(memory, "What did you suggest for camping by the lake?", "the tent")
        assert not {"answered", "chat words"} & set(found)
