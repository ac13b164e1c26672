"""A user who is named in some messages and not in others is one speaker; anybody else is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuromem import Memory


def say(memory: Memory, text: str, name: str | None) -> str:
    message = {"role": "user", "content": text} | ({"name": name} if name else {})
    (told,) = memory.add([message], user_id="ana")
    return told.event


@pytest.mark.parametrize(("first", "second"), [("Ana", None), (None, "Ana"), ("ANA", "ana"), (None, None)])
def test_news_under_the_own_name_and_under_none_replace_each_other(
    first: str | None, second: str | None
) -> None:
    with Memory(encoder="hash") as memory:
        assert say(memory, "I live in Porto.", first) == "ADD"
        assert say(memory, "I moved to Lisbon.", second) == "UPDATE"
        assert [one.text for one in memory.search("where do I live?", "ana")] == ["I moved to Lisbon."]
        assert say(memory, "I moved to Lisbon.", first) == "REINFORCE"
        assert len(memory.all("ana")) == 2


@pytest.mark.parametrize(("first", "second"), [("Ana", "Ben"), ("Ben", None), (None, "Ben")])
def test_what_somebody_else_says_replaces_nothing(first: str | None, second: str | None) -> None:
    with Memory(encoder="hash") as memory:
        say(memory, "I live in Porto.", first)
        assert say(memory, "I moved to Lisbon.", second) == "ADD"
        assert [one.superseded_by for one in memory.all("ana")] == [None, None]


def test_it_holds_after_the_store_was_opened_again(tmp_path: Path) -> None:
    with Memory(tmp_path, encoder="hash") as memory:
        say(memory, "I live in Porto.", "Ana")
    with Memory(tmp_path, encoder="hash") as memory:
        assert say(memory, "I moved to Lisbon.", None) == "UPDATE"
