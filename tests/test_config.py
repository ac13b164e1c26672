"""Settings: a name in the environment that is nearly one is refused, and so is what is no dict of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neuromem import Memory
from neuromem.cli import main
from neuromem.config import Config
from neuromem.errors import ConfigError

STARTED = "can be reached by others"  # what a server says that has read its settings


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("NEUROMEM_FORGETTING_DECAY", "NEUROMEM_FORGETTING__DECAY"),
        ("NEUROMEM_BANK_MAX_SLOTS", "NEUROMEM_BANK__MAX_SLOTS"),
        ("NEUROMEM_SERVER_ADMIN_KEY", "NEUROMEM_SERVER__ADMIN_KEY"),
        ("NEUROMEM_LLM_EXTRACTOR", "NEUROMEM_LLM__EXTRACTOR"),
    ],
)
def test_one_underscore_where_two_belong_is_refused(name: str, right: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: is no setting; write {right}, with two"):
        Config.load(env={name: "1"})


def test_names_that_are_no_settings_are_left_alone() -> None:
    others = "PATH URL API_KEY DATA TEST_CACHE ADMIN_KEY LOG_LEVEL SERVICE_HOST PORT".split()
    assert Config.load(env={f"NEUROMEM_{name}": "x" for name in others}) == Config()
    assert Config.load(env={"NEUROMEM_SERVER_PORT": "tcp://10.0.0.7:8888"}) == Config()  # of Kubernetes


def test_a_server_is_not_left_open_by_a_misspelt_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--path", str(tmp_path / "store"), "--encoder", "hash"]
    serve = ["serve", *store, "--host", "0.0.0.0", "--port", "0"]
    monkeypatch.setenv("NEUROMEM_ADMIN_KEY", "secret")
    assert main(serve) == 2
    assert "write NEUROMEM_SERVER__ADMIN_KEY" in capsys.readouterr().err
    assert main(["add", "My dog is called Potola", *store]) == 0
    monkeypatch.setenv("NEUROMEM_ADMIN_KEY", "")
    assert main(serve) == 2
    assert STARTED in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["settings.toml", Path("settings.toml"), ["bank"]])
def test_settings_that_are_no_dict_are_refused_with_the_remedy(wrong: Any) -> None:
    for load in (Config.load, lambda config: Memory(config=config)):
        with pytest.raises(ConfigError, match=r"config: .* is not a dict of settings; .*Config\.load\(file="):
            load(wrong)
