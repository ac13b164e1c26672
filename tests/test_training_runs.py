"""What a training run keeps, how it goes on, and what it says where something is missing or damaged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training import state, token_costs, train_log_dictionary, word_frequencies
from training.data import real_texts
from training.steps import stepped


class Run:
    """A small network with dropout, trained a few steps: what it becomes hangs on random numbers."""

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=0.1)

    def train(self, first: int, last: int) -> None:
        for _ in range(first, last):
            stepped(self.net, self.optimizer, self.net(torch.ones(4, 8)).square().sum(), 0.1)

    def weights(self) -> list[Tensor]:
        return [each.detach() for each in self.net.parameters()]


def kept_at(path: Path, step: int, seed: int = 0, start: Path | None = None) -> None:
    run = Run(seed)
    run.train(0, step)
    state.save(path, step, seed=seed, start=start, net=run.net, optimizer=run.optimizer)


def test_a_resumed_run_goes_on_bit_for_bit_as_one_that_was_not_interrupted(tmp_path: Path) -> None:
    whole = Run()
    whole.train(0, 6)
    kept_at(tmp_path / "state.pt", 3)
    rest = Run()
    step = state.resume(tmp_path / "state.pt", seed=0, net=rest.net, optimizer=rest.optimizer)
    rest.train(step, 6)
    assert step == 3
    assert all(torch.equal(a, b) for a, b in zip(whole.weights(), rest.weights(), strict=True))


def test_options_that_count_at_the_beginning_are_of_the_run_too(tmp_path: Path) -> None:
    run = Run()
    state.save(tmp_path / "state.pt", 1, seed=0, also="--upper 4", net=run.net)
    assert state.resume(tmp_path / "state.pt", seed=0, also="--upper 4", net=run.net) == 1
    with pytest.raises(SystemExit, match=r"of a run with --seed 0 --upper 4, not with --seed 0 --upper 3"):
        state.resume(tmp_path / "state.pt", seed=0, also="--upper 3", net=run.net)


@pytest.mark.parametrize(("seed", "start"), [(3, None), (0, Path("other.safetensors"))])
def test_another_run_does_not_go_on_with_what_was_kept(tmp_path: Path, seed: int, start: Path | None) -> None:
    kept_at(tmp_path / "state.pt", 1)
    run = Run()
    with pytest.raises(SystemExit, match=r"is of a run with --seed 0, not with .*give --runs another folder"):
        state.resume(tmp_path / "state.pt", seed=seed, start=start, net=run.net, optimizer=run.optimizer)


def test_a_state_of_before_goes_on(tmp_path: Path) -> None:
    run = Run()
    torch.save({"step": 7, "net": run.net.state_dict()}, tmp_path / "state.pt")
    assert state.resume(tmp_path / "state.pt", seed=5, start=Path("any"), net=run.net) == 7


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    kept_at(tmp_path / "state.pt", 1)
    whole = (tmp_path / "state.pt").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no state"):
        (tmp_path / "state.pt").write_bytes(damaged)
        with pytest.raises(SystemExit, match=r"state\.pt cannot be read .*remove it to begin anew"):
            state.resume(tmp_path / "state.pt", seed=0, net=Run().net)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "pool.pt"
    state.written(path, lambda draft: draft.write_bytes(b"first"))

    def killed(draft: Path) -> None:
        draft.write_bytes(b"sec")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        state.written(path, killed)
    assert path.read_bytes() == b"first"


def test_an_interrupted_script_says_how_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        state.run(main)
    assert ended.value.code == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_absent_data_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"banking77\.txt not found: give --data the folder with train/"):
        real_texts(tmp_path)
    with pytest.raises(SystemExit, match=r"banking77\.txt not found: give --data"):
        train_log_dictionary.train(tmp_path)


def test_no_table_of_nothing_takes_the_place_of_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "table.gz"
    out.write_bytes(b"the shipped one")
    options = ["--data", str(tmp_path), "--out", str(out)]
    for script, more in ((word_frequencies, []), (token_costs, ["vocabulary.gguf"])):
        monkeypatch.setattr(sys, "argv", ["script", *options, *more])
        with pytest.raises(SystemExit, match="no texts in"):
            script.main()
    assert out.read_bytes() == b"the shipped one"
