"""Voice: sentences, endpoints, echo, latency and barge-in on stub engines; real ones file to file."""

from __future__ import annotations

import io
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.bench.common import read_jsonl
from neuromem.bench.voice import OWN, _right, measure
from neuromem.errors import InvalidInput, NotFound
from neuromem.voice import EchoGuard, Endpointer, EnergyDetector, Loop, NoSink, WavSource, audio, sentences
from neuromem.voice.audio import FRAME, RATE, Samples, read_wav, resample, write_wav
from neuromem.voice.recognize import load_recognizer
from neuromem.voice.speak import load_speaker

FLITE = pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite: apt install flite")


def tone(seconds: float, level: int = 6_000) -> Samples:
    return (level * np.sin(np.arange(int(seconds * RATE)) * 0.3)).astype(np.int16)


def quiet(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.int16)


def strain() -> float:
    """Seconds by the clock per second of work: 1 on a quiet machine."""
    started, worked = time.perf_counter(), time.thread_time()
    while time.thread_time() - worked < 0.1:
        pass
    return (time.perf_counter() - started) / (time.thread_time() - worked)


class Scripted:
    """Hears a script, a line an utterance, word by word."""

    name = "scripted"

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.at, self.frames = lines, -1, 0

    def begin(self) -> None:
        self.at, self.frames = self.at + 1, 0

    def feed(self, frame: Samples) -> None:
        self.frames += 1

    def partial(self) -> str:
        return " ".join(self.lines[self.at % len(self.lines)].split()[: self.frames // 3])

    def finish(self) -> str:
        return self.lines[self.at % len(self.lines)]


class Beeps:
    """Speaks in tones after a fixed delay."""

    name = "beeps"

    def __init__(self, seconds: float = 0.05, delay: float = 0.0) -> None:
        self.seconds, self.delay = seconds, delay

    def speak(self, text: str) -> Iterator[Samples]:
        time.sleep(self.delay)
        yield tone(self.seconds)


class Says:
    """An assistant with a fixed answer."""

    def prefetch(self, partial: str) -> None:
        return None

    def stream(self, text: str) -> Any:
        class Pieces:
            reply = SimpleNamespace(stages={"recall": 0.1})

            def __init__(self) -> None:
                self.left = ["This is one. ", "This is two. ", "And three."]

            def __iter__(self) -> Any:
                return self

            def __next__(self) -> str:
                if not self.left:
                    raise StopIteration
                return self.left.pop(0)

            def close(self) -> None:
                self.left = []

        return Pieces()


# -- parts --------------------------------------------------------------------------------------------


def test_sentences_come_as_soon_as_they_are_whole() -> None:
    pieces = iter(["Hello the", "re. Dr. Bro", "wn has 3.5 dogs! Or", " not"])
    cut = sentences(pieces)
    assert next(cut) == "Hello there."
    assert next(pieces) == "wn has 3.5 dogs! Or"  # no more was read than was needed
    assert list(sentences(["Dr. Brown has 3.5 dogs! Or", " not"])) == ["Dr. Brown has 3.5 dogs!", "Or not"]


def test_a_wave_file_is_what_was_written(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(0.1))
    assert np.array_equal(read_wav(tmp_path / "a.wav"), tone(0.1))
    assert resample(tone(1.0), 48_000).size == RATE // 3
    with pytest.raises(NotFound, match=r"give the path of a \.wav"):
        read_wav(tmp_path / "no.wav")
    (tmp_path / "bad.wav").write_bytes(b"not sound")
    with pytest.raises(InvalidInput, match="16-bit PCM"):
        read_wav(tmp_path / "bad.wav")


def test_an_utterance_begins_before_it_is_noticed_and_ends_in_silence() -> None:
    ends = Endpointer(EnergyDetector())
    edges = [ends.push(f) for f in WavSource([np.concatenate([quiet(1), tone(1)])]).frames()]
    began = [number for number, edge in enumerate(edges) if edge.began]
    ended = [number for number, edge in enumerate(edges) if edge.ended]
    assert len(began) == len(ended) == 1
    assert 31 <= began[0] <= 33
    assert len(edges[began[0]].began) == 11
    assert 0.55 < (ended[0] + 1) * FRAME / RATE - 2 < 0.75


class Chances:
    """A detector that is this sure, frame by frame."""

    def __init__(self, chances: list[float]) -> None:
        self._chances = iter(chances)

    def speech(self, frame: Samples) -> float:
        return next(self._chances)

    def reset(self) -> None:
        """Nothing is kept."""


@pytest.mark.parametrize(
    ("chances", "frame"),
    [
        ([0.1, 0.95], 1),  # beyond doubt: at once
        ([0.1, 0.4, 0.6], 2),  # the first frame is half silence
        ([0.1, 0.7, 0.1, 0.1], None),  # a slam
        ([0.4, 0.4, 0.4, 0.4], None),  # a hum
    ],
)
def test_how_soon_an_utterance_is_noticed(chances: list[float], frame: int | None) -> None:
    ends = Endpointer(Chances(chances))
    began = [number for number in range(len(chances)) if ends.push(quiet(FRAME / RATE)).began]
    assert began == ([] if frame is None else [frame])


def test_a_frame_that_is_our_own_voice_begins_nothing() -> None:
    ends = Endpointer(Chances([0.95, 0.6, 0.6]))
    assert not ends.push(quiet(FRAME / RATE), allowed=False).began
    assert not ends.push(quiet(FRAME / RATE)).began
    assert ends.push(quiet(FRAME / RATE)).began


def test_our_own_echo_is_not_the_user() -> None:
    guard = EchoGuard()
    assert not any(guard.allows(tone(0.032, 1_500), True, 4_200.0) for _ in range(100))
    assert guard.allows(tone(0.032, 9_000), True, 4_200.0)
    assert guard.allows(tone(0.032, 1_500), False, 0.0)
    assert not EchoGuard("half").allows(tone(0.032, 30_000), True, 100.0)


def test_what_is_not_here_is_said_with_the_remedy() -> None:
    with pytest.raises(InvalidInput, match="pocketsphinx, or whisper"):
        load_recognizer("ears")
    with pytest.raises(InvalidInput, match="flite, flite:VOICE"):
        load_speaker("mouth")
    pytest.importorskip("faster_whisper", reason="needs faster-whisper: pip install 'neuromem[voice]'")
    with pytest.raises(NotFound, match=r"download_model\('base\.en'\)"):
        load_recognizer("whisper:base.en")


# -- the loop on stub engines -------------------------------------------------------------------------


def test_the_loop_adds_less_than_20_ms_and_recall_is_there_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "GAP_S", 0.75)  # just enough for an utterance to end
    lines = ["my dog is called potola", "what is my dog called"] * 4
    spoken = [np.concatenate([quiet(0.1), tone(0.6)]) for _ in lines]
    with Memory() as memory, Assistant(memory, "ana") as assistant:
        memory.engine.keys.query("warm up")
        memory.add(
            [{"role": "user", "content": "my cat is called momo"}], "bea"
        )  # what is loaded with the first fact is not a turn's
        before = strain()
        loop = Loop(assistant, WavSource(spoken, paced=True), Endpointer(EnergyDetector()), Scripted(lines),
                    Beeps(), NoSink())  # fmt: skip
        turns = loop.run()
    assert [turn.heard for turn in turns] == lines
    spoken_of = [turn for turn in turns if "first_audio" in turn.stages]  # not cut short by the next line
    own = ("hear", "recall", "context", "remember", "answer")  # the assistant's; the rest is the loop's
    plumbing = sorted(
        turn.stages["first_audio"] - sum(turn.stages.get(name, 0.0) for name in own) for turn in spoken_of
    )
    print("plumbing", plumbing, "ready", [turn.recall_ready for turn in turns])
    # medians, by how long this machine takes for its own milliseconds just now; `bench turns` has the rest
    busy = max(before, strain())
    assert any("otola" in turn.said for turn in turns[1::2]) or busy > 2  # else the next line interrupts it
    assert sum(turn.recall_ready for turn in turns) >= 6 or busy > 2
    assert len(spoken_of) == len(turns) or busy > 2
    if not spoken_of:
        pytest.skip("this machine is too busy for a conversation: every answer was cut short")
    speaking = [turn.stages["first_audio"] - turn.stages["first_sentence"] for turn in spoken_of]
    assert statistics.median(speaking) <= 150 * busy
    assert statistics.median(plumbing) <= 20 * busy


def interrupted_after(gap: float) -> float:
    """Seconds from the beginning of an interruption to the last sound of the answer."""
    source = WavSource([np.concatenate([tone(0.3), quiet(gap), tone(0.2)])], paced=True)
    sink = NoSink()
    loop = Loop(Says(), source, Endpointer(EnergyDetector()), Scripted(["hello", "stop"]), Beeps(3.0), sink)
    stops: list[float] = []
    stop = sink.stop
    sink.stop = lambda: (stop(), stops.append(sink.last_sound))  # type: ignore[method-assign]
    turns = loop_until_second(loop)
    assert turns[0].interrupted
    sink.stop()
    sink.close()
    return stops[0] + 0.02 - source.started - 0.3 - gap


def test_interruptions_stop_within_150_ms() -> None:
    """Each of twenty; four at a time. `bench barge` measures the same on sound devices."""
    with ThreadPoolExecutor(4) as pool:  # the answer begins 0.6 s after the first utterance
        late = list(pool.map(interrupted_after, (0.75 + 0.013 * number for number in range(20))))
    print("latest", max(late), late)
    assert statistics.median(late) <= 0.15 * strain(), late  # a stalled machine may spoil some


def loop_until_second(loop: Loop) -> list[Any]:
    """Runs it; the last answer is cut short."""
    loop.speaker = Once(loop.speaker)
    return loop.run()


class Once:
    """Speaks at length once, then hardly."""

    name = "once"

    def __init__(self, speaker: Any) -> None:
        self.speaker, self.times = speaker, 0

    def speak(self, text: str) -> Iterator[Samples]:
        self.times += 1
        yield from self.speaker.speak(text) if self.times == 1 else [tone(0.02)]


def test_the_log_has_what_was_heard_and_each_turn() -> None:
    log = io.StringIO()
    Loop(Says(), WavSource([tone(0.5)]), Endpointer(EnergyDetector()), Scripted(["hello"]), Beeps(), NoSink(),
         log=log).run()  # fmt: skip
    heard, begun, turn = (json.loads(line) for line in log.getvalue().splitlines())
    assert (heard["event"], heard["heard"]) == ("heard", "hello")
    assert begun == {"event": "answering", "turn": 1}
    assert turn["said"] == "This is one. This is two. And three."
    assert {"recognize", "first_sentence", "first_audio", "total"} <= turn["stages"].keys()
    assert turn["cpu_s"] >= 0


# -- real engines -------------------------------------------------------------------------------------


def speak(path: Path, text: str) -> Path:
    write_wav(path, np.concatenate([quiet(0.3), *load_speaker("flite").speak(text)]))
    return path


@FLITE
def test_a_file_is_answered_by_a_file(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="needs PocketSphinx: pip install 'neuromem[voice]'")
    told, asked = speak(tmp_path / "a.wav", "My dog is called Lucky."), tmp_path / "b.wav"
    speak(asked, "What is my dog's name?")
    out, log = tmp_path / "o.wav", tmp_path / "log.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "neuromem", "voice", "--path", str(tmp_path / "m"), "--tts", "flite", "--log",
         str(log), "--input", str(told), "--input", str(asked), "--output", str(out), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    turn = json.loads(done.stdout)["turns"][1]
    assert "lucky" in turn["said"].casefold()
    assert "lucky" in log.read_text()
    assert read_wav(out).size > RATE / 2


@FLITE
def test_spoken_facts_are_found_by_spoken_questions() -> None:
    pytest.importorskip("pocketsphinx", reason="needs PocketSphinx: pip install 'neuromem[voice]'")
    report = measure(OWN, load_speaker("flite"), load_recognizer("pocketsphinx"))
    assert report["right_as_text"] == 1.0, report["rows"]
    assert report["right"] >= 0.6, report["rows"]  # two of the five are misheard; the bar is on forty, below
    assert report["answers_heard"] == 1.0


@FLITE
@pytest.mark.slow
def test_of_forty_spoken_pairs_four_in_five_are_right(data_dir: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="needs PocketSphinx: pip install 'neuromem[voice]'")
    pairs = read_jsonl(data_dir / "dev" / "spoken.jsonl")
    report = measure(pairs, load_speaker("flite"), load_recognizer("pocketsphinx"))
    print({name: value for name, value in report.items() if name != "rows"})
    assert report["right"] >= 0.8, [row for row in report["rows"] if not row["right"]]


@pytest.mark.parametrize(
    ("term", "answer", "right"),
    [
        ("farm", "He was a farmer.", True),
        ("arm", "a farm", False),
        ("ten", "tennis", False),
        ("9", "95", False),
    ],
)
def test_what_counts_as_right(term: str, answer: str, right: bool) -> None:
    assert _right(answer, {"expect_any": [term]}) is right
