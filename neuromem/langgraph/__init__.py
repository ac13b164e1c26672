"""A neuromem memory as the long-term store of LangGraph agents.

>>> from neuromem import Memory
>>> from neuromem.langgraph import NeuromemStore                    # doctest: +SKIP
>>> store = NeuromemStore(Memory("folder"))                         # doctest: +SKIP
>>> store.put(("memories", "ana"), "dog", {"text": "Ana's dog is called Potola"})   # doctest: +SKIP
>>> store.search(("memories",), query="what is the dog called?")    # doctest: +SKIP
"""

from __future__ import annotations

from ..errors import MissingDependency

try:
    from .store import NeuromemStore
except ImportError as error:
    if (error.name or "").split(".")[0] in ("langgraph", "langchain_core"):
        raise MissingDependency("NeuromemStore", "langgraph", "langgraph") from error
    raise

__all__ = ["NeuromemStore"]
