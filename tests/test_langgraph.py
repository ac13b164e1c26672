"""The store for LangGraph: what its own stores do, asked of ours; with a memory here and through a server."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from frameworks import needs_mem0_routes
from serving import serving

pytest.importorskip("langgraph.store.base", reason="needs: pip install 'neuromem[langgraph]'")

from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore

from neuromem import Memory
from neuromem.errors import InvalidInput, NeuromemError
from neuromem.langgraph import NeuromemStore
from neuromem.langgraph.keeping import name_of, noted
from neuromem.server.entries import entry_of

STEADY = {"forgetting": {"decay": "none"}}


@pytest.fixture(params=["here", "there"])
def store(request: pytest.FixtureRequest) -> Iterator[NeuromemStore]:
    """A store in this process, and one in a server's."""
    if request.param == "here":
        with Memory(config=STEADY, encoder="hash") as memory:
            yield NeuromemStore(memory)
        return
    with serving(encoder="hash") as running:
        needs_mem0_routes(running)
        with closing(NeuromemStore(running.url)) as remote:
            yield remote


@pytest.fixture
def here() -> Iterator[NeuromemStore]:
    with Memory(config=STEADY, encoder="hash") as memory:
        yield NeuromemStore(memory)


VALUES: list[dict[str, Any]] = [
    {"text": "I like tea"},
    {"food": "pizza", "n": 5, "deep": {"a": [1, 2.5, None, True, {"b": "ä🐕"}]}},
    {"": "", "empty": {}, "list": []},
    {"big": 2**53, "small": -1e-300, "words": "line\nbreak\ttab \"quoted\""},
]  # fmt: skip


def test_a_value_comes_back_exactly(store: NeuromemStore) -> None:
    for n, value in enumerate(VALUES):
        store.put(("docs", "ana"), f"key {n}", value)
    for n, value in enumerate(VALUES):
        item = store.get(("docs", "ana"), f"key {n}")
        assert item is not None
        assert (item.value, item.key, item.namespace) == (value, f"key {n}", ("docs", "ana"))
        assert item.created_at.tzinfo is not None
    assert store.get(("docs", "ana"), "nope") is None
    assert store.get(("docs",), "key 0") is None


def test_put_again_replaces_and_delete_deletes(store: NeuromemStore) -> None:
    where = ("docs",)
    store.put(where, "a", {"text": "The sky is blue", "n": 1})
    first = store.get(where, "a")
    store.put(where, "a", {"text": "The sky is grey"})
    second = store.get(where, "a")
    assert first is not None
    assert second is not None
    assert second.value == {"text": "The sky is grey"}
    assert second.created_at == first.created_at
    assert second.updated_at >= first.updated_at
    assert len(store.search(where)) == 1
    store.delete(where, "a")
    store.delete(where, "a")
    assert store.get(where, "a") is None
    assert store.search(where, query="sky") == []
    store.put(where, "a", {"text": "The sky is grey"})
    assert store.get(where, "a") is not None, "what was deleted can be put again"


def test_keys_that_differ_in_white_space_alone_are_of_two_items(store: NeuromemStore) -> None:
    keys = ["b", " b", "b ", '" b"', "b\n", "", " "]
    for key in keys:
        store.put(("docs",), key, {"text": "The same words", "key": key})
    for key in keys:
        item = store.get(("docs",), key)
        assert item is not None, f"{key!r} is lost"
        assert item.value["key"] == key
    assert [item.key for item in store.search(("docs",))] == keys


def test_items_of_stores_from_before_keys_were_quoted_are_found(here: NeuromemStore) -> None:
    memory = here._keeping.memory
    for key in ("\tb", "\u00a0b", " b", '"b"'):
        metadata = noted(key, {"text": "The same words"}, True)
        turn = {"role": "user", "name": key, "content": "The same words"}
        memory.add([turn], app_id=name_of(("docs",)), infer=False, metadata=metadata)
        assert here.get(("docs",), key) is not None, f"{key!r} is lost"
        here.put(("docs",), key, {"text": "Other words"})
        assert [item.value for item in here.search(("docs",))] == [{"text": "Other words"}]
        here.delete(("docs",), key)
        assert here.search(("docs",)) == []


