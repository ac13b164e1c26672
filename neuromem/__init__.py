"""neuromem: a memory for AI agents and voice assistants that lives in weights.

>>> from neuromem import Memory
>>> memory = Memory()
>>> _ = memory.add("My dog's name is Potola", user_id="ana")
>>> memory.search("what is my dog called?", user_id="ana")[0].text
"My dog's name is Potola"

Names are loaded when first used, so that `import neuromem` and the command line start at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bank import SlotBank
    from .codec import Codec
    from .config import Config
    from .errors import NeuromemError
    from .fidelity import Fidelity
    from .memory import Memory, Written
    from .recall import Recall
    from .sdk import AsyncClient, Client, wrap

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "Client",
    "Codec",
    "Config",
    "Fidelity",
    "Memory",
    "NeuromemError",
    "Recall",
    "SlotBank",
    "Written",
    "wrap",
]

_HOMES = {
    "AsyncClient": "sdk",
    "Client": "sdk",
    "Codec": "codec",
    "Config": "config",
    "Fidelity": "fidelity",
    "Memory": "memory",
    "NeuromemError": "errors",
    "Recall": "recall",
    "SlotBank": "bank",
    "Written": "engine",
    "wrap": "sdk",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'neuromem' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
