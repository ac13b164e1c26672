"""show, of a memory in sound: what it holds, and its picture."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from ..errors import ArchiveInvalid, InvalidInput, NotFound, SoundError
from ..sound.acoustic_file import hear_file
from ..sound.archive import SoundArchive
from .common import emit

__all__ = ["show"]


def show(args: Namespace) -> int:
    """Looks into a .flac."""
    path = Path(args.id).expanduser()
    if args.clusters:
        raise InvalidInput("--clusters", "means nothing for a file", "leave it out")
    if not path.is_file():
        raise NotFound(f"{path} does not exist; give the path of a memory in sound")
    data: dict[str, Any] = {"file": str(path), "bytes": path.stat().st_size, **_about(path)}
    if args.spectrogram:
        from ..sound.picture import spectrogram

        picture = Path(args.spectrogram).expanduser()
        data |= {"seconds_drawn": round(spectrogram(path, picture), 3), "picture": str(picture)}
    emit(args, data, lambda console: _view(console, data))
    return 0


def _about(path: Path) -> dict[str, Any]:
    try:
        with SoundArchive(path, readonly=True) as archive:
            versions = [
                {"number": v.number, "time": v.time, "records": v.records, "root": v.root}
                for v in archive.versions()
            ]
            return {
                "kind": "dense", "profile": archive.profile.name, "records": archive.records,
                "versions": versions, "notes": archive.notes(),
            }  # fmt: skip
    except ArchiveInvalid as error:
        try:
            heard = hear_file(path)
        except SoundError:
            raise error from None
        return {"kind": "acoustic", "records": heard.records, "versions": [], "notes": heard.notes()}


def _view(console: Any, data: dict[str, Any]) -> None:
    of = f"profile {data['profile']}" if data["kind"] == "dense" else "for the air"
    line = f"{data['file']}: {data['kind']} ({of}), {data['records']:,} records, {data['bytes']:,} bytes"
    console.print(line, markup=False, highlight=False)
    for version in data["versions"]:
        number, records, root = version["number"], version["records"], version["root"][:16]
        console.print(f"  version {number}: {records:,} records, root {root}…", style="dim")
    if "picture" in data:
        console.print(f"{data['seconds_drawn']:.1f} s drawn: {data['picture']}", markup=False)
