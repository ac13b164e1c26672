"""Names in paths, whatever is in them: Starlette's own `path` ends before a line break at the end."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor

__all__ = ["Anything"]


class Anything(Convertor[str]):
    """`{name:anything}`: the rest of a path, slashes and line breaks included."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """As it stands."""
        return value

    def to_string(self, value: str) -> str:
        """As it stands."""
        return value


register_url_convertor("anything", Anything())
