"""One file out, one file in: the bank alone, the words, or all there is.

`.flac` is the whole memory in sound (`sound/memory_file.py`): log and bank as they are, byte for byte.
`.safetensors` is the bank as it is, words only in its weights. `.jsonl` has a line for each memory::

    {"id": "…", "text": "…", "gist": ["1", "|dog name", "|P", "otola"], "time": 1772474640.0,
     "importance": 0.6, "metadata": {}, "stability": 61.4, "rehearsed_ms": 1772474640000, …}

What is not current any more has ``"until"`` (Unix seconds) and, if anything replaced it, ``"superseded_by"``;
what is pinned has ``"pinned"``, and no stability. A memory that is here already, with the same words and
metadata, stays as it is.

Ids are kept, but for those that another owner of the store has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from .atomic import replacing
from .bank import SlotBank
from .bankfile import load_bank
from .errors import InvalidInput, NotFound, ReadOnly
from .identity import TAG_BYTES, Owner, memory_id, parse_id, tag_of
from .lines import Line, lines_of, read_lines
from .log import Event, EventLog
from .named import names_of, only_user
from .packing import pack_rows
from .tell import check_room, in_batches

if TYPE_CHECKING:
    from .engine import Engine
    from .owners import OpenOwner
    from .sound.memory_file import Gaps

__all__ = ["export", "import_"]

SUFFIXES = (".safetensors", ".jsonl", ".flac")
NOWHERE = -1  # place in a log, in the ids that an import gives: no memory that was told has it


def export(
    engine: Engine, path: Path, user_id: str | None, profile: str | None, acoustic: str | None = None
) -> Path:
    """As `Memory.export`."""
    kind = _kind_of(path)
    if acoustic is not None and (kind != ".flac" or profile is not None):
        raise InvalidInput("acoustic", "is for .flac, and has no profile", "leave one of them out")
    if profile is not None and kind != ".flac":
        raise InvalidInput("profile", f"{profile!r} means nothing for {kind}", "leave it out")
    if not path.parent.is_dir():
        raise InvalidInput("path", f"the folder {path.parent} does not exist", "make it first")
    (owner,) = names_of(engine.log, only_user(engine.log) if user_id is None else user_id)
    with engine.owners.use(owner) as open_:
        engine.owners.snapshots.finish_deletes(open_.fold)  # deleted words must not travel
        try:
            if kind == ".flac":
                from .sound import memory_file  # 60 ms that other files need not wait

                if acoustic is None:
                    memory_file.export_memory(engine, open_.fold, path, profile)
                else:
                    memory_file.export_acoustic(engine, open_.fold, path, acoustic)
            elif kind == ".safetensors":
                engine.owners.snapshots.save(open_.fold, path)
            else:
                _write_lines(path, [json.dumps(line, ensure_ascii=False) for line in lines_of(engine, open_)])
        except OSError as error:
            raise InvalidInput(
                "path", f"{path} cannot be written ({error.strerror or error})", "choose another place"
            ) from error
    return path


def import_(
    engine: Engine, path: Path, user_id: str | None, on_gaps: Callable[[Gaps], None] | None = None
) -> int:
    """As `Memory.import_`."""
    if engine.readonly:
        raise ReadOnly("this memory was opened for reading; open it for writing to import into it")
    kind = _kind_of(path)
    if not path.is_file():
        raise NotFound(f"{path} does not exist; give the path of an exported file")
    if kind == ".flac":
        from .sound.memory_file import import_memory

        return import_memory(engine, path, user_id, on_gaps)[1]
    owner = Owner.of(only_user(engine.log) if user_id is None else user_id, None, None).name
    with engine.owners.use(owner) as open_:
        return (
            _import_bank(engine, open_, path)
            if kind == ".safetensors"
            else _import_lines(engine, open_, path)
        )


def _kind_of(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        known = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
        raise InvalidInput("path", f"the suffix {path.suffix!r} is not known", f"use {known}")
    return path.suffix


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    """Writes lines atomically and durably: an older file stays as it was until the new one is whole."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _import_bank(engine: Engine, open_: OpenOwner, path: Path) -> int:
    bank = load_bank(
        path, engine.config.bank, engine.config.forgetting,
        codec=engine.codec.identity, encoder=engine.keys.identity,
    )  # fmt: skip
    successors = [by for _, by in bank.ends(bank.ids()).values() if by]
    _rename(bank, _ids_here(engine.log, open_.fold.owner, [*bank.ids(), *successors]))
    ids = bank.ids()
    now = engine.clock()
    # an event for each memory, so that it can be erased alone
    models = {"codec": engine.codec.identity, "keys": engine.keys.identity}
    events = [Event("slots", now, {"id": id_, "rows": pack_rows(bank, id_)} | models) for id_ in ids]
    if events:
        engine.commit(open_, events)
    return len(ids)


