"""A stand-in for an object: everything is the original's, but for what a subclass puts in its place."""

from __future__ import annotations

from typing import Any

__all__ = ["Proxy", "original"]


class Proxy:
    """Stands in for an object. `isinstance` sees the original's class; attributes are read and set there."""

    __slots__ = ("__weakref__", "_neuromem_inner")

    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "_neuromem_inner", inner)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(original(self))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_neuromem_"):  # not made yet, as in a copy: there is nothing to ask
            raise AttributeError(name)
        return getattr(self._neuromem_inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._neuromem_inner, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._neuromem_inner, name)

    def __dir__(self) -> list[str]:
        return dir(self._neuromem_inner)

    def __repr__(self) -> str:
        return f"<neuromem around {self._neuromem_inner!r}>"


def original(proxy: Proxy) -> Any:
    """What a proxy stands in for."""
    return object.__getattribute__(proxy, "_neuromem_inner")
