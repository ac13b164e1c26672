"""LangChain with a memory: mem0's client, pointed at a neuromem server, around any chat model.

    neuromem serve
    pip install langchain-core 'mem0ai>=2,<3'
    MEM0_TELEMETRY=False python examples/langchain_mem0.py http://127.0.0.1:8888

The model here only repeats what it was told of the user; put yours in its place.
"""

from __future__ import annotations

import json
import sys

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from mem0 import MemoryClient

PROMPT = ChatPromptTemplate.from_messages(
    [("system", "What you know of the user:\n{known}"), ("human", "{said}")]
)


def model() -> RunnableLambda:
    """A chat model without a network: it answers with what its prompt says of the user."""
    return RunnableLambda(
        lambda prompt: GenericFakeChatModel(
            messages=iter([AIMessage(prompt.to_messages()[0].content)])
        ).invoke(prompt)
    )


def main(url: str) -> None:
    """Two turns: one that tells, one that asks."""
    memory = MemoryClient(api_key="local", host=url)
    chain = PROMPT | model()
    answers = []
    for said in ("I am allergic to peanuts. My sister is called Zoë.", "What must I not eat?"):
        found = memory.search(said, filters={"user_id": "ana"})["results"]
        known = "\n".join(f"- {item['memory']}" for item in found) or "(nothing yet)"
        answer = chain.invoke({"known": known, "said": said}).content
        turn = [{"role": "user", "content": said}, {"role": "assistant", "content": answer}]
        memory.add(turn, user_id="ana")
        answers.append(answer)
    print(json.dumps({"answers": answers}))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8888")
