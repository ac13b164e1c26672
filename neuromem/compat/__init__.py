"""A drop-in for mem0's open-source classes: change the import, keep the code.

>>> from neuromem.compat import Memory                                    # was: from mem0 import Memory
>>> memory = Memory.from_config({"history_db_path": ":memory:"})
>>> _ = memory.add("My dog's name is Potola", user_id="ana")
>>> memory.search("what is my dog called?", filters={"user_id": "ana"})["results"][0]["memory"]
"My dog's name is Potola"

``settings`` (mem0's configuration, as far as it means something here) ← ``stores`` (one store for all that
open the same folder) ← ``main`` (`Memory`) ← ``aio`` (`AsyncMemory`); ``exceptions`` are mem0's by name.
"""

from __future__ import annotations

from .aio import AsyncMemory
from .main import Memory

__all__ = ["AsyncMemory", "Memory"]
