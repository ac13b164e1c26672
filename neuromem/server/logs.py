"""Logs as JSON, one object a line on stderr: what happened, never what was said.

No words of memories or questions, no keys and no names of users come in here; of an error, where it was
raised but not its message, which may quote any of them.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

__all__ = ["JsonLines", "set_up"]

OURS = "neuromem"
THEIRS = ("uvicorn", "uvicorn.error", "uvicorn.asgi")


class JsonLines(logging.Formatter):
    """A record as one line of JSON; `extra={"data": {…}}` adds fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "data", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            line["error"] = record.exc_info[0].__name__
            line["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
        return json.dumps(line, ensure_ascii=True, default=str)


def set_up(level: str) -> None:
    """Sends our logs and uvicorn's to stderr in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in (OURS, *THEIRS):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level.upper())
    # one line a request is ours; uvicorn's would show queries
    logging.getLogger("uvicorn.access").disabled = True