def _import_lines(engine: Engine, open_: OpenOwner, path: Path) -> int:
    lines = {line.id: line for line in read_lines(path, engine.clock)}
    successors = [line.by for line in lines.values() if line.by]
    here = {"": ""} | _ids_here(engine.log, open_.fold.owner, [*lines, *successors])
    new = [
        (here[line.id], line) for line in lines.values() if not _is_held(engine, open_, here[line.id], line)
    ]
    now = engine.clock()  # not when they were told: what was known then stays what was known then
    adds = [Event("add", now, line.body | {"id": id_}) for id_, line in new]
    ends = [
        Event(
            "supersede", now,
            {"id": id_, "by": here[line.by], "reason": "imported", "until_ms": line.until_ms},
        )
        for id_, line in new if line.until_ms
    ]  # fmt: skip
    if adds:
        check_room(open_.bank, [event.body for event in adds])
        engine.commit(open_, [*in_batches(adds), *ends])
    return len(lines)


def _is_held(engine: Engine, open_: OpenOwner, memory_id: str, line: Line) -> bool:
    """Whether a memory is here already, word for word: then it stays as it is."""
    record = engine.record(open_, memory_id)
    if record is None or record.erased:
        return False
    text, metadata = record.body["text"], record.body.get("metadata", {})
    return bool(text == line.body["text"] and metadata == line.body.get("metadata", {}))


def _ids_here(log: EventLog, owner: str, ids: Sequence[str]) -> dict[str, str]:
    """The id that each of a file's ids becomes in an owner's memory: itself, if nobody else has it.

    By its id a memory is found, changed and deleted: of two owners with one id, one would have the other's
    memory deleted. The new id is a function of owner and old id, so that the same file says the same again.
    """
    foreign = {id_ for id_ in ids if parse_id(id_)[:TAG_BYTES] != tag_of(owner)}
    tags = {parse_id(id_)[:TAG_BYTES] for id_ in foreign}
    taken: set[str] = set()
    for name in sorted(log.owners(), key=lambda name: (tag_of(name) not in tags, name)):
        if taken == foreign:  # most often after the one owner whose tag they bear
            break
        if name != owner:
            taken |= foreign & _known_to(log, name)
    return {id_: memory_id(owner, NOWHERE, 0.0, id_) if id_ in taken else id_ for id_ in ids}


def _known_to(log: EventLog, owner: str) -> set[str]:
    """Ids of all memories that an owner's log tells of, forgotten and deleted ones too."""
    bodies = [record.body for record in log.events(owner)]
    return {id_ for body in bodies for id_ in (body.get("id"), *body.get("ids", ())) if id_}


def _rename(bank: SlotBank, names: dict[str, str]) -> None:
    """Gives memories of a bank, and what they name as their successors, other ids: old → new."""
    other = {parse_id(old): parse_id(new) for old, new in names.items() if new != old}
    for buffer in (bank.id, bank.successor) if other else ():
        for row, raw in enumerate(buffer.tolist()):
            if new := other.get(bytes(raw)):
                buffer[row] = torch.tensor(list(new), dtype=torch.uint8)
    bank.reindex()
