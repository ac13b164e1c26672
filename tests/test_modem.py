"""The acoustic modem: what goes in comes out, whatever the channel does, and hostile sound does no harm."""

from __future__ import annotations

import shutil
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromem.errors import InvalidInput, NoSignal, SignalDamaged
from neuromem.sound.layers.ldpc import RATES, Ldpc, code
from neuromem.sound.modem import MODES, Listener, demodulate, modulate, seconds_for
from neuromem.sound.modem.carriers import constellation, soft_bits
from neuromem.sound.modem.chance import bits, order, words
from neuromem.sound.modem.channel import IMPAIRMENTS, bandlimited, drifted, echoed, impaired, noisy
from neuromem.sound.modem.frames import Control, crc32c
from neuromem.sound.modem.plan import BANDS, layout, mode_of

RATE = 48_000
TEXT = "Il mio cane si chiama Potola. 犬の名前はポトラです。 ".encode() * 8
# CRC-32C of the base matrices: other codes could not read what was sent before
BASES = {"1/2": 2167885123, "2/3": 1261153532, "4/5": 637564950, "9/10": 1893274668}


@lru_cache(maxsize=4)
def sound(payload: bytes = TEXT, mode: str = "robust") -> Any:
    return modulate(payload, mode)


# Codes


@pytest.mark.parametrize("rate", RATES)
def test_code_words_meet_every_check_and_come_back(rate: str) -> None:
    ldpc, rng = code(rate), np.random.default_rng(1)
    info = rng.integers(0, 2, (5, ldpc.k), np.uint8)
    line = ldpc.encode(info)
    assert line.shape == (5, ldpc.n)
    clean = ldpc.decode((4.0 * (1 - 2.0 * line)).astype(np.float32))
    assert clean.good.all()
    assert not clean.healed.any()
    assert (clean.bits == info).all()


@pytest.mark.parametrize(("rate", "db"), [("1/2", 2.0), ("2/3", 3.0), ("4/5", 4.0), ("9/10", 5.0)])
def test_soft_decoding_heals_what_noise_turned(rate: str, db: float) -> None:
    ldpc, rng = code(rate), np.random.default_rng(2)
    info = rng.integers(0, 2, (20, ldpc.k), np.uint8)
    variance = ldpc.n / (2 * ldpc.k * 10 ** (db / 10))  # of each bit, at Eb/N0 of so many dB
    came = 1 - 2.0 * ldpc.encode(info) + rng.normal(0, variance**0.5, (20, ldpc.n))
    got = ldpc.decode((2 * came / variance).astype(np.float32))
    assert (got.bits == info).all()
    assert (got.healed > 0).all()


def test_no_code_has_a_cycle_of_length_four() -> None:
    for rate in RATES:
        ldpc = code(rate)
        for i, upper in enumerate(ldpc.base):
            for lower in ldpc.base[i + 1 :]:
                both = (upper >= 0) & (lower >= 0)
                apart = (upper - lower)[both] % ldpc.lift
                assert len(set(apart.tolist())) == len(apart), rate


def test_a_code_says_what_is_wrong_with_its_arguments() -> None:
    for wrong in (
        lambda: Ldpc("3/4"),
        lambda: Ldpc("1/2", 2),
        lambda: code("1/2").encode(np.zeros((1, 3), np.uint8)),
    ):
        with pytest.raises(InvalidInput):
            wrong()
    lost = code("1/2").decode(np.full((1, code("1/2").n), np.nan, np.float32))
    assert lost.bits.shape == (1, code("1/2").k)


def test_what_both_sides_draw_is_fixed_for_good() -> None:
    assert words(0, 2).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]  # of SplitMix64's reference
    assert sorted(order(5, 1000)) == list(range(1000))
    assert bits(1, 70).shape == (70,)
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720's check value
    assert {rate: crc32c(code(rate).base.astype("<i8").tobytes()) for rate in RATES} == BASES


@pytest.mark.parametrize("load", [2, 4, 6])
def test_points_have_unit_power_and_read_back(load: int) -> None:
    sent = bits(3, load * 3000)
    points = constellation(sent, load)
    assert np.mean(np.abs(points) ** 2) == pytest.approx(1, abs=0.05)
    soft = soft_bits(points, np.full(len(points), 0.1, np.float32), load)
    assert ((soft < 0) == sent).all()


# Round trips


@pytest.mark.parametrize("mode", MODES)
def test_a_clean_channel_gives_the_bytes_back(mode: str) -> None:
    got = demodulate(sound(TEXT, mode), RATE)
    assert got.payload == TEXT
    assert (got.report.mode, got.report.hurt, got.report.lost) == (mode, 0, [])
    assert abs(got.report.drift_ppm) < 1
    assert demodulate(sound(TEXT, mode), RATE, mode).payload == TEXT


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=700), st.sampled_from(list(MODES)))
def test_any_payload_comes_back(payload: bytes, mode: str) -> None:
    audio = modulate(payload, mode)
    assert np.abs(audio).max() <= 1
    assert len(audio) / RATE == pytest.approx(seconds_for(len(payload), mode), abs=1e-3)
    assert demodulate(audio, RATE).payload == payload


