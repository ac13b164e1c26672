"""The offline assistant by voice: hear, recall, answer, speak, remember; each stage can be another.

`Loop` joins the stages: a source and a sink of sound (`audio`), what tells when somebody speaks
(`detect`), a recognizer (`recognize`), an assistant, a speaker (`speak`). Nothing here loads an engine
before it is asked for.
"""

from __future__ import annotations

from .audio import AudioSink, AudioSource, NoSink, WavSink, WavSource
from .detect import EchoGuard, Endpointer, EnergyDetector, SileroDetector, VoiceDetector, load_detector
from .loop import Loop, Turn
from .recognize import Recognizer, load_recognizer
from .soundcard import Microphone, SoundCard, devices
from .speak import Speaker, default_speaker, load_speaker, sentences

__all__ = [
    "AudioSink",
    "AudioSource",
    "EchoGuard",
    "Endpointer",
    "EnergyDetector",
    "Loop",
    "Microphone",
    "NoSink",
    "Recognizer",
    "SileroDetector",
    "SoundCard",
    "Speaker",
    "Turn",
    "VoiceDetector",
    "WavSink",
    "WavSource",
    "default_speaker",
    "devices",
    "load_detector",
    "load_recognizer",
    "load_speaker",
    "sentences",
]
