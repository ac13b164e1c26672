"""The bytes of an ONNX model: ONNX Runtime loads them and computes what the graph says."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from neuromem.encoders.onnxgraph import Graph

ROWS = np.array([[[1.0, 2.0, 6.0], [0.0, -3.0, 3.0]]], dtype=np.float32)


def run(graph: Graph, asked: str) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph.model("rows", asked, 3), None, ["CPUExecutionProvider"])
    (out,) = session.run(None, {"rows": ROWS})
    return out


def test_operators_weights_and_settings_arrive() -> None:
    graph = Graph()
    gain, bias = (graph.weight(np.array(values, dtype=np.float32)) for values in ([1, 1, 2], [0, 10, 0]))
    (normed,) = graph.node("LayerNormalization", "rows", gain, bias, axis=-1, epsilon=1e-12)
    centred = ROWS - ROWS.mean(axis=2, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(axis=2, keepdims=True)) * [1, 1, 2] + [0, 10, 0]
    assert run(graph, normed) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
def test_integers_arrive_as_they_are(kind: type) -> None:
    graph, shift = Graph(), 128 if kind is np.uint8 else 0
    levels = (np.array([[127, 0, -5], [-128, 1, 0], [3, 0, 100]]) + shift).astype(kind)
    scale = graph.weight(np.array([1, 0.5, 2], dtype=np.float32))
    zero = graph.weight(np.full(3, shift, kind))
    (product,) = graph.node(
        "DynamicQuantizeMatMul", "rows", graph.weight(levels), scale, zero, domain="com.microsoft"
    )
    exact = ROWS @ ((levels.astype(np.float32) - shift) * [1, 0.5, 2])
    assert run(graph, product) == pytest.approx(exact, abs=0.02 * np.abs(exact).max() + 1)


def test_an_operator_may_give_several_and_leave_inputs_out() -> None:
    graph = Graph()
    least = graph.weight(np.zeros((), dtype=np.float32))
    (clipped,) = graph.node("Clip", "rows", least)
    assert (run(graph, clipped) == ROWS.clip(min=0)).all()
    other = Graph()
    level, step, zero = other.node("DynamicQuantizeLinear", "rows", outputs=3)
    (back,) = other.node("DequantizeLinear", level, step, zero)
    assert run(other, back) == pytest.approx(ROWS, abs=9 / 255)
