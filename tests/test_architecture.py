"""The house rules, measured over the source itself."""

from __future__ import annotations

import ast
import importlib
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "neuromem"

# A module may import from those to the left of it, and from its own folder; never from the right.
LAYERS = (
    "errors heap atomic together courtesy cached checks config shipped identity text echo facts holographic "
    "tokens linear encoders reading keeping senses fidelity forgetting ladder confidence lately codec "
    "marks layout table bank bankfile packing strangers keys write writer merkle records storage log "
    "proof history mend news question order held chats evidence recall chains fold sayings nearness "
    "habits supersede verdict introduced namesakes current snapshots appending named holders owners deep "
    "tell known alike clusters standing conscious within hearing consolidate llm reader engine telling "
    "asking sound lines transfer memory context assistant sdk server langgraph compat mem0_hook "
    "mem0_default voice whatsapp ingest render bench demo commands cli"
).split()
TOP = ("__init__", "__main__")  # the public face: may import everything, imported by none

# a quick start depends on it
NO_TORCH = ("errors", "config", "text", "echo", "facts", "context", "log", "sdk", "cli")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES, MAX_P90_LINES, MAX_MEDIAN_LINES = 80, 40, 12
BLANKET = ("Exception", "BaseException")

Function = ast.FunctionDef | ast.AsyncFunctionDef


# Measuring


def sources(folder: Path = PACKAGE) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def where(path: Path, node: ast.AST | None = None) -> str:
    line = f":{node.lineno}" if isinstance(node, ast.stmt | ast.expr | ast.ExceptHandler) else ""
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}{line}"


def dotted(path: Path) -> list[str]:
    """`neuromem/facts/rules.py` -> ["facts", "rules"]; a package is its folder."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts


def layer(path: Path) -> str:
    return dotted(path)[0]


def nodes(tree: ast.AST, *, at_import_only: bool) -> Iterator[ast.AST]:
    """All nodes, or those that run when the module is imported."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        deferred = isinstance(child, Function | ast.Lambda) or is_typing_only(child)
        if not (at_import_only and deferred):
            yield from nodes(child, at_import_only=at_import_only)


def is_typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(path: Path, *, at_import_only: bool = False) -> Iterator[tuple[ast.stmt, str]]:
    """Absolute names of the modules that a file imports: `from ..log import X` -> neuromem.log."""
    package = ["neuromem", *path.relative_to(PACKAGE).parent.parts]
    for node in nodes(parse(path), at_import_only=at_import_only):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if node.level and node.module is None:  # from . import log
                yield from ((node, f"{module}.{alias.name}") for alias in node.names)
            else:
                yield node, module


def loads_at_import(name: str) -> set[str]:
    """Third-party roots that importing `neuromem.<name>` loads, through the package's own modules."""
    waiting, seen, roots = [f"neuromem.{name}"], set[str](), set[str]()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        base = PACKAGE.joinpath(*module.split(".")[1:])
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            for _, target in imports(path, at_import_only=True) if path.exists() else ():
                (waiting.append if target.startswith("neuromem.") else roots.add)(target)
    return {root.split(".")[0] for root in roots}


def functions(tree: ast.AST) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def silent_handlers(tree: ast.AST) -> Iterator[ast.AST]:
    """Bare `except:` that does not raise again; blanket ones that only pass, or are suppressed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if (node.type is None and not raises) or (is_blanket(node.type) and only_passes(node.body)):
                yield node
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            yield from (argument for argument in node.args if is_blanket(argument))


def is_blanket(kind: ast.expr | None) -> bool:
    names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(name, ast.Name) and name.id in BLANKET for name in names)


def only_passes(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(statement, ast.Pass | ast.Continue | ast.Break)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        or (isinstance(statement, ast.Return) and is_nothing(statement.value))
        for statement in body
    )


def is_nothing(value: ast.expr | None) -> bool:
    return value is None or isinstance(value, ast.Constant)


def undocumented(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """Public classes, functions and methods of public classes that have no docstring."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If | ast.Try):
            waiting += node.body
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not is_variant(node):
            yield node
        if isinstance(node, ast.ClassDef):
            waiting += node.body


def is_variant(node: Function | ast.ClassDef) -> bool:
    """Overloads and setters are documented by what they vary."""
    return any(ast.unparse(d).split(".")[-1] in ("overload", "setter") for d in node.decorator_list)


def direction_faults(path: Path) -> Iterator[str]:
    own = layer(path)
    if own in TOP:
        return
    allowed = (*LAYERS[: LAYERS.index(own)], own)
    for node, name in imports(path):
        parts = name.split(".")
        if parts[0] in ("training", "tests"):
            yield f"{where(path, node)} imports {name}: the package stands without it"
        elif parts[0] == "neuromem" and parts[1:2] and parts[1] not in allowed and parts[1] in LAYERS:
            yield f"{where(path, node)} imports {name}, which comes after {own}"


# The rules


