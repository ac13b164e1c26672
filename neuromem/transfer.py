"""One file out, one file in: the bank alone, the words, or all there is.

`.flac` is the whole memory in sound (`sound/memory_file.py`): log and bank as they are, byte for byte.
`.safetensors` is the bank as it is, words only in its weights. `.jsonl` has a line for each memory::

    {"id": "…", "text": "…", "gist": ["1", "|dog name", "|P", "otola"], "time": 1772474640.0,
     "importance": 0.6, "pinned": false, "metadata": {}, …}

What is not current any more has ``"until"`` (Unix seconds) and, if anything replaced it, ``"superseded_by"``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bankfile import load_bank
from .errors import InvalidInput, NotFound, ReadOnly
from .facts import GIST_FIELD_BYTES, gist_of, read_turns, same_fact_key
from .fold import pack_rows
from .identity import Owner, canonical_id, seconds_of
from .log import Event
from .owners import names_of, only_user
from .recall import Hit, read
from .tell import check_metadata, check_room, in_batches

if TYPE_CHECKING:
    from .engine import Engine
    from .owners import OpenOwner
    from .sound.memory_file import Gaps

__all__ = ["export", "import_"]

KEPT = "text gist cues known_as importance pinned role name metadata slot".split()  # of a memory's words
SUFFIXES = (".safetensors", ".jsonl", ".flac")


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
                lines = [json.dumps(line, ensure_ascii=False) for line in _lines(engine, open_)]
                path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
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


def _lines(engine: Engine, open_: OpenOwner) -> list[dict[str, Any]]:
    out = []
    for memory_id in open_.bank.ids():
        record = engine.record(open_, memory_id)
        row = open_.bank.rows_of(memory_id)[0]
        line = {"id": memory_id, "time": int(open_.bank.written_ms[row]) / 1_000}
        if record is not None and not record.erased:
            line |= {key: record.body[key] for key in KEPT if key in record.body}
        else:  # slots that came without words: what they say
            recall = read(open_.bank, engine.codec, [Hit(memory_id, 0, 0, 0)], engine.now_ms())[0]
            line |= {"text": recall.text, "importance": float(open_.bank.importance[row])}
        until_ms, by = open_.bank.ended(memory_id)
        if until_ms:
            line |= {"until": until_ms / 1_000} | ({"superseded_by": by} if by else {})
        out.append(line)
    return out


def _import_bank(engine: Engine, open_: OpenOwner, path: Path) -> int:
    bank = load_bank(
        path, engine.config.bank, engine.config.forgetting,
        codec=engine.codec.identity, encoder=engine.keys.identity,
    )  # fmt: skip
    ids = bank.ids()
    now = engine.clock()
    # an event for each memory, so that it can be erased alone
    models = {"codec": engine.codec.identity, "keys": engine.keys.identity}
    events = [Event("slots", now, {"id": id_, "rows": pack_rows(bank, id_)} | models) for id_ in ids]
    if events:
        engine.commit(open_, events)
    return len(ids)


def _import_lines(engine: Engine, open_: OpenOwner, path: Path) -> int:
    events: list[Event] = []
    ends: list[Event] = []
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    events.append(_event(line, f"line {number}", engine.clock()))
                    ends += _end(line, f"line {number}")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "path", f"{path} is not UTF-8 ({error.reason})", "give what export wrote"
        ) from error
    if events:
        check_room(open_.bank, [event.body for event in events])
        engine.commit(open_, [*in_batches(events), *ends])
    return len(events)


def _event(line: str, field: str, now: float) -> Event:
    """The add event of one line, every field checked: what is in the log must be sound for ever."""
    data = _parsed(line, field)
    text = read_turns({"content": data.get("text")})[0].text
    gist = gist_of(text)
    body = {
        "id": canonical_id(str(data.get("id"))),
        "text": text,
        "gist": _segments(data.get("gist", list(gist.segments())), f"{field}: gist"),
        "known_as": _kind(data, "known_as", str, field) or "\0" + same_fact_key(text, gist),
        "importance": _share(data.get("importance", 0.5), f"{field}: importance"),
        "role": _kind(data, "role", str, field) or "user",
        "name": _kind(data, "name", str, field),
        "pinned": _kind(data, "pinned", bool, field),
        "cues": _strings(_kind(data, "cues", list, field) or [], f"{field}: cues"),
        "metadata": check_metadata(_kind(data, "metadata", dict, field)),
        "slot": _kind(data, "slot", str, field),
    }
    body = {key: value for key, value in body.items() if value or key == "importance"}
    return Event("add", seconds_of(data.get("time", now), f"{field}: time"), body)


def _end(line: str, field: str) -> list[Event]:
    """The event that says since when the memory of a line is not current; none for one that is."""
    data = _parsed(line, field)
    if data.get("until") is None:
        return []
    by = _kind(data, "superseded_by", str, field)
    body = {
        "id": canonical_id(data["id"]), "by": canonical_id(by) if by else "", "reason": "imported",
    }  # fmt: skip
    return [Event("supersede", seconds_of(data["until"], f"{field}: until"), body)]


def _parsed(line: str, field: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
        json.dumps(data, ensure_ascii=False).encode()  # "\ud800" is JSON, and no text
    except (ValueError, RecursionError) as error:
        raise InvalidInput(field, f"is not JSON ({error})", "give what export wrote") from error
    if not isinstance(data, dict) or not isinstance(data.get("text"), str) or not data["text"].strip():
        raise InvalidInput(f"{field}: text", "is missing or blank", "give what export wrote")
    return data


def _kind(data: dict[str, Any], key: str, kind: type, field: str) -> Any:
    value = data.get(key)
    if value is not None and not isinstance(value, kind):
        raise InvalidInput(
            f"{field}: {key}", f"is not a {kind.__name__}", "give what export wrote, or leave it out"
        )
    return value


def _strings(values: Any, field: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidInput(field, "is not a list of strings", "give what export wrote, or leave it out")
    return values


def _segments(value: Any, field: str) -> list[str]:
    segments = _strings(value, field)
    fits = len(segments) == 4 and all(
        len(segment.encode()) <= most for segment, most in zip(segments, GIST_FIELD_BYTES, strict=True)
    )
    if not fits:
        sizes = ", ".join(map(str, GIST_FIELD_BYTES))
        raise InvalidInput(
            field, f"is not four strings of {sizes} bytes at most", "give what export wrote, or leave it out"
        )
    return segments


def _share(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInput(field, f"{value!r} is out of range", "give a number from 0 to 1")
    return float(value)
