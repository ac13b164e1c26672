"""Packages of the extras `sound` and `remote`, imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import MissingDependency, SoundError

__all__ = ["needed"]


def needed(module: str, feature: str, extra: str = "sound") -> Any:
    """A module of a package that may not be installed.

    Raises:
        MissingDependency: it is not. SoundError: it is, and cannot start (no PortAudio, no libsndfile).
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependency(feature, module.split(".")[0], extra) from error
    except OSError as error:
        raise SoundError(
            f"{feature} needs a system library that {module} does not find ({error}); "
            "install it (libportaudio2, libsndfile1), or work with files"
        ) from error
