"""OpenMemory's backups: a zip with `memories.json` and `memories.jsonl.gz`, written and read.

Ours hold what theirs do. Reading one tells every memory anew, with its time: an id of ours says whose a
memory is and what it says, so ids of others cannot be kept.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..errors import InvalidInput
from ..identity import STATE
from .entries import ACTIVE, Ids, iso
from .openmemory import APP, Listing, OpenMemory, id_of

__all__ = ["export", "import_"]

MEMBERS = ("memories.json", "memories.jsonl.gz")
MAX_BYTES = 256 << 20  # of a member, unpacked
DELETED = "deleted"


def export(open_memory: OpenMemory, wanted: Listing) -> bytes:
    """A user's memories as a zip."""
    service = open_memory.service
    entries = dict.fromkeys(open_memory.ids(wanted))
    found = [open_memory.get(id_) for id_ in entries]
    records = [open_memory.record(item) for item in found]
    rows = [_row(record, wanted.user_id) for record in records]
    names = sorted({name for record in records for name in record["categories"]})
    apps = sorted({record["app_name"] for record in records if record["app_name"]})
    whole = {
        "user": {"id": id_of("user", wanted.user_id), "user_id": wanted.user_id},
        "apps": [app for app in open_memory.apps() if app["name"] in apps],
        "categories": [{"id": id_of("category", name), "name": name} for name in names],
        "memories": rows,
        "memory_categories": [
            {"memory_id": row["id"], "category_id": category}
            for row in rows
            for category in row["category_ids"]
        ],
        "status_history": [],
        "access_controls": [],
        "export_meta": {
            "app_id_filter": next(iter(wanted.apps), None), "from_date": wanted.from_date,
            "to_date": wanted.to_date, "version": "1",
            "generated_at": iso(round(service.engine.clock() * 1_000)),
        },
    }  # fmt: skip
    lines = [
        json.dumps(
            {key: row[key] for key in ("id", "content", "metadata", "created_at", "updated_at", "state")}
            | {"app": record["app_name"], "categories": record["categories"]},
            ensure_ascii=False,
        )
        for row, record in zip(rows, records, strict=True)
    ]
    return _zip(json.dumps(whole, indent=2, ensure_ascii=False), "".join(f"{line}\n" for line in lines))


def _row(record: Mapping[str, Any], user_id: str) -> dict[str, Any]:
    return {
        "id": record["id"], "user_id": id_of("user", user_id), "app_id": record["app_id"],
        "content": record["content"], "metadata": record["metadata_"], "state": record["state"],
        "created_at": _time(record["created_at"]), "updated_at": _time(record["updated_at"]),
        "archived_at": None, "deleted_at": None,
        "category_ids": [id_of("category", name) for name in record["categories"]],
    }  # fmt: skip


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _zip(whole: str, lines: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED) as file:
        file.writestr(MEMBERS[0], whole)
        file.writestr(MEMBERS[1], gzip.compress(lines.encode()))
    return buffer.getvalue()


def import_(open_memory: OpenMemory, content: bytes, user_id: str) -> dict[str, str]:
    """Tells a user what a backup holds; what was deleted stays so. Returns old ids → new ones.

    Raises:
        InvalidInput: it is no such backup.
    """
    whole = _read(content)
    apps = {str(app.get("id")): str(app.get("name") or APP) for app in _rows(whole, "apps")}
    names = {str(item.get("id")): str(item.get("name")) for item in _rows(whole, "categories")}
    ids: dict[str, str] = {}
    for row in _rows(whole, "memories"):
        text, state = row.get("content"), row.get("state") or ACTIVE
        if state == DELETED or not isinstance(text, str) or not text.strip():
            continue
        categories = [names[id_] for id_ in row.get("category_ids") or () if id_ in names]
        (written, *_) = open_memory.service.add(
            Ids(user_id, app=apps.get(str(row.get("app_id")), APP)), text, infer=False,
            metadata=row.get("metadata") or {}, timestamp=row.get("created_at"), categories=tuple(categories),
            extra=None if state == ACTIVE else {STATE: state}, who=open_memory.who,
        )  # fmt: skip
        ids[str(row.get("id"))] = written.id
    return ids


def _rows(whole: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = whole.get(name) or []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _read(content: bytes) -> dict[str, Any]:
    """The whole of a backup."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members = [item for item in file.infolist() if item.filename.rsplit("/", 1)[-1] == MEMBERS[0]]
            if not members:
                raise InvalidInput("file", f"has no {MEMBERS[0]} in it", "give a zip that export wrote")
            with file.open(members[0]) as member:
                raw = member.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise InvalidInput("file", f"unpacks to more than {MAX_BYTES >> 20} MiB", "split it")
        whole = json.loads(raw)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput("file", f"is no backup ({error})", "give a zip that export wrote") from error
    if not isinstance(whole, dict):
        raise InvalidInput("file", f"has no object in {MEMBERS[0]}", "give a zip that export wrote")
    return whole
