"""Graded messages: what matters most is lost last, what is lost is named, and the rest is given."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromem.errors import InvalidInput, NoSignal, SignalDamaged
from neuromem.sound.modem import (
    MODES,
    PARITY,
    Graded,
    Importance,
    Listener,
    decode,
    demodulate,
    encode,
    grading,
    modulate,
    seconds_of,
)
from neuromem.sound.modem.channel import impaired, noisy
from neuromem.sound.modem.frames import Control
from neuromem.sound.modem.grading import deal
from neuromem.sound.modem.importance import bands_of
from neuromem.sound.modem.packets import PACKET, packets_of, shape_of

RATE = 48_000
ORDER = [each for each in Importance if each is not Importance.ULTRASONIC]


@lru_cache(maxsize=1)
def items() -> list[tuple[bytes, Importance]]:
    """Something of each class, least important first: the order of the items is not what decides."""
    rng = np.random.default_rng(0)
    sizes = {
        Importance.HIGH_DENSITY: 2_000, Importance.STANDARD: 2_000, Importance.RELIABLE: 900,
        Importance.CRITICAL: 300, Importance.CONTROL: 50,
    }  # fmt: skip
    return [(rng.bytes(size), importance) for importance, size in sizes.items()]


@lru_cache(maxsize=4)
def sound(mode: str = "fast") -> Any:
    return encode(items(), mode)


def whole(graded: Graded) -> set[Importance]:
    return {item.importance for item in graded.items if item.data is not None}


# Round trips


@pytest.mark.parametrize("mode", MODES)
def test_items_come_back_in_their_order_in_every_mode(mode: str) -> None:
    got = decode(sound(mode), RATE)
    assert [(item.data, item.importance) for item in got.items] == items()
    assert got.lost == got.report.lost == []
    assert len(sound(mode)) / RATE == pytest.approx(seconds_of(items(), mode), abs=1e-3)
    assert demodulate(sound(mode), RATE).payload == b"".join(data for data, _ in items())


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=300), st.sampled_from(Importance)), max_size=8),
    st.sampled_from(list(MODES)),
)
def test_any_items_come_back(given_: list[tuple[bytes, Importance]], mode: str) -> None:
    got = decode(encode(given_, mode), RATE)
    assert [(item.data, item.importance) for item in got.items] == given_


@pytest.mark.parametrize("name", ["low-passed at 8 kHz", "all: echo, noise 20 dB, drift, 44.1 kHz"])
def test_in_the_robust_mode_every_class_survives_what_a_plain_message_does(name: str) -> None:
    got = decode(*impaired(name, sound("robust"), RATE, 3))
    assert got.lost == []


# Degradation


@lru_cache(maxsize=1)
def survivors() -> dict[int, set[Importance]]:
    """Classes that came whole, by signal-to-noise ratio in dB; no message at all is none."""
    out = {}
    for db in (20, 14, 10, 7, 4, 2, 0, -3):
        heard, rate = noisy(sound(), RATE, db, 7)
        try:
            out[db] = whole(decode(heard, rate))
        except (SignalDamaged, NoSignal):
            out[db] = set()
    return out


def test_classes_fail_in_the_order_of_their_importance_as_noise_rises() -> None:
    for db, alive in survivors().items():
        assert alive == set(ORDER[: len(alive)]), f"at {db} dB a lesser class outlived a greater one"
    counts = [len(alive) for alive in survivors().values()]
    assert counts == sorted(counts, reverse=True), "more noise never saves anything"
    assert counts[0] == len(ORDER)
    assert counts[-1] == 0
    assert len(set(counts)) >= 4, "it goes step by step, not all at once"


def test_critical_facts_survive_where_history_is_lost_and_what_is_lost_is_named() -> None:
    got = decode(*noisy(sound(), RATE, 7, 7))
    assert {Importance.CONTROL, Importance.CRITICAL, Importance.RELIABLE} <= whole(got)
    assert Importance.HIGH_DENSITY not in whole(got)
    assert got.lost[0].startswith("item 0 (high-density, ")
    assert all(item.data == data for item, (data, _) in zip(got.items, items(), strict=True) if item.data)
    assert got.report.classes["high-density"]["lost"] > 0
    assert got.report.classes["critical"]["lost"] == 0
    with pytest.raises(SignalDamaged, match=r"of 5 items are whole; lost: item 0 \(high-density"):
        demodulate(*noisy(sound(), RATE, 7, 7))


def test_on_a_telephone_the_bands_that_pass_bring_their_classes() -> None:
    got = decode(*impaired("sampled at 8 kHz", sound(), RATE, 0))  # nothing over 4 kHz
    assert whole(got) == {Importance.CONTROL, Importance.CRITICAL}


def test_what_came_of_a_broken_item_is_given_by_its_place() -> None:
    got = decode(*noisy(sound(), RATE, 10, 7))
    for item, (data, _) in zip(got.items, items(), strict=True):
        for at, piece in item.kept.items():
            assert data[at : at + len(piece)] == piece


def test_of_a_lost_burst_what_has_parity_enough_is_rebuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grading, "MOST_SYMBOLS", 32)  # bursts of six seconds
    classes = (Importance.CRITICAL, Importance.STANDARD)
    audio = encode([(np.random.default_rng(each).bytes(2_000), each) for each in classes], "robust")
    bursts = demodulate(audio, RATE).report.of
    assert bursts >= 3
    audio[len(audio) // bursts - RATE // 4 :][: RATE * 2] = 0  # the chirp of the second, and more
    got = decode(audio, RATE)
    assert got.report.bursts == bursts - 1
    assert got.report.classes["critical"]["rebuilt"] > 0
    assert Importance.CRITICAL in whole(got)
    assert Importance.STANDARD not in whole(got)


def test_sent_twice_into_one_microphone_the_second_fills_what_the_first_lost() -> None:
    twice = np.concatenate([noisy(sound(), RATE, db, 3)[0] for db in (7, 25)])
    listener = Listener(RATE)
    heard_ = listener.feed(twice) + listener.finish()
    assert [message.payload for message in heard_] == [b"".join(data for data, _ in items())]
    assert len(listener.damaged) == 1, "the first was told of"


# What is agreed


def test_no_class_goes_by_a_worse_band_than_its_own() -> None:
    mode = MODES["ultra"]
    for importance in Importance:
        bands = [mode.bands[at].name for at in bands_of(importance, mode)]
        best = max(importance, Importance.CRITICAL)
        assert bands[0] == best.label
        assert bands == [each.label for each in reversed(Importance) if Importance.CRITICAL <= each <= best]


def test_the_band_above_hearing_is_used_only_by_its_class_and_only_in_its_mode() -> None:
    for mode in ("robust", "standard", "fast"):
        assert all(band.high <= 16_000 for band in MODES[mode].bands)
    plan = deal({Importance.CONTROL: 2, Importance.HIGH_DENSITY: 500}, MODES["ultra"])
    assert all(each is Importance.CONTROL for burst in plan.words for each, _ in burst[-1]), "copies only"
    plan = deal({Importance.CONTROL: 2, Importance.ULTRASONIC: 50}, MODES["ultra"])
    assert Importance.ULTRASONIC in {each for burst in plan.words for each, _ in burst[-1]}


def test_what_matters_more_has_more_parity() -> None:
    shares = [PARITY[each] for each in ORDER]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == len(shares)
    plain = seconds_of(items(), "robust", dict.fromkeys(Importance, 0))
    assert (
        plain < seconds_of(items(), "robust") < seconds_of(items(), "robust", dict.fromkeys(Importance, 15))
    )


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=40_000), st.integers(0, 15), st.integers(0, 2**31))
def test_as_many_packets_as_there_is_parity_may_be_lost(data: bytes, level: int, seed: int) -> None:
    packets, shape = packets_of(data, level), shape_of(len(data), level)
    places = [shape.place(number) for number in range(shape.total)]
    assert len(packets) == shape.total == len(set(places))
    came, rng = dict(enumerate(packets)), np.random.default_rng(seed)
    for group in range(shape.groups):
        mine = [number for number, (of, _) in enumerate(places) if of == group]
        for number in rng.permutation(mine)[: shape.parity(group)]:
            del came[int(number)]
    found = shape.rebuilt(came)
    assert b"".join(found[at] for at in range(shape.data))[: len(data)] == data
    assert shape.data == -(-len(data) // PACKET)


def test_what_cannot_be_is_refused() -> None:
    for wrong in (
        lambda: encode([(b"x", 1)], "fast"),  # type: ignore[list-item]
        lambda: encode([(b"x", Importance.CRITICAL)], "loud"),
        lambda: encode([(b"x", Importance.CRITICAL)], "fast", 16_000),
        lambda: encode([(b"x", Importance.CRITICAL)], parity={Importance.CRITICAL: 16}),
        lambda: encode([(bytes(1 << 24), Importance.STANDARD)]),
        lambda: decode(modulate(b"plain"), RATE),
    ):
        with pytest.raises(InvalidInput):
            wrong()
    honest = Control(3, 7, 100, 5_000, 0, 1, graded=True)
    assert Control.read(honest.pack()) == honest
    for lie in (
        Control(3, 7, 257, 5_000, 0, 1, graded=True),
        Control(3, 7, 0, 5_000, 0, 1, graded=True),
        Control(3, 7, 100, 2**32 - 1, 0, 1, graded=True),
        Control(3, 7, 100, 5_000, 2, 1, graded=True),
    ):
        assert Control.read(lie.pack()) is None


@pytest.mark.parametrize("mode", ["robust", "fast"])
def test_a_graded_message_sent_again_at_once_is_heard_though_the_first_was_stopped(mode: str) -> None:
    whole_ = sound(mode)
    stream = np.concatenate([whole_[: len(whole_) // 2], np.zeros(RATE, np.float32), whole_])
    assert [(item.data, item.importance) for item in decode(stream, RATE).items] == items()
