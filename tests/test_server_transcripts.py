"""Talk that is sent again with every turn is told once; our own words in it, never."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from conftest import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from neuromem import Memory
from neuromem.server.adding import Adding, Telling
from neuromem.server.desk import Desk
from neuromem.server.entries import Ids
from neuromem.server.events import Events
from neuromem.server.filters import parse
from neuromem.server.jobs import Jobs
from neuromem.server.principals import ANYBODY, Principal
from neuromem.server.service import Search, Service
from neuromem.server.transcripts import Transcripts, known_beginning

SAID = st.sampled_from(["yes", "no", "ok", "I like tea", "I live in Rome", "hm"])


def plainly(heard: Sequence[bytes], new: Sequence[bytes]) -> int:
    """What `known_beginning` is defined as."""
    places = range(len(heard) - len(new) + 1)
    if any(list(heard[at : at + len(new)]) == list(new) for at in places):
        return len(new)
    return max(size for size in range(len(new)) if not size or list(new[:size]) == list(heard[-size:]))


@given(
    st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=12),
    st.lists(st.sampled_from([b"a", b"b"]), min_size=1, max_size=6),
)
def test_what_is_known_is_found_as_it_is_defined(heard: list[bytes], new: list[bytes]) -> None:
    assert known_beginning(heard, new) == plainly(heard, new)


def tell(talks: Transcripts, contexts: Sequence[Sequence[str]]) -> list[str]:
    """What would be told of contexts that are sent one after the other."""
    told: list[str] = []
    for context in contexts:
        messages = [
            {"role": role, "content": text} for role, _, text in (item.partition(":") for item in context)
        ]
        hashes = talks.hashes(messages)
        known = talks.known("talk", hashes)
        told += context[known:]
        talks.told("talk", hashes, known)
    return told


@given(st.lists(SAID, min_size=2, max_size=30), st.data())
def test_a_growing_context_is_told_message_by_message(said: list[str], data: st.DataObject) -> None:
    talk = [f"{('user', 'assistant')[n % 2]}:{text}" for n, text in enumerate(said)]
    ends = sorted([*data.draw(st.lists(st.integers(2, len(talk)), min_size=1)), len(talk)])
    contexts = [talk[:end] for end in ends]
    assert tell(Transcripts(Desk(None)), contexts) == talk


@given(st.integers(2, 30), st.data())
def test_a_sliding_window_over_distinct_messages_is_told_once(count: int, data: st.DataObject) -> None:
    talk = [f"{('user', 'assistant')[n % 2]}:message {n}" for n in range(count)]
    contexts, end = [], 0
    while end < count:
        start = data.draw(st.integers(0, end))
        end = data.draw(st.integers(max(start + 2, end + 1), max(count, start + 2)))
        contexts += [talk[start:end]] * data.draw(st.integers(1, 2))  # perhaps retried
    contexts = [context for context in contexts if len(context) > 1]
    told = tell(Transcripts(Desk(None)), contexts)
    assert told == list(dict.fromkeys(message for context in contexts for message in context))


@given(st.lists(SAID, min_size=3, max_size=20), st.integers(2, 5))
def test_of_a_sliding_window_with_repeated_answers_nothing_new_is_lost(said: list[str], width: int) -> None:
    talk = [f"user:{text}" for text in said]
    contexts = [talk[max(0, end - width) : end] for end in range(2, len(talk) + 1)]
    told = tell(Transcripts(Desk(None)), contexts)
    assert set(told) == set(talk)
    assert len(told) <= len(talk) + 1


def test_a_context_longer_than_what_is_kept_of_others_is_known_whole() -> None:
    talk = [f"user:message {n}" for n in range(1_500)]
    talks = Transcripts(Desk(None))
    assert tell(talks, [talk]) == talk
    assert tell(talks, [[*talk, "user:last"]]) == ["user:last"]


# -- over a real memory -----------------------------------------------------------------------


class Adder(Adding):
    """Gives of an event what these tests look at."""

    def tell(self, told: Telling, key: str | None = None, who: Principal = ANYBODY) -> dict[str, Any]:
        event, _ = self.add(told, key, who)
        return {"id": event.id, "results": event.body["memories"]}


@pytest.fixture
def service(fake_clock: FakeClock) -> Iterator[Service]:
    made = Service(Memory(config={"forgetting": {"decay": "none"}}, clock=fake_clock), Desk(None))
    yield made
    made.close()


@pytest.fixture
def adding(service: Service) -> Adder:
    events = Events(service.desk, service.engine.clock)
    return Adder(service, events, Jobs(service, events))


def words(service: Service, user: str = "ana") -> list[str]:
    found = service.read(service.entries(parse({"user_id": user})))
    return sorted(item.text for item in found)


def talk(*said: str) -> list[dict[str, str]]:
    """Messages: "a: …" of the assistant, "s: …" of the system, else of the user."""
    roles = {"a: ": "assistant", "s: ": "system"}
    return [
        {"role": roles.get(text[:3], "user"), "content": text.removeprefix("a: ").removeprefix("s: ")}
        for text in said
    ]


@pytest.mark.parametrize("infer", [True, False])
def test_a_context_sent_with_every_turn(service: Service, adding: Adder, infer: bool) -> None:
    whole = talk(
        "s: Be kind", "I live in Lisbon", "a: Nice", "My dog is called Potola", "a: Cute", "I work as a nurse"
    )
    new = []
    for end in (2, 4, 6):
        event = adding.tell(Telling(Ids("ana"), whole[:end], infer=infer))
        new.append([item["event"] for item in event["results"]])
    told = service.engine.log.length("user:ana")
    said = {"I live in Lisbon", "My dog is called Potola", "I work as a nurse"}
    assert set(words(service)) == (said if infer else said | {"Nice", "Cute"})
    assert all(set(events) == {"ADD"} for events in new)
    event = adding.tell(Telling(Ids("ana"), whole, infer=infer))
    assert {item["event"] for item in event["results"]} == {"NONE"}
    assert service.engine.log.length("user:ana") == told, "a retried list writes nothing"
    assert adding.tell(Telling(Ids("ana"), whole[2:5], infer=infer))["results"] == []
    assert service.engine.log.length("user:ana") == told


def test_other_runs_and_other_owners_are_other_talks(service: Service, adding: Adder) -> None:
    said = talk("I live in Lisbon", "a: Nice")
    for ids in (Ids("ana"), Ids("ana", run="r1"), Ids("ben")):
        assert adding.tell(Telling(ids, said))["results"], ids
    assert words(service) == words(service, "ben") == ["I live in Lisbon"]


def test_what_was_deleted_does_not_come_back_with_the_next_turn_but_by_telling(
    service: Service, adding: Adder
) -> None:
    said = talk("My password is hunter2", "a: Noted")
    (result,) = adding.tell(Telling(Ids("ana"), said))["results"]
    service.delete([result["id"]])
    adding.tell(Telling(Ids("ana"), [*said, *talk("I live in Lisbon")]))
    assert words(service) == ["I live in Lisbon"]
    service.delete_where(parse({"user_id": "ana"}))
    adding.tell(Telling(Ids("ana"), said))
    assert words(service) == ["My password is hunter2"], "all was forgotten, the talk too"
    (result,) = service.entries(parse({"user_id": "ana"}))
    service.delete([result.id])
    adding.tell(Telling(Ids("ana"), said))
    assert words(service) == ["My password is hunter2"], "the same list, told again after it was deleted"


def test_what_was_so_before_is_told_again_when_it_is_so_again(service: Service, adding: Adder) -> None:
    """A list that was heard is no echo if something else has replaced since what came of it."""
    lisbon, porto = talk("I live in Lisbon", "a: Nice"), talk("I moved to Porto", "a: Lovely")
    for said in (lisbon, porto, lisbon):
        adding.tell(Telling(Ids("ana"), said))
    current = service.entries(parse({"user_id": "ana"}), latest_only=True)
    assert [found.text for found in service.read(current)] == ["I live in Lisbon"]
    best = service.search(Search("where do I live?", parse({"user_id": "ana"})))[0]
    assert best.text == "I live in Lisbon"
    both = [*talk("I live in Rome"), *talk("a: Ok", "I moved to Oslo", "a: Ok")]
    adding.tell(Telling(Ids("ben"), both))
    again = adding.tell(Telling(Ids("ben"), both))["results"]
    assert {item["event"] for item in again} == {"NONE"}, "what a list itself replaced is no reason"


def test_what_came_of_a_list_is_known_as_long_as_events_are_kept(
    service: Service, adding: Adder, fake_clock: FakeClock
) -> None:
    said = talk("My password is hunter2", "a: Noted")
    (result,) = adding.tell(Telling(Ids("ana"), said))["results"]
    fake_clock.advance(days=2)
    adding.events.clean(30 * 86_400, 86_400)
    assert adding.tell(Telling(Ids("ana"), said))["results"] == [{"id": result["id"], "event": "NONE"}]
    service.delete([result["id"]])
    assert [item["event"] for item in adding.tell(Telling(Ids("ana"), said))["results"]] == ["ADD"]


def test_a_list_under_a_heading_is_kept_as_it_is_where_nothing_is_inferred(
    service: Service, adding: Adder
) -> None:
    said = "Memories:\n- I was born in Oslo\n- My dog is called Rex"
    assert adding.tell(Telling(Ids("ana"), said))["results"] == [], "talk: some memory may have put it in"
    adding.tell(Telling(Ids("ana"), said, infer=False))
    assert words(service) == [said]
    ours = f"<neuromem>\nWhat you know of the user:\n- x\n</neuromem>\n{said}"
    adding.tell(Telling(Ids("ben"), ours, infer=False))
    assert words(service, "ben") == [said]


def test_pictures_say_nothing_and_stop_nothing(service: Service, adding: Adder) -> None:
    shown = {"type": "image_url", "image_url": {"url": "http://x/y.png"}}
    for content in (shown, [shown]):
        said = [*talk("My bike is red"), {"role": "user", "content": content}]
        adding.tell(Telling(Ids("ana"), said))
        assert adding.tell(Telling(Ids("ben"), [{"role": "user", "content": content}]))["results"] == []
    assert words(service) == ["My bike is red"]


def test_one_message_alone_is_always_told(service: Service, adding: Adder) -> None:
    for event in ("ADD", "REINFORCE", "REINFORCE"):
        (result,) = adding.tell(Telling(Ids("ana"), talk("I like tea")))["results"]
        assert result["event"] == event


def test_two_that_send_the_same_at_once_tell_it_once(service: Service, adding: Adder) -> None:
    said = talk("I like tea", "a: Ok", "I live in Lisbon")
    threads = [
        threading.Thread(target=adding.tell, args=(Telling(Ids("ana"), said, infer=False),)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert words(service) == ["I like tea", "I live in Lisbon", "Ok"]


def test_a_named_request_is_carried_out_once_for_each_principal(service: Service, adding: Adder) -> None:
    said = Telling(Ids("ana"), "Box 1 is full", infer=False)
    first = adding.tell(said, "key")
    length = service.engine.log.length("user:ana")
    again = adding.tell(said, "key")
    assert again["id"] == first["id"]
    assert again["results"] == first["results"]
    assert service.engine.log.length("user:ana") == length
    ana = Principal("key of ana", user="ana", admin=False)
    assert adding.tell(said, "key", ana)["id"] != first["id"]
    assert adding.tell(said, "other")["id"] != first["id"]
    assert len({adding.tell(said, None, ANYBODY)["id"] for _ in range(2)}) == 2


# -- our own words ----------------------------------------------------------------------------

INJECTED = (
    "Based on previous conversations, I recall:\n\n1. I live in Lisbon\n2. My dog is called Potola",
    "<neuromem>\nFrom your memory:\n- 2026-03-02: I live in Lisbon\n</neuromem>",
    "Some heading nobody knows:\n- I live in Lisbon\n* My dog is called Potola",
)


@pytest.mark.parametrize("injected", INJECTED)
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
@pytest.mark.parametrize("infer", [True, False])
def test_what_a_search_returned_is_not_stored_again(
    service: Service, adding: Adder, injected: str, role: str, infer: bool
) -> None:
    adding.tell(Telling(Ids("ana"), talk("I live in Lisbon", "My dog is called Potola"), infer=False))
    before = words(service)
    assert service.search(Search("where do I live?", parse({"user_id": "ana"}), limit=5))
    service.echoes.note("user:ana", ["My dog is called Potola"])
    sent = [{"role": role, "content": injected}, *talk("I play the cello", "a: Great")]
    adding.tell(Telling(Ids("ana"), sent, infer=infer))
    new = set(words(service)) - set(before)
    assert "I play the cello" in new
    assert not [text for text in new if "Lisbon" in text or "Potola" in text]


def test_within_a_message_only_what_was_put_in_is_taken_out(service: Service, adding: Adder) -> None:
    adding.tell(Telling(Ids("ana"), "I live in Lisbon"))
    service.search(Search("where do I live?", parse({"user_id": "ana"})))
    adding.tell(
        Telling(Ids("ana"), talk("Notes:\n- I live in Lisbon\n- I play the cello", "a: ok"), infer=False)
    )
    assert words(service) == ["I live in Lisbon", "Notes:\n- I play the cello", "ok"]
    adding.tell(Telling(Ids("ana"), talk("  - a list of mine\n", "I live in Lisbon"), infer=False))
    assert "  - a list of mine\n" in words(service), "a user's own list, to the space"
    assert words(service, "ben") == []
    parts = [{"type": "text", "text": "- I live in Lisbon"}, {"type": "text", "text": "I ski"}]
    adding.tell(Telling(Ids("ana"), [{"role": "user", "content": parts}, *talk("a: fine")], infer=False))
    assert "I ski" in words(service)
    assert "- I live in Lisbon\nI ski" not in words(service)
    assert adding.tell(Telling(Ids("ana"), talk("s: Be kind")))["results"] == []
