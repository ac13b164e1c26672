"""Sleep over a bank whose rows its own merges move: memories are known by id, whatever rows they have."""

from __future__ import annotations

from conftest import FakeClock

from neuromem import Memory

LONG = (
    "My dog's name is Potola, because my grandmother Zelda picked it out of a yellow Croatian cookbook "
    "that she kept beside the kitchen stove at the lake house"
)
LONGER = f"Honestly, {LONG}, really, honestly"  # of two slots
OTHER = "My dog's name is Potola, and the vet wrote it wrong"
LAMPS = 34  # pairs: merges are logged before all blocks are looked at


def test_merges_that_move_rows_merge_nothing_with_itself(fake_clock: FakeClock) -> None:
    with Memory(encoder="hash", clock=fake_clock, config={"forgetting": {"decay": "none"}}) as memory:
        now = fake_clock.now

        def tell(text: str, after: float) -> str:
            return memory.add(text, user_id="ana", infer=False, timestamp=now + after)[0].id

        newer = tell(LONG, -500)
        older = tell(LONGER, -1_000)  # read in later
        pairs = []
        for lamp in range(LAMPS):
            text = f"oom {lamp} has a lamp {lamp * 7}"
            pairs.append({tell(f"R{text}", lamp), tell(f"The r{text}, really", lamp + 0.5)})
        other = tell(OTHER, 5_000)
        bank = memory.bank("ana")
        assert len({int(bank.meaning[bank.rows_of(id_)[0]]) for id_ in (newer, older, other)}) == 1
        memory.search("what is my dog called?", user_id="ana", limit=1)
        recalls = sum(int(bank.recalls[bank.rows_of(id_)[0]]) for id_ in (older, newer))
        assert memory.sleep(now=now + 6_000)["merged"] == LAMPS + 1
        merges = [event.body for event in memory.engine.log.events("user:ana") if event.kind == "merge"]
        groups = [{merge["id"], *merge["ids"]} for merge in merges]
        assert all(len(group) == 1 + len(merge["ids"]) for group, merge in zip(groups, merges, strict=True))
        assert {older, newer} in groups
        assert all(pair in groups for pair in pairs)
        assert int(bank.recalls[bank.rows_of(older)[0]]) == recalls
        assert memory.get(other).text == OTHER
