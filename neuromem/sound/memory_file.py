"""A whole memory in one FLAC file: an owner's log as it is stored, and the bank, byte for byte.

Records of the archive: `entry/…` for each entry of the log's store (its key, then its value) and `bank/…`
for the bank file in pieces. The notes of the version say whose memory it is and where its log stands.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ArchiveInvalid, InvalidInput, NotFound, SignalDamaged, SoundError, StoreCorrupt
from ..identity import Owner
from .acoustic_file import HeardLog, hear_file, items_of, write_sound
from .archive import SoundArchive
from .modem import Importance, Report
from .modem.plan import BANDS, mode_of
from .weighing import weigh

if TYPE_CHECKING:
    from ..engine import Engine
    from ..fold import Fold

__all__ = [
    "Gaps",
    "acoustic_items",
    "export_acoustic",
    "export_memory",
    "holds_memory",
    "import_heard",
    "import_memory",
]

_FORMAT = "neuromem-memory"
_PIECE = 1 << 20  # bytes of a bank in a record
_PIECES = 64 << 10  # most pieces of a bank
SHOWN = 6  # lost records that an error names
_KEY_BYTES = 2  # that say how long a key is


def export_memory(engine: Engine, fold: Fold, path: Path, profile: str | None) -> None:
    """Writes an owner's memory, whole or not at all.

    Raises:
        OSError: it cannot be written there. InvalidInput: no such profile.
    """
    partial = path.with_name(path.name + ".writing")
    for left in (partial, partial.with_name(f"{partial.name}.wal")):  # of an export that was killed
        left.unlink(missing_ok=True)
    try:
        with SoundArchive(partial, profile) as archive:
            pieces = _bank_pieces(engine, fold)
            archive.append_many((piece, f"bank/{at}", None, None) for at, piece in enumerate(pieces))
            entries = _rows(engine, fold)
            archive.append_many((value, id_, None, None) for value, id_ in entries)
            archive.flush(_about(engine, fold, len(entries), len(pieces)))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
        partial.with_name(partial.name + ".wal").unlink(missing_ok=True)


def export_acoustic(engine: Engine, fold: Fold, path: Path, mode: str) -> None:
    """Writes an owner's log as sound that can be played; whoever hears it makes the bank.

    Raises:
        OSError: it cannot be written there. InvalidInput: no such mode; it would last too long.
    """
    partial = path.with_name(path.name + ".writing")
    try:
        write_sound(partial, acoustic_items(engine, fold, mode), mode)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def acoustic_items(engine: Engine, fold: Fold, mode: str) -> list[tuple[bytes, Importance]]:
    """An owner's log as items of a graded message, for a mode: each record in the class that it is worth."""
    classes = weigh(engine, fold, BANDS["ultrasonic"] in mode_of(mode).bands)
    about = _about(engine, fold, engine.log.length(fold.owner), 0)
    return items_of(fold.owner, engine.log.stored(fold.owner), classes, about)


def _rows(engine: Engine, fold: Fold) -> list[tuple[bytes, str]]:
    """Every entry of the log's store, and its id in the file."""
    entries = engine.log.stored(fold.owner)
    return [
        (len(key).to_bytes(_KEY_BYTES, "big") + key + value, f"entry/{at}")
        for at, (key, value) in enumerate(entries)
    ]


def _about(engine: Engine, fold: Fold, entries: int, pieces: int) -> dict[str, Any]:
    return {
        "format": _FORMAT, "owner": fold.owner, "bank": pieces, "entries": entries,
        "events": engine.log.length(fold.owner), "log_root": engine.log.root(fold.owner).hex(),
    }  # fmt: skip


@contextmanager
def _opened(path: Path) -> Iterator[SoundArchive | HeardLog]:
    """The file, dense or as it is for the air: it says itself which."""
    try:
        archive = SoundArchive(path, readonly=True)
    except ArchiveInvalid as error:
        try:
            heard = hear_file(path)
        except SignalDamaged:
            raise
        except SoundError:
            raise error from None
        yield heard
        return
    with archive:
        yield archive


def _bank_pieces(engine: Engine, fold: Fold) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bank.safetensors"
        engine.owners.snapshots.save(fold, file)
        raw = file.read_bytes()
    return [raw[at : at + _PIECE] for at in range(0, len(raw), _PIECE)]


@dataclass(frozen=True, slots=True)
class Gaps:
    """What an import had to do without.

    Attributes:
        records: how many the log has. lost: those whose words did not come, by number and class; they read
            as erased records. report: of the modem.
    """

    records: int
    lost: tuple[str, ...]
    report: Report


OnGaps = Callable[[Gaps], None]