def test_what_two_stores_put_at_once_does_not_come_back(store: NeuromemStore) -> None:
    keeping = store._keeping
    for text in ("one", "two", "three"):  # as stores of several processes do that look before any has added
        keeping.add(name_of(("docs",)), "a", text, noted("a", {"text": text}, True))
    assert [item.value["text"] for item in store.search(("docs",))] == ["three"]
    store.delete(("docs",), "a")
    assert store.get(("docs",), "a") is None
    for text in ("one", "two"):
        keeping.add(name_of(("docs",)), "a", text, noted("a", {"text": text}, True))
    store.put(("docs",), "a", {"text": "new"})
    assert len(keeping.items(name_of(("docs",)))["a"].older) == 0
    assert [item.value for item in store.search(("docs",), query="one two new")] == [{"text": "new"}]


def test_one_item_is_found_without_reading_the_others(
    here: NeuromemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def noted(engine: Any, open_: Any, id_: str) -> Any:
        read.append(id_)
        return entry_of(engine, open_, id_)

    monkeypatch.setattr("neuromem.langgraph.keeping.entry_of", noted)
    keys = [chr(97 + n // 26) + chr(97 + n % 26) for n in range(40)]
    for key in keys:
        here.put(("docs",), key, {"text": "The same words", "key": key})
    here.put(("docs",), keys[7], {"text": "Other words", "key": keys[7]})
    assert len(read) < 5
    assert [here.get(("docs",), key) is not None for key in (*keys, "none")] == [*[True] * 40, False]
    assert len(read) < 50
    for n in range(40):  # their keys begin with the same word
        here.put(("more",), f"note {n}", {"text": "The same words", "n": n})
    assert [here.get(("more",), f"note {n}").value["n"] for n in range(40)] == list(range(40))  # type: ignore[union-attr]


def test_a_value_that_is_changed_by_its_reader_stays_as_it_was_put(store: NeuromemStore) -> None:
    store.put(("docs",), "a", {"text": "A list", "deep": {"list": [1]}})
    for read in (lambda: store.get(("docs",), "a"), lambda: store.search(("docs",))[0]):
        item = read()
        assert item is not None
        item.value["deep"]["list"].append(2)
    kept = store.get(("docs",), "a")
    assert kept is not None
    assert kept.value == {"text": "A list", "deep": {"list": [1]}}


def test_a_server_is_asked_for_no_more_than_it_gives_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(encoder="hash") as running:
        needs_mem0_routes(running)
        with closing(NeuromemStore(running.url)) as store:
            for n in range(8):
                store.put(("docs",), f"key {n}", {"text": f"The dog of house {n} likes tea"})
            asked: list[int] = []
            keeping: Any = store._keeping
            ask = keeping._ask

            def noted(method: str, path: str, body: Any = None, **query: Any) -> Any:
                asked.extend([body["top_k"]] if body and "top_k" in body else [])
                return ask(method, path, body, **query)

            whole = store.search(("docs",), query="dog", limit=8)
            monkeypatch.setattr(keeping, "_ask", noted)
            monkeypatch.setattr("neuromem.langgraph.keeping.PAGE", 3)
            in_parts = store.search(("docs",), query="dog", limit=8)
            assert asked == [3, 3, 2]
            assert [item.key for item in in_parts] == [item.key for item in whole]
            with pytest.raises(InvalidInput, match="top_k"):  # what a server says that is asked for more
                ask("POST", "/v3/memories/search/", {"query": "x", "filters": {"app_id": "x"}, "top_k": 1001})


def test_a_blank_query_is_none(store: NeuromemStore) -> None:
    store.put(("docs",), "a", {"text": "The sky is blue"})
    assert [item.score for item in store.search(("docs",), query=" \n")] == [None]


def test_search_by_meaning_in_all_namespaces_below(store: NeuromemStore) -> None:
    store.put(("users", "ana"), "dog", {"text": "The dog is called Potola"})
    store.put(("users", "ana"), "home", {"text": "Lives in Lisbon"})
    store.put(("users", "ben"), "dog", {"text": "The dog is called Rex"})
    store.put(("other",), "dog", {"text": "The dog is called Bello"})
    found = store.search(("users",), query="what is the dog called?")
    assert {item.value["text"] for item in found[:2]} == {"The dog is called Potola", "The dog is called Rex"}
    scores = [item.score for item in found if item.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) >= 2
    assert [item.key for item in store.search(("users", "ana"), query="Lisbon", limit=1)] == ["home"]
    assert {item.namespace for item in store.search(())} == {("users", "ana"), ("users", "ben"), ("other",)}
    assert len(store.search((), query="dog", limit=2, offset=1)) == 2


def test_filters(store: NeuromemStore) -> None:
    rows = [
        {"text": "A", "kind": "book", "price": 10, "tags": ["x", "y"], "meta": {"lang": "en", "year": 2001}},
        {"text": "B", "kind": "book", "price": 25, "tags": ["x"], "meta": {"lang": "pt", "year": 2010}},
        {"text": "C", "kind": "film", "price": "free"},
    ]
    for row in rows:
        store.put(("shop",), row["text"], row)
    for wanted, keys in [
        ({"kind": "book"}, "AB"), ({"kind": {"$eq": "film"}}, "C"), ({"kind": {"$ne": "book"}}, "C"),
        ({"price": {"$gt": 10}}, "B"), ({"price": {"$gte": 10, "$lt": 25}}, "A"),
        ({"price": {"$lte": 10}}, "A"),
        ({"tags": ["x", "y"]}, "A"), ({"meta": {"lang": "pt"}}, "B"),
        ({"meta": {"year": {"$gte": 2005}}}, "B"),
        ({"kind": "book", "price": 25}, "B"), ({"missing": None}, "ABC"), ({"missing": 1}, ""),
    ]:  # fmt: skip
        assert "".join(sorted(item.key for item in store.search(("shop",), filter=wanted))) == keys, wanted
    assert [item.key for item in store.search(("shop",), query="A", filter={"kind": "film"})] == ["C"]
    with pytest.raises(ValueError, match="is not supported"):
        store.search(("shop",), filter={"price": {"$near": 1}})


def test_what_is_searched_can_be_said(here: NeuromemStore) -> None:
    store = NeuromemStore(here._keeping.memory, fields=["title", "notes[*].text"])  # type: ignore[attr-defined]
    value = {"title": "Potola", "secret": "zanzibar", "notes": [{"text": "likes cheese"}, {"text": "naps"}]}
    store.put(("a",), "dog", value)
    store.put(("a",), "secret", value, index=["secret"])
    store.put(("a",), "hidden", value, index=False)

    def ranked(query: str) -> list[str]:
        return [item.key for item in store.search(("a",), query=query) if item.score is not None]

    assert ranked("cheese")[0] == "dog"
    assert ranked("zanzibar")[0] == "secret"
    assert "hidden" not in ranked("cheese")
    last = store.search(("a",), query="cheese")[-1]
    assert (last.key, last.score) == ("hidden", None), "what cannot be found by meaning fills the rest"
    assert store.get(("a",), "hidden").value == value  # type: ignore[union-attr]


def test_a_page_of_a_search_is_part_of_the_whole(store: NeuromemStore) -> None:
    for n in range(7):
        store.put(("n",), str(n), {"text": f"The code of door {n} is {n}{n}"})
    everything = [item.key for item in store.search(("n",), limit=100)]
    assert everything == list("0123456")
    pages = [item.key for start in (0, 3, 6) for item in store.search(("n",), limit=3, offset=start)]
    assert pages == everything


def test_namespaces_are_listed_as_langgraph_lists_them(store: NeuromemStore) -> None:
    ours, theirs = store, InMemoryStore()
    spaces = [
        ("a", "b", "c"), ("a", "b", "d", "e"), ("a", "b", "d", "i"), ("a", "b", "f"), ("a", "c", "f"),
        ("b", "a", "f"), ("users", "Ænna 🐕/x %"),
    ]  # fmt: skip
    for space in spaces:
        for each in (ours, theirs):
            each.put(space, "k", {"text": "x"})
    for query in [
        {}, {"prefix": ("a", "b")}, {"suffix": ("f",)}, {"prefix": ("a",), "suffix": ("f",)},
        {"max_depth": 2},
        {"prefix": ("*", "b")}, {"prefix": ("a", "*", "f")}, {"suffix": ("*", "f")},
        {"limit": 2, "offset": 1},
        {"prefix": ("nope",)}, {"prefix": ("a", "b", "c", "d", "e")},
    ]:  # fmt: skip
        assert ours.list_namespaces(**query) == theirs.list_namespaces(**query), query  # type: ignore[arg-type]
    ours.delete(spaces[0], "k")
    assert spaces[0] not in ours.list_namespaces(limit=100)


def test_a_batch_looks_first_and_the_last_put_counts(store: NeuromemStore) -> None:
    store.put(("b",), "old", {"text": "old"})
    done = store.batch([
        GetOp(("b",), "old"), PutOp(("b",), "old", {"text": "new"}), GetOp(("b",), "old"),
        PutOp(("b",), "x", {"n": 1}), PutOp(("b",), "x", {"n": 2}), PutOp(("b",), "y", {"n": 1}),
        PutOp(("b",), "y", None), SearchOp(("b",)),
        ListNamespacesOp((MatchCondition("prefix", ("b",)),), None, 10, 0),
    ])  # fmt: skip
    assert [done[0].value, done[2].value] == [{"text": "old"}, {"text": "old"}]  # type: ignore[union-attr]
    assert done[1] is done[3] is done[4] is None
    assert [item.key for item in done[7]] == ["old"]  # type: ignore[union-attr]
    assert done[8] == [("b",)]
    assert [(i.key, i.value) for i in store.search(("b",))] == [("old", {"text": "new"}), ("x", {"n": 2})]


def test_the_same_from_coroutines(store: NeuromemStore) -> None:
    async def use() -> None:
        await asyncio.gather(*(store.aput(("c",), str(n), {"text": f"Item {n}"}) for n in range(5)))
        item = await store.aget(("c",), "3")
        assert item is not None
        assert item.value == {"text": "Item 3"}
        assert len(await store.asearch(("c",), query="Item", limit=3)) == 3
        await store.adelete(("c",), "3")
        assert len(await store.asearch(("c",))) == 4
        assert await store.alist_namespaces() == [("c",)]

    asyncio.run(use())


def test_items_of_the_same_words_stay_two_through_sleep(here: NeuromemStore) -> None:
    for key in ("a", "b", "c"):
        here.put(("s",), key, {"text": "I like tea"})
    here.put(("s",), "c", {"text": "I like tea", "n": 2})
    here._keeping.memory.sleep()  # type: ignore[attr-defined]
    assert [item.key for item in here.search(("s",))] == ["a", "b", "c"]
    assert here.get(("s",), "c").value == {"text": "I like tea", "n": 2}  # type: ignore[union-attr]


def test_what_contradicts_is_kept_beside(here: NeuromemStore) -> None:
    here.put(("s",), "old", {"text": "I live in Lisbon"})
    here.put(("s",), "new", {"text": "I moved to Porto"})
    assert {item.key for item in here.search(("s",), query="where do I live?")} == {"old", "new"}


def test_many_threads_make_one_item_of_one_key(here: NeuromemStore) -> None:
    threads = [
        threading.Thread(target=here.put, args=(("t",), str(n % 3), {"text": f"turn {n}"})) for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(item.key for item in here.search(("t",))) == ["0", "1", "2"]


def test_items_survive_a_restart(tmp_path: Path) -> None:
    with Memory(tmp_path, config=STEADY, encoder="hash") as memory:
        NeuromemStore(memory).put(("a", "b"), "k", {"text": "The dog is called Potola"})
    with Memory(tmp_path, config=STEADY, encoder="hash") as memory:
        (item,) = NeuromemStore(memory).search(("a",), query="dog")
        assert (item.key, item.value) == ("k", {"text": "The dog is called Potola"})


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"x": math.nan}, "not JSON"),
        ({"x": {1, 2}}, "not JSON"),
        ({"langgraph_key": "x"}, "which is ours"),
        ({"x": "a" * 70_000}, "bytes of JSON"),
    ],
)
def test_what_cannot_be_kept_is_refused(here: NeuromemStore, value: dict[str, Any], part: str) -> None:
    with pytest.raises(InvalidInput, match=part):
        here.put(("a",), "k", value)
    assert here.get(("a",), "k") is None


