"""Standard input, output and error of a command: open, in UTF-8, and what could not be printed."""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper

from ..errors import InvalidInput

__all__ = ["let_go", "set_up", "unwritten", "words_given"]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def set_up() -> None:
    """Output is UTF-8 wherever it goes; what UTF-8 cannot say (half a pair) is escaped.

    A stream that is closed is /dev/null: a file of the store would take its number, and whatever a library
    prints would go into that.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def words_given() -> str:
    """All of standard input.

    Raises:
        InvalidInput: it is in another encoding than the terminal's.
    """
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="strict")  # else a byte that is no character becomes half a pair
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        problem = f"standard input is not {error.encoding.upper()} (its byte {error.start + 1:,})"
        raise InvalidInput("text", problem, "convert it: iconv -f LATIN1 -t UTF-8") from error


def unwritten(error: OSError) -> bool:
    """Whether an error is of output that has no room.

    What it happened to is told by what it lacks: errors of files name them, those of the store are typed.
    """
    return error.filename is None and error.errno in NO_ROOM


def let_go() -> None:
    """Drops what is left to print, or the exit would complain of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
