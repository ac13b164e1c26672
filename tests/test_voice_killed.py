"""The assistant killed in the middle of an answer, at random moments: nothing that was said is lost.

A real model (llama.cpp on a few thousand random weights) makes the answers long enough to be killed in.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llama_cpp", reason="needs llama-cpp-python: pip install 'neuromem[llm]'")

from tiny_gguf import write_tiny_gguf

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.voice.audio import write_wav
from neuromem.voice.speak import load_speaker

pytestmark = pytest.mark.slow

KILLS = 4  # a process each; it takes seconds to start
NAMES = ("Potola", "Quillon", "Bramble", "Zephyr", "Marlow", "Tansy", "Orrin", "Fennel")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"gguf:{write_tiny_gguf(tmp_path_factory.mktemp('gguf') / 'tiny.gguf')}"


def logged(store: Path) -> list[str]:
    """All words of the user in the memory's log; it verifies."""
    with Memory(store) as memory:
        assert memory.verify().ok
        events = list(memory.engine.log.events("user:me"))
    return [
        str(event.body["text"])
        for event in events
        if event.kind in ("say", "add", "add+", "hear") and event.body.get("role", "user") == "user"
    ]


def test_chat(tmp_path: Path, model: str) -> None:
    """Each line whose answer has begun is in the log, whenever the kill comes."""
    rng, acknowledged = random.Random(1), []
    for kill in range(KILLS):
        command = [sys.executable, "-m", "neuromem", "chat", "--path", str(tmp_path / "m"), "--llm", model]
        going = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert going.stdin is not None
        assert going.stdout is not None
        for name in NAMES[2 * kill : 2 * kill + 2]:
            line = f"My parrot is called {name}."
            going.stdin.write(f"{line}\n".encode())
            assert going.stdout.read(1).isalpha()  # the answer has begun
            acknowledged.append(line)
            if name != NAMES[2 * kill + 1]:
                while going.stdout.read(1) != b"\n":
                    pass
        time.sleep(rng.uniform(0.0, 0.1))
        assert going.poll() is None
        going.send_signal(signal.SIGKILL)
        going.wait()
        going.stdin.close()
        going.stdout.close()
    words = logged(tmp_path / "m")
    assert [line for line in acknowledged if line not in words] == []


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite: apt install flite")
def test_voice(tmp_path: Path, model: str) -> None:
    """Words whose answer has begun are in the memory's log, all that was heard in the loop's."""
    pytest.importorskip("pocketsphinx", reason="needs PocketSphinx: pip install 'neuromem[voice]'")
    speaker, files = load_speaker("flite"), []
    for number, text in enumerate(("My dog is called Lucky.", "I live in London.", "My teacher is old.")):
        files += ["--input", str(tmp_path / f"{number}.wav")]
        write_wav(files[-1], np.concatenate([np.zeros(4_800, np.int16), *speaker.speak(text)]))
    rng, begun, heard = random.Random(2), [], []
    for kill in range(KILLS):
        log = tmp_path / f"{kill}.jsonl"
        command = [sys.executable, "-m", "neuromem", "voice", "--path", str(tmp_path / "m"), "--llm", model,
                   "--tts", "none", *files, "--output", str(tmp_path / "o.wav"),
                   "--log", str(log)]  # fmt: skip
        going = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seen = '"answering"' if kill % 2 else '"heard"'
        while going.poll() is None and (not log.exists() or log.read_text().count(seen) < 1 + kill % 3):
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.05))
        going.send_signal(signal.SIGKILL)
        going.wait()
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
        words = {line["turn"]: line["heard"] for line in lines if line["event"] == "heard"}
        heard += words.values()
        begun += [words[line["turn"]] for line in lines if line["event"] == "answering"]
    kept = logged(tmp_path / "m")
    assert len(heard) >= KILLS
    assert len(begun) >= KILLS // 2
    assert [line for line in begun if line not in kept] == []


def test_what_was_only_heard_is_understood_by_the_next_assistant(tmp_path: Path) -> None:
    with Memory(tmp_path) as memory:
        assistant = Assistant(memory, "me")
        answering = assistant.stream("My dog is called Potola.")
        call = assistant._hear  # as far as it comes before a kill: the words, and nothing of the answer
        call(answering._turn)
        assert len(memory.bank("me")) == 0
        assistant.close()
    with Memory(tmp_path) as memory, Assistant(memory, "me") as assistant:
        assert "Potola" in assistant.reply("What is my dog called?").text
    with Memory(tmp_path) as memory:
        with Assistant(memory, "me"):
            pass  # it is not done twice
        kinds = [event.kind for event in memory.engine.log.events("user:me")]
    assert kinds.count("add") == 1
    assert kinds.count("hear") == 0
