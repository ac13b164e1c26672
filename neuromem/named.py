"""The owners of a log by name: the users, the only one, those that an argument means."""

from __future__ import annotations

from .errors import InvalidInput, NotFound
from .identity import Owner
from .log import EventLog

__all__ = ["names_of", "only_user", "user_ids"]


def user_ids(log: EventLog) -> list[str]:
    """Ids of the users with a log, sorted."""
    return sorted(Owner.parse(name).id for name in log.owners() if Owner.parse(name).kind == "user")


def only_user(log: EventLog) -> str:
    """The one user of a log that has one.

    Raises:
        InvalidInput: there are none, or several.
    """
    users = user_ids(log)
    if len(users) != 1:
        names = ", ".join(users[:5]) or "nobody"
        raise InvalidInput("user_id", "is missing", f"say whose memory; this store has {names}")
    return users[0]


def names_of(log: EventLog, user_id: str | None) -> list[str]:
    """One user's name in the log, or everybody's.

    Raises:
        InvalidInput: no name. NotFound: nobody of that name.
    """
    if user_id is None:
        return log.owners()
    name = Owner.of(user_id, None, None).name
    if log.length(name) == 0:
        raise NotFound(f"{user_id!r} has no memory here; check the name")
    return [name]
