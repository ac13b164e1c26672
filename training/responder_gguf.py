"""A trained responder as a GGUF file for llama.cpp: q8_0, with its vocabulary and its chat template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from torch import Tensor

from .responder_net import BASE, EPS, ResponderNet
from .responder_text import END, FIRST, TEMPLATE, number_of

__all__ = ["write_gguf"]

NAMES = {
    "before": "attn_norm", "query": "attn_q", "key": "attn_k", "value": "attn_v", "mix": "attn_output",
    "between": "ffn_norm", "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down",
}  # fmt: skip


def write_gguf(net: ResponderNet, tokenizer: Tokenizer, path: Path, note: str = "") -> None:
    """Writes the file.

    Matrices are rounded to 8 bits with a scale for each 32 weights of a row; norms stay float32.

    Args:
        note: what it is, for who reads the file's description.
    """
    import gguf

    shape = net.shape
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("neuromem responder")
    writer.add_description(note or "Answers from memories that it is shown; knows nothing else.")
    writer.add_license("Apache-2.0")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(BASE)
    writer.add_layer_norm_rms_eps(EPS)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_vocabulary(writer, tokenizer, shape.vocabulary)
    writer.add_chat_template(TEMPLATE)
    for name, weights in net.state_dict().items():
        values, kind = _array(weights), gguf.GGMLQuantizationType.Q8_0
        if weights.dim() == 1:
            writer.add_tensor(_named(name), values)
        else:
            writer.add_tensor(_named(name), gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _array(weights: Tensor) -> np.ndarray:
    return weights.detach().float().cpu().numpy()


def _named(name: str) -> str:
    """llama.cpp's name of a weight."""
    if not name.startswith("layers."):
        return {"tokens.weight": "token_embd.weight", "last.weight": "output_norm.weight"}[name]
    _, layer, part, _ = name.split(".")
    return f"blk.{layer}.{NAMES[part]}.weight"


def _add_vocabulary(writer: Any, tokenizer: Tokenizer, size: int) -> None:
    """The pieces with their merges; our marks are control tokens: read in a prompt, never shown."""
    import gguf

    marks = tokenizer.get_added_tokens_decoder()
    pieces = [tokenizer.id_to_token(number) or "" for number in range(size)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")  # splits text as `ByteLevel` does
    writer.add_token_list(pieces)
    kinds = [gguf.TokenType.CONTROL if number in marks else gguf.TokenType.NORMAL for number in range(size)]
    writer.add_token_types(kinds)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([each if isinstance(each, str) else " ".join(each) for each in merges])
    writer.add_bos_token_id(number_of(tokenizer, FIRST))
    writer.add_eos_token_id(number_of(tokenizer, END))
    writer.add_add_bos_token(False)  # the template writes it
