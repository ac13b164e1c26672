"""Writes ONNX models: a few operators and their weights, as the bytes that ONNX Runtime loads.

The format is a Protocol Buffers message (onnx/onnx.proto3, IR version 8); the field numbers below are its.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

__all__ = ["Graph"]

IR_VERSION = 8
OPSETS = {"": 17, "com.microsoft": 1}  # domain → version
FLOAT, INT = 1, 2  # kinds of attributes
DATA_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int64": 7}


class Graph:
    """An ONNX graph under construction; values go by names, which it gives."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []
        self._count = 0

    def weight(self, values: NDArray[np.generic]) -> str:
        """The name of an array: float32, int8, uint8 or int64, of any shape."""
        name = self._name()
        self._weights.append(
            b"".join(_number(1, size) for size in values.shape)
            + _number(2, DATA_TYPES[values.dtype.name])
            + _bytes(8, name.encode())
            + _bytes(9, np.ascontiguousarray(values).tobytes())
        )
        return name

    def node(
        self, kind: str, *inputs: str, domain: str = "", outputs: int = 1, **settings: int | float
    ) -> list[str]:
        """The names of what an operator gives.

        Args:
            kind: of operator. inputs: names, "" for one left out.
            domain: of the operator: "" for ONNX's own, "com.microsoft" for ONNX Runtime's.
            settings: its attributes.
        """
        names = [self._name() for _ in range(outputs)]
        self._nodes.append(
            b"".join(_bytes(1, name.encode()) for name in inputs)
            + b"".join(_bytes(2, name.encode()) for name in names)
            + _bytes(4, kind.encode())
            + b"".join(_bytes(5, _attribute(name, value)) for name, value in settings.items())
            + _bytes(7, domain.encode())
        )
        return names

    def model(self, given: str, asked: str, width: int) -> bytes:
        """The model that makes float32 [1, T, width] `asked` from float32 [1, T, width] `given`."""
        graph = (
            b"".join(_bytes(1, node) for node in self._nodes)
            + _bytes(2, b"neuromem")
            + b"".join(_bytes(5, weight) for weight in self._weights)
            + _bytes(11, _rows(given, width))
            + _bytes(12, _rows(asked, width))
        )
        opsets = [_bytes(1, domain.encode()) + _number(2, version) for domain, version in OPSETS.items()]
        return _number(1, IR_VERSION) + _bytes(7, graph) + b"".join(_bytes(8, opset) for opset in opsets)

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"


def _varint(value: int) -> bytes:
    out, value = bytearray(), value & (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _attribute(name: str, value: int | float) -> bytes:
    if isinstance(value, int):
        return _bytes(1, name.encode()) + _number(3, value) + _number(20, INT)
    return _bytes(1, name.encode()) + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, FLOAT)


def _rows(name: str, width: int) -> bytes:
    """A value's name and type: float32 [1, T, width]."""
    sizes = [_number(1, 1), _bytes(2, b"T"), _number(1, width)]
    shape = b"".join(_bytes(1, size) for size in sizes)
    tensor = _number(1, DATA_TYPES["float32"]) + _bytes(2, shape)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))
