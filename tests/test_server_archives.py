"""Memories in sound over HTTP: put in, asked, fetched whole and by ranges; nobody reaches another's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from serving import serving

from neuromem import Memory
from neuromem.errors import ArchiveError, NotFound
from neuromem.sound import SoundArchive

ADMIN = {"Authorization": "Token the-admin"}
RECORDS = [
    {"value": f"Fact {at}: the {at}th dog is called Rex-{at}", "id": f"f{at}", "time": at}
    for at in range(500)
]


@dataclass(frozen=True)
class House:
    """A server with two users."""

    url: str
    client: httpx.Client
    ana: dict[str, str]
    ben: dict[str, str]
    folder: Path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    settings = {"server": {"admin_key": "the-admin", "max_body_kib": 256, "archives_mib": 4}}
    with (
        serving(folder, config=settings, encoder="hash") as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        keys = []
        for user in ("ana", "ben"):
            made = client.post("/v1/users", json={"user_id": user}, headers=ADMIN).json()
            keys.append({"Authorization": f"Token {made['api_key']}"})
        yield House(server.url, client, *keys, folder)


@pytest.fixture(scope="module")
def notes(house: House) -> str:
    told = {"name": "notes", "records": RECORDS, "profile": "desktop", "semantic": True}
    answer = house.client.post("/encode", json=told, headers=house.ana)
    assert answer.status_code == 201, answer.text
    about = answer.json()
    assert (about["name"], about["records"], about["version"]) == ("notes.flac", 500, 0)
    return str(about["url"])


def test_what_is_fetched_plays_and_holds_the_records(house: House, notes: str, tmp_path: Path) -> None:
    answer = house.client.get(notes, headers=house.ana)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/flac")
    path = tmp_path / "fetched.flac"
    path.write_bytes(answer.content)
    with SoundArchive(path, readonly=True) as archive:
        assert archive.get("f7").value == RECORDS[7]["value"]
        assert archive.verify().ok
    for command in (
        ["flac", "-t", "-w", path],
        ["ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-"],
    ):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr


def test_records_are_found_by_id_by_time_by_words_and_in_the_past(house: House, notes: str) -> None:
    def ask(**wanted: object) -> list[dict[str, object]]:
        answer = house.client.post("/query", json={"name": "notes", **wanted}, headers=house.ana)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["results"])

    assert [found["id"] for found in ask(ids=["f3", "nobody", "f4"])] == ["f3", "f4"]
    assert [found["id"] for found in ask(start=10, stop=12)] == ["f10", "f11"]
    assert ask(query="Fact 77: the 77th dog is called Rex-77", limit=1)[0]["id"] == "f77"
    more = {"name": "notes", "records": [{"value": {"new": True}, "id": "f3", "time": 1_000}]}
    assert house.client.post("/encode", json=more, headers=house.ana).json()["version"] == 1
    assert ask(ids=["f3"])[0]["value"] == {"new": True}
    assert ask(ids=["f3"], as_of=0)[0]["value"] == RECORDS[3]["value"]
    assert ask(limit=1)[0]["id"] == "f3"
    gone = house.client.post("/query", json={"name": "notes", "as_of": 9}, headers=house.ana)
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "span"),
    [
        ("bytes=0-99", 206, (0, 100)), ("bytes=100-", 206, (100, None)), ("bytes=-10", 206, (-10, None)),
        ("bytes=5-5", 206, (5, 6)), ("bytes=0-999999999999", 206, (0, None)), ("bytes=999999999-", 416, None),
        ("bytes=-0", 416, None), ("bytes=9-3", 200, (0, None)), ("bytes=0-1,5-6", 200, (0, None)),
        ("pages=1-2", 200, (0, None)), ("bytes=-", 200, (0, None)),
        ("bytes=" + "9" * 40 + "-", 200, (0, None)),
    ],
)  # fmt: skip
def test_ranges(
    house: House, notes: str, asked: str, status: int, span: tuple[int, int | None] | None
) -> None:
    whole = house.client.get(notes, headers=house.ana)
    answer = house.client.get(notes, headers=house.ana | {"Range": asked})
    assert answer.status_code == status
    size = len(whole.content)
    if span is None:
        assert answer.headers["content-range"] == f"bytes */{size}"
        return
    assert answer.content == whole.content[span[0] : span[1]]
    assert answer.headers["accept-ranges"] == "bytes"
    if status == 206:
        start = span[0] % size
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(answer.content) - 1}/{size}"


def test_conditions_and_head(house: House, notes: str) -> None:
    def ask(method: str = "GET", **headers: str) -> httpx.Response:
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        return house.client.request(method, notes, headers=house.ana | wanted)

    whole = ask()
    etag, changed = whole.headers["etag"], whole.headers["last-modified"]
    head = ask("HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert ask("HEAD", Range="bytes=0-9").headers["content-length"] == "10"
    assert ask(Range="bytes=0-9", If_Range=etag).status_code == 206
    assert ask(Range="bytes=0-9", If_Range=changed).status_code == 206
    assert ask(Range="bytes=0-9", If_Range='"other"').status_code == 200
    assert ask(If_None_Match=f'"x", {etag}').status_code == 304
    assert ask(If_Match=etag).status_code == 200
    assert ask(If_Match='"other"').status_code == 412


def test_one_record_is_read_from_the_server_without_the_file(house: House) -> None:
    rows = [{"value": os.urandom(40).hex(), "id": f"r{at}"} for at in range(3_000)]
    for start in range(0, 9_000, 1_500):
        told = {
            "name": "long",
            "records": [dict(row, id=f"r{start + at}") for at, row in enumerate(rows[:1_500])],
        }
        assert house.client.post("/encode", json=told, headers=house.ana).status_code == 201
    url = f"{house.url}/archive/long.flac"
    with SoundArchive(url, storage={"headers": house.ana}) as archive:
        assert archive.get("r4321").value == rows[4321 % 1_500]["value"]
        size = len(house.client.get("/archive/long.flac", headers=house.ana).content)
        assert archive.source.requests <= 20
        assert archive.source.fetched < size * 0.6
        house.client.post("/encode", json={"name": "long", "records": [{"value": "x"}]}, headers=house.ana)
        with pytest.raises(ArchiveError, match="written anew"):
            list(archive.in_order())
    with pytest.raises(ArchiveError, match="401"):
        SoundArchive(url)
    with pytest.raises(NotFound):
        SoundArchive(f"{house.url}/archive/none.flac", storage={"headers": house.ana})


def test_a_whole_memory_comes_as_sound_and_goes_into_another_store(house: House, tmp_path: Path) -> None:
    told = {"messages": "My dog is called Potola", "infer": False}
    house.client.post("/v1/ingest", json=told, headers=house.ana)
    answer = house.client.post("/encode", json={"name": "all", "memory": True}, headers=house.ana)
    assert answer.status_code == 201, answer.text
    path = tmp_path / "all.flac"
    path.write_bytes(house.client.get("/archive/all", headers=house.ana).content)
    with Memory(None, encoder="hash") as memory:
        memory.import_(path)
        assert [item.text for item in memory.all(user_id="ana")] == ["My dog is called Potola"]


def test_a_memory_and_records_never_share_an_archive(house: House, tmp_path: Path) -> None:
    def encode(name: str, **told: object) -> httpx.Response:
        return house.client.post("/encode", json={"name": name, **told}, headers=house.ana)

    house.client.post("/v1/ingest", json={"messages": "I live in Porto", "infer": False}, headers=house.ana)
    assert encode("records", records=[{"value": "x", "id": "x"}]).status_code == 201
    assert encode("memory", memory=True).status_code == 201
    for refused in (encode("records", memory=True), encode("memory", records=[{"value": "x"}])):
        assert refused.status_code == 409
        assert "another name" in refused.json()["detail"]
    found = house.client.post("/query", json={"name": "records", "ids": ["x"]}, headers=house.ana).json()
    assert [item["value"] for item in found["results"]] == ["x"]
    assert encode("memory", memory=True).status_code == 201, "anew, as it is now"
    path = tmp_path / "memory.flac"
    path.write_bytes(house.client.get("/archive/memory", headers=house.ana).content)
    with Memory(None, encoder="hash") as memory:
        assert memory.import_(path)
    assert encode("records", records=[{"value": "y"}]).json()["records"] == 2


def test_words_are_asked_only_of_an_archive_with_keys(house: House) -> None:
    told = {"name": "plain", "records": [{"value": "Porto is wet"}]}
    assert house.client.post("/encode", json=told, headers=house.ana).status_code == 201
    answer = house.client.post("/query", json={"name": "plain", "query": "wet"}, headers=house.ana)
    assert answer.status_code == 400
    assert answer.json()["field"] == "query"
    assert "semantic" in answer.json()["detail"]
    told["semantic"] = True
    assert house.client.post("/encode", json=told, headers=house.ana).status_code == 201
    answer = house.client.post("/query", json={"name": "plain", "query": "wet"}, headers=house.ana)
    assert [item["value"] for item in answer.json()["results"]] == ["Porto is wet"]


def test_nobody_reaches_anothers_archive(house: House, notes: str) -> None:
    client = house.client
    assert client.get(notes).status_code == 401
    assert client.get(notes, headers=house.ben).status_code == 404
    assert client.get(f"{notes}?user_id=ana", headers=house.ben).status_code == 403
    assert client.get(f"{notes}?user_id=ana", headers=ADMIN).status_code == 200
    assert client.delete(notes, headers=house.ben).status_code == 404
    for asked in ({"name": "notes", "user_id": "ana"}, {"name": "notes"}):
        assert client.post("/query", json=asked, headers=house.ben).status_code in (403, 404)
    told = {"name": "notes", "user_id": "ana", "records": [{"value": "x"}]}
    assert client.post("/encode", json=told, headers=house.ben).status_code == 403


@pytest.mark.parametrize(
    "name",
    ["../x", "..", ".", "a/b", "/etc/passwd", "a\\b", "", "x" * 300, ".hidden", "a\x00b", "nul\n", "é"],
)
def test_no_name_leads_out_of_a_folder(house: House, name: str) -> None:
    before = {path for path in house.folder.rglob("*.flac") if path.is_file()}
    told = {"name": name, "records": [{"value": "x"}]}
    assert house.client.post("/encode", json=told, headers=house.ana).status_code in (400, 422)
    assert {path for path in house.folder.rglob("*.flac") if path.is_file()} == before
    assert house.client.get("/archive/..%2f..%2fserver.sqlite3", headers=house.ana).status_code in (400, 404)


def test_what_is_too_much_or_makes_no_sense_is_refused(house: House) -> None:
    def encode(**told: object) -> int:
        return house.client.post("/encode", json={"name": "new", **told}, headers=house.ana).status_code

    assert encode() == 400
    assert encode(memory=True, records=[{"value": "x"}]) == 400
    assert encode(records=[{"value": "x" * 300_000}]) == 413
    assert encode(records=[{"value": "x"}] * 10_001) in (413, 422)
    assert encode(records=[{"value": "x"}], profile="loud") == 400
    assert encode(records=[{"value": 3}]) == 422
    assert encode(records=[{"value": "x"}], extra=1) == 422
    assert house.client.post("/query", json={"name": "none"}, headers=house.ana).status_code == 404
    codes = [
        encode(records=[{"value": "ab" * 100_000 + str(at), "id": str(at)}], profile="durable")
        for at in range(3)
    ]
    assert codes == [201] * 3


def test_a_user_has_so_much_room_and_no_more(house: House) -> None:
    big = [{"value": os.urandom(50_000).hex()} for _ in range(2)]
    codes = []
    for at in range(20):
        told = {"name": f"big{at}", "records": big, "profile": "durable"}
        codes.append(house.client.post("/encode", json=told, headers=house.ben).status_code)
        if codes[-1] == 413:
            break
    assert codes[-1] == 413
    assert codes.count(201) >= 3
    (file,) = house.folder.glob("archives/*/big0.flac")
    waiting = file.with_name(f"{file.name}.wal")
    waiting.write_bytes(b"of a crash")
    assert house.client.delete("/archive/big0", headers=house.ben).status_code == 200
    assert not waiting.exists()
    assert house.client.delete("/archive/big0", headers=house.ben).status_code == 404


def test_archives_are_listed_in_openapi_and_counted(house: House, notes: str) -> None:
    paths = house.client.get("/openapi.json").json()["paths"]
    assert set(paths["/archive/{name}"]) == {"get", "head", "delete"}
    assert "post" in paths["/encode"]
    assert "post" in paths["/query"]
    text = house.client.get("/metrics").text
    assert 'neuromem_archive_records_total{op="encoded"}' in text
    assert "neuromem_archive_bytes_total" in text
    assert 'route="/archive/{name}"' in text


def test_whoever_is_forgotten_leaves_no_archive(house: House) -> None:
    client = house.client
    client.post(
        "/encode", json={"name": "mine", "user_id": "cem", "records": [{"value": "x"}]}, headers=ADMIN
    )
    client.post("/v1/ingest", json={"messages": "I am Cem", "user_id": "cem", "infer": False}, headers=ADMIN)
    assert client.get("/archive/mine?user_id=cem", headers=ADMIN).status_code == 200
    assert client.delete("/v2/entities/user/cem/", headers=ADMIN).status_code == 200
    assert client.get("/archive/mine?user_id=cem", headers=ADMIN).status_code == 404
