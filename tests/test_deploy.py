"""What is needed to deploy: it parses, fits the code, and its commands are those tested elsewhere."""

from __future__ import annotations

import json
import re
import shlex
import urllib.request
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import served

from neuromem.cli import build_parser
from neuromem.config import Config

ROOT = Path(__file__).resolve().parents[1]
yaml = pytest.importorskip("yaml")
SUFFIXES = ("", "_bucket", "_sum", "_count", "_total")


def steps() -> list[tuple[str, str]]:
    """(instruction, the rest) of the Dockerfile, comments left out and lines joined."""
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text().splitlines() if line[:1] != "#")
    joined = re.sub(r"\\\n\s*", "", text)
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def command() -> list[str]:
    return list(json.loads(dict(steps())["CMD"]))


def test_the_image_is_built_in_stages_and_does_not_run_as_root() -> None:
    found = steps()
    assert [rest.split()[0] for word, rest in found if word == "FROM"] == ["python:3.11-slim"] * 2
    last = found[max(place for place, (word, _) in enumerate(found) if word == "FROM") :]
    assert dict(last)["USER"] == "neuromem"
    assert "HEALTHCHECK" in dict(last)
    assert all(
        word in "FROM RUN COPY ENV USER VOLUME EXPOSE HEALTHCHECK CMD WORKDIR".split() for word, _ in found
    )


def test_the_image_has_what_its_routes_need() -> None:
    (installed,) = [rest for word, rest in steps() if word == "RUN" and '".[' in rest]
    extras = re.search(r"\[(.*)\]", installed)
    assert extras is not None
    assert extras[1].split(",") == ["server", "sound"]  # without the second, /encode answers 501


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    for word, rest in steps():
        if word == "COPY" and not rest.startswith("--from"):
            for source in shlex.split(rest)[:-1]:
                assert (ROOT / source).exists()
                assert source in kept


def test_the_command_of_the_image_is_one_of_ours_and_wants_a_key(tmp_path: Path) -> None:
    assert command()[0] == "neuromem"
    args = build_parser().parse_args(command()[1:])
    assert (args.command, args.host, args.port) == ("serve", "0.0.0.0", 8888)
    wanted = read("compose.yaml")["services"]["neuromem"]["environment"]
    Config.load(env=dict.fromkeys(wanted, "secret"))
    options = ["--host", args.host]  # the same, but on a port that is free
    with served(tmp_path / "store", *options, NEUROMEM_SERVER__ADMIN_KEY="secret") as server:
        check = re.search(r"CMD (\[.*\])", dict(steps())["HEALTHCHECK"])
        assert check is not None
        code = json.loads(check[1])[-1]
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert "http://127.0.0.1:8888" in code
        exec(code.replace("http://127.0.0.1:8888", url), {"u": urllib.request})
        assert httpx.get(f"{url}/v1/keys").status_code == 401


def test_compose_names_files_that_exist_and_one_port_each() -> None:
    services = read("compose.yaml")["services"]
    assert set(services) == {"neuromem", "prometheus", "grafana"}
    for service in services.values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert not source.startswith(".") or (ROOT / source).exists()
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "not for the whole network"
    target = read("deploy/prometheus.yml")["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target == ["neuromem:8888"]
    source = read("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"][0]
    assert source["url"] == "http://prometheus:9090"


def test_every_metric_of_the_dashboard_exists(tmp_path: Path) -> None:
    board = json.loads((ROOT / "deploy/grafana/dashboards/neuromem.json").read_text())
    used = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"neuromem_\w+", target["expr"])
    }
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"prometheus"}
    with served(tmp_path / "store") as server:
        text = httpx.get(f"{server.url}/metrics").text
    declared = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    known = {name + suffix for name in declared for suffix in SUFFIXES}
    assert used <= known
    assert len(used) > 12
