"""`neuromem bench interference`: whether new facts change old slots, and rebuilds give the same bits."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from ..memory import Memory
from ..owners import Progress
from .common import emit, parser, progress
from .generated import personal_facts

__all__ = ["main", "rebuilds_agree", "slots_changed"]

USER = "ana"
NOON = 1_800_000_000.0  # a clock that stands still: what is compared must not depend on when


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if a slot changed or two rebuilds differ."""
    arguments = parser("interference")
    arguments.add_argument("--first", type=int, default=1_000, help="slots that must not change")
    arguments.add_argument("--further", type=int, default=10_000, help="facts written after them")
    arguments.add_argument("--rebuild", type=int, default=500, help="facts of the log that is rebuilt twice")
    arguments.add_argument("--encoder", default="hash", help="as Memory's: sentence, sentence:FOLDER, hash")
    options = arguments.parse_args(argv)
    with progress("writing") as step, tempfile.TemporaryDirectory() as folder:
        changed = slots_changed(options.first, options.further, options.seed, options.encoder, step)
        same = rebuilds_agree(Path(folder), options.rebuild, options.seed, options.encoder, step)
    emit({"bench": "interference", **changed, **same}, options.json)
    return int(changed["changed_slots"] > 0 or not same["rebuilds_byte_identical"])


def slots_changed(
    first: int, further: int, seed: int, encoder: str = "hash", step: Progress | None = None
) -> dict[str, Any]:
    """Writes facts, remembers every buffer of their slots, writes more, and compares bit for bit."""
    texts = [fact.text for fact in personal_facts(first + further, seed)]
    messages = [{"role": "user", "content": text} for text in texts]
    with Memory(encoder=encoder, clock=lambda: NOON) as memory:
        memory.add(messages[:first], user_id=USER, infer=False, progress=step)
        bank = memory.bank(USER)
        rows = bank.used.nonzero().flatten()
        before = {name: getattr(bank, name)[rows].clone() for name in bank.layout()}
        memory.add(messages[first:], user_id=USER, infer=False, progress=step)
        bank = memory.bank(USER)
        differs = torch.zeros(len(rows), dtype=torch.bool)
        for name, buffer in before.items():
            now = getattr(bank, name)[rows]
            differs |= (now != buffer).reshape(len(rows), -1).any(dim=1).cpu()
        return {
            "first_slots": len(rows),
            "further_slots": len(bank) - len(rows),
            "changed_slots": int(differs.sum()),
        }


def rebuilds_agree(
    folder: Path, count: int, seed: int, encoder: str = "hash", step: Progress | None = None
) -> dict[str, Any]:
    """Writes a store, rebuilds its bank twice from the log, and compares the files, and the first one."""
    messages = [{"role": "user", "content": fact.text} for fact in personal_facts(count, seed)]
    with Memory(folder / "store", encoder=encoder, clock=lambda: NOON) as memory:
        memory.add(messages, user_id=USER, infer=False, progress=step)
        memory.search(messages[0]["content"], user_id=USER)
        memory.sleep()
        files = [memory.export(folder / "0.safetensors", user_id=USER).read_bytes()]
        for turn in (1, 2):
            memory.rebuild(USER, restore=False, progress=step)
            files.append(memory.export(folder / f"{turn}.safetensors", user_id=USER).read_bytes())
    return {
        "rebuilt_facts": count, "file_bytes": len(files[0]),
        "rebuilds_byte_identical": files[1] == files[2], "same_as_never_rebuilt": files[0] == files[1],
    }  # fmt: skip
