"""One file out, one file in: the bank alone, or the words.

`.safetensors` is the bank as it is, words only in its weights. `.jsonl` has a line for each memory::

    {"id": "…", "text": "…", "gist": ["1", "|dog name", "|P", "otola"], "time": 1772474640.0,
     "importance": 0.6, "pinned": false, "metadata": {}, …}
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bankfile import load_bank
from .errors import InvalidInput, NotFound, ReadOnly
from .facts import gist_of, same_fact_key
from .fold import pack_rows
from .identity import Owner, parse_id, seconds_of
from .log import Event
from .recall import Hit, read

if TYPE_CHECKING:
    from .engine import Engine
    from .owners import OpenOwner

__all__ = ["export", "import_"]

SUFFIXES = (".safetensors", ".jsonl")
CHUNK = 64  # memories of one `slots` event; adds are batched by the fold


def export(engine: Engine, path: Path, user_id: str | None, profile: str | None) -> Path:
    """As `Memory.export`."""
    kind = _kind_of(path)
    if profile is not None:
        raise InvalidInput("profile", f"{profile!r} means nothing for {kind}", "leave it out")
    if not path.parent.is_dir():
        raise InvalidInput("path", f"the folder {path.parent} does not exist", "make it first")
    owner = Owner("user", user_id if user_id is not None else engine.only_user()).name
    if engine.log.length(owner) == 0:
        raise NotFound(f"{Owner.parse(owner).id!r} has no memory here; check the name")
    with engine.owners.use(owner) as open_:
        try:
            if kind == ".safetensors":
                engine.owners.save(open_.fold, path)
            else:
                lines = [json.dumps(line, ensure_ascii=False) for line in _lines(engine, open_)]
                path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        except OSError as error:
            raise InvalidInput(
                "path", f"{path} cannot be written ({error.strerror})", "choose another place"
            ) from error
    return path


def import_(engine: Engine, path: Path, user_id: str | None) -> int:
    """As `Memory.import_`."""
    if engine.readonly:
        raise ReadOnly("this memory was opened for reading; open it for writing to import into it")
    kind = _kind_of(path)
    if not path.is_file():
        raise NotFound(f"{path} does not exist; give the path of an exported file")
    owner = Owner("user", user_id if user_id is not None else engine.only_user()).name
    with engine.owners.use(owner) as open_:
        return (
            _import_bank(engine, open_, path)
            if kind == ".safetensors"
            else _import_lines(engine, open_, path)
        )


def _kind_of(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise InvalidInput("path", f"the suffix {path.suffix!r} is not known", f"use {' or '.join(SUFFIXES)}")
    return path.suffix


def _lines(engine: Engine, open_: OpenOwner) -> list[dict[str, Any]]:
    out = []
    for memory_id in open_.bank.ids():
        record = engine.record(open_, memory_id)
        row = open_.bank.rows_of(memory_id)[0]
        line = {"id": memory_id, "time": int(open_.bank.written_ms[row]) / 1_000}
        if record is not None and not record.erased:
            kept = ("text", "gist", "cues", "known_as", "importance", "pinned", "role", "name", "metadata")
            line |= {key: record.body[key] for key in kept if key in record.body}
        else:  # slots that came without words: what they say
            recall = read(open_.bank, engine.codec, [Hit(memory_id, 0, 0, 0)], engine.now_ms())[0]
            line |= {"text": recall.text, "importance": float(open_.bank.importance[row])}
        out.append(line)
    return out


def _import_bank(engine: Engine, open_: OpenOwner, path: Path) -> int:
    bank = load_bank(
        path, engine.config.bank, engine.config.forgetting,
        codec=engine.codec.identity, encoder=engine.keys.identity,
    )  # fmt: skip
    ids = bank.ids()
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    now = engine.clock()
    events = [Event("slots", now, {"rows": pack_rows(bank, chunk)}) for chunk in chunks]
    if events:
        engine.commit(open_, events)
    return len(ids)


def _import_lines(engine: Engine, open_: OpenOwner, path: Path) -> int:
    events = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                events.append(_event(line, f"line {number}"))
    if events:
        engine.commit(open_, events)
    return len(events)


def _event(line: str, field: str) -> Event:
    """The add event of one line, every field checked."""
    try:
        data = json.loads(line)
    except ValueError as error:
        raise InvalidInput(field, f"is not JSON ({error})", "give what export wrote") from error
    if not isinstance(data, dict) or not isinstance(data.get("text"), str) or not data["text"].strip():
        raise InvalidInput(f"{field}: text", "is missing or blank", "give what export wrote")
    parse_id(str(data.get("id")))
    text = data["text"]
    gist = gist_of(text)
    body = {
        "id": data["id"],
        "text": text,
        "gist": _segments(data.get("gist", list(gist.segments())), field),
        "known_as": str(data.get("known_as", "\0" + same_fact_key(text, gist))),
        "importance": _share(data.get("importance", 0.5), f"{field}: importance"),
    }
    optional = ("cues", "pinned", "role", "name", "metadata")
    body |= {key: data[key] for key in optional if data.get(key)}
    return Event("add", seconds_of(data.get("time", 0.0), f"{field}: time"), body)


def _segments(value: Any, field: str) -> list[str]:
    if not (isinstance(value, list) and len(value) == 4 and all(isinstance(part, str) for part in value)):
        raise InvalidInput(f"{field}: gist", "is not four strings", "give what export wrote, or leave it out")
    return value


def _share(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInput(field, f"{value!r} is out of range", "give a number from 0 to 1")
    return float(value)
