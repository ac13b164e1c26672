"""CrewAI with a memory: mem0's client, pointed at a neuromem server, as two tools of an agent.

    neuromem serve
    pip install crewai 'mem0ai>=2,<3'
    MEM0_TELEMETRY=False python examples/crewai_mem0.py http://127.0.0.1:8888

CrewAI took its mem0 storage out when it made memory its own (after 1.9), so today one hands the client to an
agent as a tool, as here. The model is a stand-in that calls the tool; put yours in its place.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import tool
from mem0 import MemoryClient

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8888"
MEMORY = MemoryClient(api_key="local", host=URL)


@tool("recall")
def recall(question: str) -> str:
    """What is known of the user about a question."""
    found = MEMORY.search(question, filters={"user_id": "ana"})["results"]
    return "\n".join(f"- {item['memory']}" for item in found) or "nothing"


class StandIn(BaseLLM):
    """A model without a network: it calls the tool, then answers with what that said."""

    def __init__(self) -> None:
        super().__init__(model="stand-in")

    def call(self, messages: Any, *_: Any, **__: Any) -> str:
        """One answer in the form that CrewAI's agents expect of models without tool calls of their own."""
        said = messages if isinstance(messages, str) else "\n".join(str(m.get("content")) for m in messages)
        seen = re.search(r"Observation: (?!the result)(.+?)(?:\n\n|$)", said, re.DOTALL)
        if seen is None:
            question = json.dumps({"question": "What must the user not eat?"})
            return f"Thought: I should look it up\nAction: recall\nAction Input: {question}"
        return f"Thought: I now know\nFinal Answer: {seen.group(1)}"

    def supports_function_calling(self) -> bool:
        """No."""
        return False


def main() -> None:
    """Something is told; later an agent of a crew makes use of it."""
    MEMORY.add("I am allergic to peanuts.", user_id="ana")
    cook = Agent(role="Cook", goal="Cook what is safe", backstory="Careful", tools=[recall], llm=StandIn())
    task = Task(description="Say what to leave out.", expected_output="A list", agent=cook)
    print(json.dumps({"answer": str(Crew(agents=[cook], tasks=[task]).kickoff())}))


if __name__ == "__main__":
    main()
