"""A voice pipeline of pipecat that remembers: its own mem0 service, pointed at a neuromem server.

    neuromem serve
    pip install pipecat-ai 'mem0ai>=2,<3'
    MEM0_TELEMETRY=False python examples/pipecat_mem0.py http://127.0.0.1:8888

Nothing in pipecat is changed but `host=`. Where your pipeline has a microphone and a language model, this one
sends the turns that they would send. pipecat hands the whole talk over again with every turn, and what was
recalled for one turn is part of the talk of the next; the server tells both apart from what is new.
"""

from __future__ import annotations

import asyncio
import json
import sys

from pipecat.frames.frames import Frame, LLMContextFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.mem0.memory import Mem0MemoryService
from pipecat.tests.utils import SleepFrame, run_test

TALK = [
    "My dog's name is Potola and I live in Lisbon.",
    "What is my dog called?",
    "And where do I live?",
]


async def main(url: str, key: str, as_system_message: bool) -> None:
    """Talks, and prints what was recalled for each turn and what is remembered at the end."""
    params = Mem0MemoryService.InputParams(add_as_system_message=as_system_message)
    context = LLMContext([{"role": "system", "content": "You are a friendly voice."}])
    recalled = []
    for said in TALK:
        memory = Mem0MemoryService(api_key=key, host=url, user_id="ana", params=params)
        context.add_message({"role": "user", "content": said})
        before = len(context.get_messages())
        frames: list[Frame] = [LLMContextFrame(context), SleepFrame(sleep=3.0)]
        await run_test(memory, frames_to_send=frames)
        messages = context.get_messages()
        recalled.append(messages[memory.position]["content"] if len(messages) > before else "")
        context.add_message({"role": "assistant", "content": "I see."})
    remembered = [item["memory"] for item in await memory.get_memories()]
    print(json.dumps({"recalled": recalled, "remembered": remembered}))


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8888"
    asyncio.run(main(address, "local", "--as-user" not in sys.argv))