def import_memory(
    engine: Engine, path: Path, user_id: str | None, on_gaps: OnGaps | None = None
) -> tuple[str, int]:
    """Takes in a memory under the name it had; returns whose it is, and how many memories it holds.

    Args:
        on_gaps: told what is missing of a memory that was played and came with gaps; the rest is taken in.
            None: such a one is refused.

    Raises:
        ArchiveInvalid: it is no memory in sound. ArchiveDamaged, SignalDamaged: too much of it is lost.
        InvalidInput: it is somebody else's than `user_id`, or its owner has a memory here.
    """
    with _opened(path) as archive:
        return import_heard(engine, archive, user_id, str(path), on_gaps)


def import_heard(
    engine: Engine, archive: SoundArchive | HeardLog, user_id: str | None, what: str,
    on_gaps: OnGaps | None = None,
) -> tuple[str, int]:  # fmt: skip
    """As `import_memory`, of what was heard; `what`: its name in errors."""
    notes = archive.notes()
    owner = _owner(notes, what)
    whose = Owner.parse(owner).id
    if user_id is not None and whose != user_id:
        raise InvalidInput(
            "user_id", f"the memory in {what} is {whose!r}'s", "leave user_id out, or name them"
        )
    taken = InvalidInput("path", f"{whose!r} has a memory here already", "import into another store")
    if engine.log.length(owner):
        raise taken
    if isinstance(archive, HeardLog):
        entries = _heard_entries(archive, on_gaps)
    else:
        entries = list(_entries(archive, notes))
    try:
        with engine.owners.use(owner):  # nobody is in the middle of telling them something
            engine.log.adopt(owner, entries, str(notes.get("log_root")))
    except (StoreCorrupt, InvalidInput) as error:
        if isinstance(error, InvalidInput) and error.field == "owner":  # told something while it was read
            raise taken from error
        raise ArchiveInvalid(f"{what} holds no sound log ({error}); export it again") from error
    _place_bank(engine, owner, archive, notes)
    with engine.owners.use(owner) as open_:
        return whose, len(open_.bank.ids())


def _heard_entries(heard: HeardLog, on_gaps: OnGaps | None) -> list[tuple[bytes, bytes]]:
    """The log's entries. Raises SignalDamaged: there are gaps, and nobody to be told."""
    entries, lost = heard.skeleton.entries(heard.words, heard.dictionaries)
    if not lost:
        return entries
    gaps = Gaps(heard.records, heard.named(lost), heard.report)
    if on_gaps is None:
        shown = ", ".join(gaps.lost[:SHOWN]) + (", …" if len(lost) > SHOWN else "")
        raise SignalDamaged(
            f"{heard.records - len(lost)} of {heard.records} records came; lost: {shown}; send it again, "
            "or import what there is (--partial; on_gaps=)",
            heard.report,
        )
    on_gaps(gaps)
    return entries


def holds_memory(archive: SoundArchive | HeardLog) -> bool:
    """Whether it is a whole memory, and not records that somebody gave."""
    return archive.notes().get("format") == _FORMAT


def _owner(notes: dict[str, Any], what: str) -> str:
    owner = notes.get("owner")
    if notes.get("format") != _FORMAT or not isinstance(owner, str):
        raise ArchiveInvalid(f"{what} is an archive, but holds no memory; give what export wrote")
    return owner


def _entries(archive: SoundArchive, notes: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    count = notes.get("entries")
    if not isinstance(count, int) or not 0 <= count <= archive.records:
        raise ArchiveInvalid("the file says that it holds more entries than it does; do not trust it")
    for entry in archive.in_order():
        length = int.from_bytes(entry.data[:_KEY_BYTES], "big")
        key, value = entry.data[_KEY_BYTES : _KEY_BYTES + length], entry.data[_KEY_BYTES + length :]
        if entry.id.startswith("entry/"):
            yield key, value


def _place_bank(engine: Engine, owner: str, archive: SoundArchive | HeardLog, notes: dict[str, Any]) -> None:
    """Opens the owner with the bank of the file, if it fits log and models; else the log makes it."""
    engine.owners.drop(owner)
    count = notes.get("bank")
    if isinstance(archive, HeardLog) or not isinstance(count, int) or not 0 < count <= _PIECES:
        return
    with tempfile.TemporaryDirectory() as folder, engine.owners.use(owner, follow=False) as open_:
        file = Path(folder) / "bank.safetensors"
        with file.open("wb") as out:
            for at in range(count):
                try:
                    out.write(archive.get(f"bank/{at}").data)
                except NotFound:
                    return
        start = engine.owners.snapshots.read(owner, file)
        if start.bank is not None:
            open_.fold.bank, open_.fold.applied, open_.chain = start.bank, start.events, start.chain
            open_.anew, open_.saved = False, -1
            engine.owners.snapshot(open_)