def test_the_default_mode_is_as_fast_as_it_says() -> None:
    payload = np.random.default_rng(0).bytes(4096)
    audio = modulate(payload)
    assert demodulate(audio, RATE).payload == payload
    assert 8 * len(payload) / (len(audio) / RATE) >= 2000


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 96_000])
def test_sound_may_be_made_at_any_rate(rate: int) -> None:
    assert demodulate(modulate(TEXT, rate=rate), rate).payload == TEXT


def test_a_message_longer_than_a_burst_goes_in_parts() -> None:
    payload = np.random.default_rng(0).bytes(MODES["fast"].capacity + 3)
    got = demodulate(modulate(payload, "fast"), RATE)
    assert got.payload == payload
    assert (got.report.bursts, got.report.of) == (2, 2)


@pytest.mark.parametrize("name", IMPAIRMENTS)
def test_the_default_mode_survives(name: str) -> None:
    if "128 kb/s" in name and shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg here")
    heard, rate = impaired(name, sound(), RATE, 3)
    got = demodulate(heard, rate)
    assert got.payload == TEXT
    drift = 100 if "drift" in name else 0
    assert abs(got.report.drift_ppm) == pytest.approx(drift, abs=5)


@pytest.mark.parametrize("mode", ["standard", "fast"])
def test_wider_modes_survive_drift_and_a_file_at_44_1_khz(mode: str) -> None:
    heard, rate = drifted(sound(TEXT, mode), RATE, -100)
    assert demodulate(heard, rate).payload == TEXT
    assert demodulate(*impaired("resampled to 44.1 kHz", sound(TEXT, mode), RATE, 0)).payload == TEXT


def test_a_report_tells_hurt_from_healed() -> None:
    got = demodulate(echoed(sound(), RATE, 0.3, 1)[0], RATE)
    assert got.report.frames >= got.report.hurt == got.report.healed > 0
    assert got.report.as_dict()["snr_db"] < 30


# Streams


def test_a_stream_is_heard_in_any_pieces() -> None:
    rng = np.random.default_rng(4)
    quiet = np.zeros(RATE, np.float32)
    stream = np.concatenate([quiet, sound(), quiet, sound(b"hi", "fast"), sound(b"", "standard"), quiet])
    stream += (0.002 * rng.standard_normal(len(stream))).astype(np.float32)
    listener, at, heard = Listener(RATE), 0, list[bytes]()
    while at < len(stream):
        step = int(rng.integers(1, 30_000))
        heard += [got.payload for got in listener.feed(stream[at : at + step])]
        at += step
        assert len(listener._buffer) < 60 * RATE
    assert heard + [got.payload for got in listener.finish()] == [TEXT, b"hi", b""]


def test_only_the_mode_that_is_asked_for_is_heard() -> None:
    assert not Listener(RATE, "fast").feed(sound())
    with pytest.raises(NoSignal):
        demodulate(sound(), RATE, "fast")


def test_a_message_that_is_damaged_twice_is_told_twice() -> None:
    payload = np.random.default_rng(0).bytes(1500)
    first, second = modulate(payload), modulate(payload)
    first[-RATE * 3 :] = 0
    second[-RATE * 3 :] = 0
    listener = Listener(RATE)
    heard = listener.feed(np.concatenate([first, second])) + listener.finish()
    assert not heard
    assert len(listener.damaged) == 2


@pytest.mark.parametrize("share", [0.3, 0.8])
@pytest.mark.parametrize("same", [True, False])
def test_what_is_sent_again_at_once_is_heard_though_the_first_was_stopped(share: float, same: bool) -> None:
    payload = np.random.default_rng(0).bytes(1_500)
    begun, whole = sound(payload if same else payload[::-1]), sound(payload)
    stream = np.concatenate([begun[: int(share * len(begun))], np.zeros(RATE, np.float32), whole])
    listener, longest = Listener(RATE), 0
    heard = list[bytes]()
    for at in range(0, len(stream), RATE):
        heard += [got.payload for got in listener.feed(stream[at : at + RATE])]
        longest = max(longest, len(listener._buffer))
    heard += [got.payload for got in listener.finish()]
    assert heard[-1] == payload  # of the other one four fifths may be enough
    assert longest < 2 * len(whole)


# Hostile sound


@pytest.mark.parametrize(
    "audio",
    [
        [],
        np.zeros(100_000),
        np.full(100_000, 0.5),
        np.zeros(3, np.int16),
        np.random.default_rng(0).normal(0, 0.3, 480_000),
    ],
    ids=["nothing", "silence", "a constant", "three samples", "noise"],
)
def test_what_holds_no_message_says_so(audio: Any) -> None:
    with pytest.raises(NoSignal, match="no message"):
        demodulate(audio, RATE)


