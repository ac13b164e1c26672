"""Checkpoints of encoders: matrices as int8 with a scale per row, the rest in half precision.

One safetensors file holds everything: weights, configuration (as metadata), vocabulary where there is one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import InvalidInput, NotFound

__all__ = ["SCALE", "config_of", "identity_of", "identity_of_tensors", "read_checkpoint", "write_checkpoint"]

SCALE = ".scale"


def write_checkpoint(
    weights: Mapping[str, Tensor], path: str | Path, config: Mapping[str, Any], notes: Mapping[str, str]
) -> None:
    """Writes float weights (matrices become int8), uint8 tensors as they are, and the configuration.

    The file's folder is made if need be: a training finds out only at its first export.
    """
    out: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        value = tensor.detach().cpu()
        if value.ndim >= 2 and value.is_floating_point():
            rows = value.float().flatten(1)
            scale = (rows.abs().amax(dim=1) / 127).clamp(min=1e-8)
            out[name] = torch.round(rows / scale[:, None]).to(torch.int8).view(value.shape)
            out[name + SCALE] = scale
        else:
            out[name] = value.half() if value.is_floating_point() else value
        out[name] = out[name].contiguous()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file(out, path, metadata={"config": json.dumps(dict(config)), **notes})


def read_checkpoint(
    path: str | Path, kind: str, keep_int8: Collection[str] = ()
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights (float32, but for uint8 tensors) and configuration.

    Args:
        path: the file. kind: of encoder.
        keep_int8: matrices to leave as they are stored; their scales [rows] come as ``NAME.scale``.

    Raises:
        NotFound: no such file.
        InvalidInput: no checkpoint of that kind of encoder.
    """
    path, weights = Path(path), {}
    with _opened(path, kind) as (file, config):
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        for name, value in stored.items():
            if name in keep_int8:
                weights[name], weights[name + SCALE] = value, stored[name + SCALE]
            elif value.dtype == torch.int8:
                scale = stored[name + SCALE].view(-1, *[1] * (value.ndim - 1))
                weights[name] = value.float().mul_(scale)
            elif not name.endswith(SCALE):
                weights[name] = value.float() if value.is_floating_point() else value
    return weights, config


def config_of(path: str | Path, kind: str) -> dict[str, Any]:
    """The configuration of a checkpoint alone; raises as `read_checkpoint`."""
    with _opened(Path(path), kind) as (_, config):
        return config


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A checkpoint of that kind, open, and its configuration; whatever fails inside is damage of the file."""
    if not path.is_file():
        raise NotFound(
            f"{kind} checkpoint {path} does not exist; reinstall neuromem or give an existing file"
        )
    try:
        with safe_open(path, "pt") as file:
            config = json.loads(file.metadata()["config"])
            if config.get("kind") != kind:
                raise ValueError(f"it holds a {config.get('kind')}")
            yield file, config
    except Exception as error:  # a damaged file: safetensors raises nothing narrower
        problem = f"{path} is no checkpoint of a {kind} encoder ({' '.join(str(error).split())[:200]})"
        raise InvalidInput("model", problem, "reinstall neuromem or give another file") from error


def identity_of(path: str | Path) -> str:
    """16 hexadecimal digits that name the file's contents."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def identity_of_tensors(path: str | Path, wanted: Callable[[str], bool]) -> str:
    """16 hexadecimal digits that name some tensors of a file, as they are stored: those of names `wanted`."""
    digest = hashlib.sha256()
    with safe_open(path, "pt") as file:
        for name in sorted(filter(wanted, file.keys())):
            tensor = file.get_tensor(name)
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]
