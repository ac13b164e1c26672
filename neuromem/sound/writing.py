"""How a file grows: versions after its last one, and a header that is never wrong meanwhile.

The MD5 in a header is of the whole file and dear; zeros say that it is not known, and no decoder checks it
then. So it is from the first version that is appended until the archive is closed, also if it never is: by
that the next writer sees that the header has to be completed. The length is told with each version.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import NotFound
from .flac import HEADER_BYTES, Layout, Md5, header, read_header
from .segment import Source

__all__ = ["append", "begin", "complete", "unfinished"]

_FRAMES = 1_024  # hashed at a time


def begin(path: Path, layout: Layout) -> None:
    """Makes an empty archive, unless another process was faster.

    Raises:
        NotFound: there is no such folder.
    """
    try:
        with path.open("xb") as file:
            file.write(header(layout, 0))
    except FileExistsError:
        return
    except FileNotFoundError as error:
        raise NotFound(f"the folder {path.parent} does not exist; make it first") from error


def append(
    path: Path, layout: Layout, at: int, data: bytes, told: int, before: bytes, number: int, root: bytes
) -> None:
    """Writes a version in place of what is half written; durable on return.

    Args:
        at: the first frame of it. data: its frames.
        told, before: versions by the header so far, and the Merkle root of the last.
        number, root: of this one.
    """
    with path.open("r+b") as file:
        file.write(header(layout, at, versions=told, root=before))
        file.truncate(layout.offset(at))
        file.seek(layout.offset(at))
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)  # only now is it a version: who finds it half there afterwards finds damage
        file.write(
            header(layout, layout.frames(layout.offset(at) + len(data)), versions=number + 1, root=root)
        )


def unfinished(source: Source, frames: int) -> bool:
    """Whether a file of so many frames has grown since its header was completed, or never was."""
    found = read_header(source.read(0, HEADER_BYTES))
    return found is not None and frames > 0 and (found.frames < frames or not any(found.digest))


def complete(path: Path, source: Source, layout: Layout, frames: int, versions: int, root: bytes) -> None:
    """Cuts off what is half written, and writes the header: length, seek table and MD5."""
    digest = Md5(layout.profile)
    for start in range(0, frames, _FRAMES):
        stop = min(start + _FRAMES, frames)
        first, end = layout.offset(start), layout.offset(stop)
        digest.update(layout.read(start, stop, source.read(first, end - first).ljust(end - first, b"\0")))
    with path.open("r+b") as file:
        file.write(header(layout, frames, digest.digest(), versions, root))
        file.truncate(layout.offset(frames))