def test_refusals_of_langgraph_itself(here: NeuromemStore) -> None:
    with pytest.raises(NotImplementedError):
        here.put(("a",), "k", {"x": 1}, ttl=5)
    for namespace in [(), ("a.b",), ("",), ("langgraph", "x")]:
        with pytest.raises(InvalidNamespaceError):
            here.put(namespace, "k", {"x": 1})


def test_no_server_there_is_said() -> None:
    with (
        closing(NeuromemStore("http://127.0.0.1:9")) as store,
        pytest.raises(NeuromemError, match="neuromem serve"),
    ):
        store.get(("a",), "k")


def test_in_a_graph_of_langgraph(here: NeuromemStore) -> None:
    """A node that remembers and one that recalls, in two runs."""
    graphs = pytest.importorskip("langgraph.graph", reason="needs: pip install langgraph")
    from langgraph.config import get_store

    def remember(said: dict[str, str]) -> dict[str, str]:
        get_store().put(("memories", "ana"), "m1", {"text": said["text"]})
        return said

    def recall(said: dict[str, str]) -> dict[str, str]:
        found = get_store().search(("memories", "ana"), query=said["text"], limit=1)
        return {"text": found[0].value["text"]}

    texts = []
    for node, said in ((remember, "The dog is called Potola"), (recall, "what is the dog called?")):
        builder = graphs.StateGraph(dict)
        builder.add_node("node", node)
        builder.add_edge(graphs.START, "node")
        texts.append(builder.compile(store=here).invoke({"text": said})["text"])
    assert texts[1] == "The dog is called Potola"
