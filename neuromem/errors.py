"""Every error that neuromem raises on purpose.

::

    NeuromemError
    ├── InvalidInput (ValueError)     an argument is wrong: names the field and the remedy
    │   └── ConfigError               a setting is unknown or out of range
    ├── NotFound (LookupError)        no such memory, owner, file or model
    ├── ReadOnly                      the store was opened for reading (a past state, a second process)
    ├── Closed                        the object was used after close()
    ├── MissingDependency             an optional package is not installed: names the command
    ├── LLMError                      a language model gave no usable answer (neuromem.llm)
    ├── SoundError                    what is heard
    │   ├── NoSignal                  there is no message in the sound
    │   └── SignalDamaged             a message is there, and parts of it are lost
    ├── ServiceError                  the memory service gave no usable answer (neuromem.sdk)
    ├── StoreError                    the log on disk
    │   ├── StoreLocked               another process is writing
    │   ├── StoreFull                 the disk is full; nothing acknowledged was lost
    │   └── StoreCorrupt              bytes on disk are not what was written
    ├── ArchiveError                  a sound archive
    │   ├── ArchiveInvalid            not one, or a hostile file
    │   └── ArchiveDamaged            more is hurt than its parity can rebuild
    └── BankError                     the slots
        ├── CapacityExhausted         no slot is free and the policy forbids eviction
        ├── BankFileInvalid           not a bank file, truncated, or hostile
        └── CodecMismatch             the bank was written with another codec or encoder

A message says what happened, with which value, and what to do about it, on one line. The command
line prints it as it is; `InvalidInput` and `NotFound` end a command with exit status 2, the
others with 1.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ArchiveDamaged",
    "ArchiveError",
    "ArchiveInvalid",
    "BankError",
    "BankFileInvalid",
    "CapacityExhausted",
    "Closed",
    "CodecMismatch",
    "ConfigError",
    "InvalidInput",
    "MissingDependency",
    "NeuromemError",
    "NoSignal",
    "NotFound",
    "ReadOnly",
    "SignalDamaged",
    "SoundError",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreLocked",
]


class NeuromemError(Exception):
    """Root of the tree: catch this to catch everything that neuromem raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # an error that cannot be unpickled breaks the pool of processes in which it was raised, and
        # constructors here take other things than the message that Python would call them with
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[NeuromemError], args: tuple[Any, ...]) -> NeuromemError:
    """An error as it was, without its constructor; its attributes follow."""
    return kind.__new__(kind, *args)


class InvalidInput(NeuromemError, ValueError):
    """An argument is wrong. `field` names it; the message says what would be right."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{field}: {problem}; {remedy}")
        self.field = field
        self.problem = problem
        self.remedy = remedy


class ConfigError(InvalidInput):
    """A setting is unknown or out of range."""


class NotFound(NeuromemError, LookupError):
    """No such memory, owner, file or model."""


class ReadOnly(NeuromemError):
    """A change was asked of a store that was opened for reading."""


class Closed(NeuromemError):
    """The object was used after `close()`."""


class MissingDependency(NeuromemError):
    """An optional package is not installed; the message holds the command that installs it."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package!r}, which is not installed; "
            f"run: pip install 'neuromem[{extra}]'"
        )
        self.package = package
        self.extra = extra


class StoreError(NeuromemError):
    """Something is wrong with the log on disk."""


class StoreLocked(StoreError):
    """Another process holds the store for writing."""


class StoreFull(StoreError):
    """The disk (or the quota) is full. What was acknowledged before is safe."""


class StoreCorrupt(StoreError):
    """Bytes on disk are not what was written."""


class ArchiveError(NeuromemError):
    """Something is wrong with a sound archive."""


class ArchiveInvalid(ArchiveError):
    """Not a sound archive, or a truncated or hostile one."""


class ArchiveDamaged(ArchiveError):
    """More is hurt than the parity of the archive can rebuild; the message names what is lost."""


class BankError(NeuromemError):
    """Something is wrong with a bank of slots."""


class CapacityExhausted(BankError):
    """No slot is free, and the policy (or pinned slots) forbids taking one."""


class BankFileInvalid(BankError):
    """Not a bank file, or a truncated, damaged or hostile one."""


class CodecMismatch(BankError):
    """The bank was written with another codec or encoder than the one at hand."""


class SoundError(NeuromemError):
    """Something is wrong with what was heard."""


class NoSignal(SoundError):
    """There is no message in the sound."""


class SignalDamaged(SoundError):
    """A message is there, and parts of it are lost.

    Attributes:
        report: what was hurt, healed and lost (`neuromem.sound.modem.Report`).
        pieces: the bytes that came through, by their offset in the message.
        graded: the items of a graded message that came through (`neuromem.sound.modem.Graded`), if its
            directory did.
    """

    def __init__(
        self, message: str, report: object = None, pieces: dict[int, bytes] | None = None,
        graded: object = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.report = report
        self.pieces = pieces or {}
        self.graded = graded