def none(faults: Iterable[str]) -> None:
    """Fails with every fault on a line of its own."""
    found = list(faults)
    assert not found, "\n".join(["", *found])


def test_every_module_has_its_place_in_the_table_of_layers() -> None:
    unplaced = [where(path) for path in sources() if layer(path) not in (*LAYERS, *TOP)]
    none(f"{name} is not in LAYERS: add it before those that import it" for name in unplaced)


def test_imports_point_one_way() -> None:
    placed = [path for path in sources() if layer(path) in (*LAYERS, *TOP)]
    none(fault for path in placed for fault in direction_faults(path))


def test_inside_the_package_imports_are_relative() -> None:
    absolute = [
        where(path, node)
        for path in sources()
        for node, name in imports(path)
        if name.split(".")[0] == "neuromem" and not getattr(node, "level", 0)
    ]
    none(absolute)


@pytest.mark.parametrize("folder", ["neuromem", "training", "scripts", "tests"])
def test_no_file_is_over_400_lines(folder: str) -> None:
    sizes = {where(path): len(path.read_text("utf-8").splitlines()) for path in sources(ROOT / folder)}
    none(f"{name}: {size} lines" for name, size in sizes.items() if size > MAX_FILE_LINES)


@pytest.mark.parametrize("folder", ["neuromem", "training", "scripts"])
def test_no_function_is_over_80_lines(folder: str) -> None:
    long = [
        f"{where(path, function)} {function.name}: {length(function)} lines"
        for path in sources(ROOT / folder)
        for function in functions(parse(path))
        if length(function) > MAX_FUNCTION_LINES
    ]
    none(long)


def test_functions_are_short_as_a_rule() -> None:
    lengths = [length(function) for path in sources() for function in functions(parse(path))]
    assert statistics.median(lengths) <= MAX_MEDIAN_LINES
    assert statistics.quantiles(lengths, n=10)[-1] <= MAX_P90_LINES


def test_whatever_is_public_has_a_docstring() -> None:
    bare = [f"{where(path, node)} {node.name}" for path in sources() for node in undocumented(parse(path))]
    none(bare)


def test_every_module_says_what_it_is_for() -> None:
    none(where(path) for path in sources() if ast.get_docstring(parse(path)) is None)


def test_no_error_is_swallowed() -> None:
    everything = sources() + sources(ROOT / "training") + sources(ROOT / "scripts")
    none(where(path, node) for path in everything for node in silent_handlers(parse(path)))


def test_no_function_rebinds_a_global() -> None:
    rebound = [
        where(path, node)
        for path in sources()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Global)
    ]
    none(rebound)


@pytest.mark.parametrize("name", NO_TORCH)
def test_light_modules_do_not_load_torch(name: str) -> None:
    if not (PACKAGE / f"{name}.py").exists() and not (PACKAGE / name).is_dir():
        pytest.skip(f"no module neuromem.{name} in this tree")
    assert "torch" not in loads_at_import(name)


def test_the_command_line_starts_without_torch_for_real() -> None:
    if not (PACKAGE / "cli.py").exists():
        pytest.skip("no module neuromem.cli in this tree")
    heavy = "torch", "sentence_transformers", "transformers", "lmdb"
    code = f"import sys, neuromem.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    if not (PACKAGE / "__init__.py").exists():
        pytest.skip("neuromem/__init__.py is not in this tree")
    neuromem = importlib.import_module("neuromem")
    names = list(neuromem.__all__)
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(neuromem, name)] == []


# The measures themselves


@pytest.mark.parametrize(
    ("code", "faults"),
    [
        ("try: f()\nexcept Exception: pass", 1),
        ("try: f()\nexcept: g()", 1),
        ("try: f()\nexcept (ValueError, BaseException):\n    return_ = 1", 0),
        ("def f():\n  try: g()\n  except Exception: return None", 1),
        ("try: f()\nexcept:\n    g()\n    raise", 0),
        ("try: f()\nexcept ValueError: pass", 0),
        ("with contextlib.suppress(Exception): f()", 1),
    ],
)
def test_the_measure_of_swallowed_errors_sees_a_planted_one(code: str, faults: int) -> None:
    assert len(list(silent_handlers(ast.parse(code)))) == faults


def test_the_measure_of_docstrings_sees_a_planted_one() -> None:
    code = "class A:\n  'doc'\n  def f(self): ...\n  def _g(self): ...\ndef h(): 'doc'\nclass _B: ..."
    assert [node.name for node in undocumented(ast.parse(code))] == ["f"]


def test_the_measure_of_direction_sees_planted_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    path = tmp_path / "bank.py"
    path.write_text("from .errors import X\nfrom . import memory\ndef f():\n  import training.data\n")
    assert [fault.split(" imports ")[1] for fault in direction_faults(path)] == [
        "neuromem.memory, which comes after bank",
        "training.data: the package stands without it",
    ]
    (tmp_path / "memory.py").write_text("import torch.nn\n")
    assert loads_at_import("bank") == {"torch"}
