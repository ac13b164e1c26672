"""The codec holds what assistants write: markdown, code and odd bytes, in one slot each."""

from __future__ import annotations

import pytest

from neuromem import Memory
from neuromem.codec import Codec
from neuromem.config import WriteConfig
from neuromem.shipped import checkpoint_path
from neuromem.write import NEVER, write_values

TEXTS = [
    "### Step 2: Break down the tasks\nDivide each part into smaller, specific pieces of work.",
    "- [x] milk\n- [ ] eggs\n\t- brown ones\n- [ ] **oat** flour",
    "def area(r):\n    if r < 0:\n        raise ValueError(r)\n    return 3.14159 * r ** 2\n",
    '{"name": "Potola", "age": 4, "tags": ["dog", "brown"]}',
    "| day | km |\n|---|---|\n| Mon | 5.2 |\n| Wed | 8 |\n",
    "<li>call the <b>plumber</b></li>\r\n<li>rent</li>\r\n",
    "first line\n\n\nlast line, after a gap",
    "=" * 60 + "\ntotal: 42\n" + "-" * 60,
]


@pytest.mark.parametrize("text", TEXTS)
def test_markup_and_code_are_exact_in_one_slot_within_a_few_steps(text: str) -> None:
    codec = Codec.load(checkpoint_path("codec.safetensors"))
    values = write_values(codec, [text.encode()], [(b"",) * 4], WriteConfig())
    assert float(values.floor[0]) < NEVER
    assert int(values.steps[0]) <= 15


def test_an_answer_with_code_is_recalled_to_the_letter() -> None:
    code = "import json\n\nwith open('a.json') as file:\n    print(json.load(file))\n"
    answer = f"Sure, here it is:\n\n```python\n{code}```\n\n" * 3
    with Memory() as memory:
        written = memory.add({"role": "assistant", "content": answer}, user_id="ana", infer=False)
        assert written[0].exact
        assert written[0].report.slots <= -(-len(answer) // 80), "it was not cut into crumbs"
        assert memory.get(written[0].id, fidelity="weights").text == answer
