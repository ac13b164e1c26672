"""faster-whisper's real path: a small model of its kind, taught four sentences, hears them in the loop."""

from __future__ import annotations

import io
import json
import re
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_whisper import write_tiny_whisper

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.cli import main
from neuromem.errors import InvalidInput, NeuromemError, NotFound
from neuromem.voice import Endpointer, Loop, WavSource, load_detector
from neuromem.voice.audio import FRAME, RATE, Samples, WavSink, write_wav
from neuromem.voice.recognize import WhisperRecognizer, load_recognizer
from neuromem.voice.speak import load_speaker

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite: apt install flite"),
]
TOLD, ASKED = "My dog is called Lucky.", "What is my dog called?"
TAUGHT = (TOLD, ASKED, "I live in London.", "Where do I live?")


@pytest.fixture(scope="module")
def spoken() -> dict[str, Samples]:
    speaker = load_speaker("flite")
    lead = np.zeros(RATE // 2, np.int16)
    return {text: np.concatenate([lead, *speaker.speak(text), lead]) for text in TAUGHT}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, spoken: dict[str, Samples]) -> Path:
    plain = [(text, sound[RATE // 2 : -RATE // 2]) for text, sound in spoken.items()]
    return write_tiny_whisper(tmp_path_factory.mktemp("whisper"), plain)


def test_what_is_asked_by_voice_is_answered(model: Path, spoken: dict[str, Samples]) -> None:
    log = io.StringIO()
    with Memory() as memory, Assistant(memory, "me") as assistant, closing(WavSink("/dev/null")) as sink:
        memory.add(TOLD, "me")
        (turn,) = Loop(
            assistant, WavSource([spoken[ASKED]]), Endpointer(load_detector()),
            load_recognizer(f"whisper:{model}"), load_speaker("none"), sink, log=log,
        ).run()  # fmt: skip
    assert turn.heard == ASKED
    assert "Lucky" in turn.said
    assert [json.loads(line)["event"] for line in log.getvalue().splitlines()] == [
        "heard",
        "answering",
        "turn",
    ]


def test_words_come_while_the_sound_is_still_coming(model: Path, spoken: dict[str, Samples]) -> None:
    recognizer = WhisperRecognizer(str(model), threads=1)
    sound = spoken[TOLD]
    recognizer.begin()
    for at in range(0, sound.size, FRAME):
        recognizer.feed(sound[at : at + FRAME])
        if recognizer._pass is not None:
            recognizer._pass.join()  # as if the machine were quick; `partial` itself never waits
    known = set(re.findall(r"\w+", " ".join(TAUGHT)))
    assert set(re.findall(r"\w+", recognizer.partial())) & known
    recognizer.begin()  # of the next utterance nothing is known yet
    assert recognizer.partial() == ""
    recognizer.feed(spoken[ASKED])
    assert recognizer.finish() == ASKED


def test_a_language_is_taken_or_told_to_be_unknown(model: Path, spoken: dict[str, Samples]) -> None:
    english = load_recognizer(f"whisper:{model}", "en")
    english.begin()
    english.feed(spoken[ASKED])
    assert english.finish() == ASKED
    with pytest.raises(InvalidInput, match="'xx' is not known"):
        load_recognizer(f"whisper:{model}", "xx")
    with pytest.raises(InvalidInput, match="English alone"):
        load_recognizer("pocketsphinx", "de")


def test_a_model_that_is_not_here_is_told_with_the_command(tmp_path: Path, capsys: Any) -> None:
    get = r"python -c \"import faster_whisper; faster_whisper.download_model\('base.en'\)\""
    with pytest.raises(NotFound, match=get):
        load_recognizer("whisper:base.en")
    with pytest.raises(NotFound, match=r"model\.bin"):
        load_recognizer(f"whisper:{tmp_path}")
    write_wav(tmp_path / "a.wav", np.zeros(RATE, np.int16))
    words = [
        "voice",
        "--path",
        str(tmp_path / "m"),
        "--stt",
        "whisper:base.en",
        "--input",
        str(tmp_path / "a.wav"),
    ]
    assert main(words) == 2
    assert "download_model('base.en')" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()  # it was said before a store was made


def test_an_engine_that_fails_ends_a_turn_and_not_the_talk(model: Path, spoken: dict[str, Samples]) -> None:
    recognizer = WhisperRecognizer(str(model), threads=1)
    words, failing = recognizer._words, [True, False]

    def once(sound: Samples, temperatures: tuple[float, ...]) -> str:
        if len(temperatures) > 1 and failing.pop(0):
            raise RuntimeError("out of memory")
        return words(sound, temperatures)

    recognizer._words = once  # type: ignore[method-assign]
    with Memory() as memory, Assistant(memory, "me") as assistant, closing(WavSink("/dev/null")) as sink:
        turns = Loop(
            assistant, WavSource([spoken[TOLD], spoken[ASKED]]), Endpointer(load_detector()), recognizer,
            load_speaker("none"), sink,
        ).run()  # fmt: skip
    assert "out of memory" in turns[0].error
    assert (turns[1].heard, turns[1].error) == (ASKED, "")
    failing[:] = [True]
    recognizer.begin()
    recognizer.feed(spoken[TOLD])
    with pytest.raises(NeuromemError, match="cannot hear this: out of memory"):
        recognizer.finish()
