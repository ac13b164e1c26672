"""Facts found by a language model: grounded ones land in the bank; if it fails, the rules read the talk."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx", reason="models on a server need httpx: pip install 'neuromem[llm]'")

from command_line import runner
from conftest import FakeClock
from llm_server import KEY, LOVES, Answer, ScriptedServer, openai_reply, scripted_server

from neuromem import Memory
from neuromem.config import Config
from neuromem.errors import ConfigError, InvalidInput, NotFound
from neuromem.facts import Fact, Turn, extract
from neuromem.llm import LLMExtractor, OpenAILLM

TALK = [
    {"role": "user", "name": "Ana", "content": "My dog is called Potola."},
    {"role": "assistant", "content": "A fine name! Where do you live?"},
    {"role": "user", "name": "Ana", "content": "I moved to Porto. She loves it there."},
]
HOME = LOVES | {
    "statement": "I moved to Porto.",
    "subject": "I",
    "relation": "home",
    "quote": "I moved to Porto",
}
INVENTED = LOVES | {
    "statement": "Ana has two sons.",
    "relation": "has",
    "object": "two sons",
    "quote": "sons",
}


def said(*items: dict[str, str]) -> Answer:
    return Answer(openai_reply(json.dumps({"facts": items})))


def told(memory: Memory, messages: Any = TALK, **options: Any) -> list[str]:
    """What a memory makes of some talk."""
    return [fact.text for fact in memory.add(messages, user_id="ana", **options)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with scripted_server() as running:
        yield running


@pytest.fixture
def rules(fake_clock: FakeClock) -> list[str]:
    """What the rules make of the talk."""
    with Memory(encoder="hash", clock=fake_clock) as memory:
        return told(memory)


def name(server: ScriptedServer) -> str:
    return f"openai:tiny@{server.url}/v1"


# --- a model that answers ---------------------------------------------------------------------------


def test_what_was_said_is_kept_and_what_was_invented_is_not(
    server: ScriptedServer, fake_clock: FakeClock, rules: list[str]
) -> None:
    server.play(said(HOME, LOVES, INVENTED))
    with Memory(encoder="hash", clock=fake_clock, extractor=name(server)) as memory:
        assert told(memory) == ["I moved to Porto.", "Potola loves it in Porto."]
        assert [recall.gist for recall in memory.all(user_id="ana")] == [
            "1|home|Porto",
            "Potola|likes|it in Porto",
        ]
        counts = memory.stats()["extraction"]
    assert "Potola loves it in Porto." not in rules
    assert (len(server.asked), counts["turns"], counts["turns:llm"], counts["facts"]) == (1, 3, 2, 2)
    assert sum(count for what, count in counts.items() if what.startswith("dropped:")) == 1


def test_a_model_ends_no_memory_by_itself(server: ScriptedServer, fake_clock: FakeClock) -> None:
    """What supersedes is decided by the words of the speaker; "forget" of a model is no word of theirs."""
    server.play(
        said(LOVES | {"statement": "Forget that my dog is called Potola.", "quote": "loves it there"})
    )
    with Memory(encoder="hash", clock=fake_clock, extractor=name(server)) as memory:
        memory.add("My dog is called Potola", user_id="ana", infer=False)
        memory.add(TALK[2], user_id="ana")
        assert "My dog is called Potola" in [recall.text for recall in memory.all(user_id="ana")]
    assert server.asked


def test_words_to_be_kept_as_they_are_are_nobody_elses_business(
    server: ScriptedServer, fake_clock: FakeClock
) -> None:
    server.play(said(HOME))
    with Memory(encoder="hash", clock=fake_clock, extractor=name(server)) as memory:
        written = memory.add(TALK, user_id="ana", infer=False)
        memory.update(written[0].id, "My dog is called Patola.")
    assert server.asked == []
    assert [fact.text for fact in written] == [turn["content"] for turn in TALK]


def test_nobody_waits_while_a_model_thinks(fake_clock: FakeClock) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def slow(turns: Sequence[Turn], **context: Any) -> list[Fact]:
        asked.set()
        assert may_answer.wait(20)
        return extract(turns, **context)

    with Memory(encoder="hash", clock=fake_clock, extractor=slow) as memory:
        memory.add("I live in Porto", user_id="ana", infer=False)
        thread = threading.Thread(target=told, args=(memory,))
        thread.start()
        assert asked.wait(20)
        assert memory.search("where do I live?", user_id="ana")[0].text == "I live in Porto"
        may_answer.set()
        thread.join(20)
        assert len(memory.all(user_id="ana")) == 3  # "I moved to Porto" says again where she lives


# --- a model that does not --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer("out of order", status=500), "server"),
        (Answer({"error": {"message": "no such key"}}, status=401), "auth"),
        (Answer(openai_reply("Certainly! Here are the facts:")), "invalid"),
        (said(INVENTED), "ungrounded"),
        (Answer(breaks_off=True), "connection"),
    ],
)
def test_the_rules_read_what_a_broken_model_leaves(
    server: ScriptedServer,
    fake_clock: FakeClock,
    rules: list[str],
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    reason: str,
) -> None:
    server.play(answer)
    with Memory(encoder="hash", clock=fake_clock, extractor=name(server)) as memory:
        with caplog.at_level(logging.WARNING, "neuromem"):
            assert told(memory) == rules
        assert memory.stats()["extraction"][f"failed:{reason}"] == 1
    assert server.asked
    (record,) = caplog.records
    assert reason in record.getMessage()
    assert KEY not in record.getMessage()


def _raises(turns: Sequence[Turn], **context: Any) -> list[Fact]:
    raise RuntimeError("no more credit")


def _says_nothing_sensible(turns: Sequence[Turn], **context: Any) -> Any:
    return ["My dog is called Potola"]


def _speaks_of_other_turns(turns: Sequence[Turn], **context: Any) -> list[Fact]:
    return [*extract([*turns, *turns], **(context | {"only": [3], "times": [0.0] * 6}))]


@pytest.mark.parametrize("extractor", [_raises, _says_nothing_sensible, _speaks_of_other_turns])
def test_an_extractor_of_the_users_own_may_fail_as_it_likes(
    fake_clock: FakeClock, rules: list[str], caplog: pytest.LogCaptureFixture, extractor: Any
) -> None:
    with Memory(encoder="hash", clock=fake_clock, extractor=extractor) as memory:
        assert told(memory) == rules
        assert memory.stats() == {"extraction": {"turns": 3, "failed": 1}}
    assert "the rules read 3 turns" in caplog.text


# --- how it is chosen -------------------------------------------------------------------------------


def test_no_model_reads_unless_one_is_named(fake_clock: FakeClock) -> None:
    assert Config().llm.extractor == ""
    with Memory(encoder="hash", clock=fake_clock) as memory:
        told(memory)
        assert memory.stats() == {"extraction": {}}


def test_a_model_may_be_named_in_the_settings_or_given_as_an_object(
    server: ScriptedServer, fake_clock: FakeClock
) -> None:
    server.play(said(LOVES))
    llm = OpenAILLM("tiny", f"{server.url}/v1", KEY)
    for options in ({"config": {"llm": {"extractor": name(server)}}}, {"extractor": LLMExtractor(llm)}):
        with Memory(encoder="hash", clock=fake_clock, **options) as memory:  # type: ignore[arg-type]
            assert told(memory) == ["Potola loves it in Porto."]
    llm.close()


def test_the_command_line_takes_a_model_from_an_option_or_the_environment(
    server: ScriptedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    talk = tmp_path / "talk.jsonl"
    talk.write_text("\n".join(json.dumps(turn) for turn in TALK), encoding="utf-8")
    server.play(said(LOVES))
    run = runner(tmp_path, capsys)
    assert run("ingest", str(talk), "--extractor", name(server), "--json").status == 0
    assert [fact["text"] for fact in run("show", "--json").json["memories"]] == ["Potola loves it in Porto."]
    monkeypatch.setenv("NEUROMEM_LLM__EXTRACTOR", name(server))
    run("add", "I walk her at seven.")
    assert len(server.asked) == 2


@pytest.mark.parametrize("wrong", ["gpt-5", "openai:", "gguf: ", "llama:tiny"])
def test_a_name_of_no_model_is_told_at_once(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"llm\.extractor.*openai:MODEL"):
        Memory(extractor=wrong)
    with pytest.raises(ConfigError, match=r"llm\.extractor.*openai:MODEL"):
        Config.load({"llm": {"extractor": wrong}}, env={})


def test_what_cannot_be_called_is_told_at_once() -> None:
    with pytest.raises(InvalidInput, match="extractor: int cannot be called"):
        Memory(extractor=7)  # type: ignore[arg-type]


def test_a_model_that_cannot_be_had_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    for extractor, error in (("openai:gpt-5", InvalidInput), (f"gguf:{tmp_path}/none.gguf", NotFound)):
        with Memory(encoder="hash", extractor=extractor) as memory:
            with pytest.raises(error):
                told(memory)
            assert memory.all(user_id="ana") == []
