"""CUDA says what the CPU says. Skipped where there is no such device."""

from __future__ import annotations

import pytest
import torch
from encoding import FACTS

from neuromem import Memory
from neuromem.codec import default_codec
from neuromem.encoders.conv import ConvEncoder
from neuromem.encoders.transformer import TransformerEncoder
from neuromem.ladder import VERBATIM

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("kind", [TransformerEncoder, ConvEncoder])
def test_vectors_agree_to_a_thousandth(kind: type) -> None:
    assert torch.allclose(kind().encode(FACTS), kind(device="cuda").encode(FACTS), atol=1e-3)


def test_the_decoder_says_the_same() -> None:
    said = []
    for device in ("cpu", "cuda"):
        codec = default_codec(device)
        codes, lengths = codec.encode([fact.encode() for fact in FACTS])
        levels = torch.full((len(codes),), VERBATIM.amplitude, device=device)
        fields = torch.zeros(len(codes), dtype=torch.int64, device=device)
        said.append(codec.read(codes, levels, fields, lengths)[0])
    assert said[0] == said[1] == [fact.encode() for fact in FACTS]


def test_a_bank_written_on_cuda_is_read_alike() -> None:
    found = []
    for device in ("cpu", "cuda"):
        with Memory(config={"bank": {"device": device}}) as memory:
            memory.add([{"role": "user", "content": fact} for fact in FACTS], user_id="ana", infer=False)
            found.append([recall.text for recall in memory.search("what is my dog called?", user_id="ana")])
    assert found[0] == found[1]
