"""What must not be kept or shown of settings that were meant for other software."""

from __future__ import annotations

from typing import Any

__all__ = ["without_secrets"]

SECRET = ("key", "secret", "password", "token", "authorization", "credential", "dsn", "connection_string")


def without_secrets(value: Any, name: str = "") -> Any:
    """JSON values; those under a name that promises a secret are hidden."""
    if isinstance(value, dict):
        return {key: without_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [without_secrets(item, name) for item in value]
    hidden = any(word in name.lower() for word in SECRET) and isinstance(value, str)
    return "[redacted]" if hidden and value else value
