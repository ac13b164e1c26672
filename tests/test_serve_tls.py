"""`neuromem serve` over TLS, and keys that no request could show."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from command_line import finished
from served import served

from neuromem.config import ConfigError, ServerConfig

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its keys with openssl")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate of localhost, its key, that key under a passphrase, and junk."""
    folder = tmp_path_factory.mktemp("tls")
    made = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem "
        "-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1",
        "pkcs8 -topk8 -in key.pem -passout pass:abc -out locked.pem",
    )
    for words in made:
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    (folder / "junk.pem").write_text("junk")
    return folder


def options(cert: Path, key: Path) -> tuple[str, ...]:
    return "--tls-cert", str(cert), "--tls-key", str(key)


def test_it_speaks_tls(tmp_path: Path, pair: Path) -> None:
    context = ssl.create_default_context(cafile=str(pair / "cert.pem"))
    with served(tmp_path / "store", *options(pair / "cert.pem", pair / "key.pem")) as server:
        assert server.url.startswith("https://")
        assert httpx.get(f"{server.url}/health", verify=context).json()["status"] == "ok"


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("none.pem", "key.pem", "tls_cert: "),
        ("cert.pem", "none.pem", "tls_key: "),
        ("junk.pem", "key.pem", "tls_cert: "),
        ("key.pem", "cert.pem", "tls_cert: "),
        ("cert.pem", "locked.pem", "tls_key: is kept under a passphrase"),
        (".", "key.pem", "tls_cert: "),
    ],
)
def test_files_that_are_no_pair_are_one_line(
    tmp_path: Path, pair: Path, cert: str, key: str, said: str
) -> None:
    done = finished("serve", "--path", str(tmp_path), "--port", "0", *options(pair / cert, pair / key))
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"neuromem: error: {said}")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("key", [" ", "boss\n", " boss", "b\u00fcro", "a\tb"])
def test_an_admin_key_that_nobody_could_show_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="admin_key") as caught:
        ServerConfig(admin_key=key)
    assert key not in str(caught.value) or key == " "
