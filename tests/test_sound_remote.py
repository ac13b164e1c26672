"""Archives behind URLs: a record is had without the file, over HTTP from our server and from a real S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neuromem.errors import ArchiveError, InvalidInput, NotFound, ReadOnly
from neuromem.sound import SoundArchive

s3fs = pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

COUNT = 24_000
BUCKET = "memories"


@pytest.fixture(scope="module")
def archive_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("remote") / "notes.flac"
    with SoundArchive(path, "desktop") as archive:
        for start in range(0, COUNT, COUNT // 3):
            rows = (
                (os.urandom(60).hex(), f"id-{at}", float(at), None) for at in range(start, start + COUNT // 3)
            )
            archive.append_many(rows)
            archive.append(f"version {start}", id="last")
            archive.flush()
    return path


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, Any]]:
    """A real server that speaks S3, and the options that lead to it."""
    server = moto_server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield {"key": "any", "secret": "any", "endpoint_url": f"http://{host}:{port}"}
    finally:
        server.stop()


@pytest.fixture(scope="module")
def bucket(s3: dict[str, Any], archive_file: Path) -> dict[str, Any]:
    files = s3fs.S3FileSystem(**s3)
    files.mkdir(BUCKET)
    files.put_file(str(archive_file), f"{BUCKET}/notes.flac")
    files.pipe_file(f"{BUCKET}/text.flac", b"no sound at all" * 1_000)
    return s3


def test_one_record_comes_from_s3_by_a_few_ranges(bucket: dict[str, Any], archive_file: Path) -> None:
    with (
        SoundArchive(archive_file, readonly=True) as local,
        SoundArchive(f"s3://{BUCKET}/notes.flac", storage=bucket) as remote,
    ):
        assert remote.get("id-4321") == local.get("id-4321")
        size = archive_file.stat().st_size
        assert remote.source.requests <= 12
        assert remote.source.fetched < size / 2
        before = remote.source.requests
        assert remote.get("id-4321") == local.get("id-4321")
        assert remote.source.requests == before, "what was read is kept"
        assert remote.get("last").value == "version 16000"
        assert remote.as_of(0).get("last").value == "version 0"
        assert [entry.id for entry in remote.between(100, 102)] == ["id-100", "id-101"]


def test_reading_on_is_read_ahead(bucket: dict[str, Any], archive_file: Path) -> None:
    with (
        SoundArchive(archive_file, readonly=True) as local,
        SoundArchive(f"s3://{BUCKET}/notes.flac", storage=bucket) as remote,
    ):
        assert list(remote.in_order()) == list(local.in_order())
        assert remote.source.fetched < 1.2 * archive_file.stat().st_size
        assert remote.source.requests < archive_file.stat().st_size / (64 << 10)
        assert remote.verify().ok
        with pytest.raises(ReadOnly):
            remote.append("x", id="x")


def test_what_cannot_be_read_is_told_as_an_error_of_ours(bucket: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match=r"nothing\.flac"):
        SoundArchive(f"s3://{BUCKET}/nothing.flac", storage=bucket)
    with pytest.raises(ArchiveError, match="no sound archive"):
        SoundArchive(f"s3://{BUCKET}/text.flac", storage=bucket)
    with pytest.raises(InvalidInput, match="path"):
        SoundArchive("gopher://there/a.flac")
    with pytest.raises(ArchiveError, match="cannot be read"):
        SoundArchive("http://127.0.0.1:9/a.flac")


def test_s3_without_credentials_or_anybody_there_is_told_as_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    nobody = {"endpoint_url": "http://127.0.0.1:9"}
    for storage in (nobody, nobody | {"key": "any", "secret": "any"}):
        with pytest.raises(ArchiveError, match="cannot be read"):
            SoundArchive(f"s3://{BUCKET}/alone.flac", storage=storage)


def test_a_file_that_is_written_anew_is_not_taken_for_the_old_one(
    s3: dict[str, Any], bucket: dict[str, Any], tmp_path: Path
) -> None:
    files, path = s3fs.S3FileSystem(**s3), tmp_path / "a.flac"
    with SoundArchive(path, "desktop") as archive:
        archive.append_many((os.urandom(500).hex(), f"id-{at}", None, None) for at in range(2_000))
    files.put_file(str(path), f"{BUCKET}/changing.flac")
    with SoundArchive(f"s3://{BUCKET}/changing.flac", storage=bucket) as remote:
        with SoundArchive(path) as archive:
            archive.append("new", id="id-1")
            archive.merge()
        files.put_file(str(path), f"{BUCKET}/changing.flac")
        with pytest.raises(ArchiveError):
            remote.get("id-1999")
