"""Language models on a server when it is busy, slow or broken; stopping an answer; keeping a key."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

pytest.importorskip("httpx", reason="models on a server need httpx: pip install 'neuromem[llm]'")

from llm_server import (
    HELLO,
    KEY,
    Answer,
    ScriptedServer,
    Side,
    anthropic_reply,
    failure,
    openai_reply,
    scripted_server,
    side_of,
)

from neuromem.errors import InvalidInput
from neuromem.llm import OpenAILLM, load_llm

SOON_S = 15.0  # on a busy machine; what must not be waited for takes a minute


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture(params=["openai", "anthropic"])
def side(request: pytest.FixtureRequest, server: ScriptedServer) -> Iterator[Side]:
    made = side_of(request.param, server)
    yield made
    made.llm.close()


# --- busy, slow and broken servers ------------------------------------------------------------------


def test_a_busy_server_is_asked_again_when_it_said(side: Side) -> None:
    busy = Answer({"error": {"message": "slow down"}}, status=429, headers={"retry-after": "0.7"})
    side.server.play(busy, Answer(side.reply("Good evening.")))
    start = time.monotonic()
    assert side.ask() == "Good evening."
    assert time.monotonic() - start >= 0.7


@pytest.mark.parametrize("as_date", [False, True])
def test_a_server_that_is_busy_for_longer_is_not_waited_for(side: Side, as_date: bool) -> None:
    wait = formatdate(time.time() + 90, usegmt=True) if as_date else "60"
    side.server.play(Answer("", status=429, headers={"retry-after": wait}))
    start = time.monotonic()
    error = failure(side.ask)
    assert time.monotonic() - start < SOON_S
    assert error.reason == "limited"
    assert error.retry_after_s is not None
    assert 30 < error.retry_after_s <= 90


def test_a_server_that_failed_is_not_asked_again(side: Side) -> None:
    side.server.play(Answer("<html><b>Boom</b></html>", status=500))
    error = failure(side.ask)
    assert (error.reason, len(side.server.asked)) == ("server", 1)
    assert "Boom" in str(error)
    assert "<b>" not in str(error)


def test_a_dropped_connection_is_tried_again(side: Side) -> None:
    side.server.play(Answer(breaks_off=True), Answer(side.reply("Good evening.")))
    assert side.ask() == "Good evening."


@pytest.mark.slow
def test_a_connection_that_keeps_dropping_is_an_error(side: Side) -> None:
    side.server.play(Answer(breaks_off=True))
    error = failure(side.ask)
    assert (error.reason, len(side.server.asked)) == ("connection", 3)


def test_nobody_there_is_told_at_once() -> None:
    with scripted_server() as gone:
        url = gone.url
    start = time.monotonic()
    assert failure(lambda: OpenAILLM("tiny", url).generate(HELLO, max_tokens=20)).reason == "connection"
    assert time.monotonic() - start < SOON_S


def test_an_answer_too_late_is_not_waited_for(side: Side) -> None:
    side.server.play(Answer(side.reply("Good evening."), after_s=60))
    start = time.monotonic()
    assert failure(lambda: side.ask(timeout_s=0.3)).reason == "timeout"
    assert time.monotonic() - start < SOON_S


def test_a_trickle_of_bytes_does_not_stretch_the_time(side: Side) -> None:
    side.server.play(Answer(chunks=(" ",) * 1_200, between_s=0.05))
    start = time.monotonic()
    assert failure(lambda: side.ask(timeout_s=0.4)).reason == "timeout"
    assert time.monotonic() - start < SOON_S
    stream = side.llm.stream(HELLO, max_tokens=20, timeout_s=0.4)
    assert failure(lambda: list(stream)).reason == "timeout"
    assert time.monotonic() - start < 2 * SOON_S


@pytest.mark.parametrize("said", ["{", "[]", '"yes"', "{}", '{"choices": [], "content": null}', "", "nul"])
def test_what_does_not_follow_the_protocol_is_an_error(side: Side, said: str) -> None:
    side.server.play(Answer(said))
    assert failure(side.ask).reason == "invalid"


def test_a_stream_that_breaks_off_is_an_error_after_what_came(side: Side) -> None:
    side.server.play(Answer(chunks=side.events("Good ", finish=None), breaks_off=True))
    stream = side.llm.stream(HELLO, max_tokens=20)
    assert next(stream) == "Good "
    assert failure(lambda: next(stream)).reason == "connection"
    side.server.play(Answer(chunks=side.events("Good ", finish=None)))  # ends well, but not with an end
    assert failure(lambda: list(side.llm.stream(HELLO, max_tokens=20))).reason == "connection"


def test_an_error_in_the_stream_is_told(side: Side) -> None:
    trouble = {"type": "error", "error": {"type": "overloaded_error", "message": f"Overloaded {KEY}"}}
    side.server.play(Answer(chunks=(*side.events("Good ", finish=None), f"data: {json.dumps(trouble)}\n\n")))
    error = failure(lambda: list(side.llm.stream(HELLO, max_tokens=20)))
    assert "Overloaded" in str(error)
    assert KEY not in str(error)


def test_a_refusal_is_no_answer(side: Side) -> None:
    if side.llm.kind == "openai":
        side.server.play(Answer(openai_reply(None, refusal="I'd rather not.")))
    else:
        side.server.play(Answer(anthropic_reply("", "refusal")))
    assert failure(side.ask).reason == "refused"


def test_an_empty_answer_is_no_answer(side: Side) -> None:
    side.server.play(Answer(side.reply(" \n")))
    assert failure(side.ask).reason == "empty"


# --- stopping ---------------------------------------------------------------------------------------


def test_closing_an_answer_hangs_up(side: Side) -> None:
    side.server.play(Answer(chunks=side.events(*["word "] * 200), between_s=0.02))
    stream = side.llm.stream(HELLO, max_tokens=20)
    assert next(stream) == "word "
    stream.close()
    assert list(stream) == []
    assert side.server.gone.wait(SOON_S)


@pytest.mark.parametrize("pieces", [(), ("Good ",)])
def test_an_answer_can_be_closed_from_another_thread_while_it_is_waited_for(
    side: Side, pieces: tuple[str, ...]
) -> None:
    side.server.play(Answer(chunks=side.events(*pieces, finish=None), then_s=60))
    stream = side.llm.stream(HELLO, max_tokens=20)
    timer = threading.Timer(0.3, stream.close)
    timer.start()
    start = time.monotonic()
    assert list(stream) == list(pieces)  # and no error: it was meant to end
    assert time.monotonic() - start < SOON_S
    timer.join()


def test_threads_ask_at_once(side: Side) -> None:
    together = threading.Barrier(3)  # the server answers when all have asked

    def wait(_: Any) -> Answer:
        together.wait(SOON_S)
        return Answer(side.reply("Good evening."))

    side.server.play(wait)
    replies: list[str] = []
    threads = [threading.Thread(target=lambda: replies.append(side.ask())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == ["Good evening."] * 3


# --- keys -------------------------------------------------------------------------------------------


def test_a_key_is_never_shown(side: Side, caplog: pytest.LogCaptureFixture) -> None:
    side.server.play(Answer({"error": {"message": f"Incorrect API key provided: {KEY}."}}, status=401))
    with caplog.at_level(logging.DEBUG):
        error = failure(side.ask)
    assert error.reason == "auth"
    shown = [str(error), repr(error), repr(side.llm), side.llm.name, caplog.text, repr(vars(side.llm))]
    assert all(KEY not in text for text in shown)
    assert "Incorrect API key" in str(error)


def test_a_part_of_a_key_is_not_shown_either(side: Side) -> None:
    side.server.play(Answer({"error": {"message": "Incorrect API key: sk-a-ver****6789"}}, status=401))
    assert "6789" not in str(failure(side.ask))


def test_keys_come_from_the_usual_variables(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.play(Answer(openai_reply("Good evening.")))
    assert load_llm("openai:tiny").generate(HELLO, max_tokens=5).text == "Good evening."
    assert server.headers[-1]["authorization"] == f"Bearer {KEY}"
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    server.play(Answer(anthropic_reply("Good evening.")))
    assert load_llm("anthropic:tiny").generate(HELLO, max_tokens=5).text == "Good evening."
    assert server.headers[-1]["x-api-key"] == KEY


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_without_a_key_the_vendor_is_not_even_asked(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InvalidInput, match=f"api_key: is missing.*{kind.upper()}_API_KEY"):
        load_llm(f"{kind}:tiny")
