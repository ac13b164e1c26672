"""A LLaMA model of a few thousand random weights in a GGUF file: real in everything but what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

WIDTH, HEADS, LAYERS, HIDDEN, CONTEXT = 64, 4, 2, 128, 8_192
MARKS = ("<|im_start|>", "<|im_end|>")  # control tokens of the chat template
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"  # what it says: it is random, not unprintable
SPECIAL = 3  # tokens before those of the bytes
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
)


def write_tiny_gguf(path: Path, template: str = TEMPLATE, seed: int = 0) -> Path:
    """Writes the model. Its vocabulary is bytes, so that it can say and read anything."""
    gguf = pytest.importorskip("gguf", reason="the package gguf writes the model: pip install gguf")
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    tokens = add_vocabulary(writer, gguf)
    writer.add_chat_template(template)
    for name, values in weights(tokens, seed).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_vocabulary(writer: Any, gguf: Any) -> int:
    kinds = gguf.TokenType
    bytes_ = [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    special = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    tokens = [*special, *bytes_, ("▁", kinds.NORMAL), *((mark, kinds.CONTROL) for mark in MARKS)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in tokens])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([int(kind) for _, kind in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    return len(tokens)


def weights(tokens: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns)) / columns**0.5).astype(np.float32)

    ones = np.ones(WIDTH, np.float32)
    embedding, output = 8 * matrix(tokens, WIDTH), 3 * matrix(tokens, WIDTH)
    # The first number of the stream is the same everywhere, so its column of the output is a bias.
    embedding[:, 0] = 8.0
    output[:, 0] = -40.0
    output[[SPECIAL + ord(sign) for sign in LETTERS + '"'], 0] = 0.0
    output[SPECIAL + ord("{"), 0] = -8.0
    output[SPECIAL + ord("]"), 0] = -20.0
    out = {"token_embd.weight": embedding, "output_norm.weight": ones, "output.weight": output}
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        out |= {f"{block}.attn_norm.weight": ones, f"{block}.ffn_norm.weight": ones}
        out |= {f"{block}.attn_{part}.weight": matrix(WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
        out |= {f"{block}.ffn_{part}.weight": matrix(HIDDEN, WIDTH) for part in ("gate", "up")}
        out[f"{block}.ffn_down.weight"] = matrix(WIDTH, HIDDEN)
        out[f"{block}.attn_output.weight"][0] = out[f"{block}.ffn_down.weight"][0] = 0.0
    return out
