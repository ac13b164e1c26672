"""Memory in sound: a FLAC file that holds records, or a whole memory, and survives damage.

Any player plays it, any FLAC decoder verifies it. The layers, from the words down: records in
compressed blocks with their indexes (`records`), segments cut into packets that are checked, healed
and rebuilt (`packets`, `layers`), and PCM samples in FLAC frames (`flac`). `archive.SoundArchive` is
the face; `memory_file` puts a memory in and takes it out.
"""

from __future__ import annotations

__all__ = ["DamageReport", "SoundArchive"]

from .archive import SoundArchive
from .items import DamageReport
