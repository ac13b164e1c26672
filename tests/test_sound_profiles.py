"""The profile that a sound archive gets by itself: what the loudspeaker plays, the memory, the battery."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neuromem.bench.barge import pulse_server
from neuromem.errors import InvalidInput
from neuromem.sound.devices import Output, parse
from neuromem.sound.profiles import PROFILES, Machine, choose, detect, profile_of

GIB = 1 << 30
HERE = Machine(16 * GIB)
NONE = "sounddevice is not installed"


@pytest.mark.parametrize(
    ("rate", "channels", "wanted"),
    [
        (96_000, 4, "server"), (192_000, 8, "server"), (96_000, 2, "desktop"), (48_000, 2, "desktop"),
        (48_000, 4, "desktop"), (44_100, 2, "mobile"), (48_000, 1, "embedded"), (22_050, 1, "embedded"),
        (8_000, 1, "embedded"),
    ],
)  # fmt: skip
def test_a_loudspeaker_gets_the_largest_profile_that_it_plays(rate: int, channels: int, wanted: str) -> None:
    found = choose(HERE, Output("box", rate, channels))
    assert found.profile == wanted
    assert "box" in found.why
    assert f"{rate / 1000:g} kHz" in found.why


@pytest.mark.parametrize(
    ("machine", "wanted"),
    [
        (Machine(1 * GIB), "embedded"), (HERE, "desktop"), (Machine(8 * GIB, battery=True), "mobile"),
        (Machine(64 * GIB), "server"), (Machine(), "desktop"), (Machine(1 * GIB, battery=True), "embedded"),
    ],
)  # fmt: skip
def test_without_a_loudspeaker_the_memory_decides_and_the_reason_is_said(
    machine: Machine, wanted: str
) -> None:
    found = choose(machine, NONE)
    assert found.profile == wanted
    assert NONE in found.why


def test_a_battery_and_little_memory_are_limits_whatever_plays() -> None:
    best = Output("box", 96_000, 4)
    assert choose(Machine(8 * GIB, battery=True), best).profile == "mobile"
    assert "battery" in choose(Machine(8 * GIB, battery=True), best).why
    assert choose(Machine(1 * GIB), best).profile == "embedded"
    assert choose(Machine(8 * GIB, battery=True), Output("toy", 22_050, 1)).profile == "embedded"


def test_it_is_found_for_this_machine_and_may_be_named_instead() -> None:
    found = detect()
    assert found.why
    assert profile_of(None) is PROFILES[found.profile]
    assert profile_of("durable").name == "durable"
    with pytest.raises(InvalidInput, match="profile"):
        profile_of("loud")


def test_what_a_sound_server_says_is_read_or_nothing_is() -> None:
    info = "Server Name: x\nDefault Sink: hi.fi\nDefault Source: y\n"
    sinks = "0\tlo\tmodule\ts16le 1ch 22050Hz\tIDLE\n1\thi.fi\tmodule\ts24le 4ch 96000Hz\tIDLE\n"
    assert parse(info, sinks) == Output("hi.fi", 96_000, 4)
    for wrong in (("", sinks), (info, ""), (info, "0\thi.fi\n"), (info, "1\thi.fi\tmodule\tloud\tIDLE")):
        assert parse(*wrong) is None


# On a PulseAudio server of its own

ASK = """
import json
from neuromem.sound.profiles import detect
found = detect()
print(json.dumps([found.profile, found.why]))
"""


def asked(env: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=True, timeout=120
    )
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("rate", "channels", "wanted"),
    [(96_000, 4, "server"), (48_000, 2, "desktop"), (44_100, 2, "mobile"), (22_050, 1, "embedded")],
)
def test_the_loudspeaker_of_a_sound_server_is_found(
    rate: int, channels: int, wanted: str, tmp_path: Path
) -> None:
    pytest.importorskip("sounddevice")
    psutil = pytest.importorskip("psutil")
    if missing := [program for program in ("pulseaudio", "pactl") if shutil.which(program) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    if psutil.sensors_battery() is not None or psutil.virtual_memory().total < 2 * GIB:
        pytest.skip("this machine's battery or memory decides")
    with pulse_server(tmp_path, ("box", rate, channels)) as env:
        profile, why = asked(env)
    assert profile == wanted
    assert f"box: {rate / 1000:g} kHz, {channels} channel" in why


def test_a_machine_whose_sound_is_broken_says_so(tmp_path: Path) -> None:
    """An empty ALSA configuration makes PortAudio abort: only the process that asks it ends."""
    pytest.importorskip("sounddevice")
    alsa = tmp_path / "asound.conf"
    alsa.write_text("")
    profile, why = asked(os.environ | {"ALSA_CONFIG_PATH": str(alsa), "PULSE_SERVER": "unix:/none"})
    assert profile in PROFILES
    assert "loudspeaker" in why or "PortAudio" in why or "kHz" in why