@pytest.mark.parametrize(
    ("audio", "rate", "mode"),
    [
        ([float("nan")] * 100, RATE, None),
        ([1.0, float("inf")], RATE, None),
        ([1e300, 0], RATE, None),
        (np.zeros((10, 2)), RATE, None),
        (["a"], RATE, None),
        (np.zeros(10, complex), RATE, None),
        (np.zeros(10), 7_999, None),
        (np.zeros(10), 10**9, None),
        (np.zeros(10), 48_000.5, None),
        (np.zeros(10), RATE, "loud"),
    ],
)
def test_what_is_no_sound_is_refused(audio: Any, rate: Any, mode: Any) -> None:
    with pytest.raises(InvalidInput):
        demodulate(audio, rate, mode)


def test_what_cannot_be_sent_is_refused() -> None:
    for wrong in (
        lambda: modulate(b"x", "loud"),
        lambda: modulate(b"x", "fast", 16_000),
        lambda: modulate(b"x", rate=0),
    ):
        with pytest.raises(InvalidInput):
            wrong()


def test_a_recording_cut_off_gives_what_there_is_and_names_the_rest() -> None:
    payload = np.random.default_rng(0).bytes(3000)
    audio = modulate(payload, "standard")
    assert demodulate(audio[: int(0.95 * len(audio))], RATE).payload == payload  # the code fills in the end
    for share in (0.05, 0.2, 0.5):
        with pytest.raises((NoSignal, SignalDamaged)):
            demodulate(audio[: int(share * len(audio))], RATE)
    audio = modulate(np.random.default_rng(0).bytes(MODES["fast"].capacity + 500), "fast")
    whole = np.random.default_rng(0).bytes(MODES["fast"].capacity + 500)
    audio[: RATE * 10] = 0  # the first burst's head is gone
    with pytest.raises(SignalDamaged, match="frames missing") as caught:
        demodulate(audio, RATE)
    assert caught.value.report.lost == ["0"]  # type: ignore[attr-defined]
    for at, piece in caught.value.pieces.items():
        assert whole[at : at + len(piece)] == piece


def test_control_words_that_lie_are_not_believed() -> None:
    honest = Control(1, 7, 100, 100, 0, 1)
    assert Control.read(honest.pack()) == honest
    for lie in (
        Control(1, 7, 2**31, 2**31, 0, 1),
        Control(9, 7, 100, 100, 0, 1),
        Control(1, 7, 100, 2**32 - 1, 0, 1),
        Control(1, 7, 100, 100, 5, 2),
        Control(1, 7, 100, 50, 0, 1),
    ):
        assert Control.read(lie.pack()) is None
    assert Control.read(b"\0" * 24) is None
    assert Control.read(b"") is None


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.0, 1.0), st.floats(0.01, 1.0))
def test_damage_anywhere_is_healed_or_named(seed: int, where: float, share: float) -> None:
    rng, audio = np.random.default_rng(seed), sound(TEXT, "standard").copy()
    begin = int(where * len(audio))
    piece = audio[begin : begin + int(share * len(audio))]
    piece[:] = rng.uniform(-1, 1, len(piece))
    with suppress(NoSignal, SignalDamaged):
        assert demodulate(audio, RATE).payload == TEXT


def test_messages_that_never_end_are_forgotten() -> None:
    listener = Listener(RATE)
    capacity = MODES["fast"].capacity
    for message in range(12):
        control = Control(3, message, 10, capacity + 10, 0, 2)
        from neuromem.sound.modem.hearing import Report, _Burst

        listener._take(_Burst(control, {0: b"x" * 10}, (10,)), Report("fast", 1, 2))
    assert len(listener._pending) <= 8
    assert listener.damaged


# The plan


def test_bands_lie_in_what_can_be_heard_and_do_not_overlap() -> None:
    for mode in MODES.values():
        assert (np.diff(mode.carriers) > 0).all()
        assert mode.rate >= 2 * mode.highest
    assert all(20 <= band.low < band.high <= 24_000 for band in BANDS.values())


def test_a_layout_is_the_shortest_that_holds_the_payload() -> None:
    for mode in MODES.values():
        for size in (0, 1, 500, mode.capacity):
            assert sum(layout(mode, size).sizes) == size
        with pytest.raises(InvalidInput):
            layout(mode, mode.capacity + 1)
    with pytest.raises(InvalidInput):
        mode_of("")


def test_impairments_are_what_they_say() -> None:
    rng = np.random.default_rng(0)
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    heard, _ = noisy(tone, RATE, 20, 0)
    assert 10 * np.log10(np.mean(tone**2) / np.mean((heard - tone) ** 2)) == pytest.approx(20, abs=0.3)
    white = rng.standard_normal(RATE).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(bandlimited(white, RATE, 8_000)[0]))
    assert spectrum[12_000:].mean() < 0.02 * spectrum[:7_000].mean()
    assert len(drifted(tone, RATE, 100)[0]) == pytest.approx(RATE * 1.0001, abs=2)
    with pytest.raises(InvalidInput):
        impaired("thunder", tone, RATE, 0)
