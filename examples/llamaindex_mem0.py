"""LlamaIndex's own mem0 memory, pointed at a neuromem server: `Mem0Memory.from_client(host=...)`.

    neuromem serve
    pip install llama-index-core 'llama-index-memory-mem0<2'
    MEM0_TELEMETRY=False python examples/llamaindex_mem0.py http://127.0.0.1:8888

The package in version 1 brings mem0ai 1.x, which speaks an older wire (v1 add, v2 search); the server speaks
that, too. Version 2.1 does not get so far: it asks for mem0ai 2, and hands that arguments which mem0ai 2 no
longer takes (`org_id`). The model here only repeats its prompt; put yours in its place.
"""

from __future__ import annotations

import json
import sys

from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import MockLLM
from llama_index.memory.mem0 import Mem0Memory


def main(url: str) -> None:
    """Two talks of one user: what was told in the first is known in the second."""
    answers = []
    for said in ("My dog's name is Potola.", "What is my dog called?"):
        memory = Mem0Memory.from_client(
            context={"user_id": "ana"}, api_key="local", host=url, search_msg_limit=4
        )
        engine = SimpleChatEngine.from_defaults(llm=MockLLM(), memory=memory)
        answers.append(str(engine.chat(said)))
    print(json.dumps({"answers": answers}))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8888")
