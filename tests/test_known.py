"""What talk may touch: few of what is held, however much of it there is, and the end of each chain."""

from __future__ import annotations

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.facts import gist_of
from neuromem.known import IN_SLOT, Known, last_words
from neuromem.sayings import Saying

OWNER = "user:ana"
CATS = 40


def test_of_a_slot_with_many_memories_only_the_last_are_looked_at(fake_clock: FakeClock) -> None:
    with Memory(config={"forgetting": {"decay": "none"}}, clock=fake_clock) as memory:
        facts = [f"My cat's name is Pixel{number}" for number in range(CATS)]
        memory.add([{"role": "user", "content": fact} for fact in facts], user_id="ana", infer=False)
        with memory.engine.owners.use(OWNER) as open_:
            found = Known(open_, memory.engine.record).candidates(said(facts[0]))
        texts = [held.said.text for held in found]
        assert facts[-1] in texts
        assert facts[0] not in texts
        assert len(texts) <= IN_SLOT


def test_every_link_of_a_chain_leads_to_what_is_current(fake_clock: FakeClock) -> None:
    with Memory(config={"forgetting": {"decay": "none"}}, clock=fake_clock) as memory:
        for number in range(IN_SLOT - 4):
            memory.add(f"I live in Town{number} now", user_id="ana")
            fake_clock.advance(days=1)
        with memory.engine.owners.use(OWNER) as open_:
            found = Known(open_, memory.engine.record).candidates(said("I live in Oslo now"))
        (home,) = found
        assert f"Town{IN_SLOT - 5}" in home.said.text
        assert len(home.before) == IN_SLOT - 5, "what it replaced, and what that had replaced"


def said(text: str) -> Saying:
    return Saying(text, gist_of(text), 2e9)


def test_a_log_that_is_emptied_while_it_is_looked_at_has_no_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An add and a `delete_all` at once: the add is of somebody who said nothing before."""
    with Memory(encoder="hash") as memory:
        monkeypatch.setattr(memory.engine.log, "length", lambda _owner: 3)
        assert last_words(memory.engine.log, "user:ana", 0.0) == []
