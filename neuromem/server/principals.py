"""Who asks, and what they may see."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import InvalidInput
from ..identity import Owner
from .entries import Ids

__all__ = ["ANYBODY", "Forbidden", "Principal"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: anybody of the house, or one user who sees nothing but their own."""

    name: str
    user: str | None = None  # the only user they may act for; None: everybody
    admin: bool = True

    def check(self, ids: Ids) -> Ids:
        """Ids as this principal may use them: a user's own name is put in where it is missing.

        Raises:
            Forbidden: they are somebody else's.
        """
        if self.user is None:
            return ids
        if ids.user not in (None, self.user):
            raise Forbidden(f"this key is of user {self.user!r}; it cannot act for {ids.user!r}")
        return replace(ids, user=self.user)

    @property
    def scope(self) -> str | None:
        """The only owner whose memories they may see, as the log names them; None: all."""
        return None if self.user is None else Owner("user", self.user).name

    def sees(self, owner: str) -> bool:
        """Whether an owner's memories are theirs to see."""
        return self.user is None or owner == self.scope


class Forbidden(InvalidInput):
    """A key may not do this."""

    def __init__(self, problem: str) -> None:
        super().__init__("key", problem, "use a key of that user, or the admin's")


ANYBODY = Principal("anybody")
