"""Sound that never falls silent: utterances end all the same, and nothing of it is lost between them."""

from __future__ import annotations

import numpy as np
from test_voice import Beeps, Says, Scripted, quiet, tone

from neuromem.voice import Endpointer, EnergyDetector, Loop, NoSink, WavSource
from neuromem.voice.audio import FRAME, RATE, Samples


def utterances(sound: Samples, longest_s: float, pause_ms: float = 160.0) -> list[int]:
    """Frames of each utterance."""
    ends = Endpointer(EnergyDetector(), longest_s=longest_s, pause_ms=pause_ms)
    lengths = list[int]()
    for frame in WavSource([sound]).frames():
        edge = ends.push(frame)
        if edge.began:
            lengths.append(len(edge.began))
        elif ends.speaking or edge.ended:
            lengths[-1] += 1
    assert not ends.speaking
    return lengths


def test_a_hum_is_heard_in_pieces_without_a_gap() -> None:
    lengths = utterances(tone(10), longest_s=3.0)
    assert len(lengths) == 4
    assert max(lengths) * FRAME / RATE <= 3.05
    assert sum(lengths) * FRAME / RATE >= 9.9


def test_a_long_talk_is_cut_at_a_pause_where_there_is_one() -> None:
    sound = np.concatenate([tone(1.0), quiet(0.3), tone(1.5), quiet(0.3), tone(1.5)])
    first, second = (frames * FRAME / RATE for frames in utterances(sound, longest_s=3.5))
    assert 2.8 <= first <= 3.1  # the first pause came too early for that
    assert second >= 1.5


def test_what_a_person_says_in_one_breath_stays_whole() -> None:
    assert len(utterances(np.concatenate([tone(9), quiet(0.3), tone(9)]), longest_s=30.0)) == 1
    assert len(utterances(tone(65), longest_s=30.0)) == 3


def test_a_silence_ends_long_talk_too_where_pauses_are_told_later() -> None:
    sound = np.concatenate([tone(2.5), quiet(0.8), tone(0.2)])
    first, _second = (frames * FRAME / RATE for frames in utterances(sound, longest_s=3.5, pause_ms=2_000.0))
    assert first <= 3.2


def test_what_goes_on_interrupts_no_answer_and_what_begins_anew_does() -> None:
    """Else nothing would ever be heard of the answers beside a fan."""
    ends = Endpointer(EnergyDetector(), longest_s=1.0)
    sound = np.concatenate([tone(2.5), quiet(0.8), tone(0.3)])
    edges = [ends.push(frame) for frame in WavSource([sound]).frames()]
    assert [edge.goes_on for edge in edges if edge.began] == [False, True, True, False]


def test_beside_a_fan_the_answer_is_heard() -> None:
    source = WavSource([np.concatenate([tone(2.4), quiet(0.1)])], paced=True)
    ends = Endpointer(EnergyDetector(), longest_s=1.0)
    turns = Loop(Says(), source, ends, Scripted(["hello"] * 3), Beeps(0.2), NoSink()).run()
    assert len(turns) == 3
    assert not any(turn.interrupted for turn in turns[:2])
