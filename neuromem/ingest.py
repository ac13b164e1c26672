"""Files of talk → messages: plain text, JSON and JSONL messages, chat exports, WhatsApp, LoCoMo.

The format is known by the content, not by the file's name. Every message is checked before any is used.
Sources of the formats: ChatGPT's and Claude's data exports (`conversations.json`, in a zip or not),
WhatsApp's "export chat" (Android and iOS, any order of the date), LoCoMo's `locomo10.json`
(arXiv 2402.17753), messages as OpenAI's API has them.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from .context.lines import printable
from .errors import InvalidInput, NotFound
from .facts import MAX_TEXT_BYTES, read_turns
from .facts.timewords import MONTHS
from .identity import seconds_of
from .text import split_to_fit, utf8_len
from .whatsapp import looks_like_whatsapp, read_whatsapp

__all__ = ["FORMATS", "Talk", "read_talk"]

Message = dict[str, Any]

FORMATS = ("text", "messages", "chatgpt", "claude", "whatsapp", "locomo")
BLOCK_CHARACTERS = 2_000  # notes are handed over in blocks of about this size
IN_ZIP = "conversations.json"
MILLISECONDS_FROM = 1e11  # a number of seconds this large would be after the year 5000
LOCOMO_TIME = re.compile(r"(\d+):(\d+) ([ap]m) on (\d+) (\w+), (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Talk:
    """What a file holds."""

    format: str  # one of FORMATS
    messages: list[Message]  # role, content; perhaps name and timestamp (Unix seconds); in order
    digest: str  # SHA-256 of the file
    dictated: bool = False  # notes: everything but questions and greetings is meant to be kept


def read_talk(path: str | Path, raw: bool = False) -> Talk:
    """Reads a file of any known format, or a pipe (`<(…)` of a shell) with what such a file holds.

    Args:
        raw: notes come paragraph by paragraph, to be kept as they are.

    Raises:
        NotFound: no such file. InvalidInput: it cannot be read, or a message in it is malformed; names
            the file and the place.
    """
    path = Path(path)
    content = _content(path)
    text = _decoded(content, path)
    kind, messages = _parse(text, path.name, raw)
    spoken = (_whole_characters(message) for message in messages if _says_something(message))
    messages = [piece for message in spoken for piece in _in_pieces(message)]
    if not messages:
        raise InvalidInput(path.name, "holds no messages", "give a file with some talk in it")
    for place, message in enumerate(messages, start=1):
        _check(message, f"{path.name}: message {place}")
    return Talk(kind, messages, sha256(content).hexdigest(), kind == "text" and not raw)


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise NotFound(f"{path} is a folder; give the files in it")
    if not path.exists():
        raise NotFound(f"{path} does not exist; check the path")
    if not (path.is_file() or path.is_fifo()):
        raise InvalidInput(path.name, "is no file, nor a pipe", "give a file with some talk in it")
    try:
        if path.is_fifo() or not zipfile.is_zipfile(path):  # a pipe can be read once
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.split("/")[-1] == IN_ZIP]
            if not names:
                raise InvalidInput(path.name, f"is a zip without {IN_ZIP}", "unpack it and give the files")
            return archive.read(names[0])
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:  # RuntimeError: it needs a password
        raise InvalidInput(path.name, f"cannot be read ({error})", "check the file") from error


def _decoded(content: bytes, path: Path) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(path.name, "is not UTF-8 text", "convert it, or give another file") from error
    if "\0" in text:
        raise InvalidInput(path.name, "is not text but binary data", "give a text or JSON file")
    return text


def _parse(text: str, name: str, raw: bool) -> tuple[str, list[Message]]:
    if looks_like_whatsapp(text):
        return "whatsapp", read_whatsapp(text)
    start = text.lstrip()[:1]
    if start and start in "[{":
        whole, error = _json(text)
        if error is None:
            return _of_json(whole, name)
        lines = list(_lines(text))
        if _json(lines[0][1])[1] is None and len(lines) > 1:
            return "messages", [message for place, line in lines for message in _of_line(place, line, name)]
        if Path(name).suffix in (".json", ".jsonl"):
            raise InvalidInput(name, f"is not JSON ({error})", "mend it, or export it again")
    return "text", list(_notes(text, raw))


def _json(text: str) -> tuple[Any, ValueError | None]:
    try:
        return json.loads(text), None
    except ValueError as error:
        return None, error
    except RecursionError:
        return None, ValueError("nested too deeply")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers. (Only \\n ends a line of JSONL.)"""
    for place, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield place, line


def _of_line(place: int, line: str, name: str) -> list[Message]:
    data, error = _json(line)
    if error is not None:
        raise InvalidInput(f"{name}: line {place}", f"is not JSON ({error})", "mend that line")
    return _messages([data], f"{name}: line {place}")


def _of_json(data: Any, name: str) -> tuple[str, list[Message]]:
    """Any of the JSON formats."""
    items = data if isinstance(data, list) else [data]
    for mark, kind, read in READERS:
        chosen = [item for item in items if isinstance(item, dict) and mark in item]
        if chosen:
            try:
                return kind, [message for item in chosen for message in read(item)]
            except (AttributeError, LookupError, TypeError) as error:
                problem = f"begins like {kind}'s but goes on differently ({error})"
                raise InvalidInput(name, problem, "export it again") from error
    return "messages", _messages(items, name)


# -- messages ----------------------------------------------------------------------------------------


def _messages(items: Sequence[Any], where: str) -> list[Message]:
    """OpenAI-style messages, or objects with a list of them under "messages"."""
    out: list[Message] = []
    for place, item in enumerate(items, start=1):
        spot = f"{where}: item {place}" if len(items) > 1 else where
        if isinstance(item, Mapping) and isinstance(item.get("messages"), list):
            out += _messages(item["messages"], spot)
        elif isinstance(item, Mapping) and {"id", "text", "gist"} <= set(item):
            raise InvalidInput(spot, "is what `neuromem export` wrote", "use: neuromem import FILE")
        elif isinstance(item, Mapping) and ("content" in item or "text" in item):
            out.append(_plain(item))
        else:
            raise InvalidInput(spot, "is no message", 'give objects like {"role": "user", "content": "…"}')
    return out


def _plain(item: Mapping[str, Any]) -> Message:
    name = item.get("name", item.get("speaker"))
    time = next((item[key] for key in ("timestamp", "created_at", "time") if item.get(key) is not None), None)
    content = item.get("content", item.get("text"))
    return _message(item.get("role", "user"), content, name, time)


def _message(role: Any, content: Any, name: Any = None, time: Any = None) -> Message:
    if isinstance(time, int | float) and not isinstance(time, bool) and time >= MILLISECONDS_FROM:
        time = time / 1_000
    optional = {"name": name, "timestamp": time}
    return {"role": role, "content": content} | {k: v for k, v in optional.items() if v is not None}


# -- chat exports ------------------------------------------------------------------------------------


def _chatgpt(conversation: Mapping[str, Any]) -> Iterator[Message]:
    """The branch that ends at the current node; branches that were abandoned are left out."""
    nodes = conversation["mapping"]
    at = conversation.get("current_node") or next(reversed(nodes), None)
    branch: list[Mapping[str, Any]] = []
    while at in nodes and len(branch) <= len(nodes):
        branch.append(nodes[at])
        at = nodes[at].get("parent")
    for node in reversed(branch):
        message = node.get("message") or {}
        role = (message.get("author") or {}).get("role")
        content = message.get("content") or {}
        hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
        if role not in ("user", "assistant") or hidden or content.get("content_type") not in TEXT_PARTS:
            continue
        text = "\n".join(words for part in content.get("parts") or () if (words := _said(part)) is not None)
        yield _message(role, text, time=message.get("create_time") or conversation.get("create_time"))


def _said(part: Any) -> str | None:
    """The words of a part of a message: typed, or spoken and transcribed; None of pictures and sounds."""
    if isinstance(part, Mapping) and part.get("content_type") == TRANSCRIPT:
        part = part.get("text")
    return part if isinstance(part, str) else None


TEXT_PARTS = ("text", "multimodal_text")
TRANSCRIPT = "audio_transcription"


def _claude(conversation: Mapping[str, Any]) -> Iterator[Message]:
    for message in conversation["chat_messages"]:
        parts = [part.get("text", "") for part in message.get("content") or () if part.get("type") == "text"]
        role = "user" if message.get("sender") == "human" else "assistant"
        time = message.get("created_at") or conversation.get("created_at")
        yield _message(role, message.get("text") or "\n".join(parts), time=time)


def _locomo_sample(sample: Mapping[str, Any]) -> Iterator[Message]:
    yield from _locomo(sample["conversation"])


def _locomo(talk: Mapping[str, Any]) -> Iterator[Message]:
    sessions = (re.fullmatch(r"session_(\d+)", key) for key in talk)
    for number in sorted(int(match[1]) for match in sessions if match):
        time = _locomo_time(str(talk.get(f"session_{number}_date_time", "")))
        for turn in talk[f"session_{number}"]:
            yield _message("user", turn.get("text"), turn.get("speaker"), time)


def _locomo_time(text: str) -> float | None:
    """Unix seconds of "1:56 pm on 8 May, 2023", taken as UTC; None for another form, or no such time."""
    match = LOCOMO_TIME.fullmatch(text.strip())
    if not match or match[5].lower() not in MONTHS:
        return None
    hour = int(match[1]) % 12 + (12 if match[3].lower() == "pm" else 0)
    month = MONTHS.index(match[5].lower()) + 1
    try:
        return datetime(int(match[6]), month, int(match[4]), hour, int(match[2]), tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):  # 31 June, half past ninety-nine
        return None


READERS: tuple[tuple[str, str, Callable[[Mapping[str, Any]], Iterator[Message]]], ...] = (
    ("mapping", "chatgpt", _chatgpt),
    ("chat_messages", "claude", _claude),
    ("conversation", "locomo", _locomo_sample),
    ("session_1", "locomo", _locomo),
)


# -- notes -------------------------------------------------------------------------------------------


def _notes(text: str, raw: bool) -> Iterator[Message]:
    """Paragraphs, gathered into blocks."""
    block = ""
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        if block and (raw or len(block) + len(paragraph) > BLOCK_CHARACTERS):
            yield _message("user", block)
            block = ""
        block = f"{block}\n\n{paragraph.strip()}".strip()
    yield _message("user", block)


# -- checks ------------------------------------------------------------------------------------------


def _says_something(message: Message) -> bool:
    content = message["content"]
    return content is not None and content != [] and not (isinstance(content, str) and not content.strip())


def _whole_characters(message: Message) -> Message:
    """The message with words that UTF-8 can say: JSON can spell half of a surrogate pair."""
    content = message["content"]
    return message | {"content": printable(content)} if isinstance(content, str) else message


def _in_pieces(message: Message) -> list[Message]:
    """A message longer than a memory takes at once (a pasted book) becomes several."""
    content = message["content"]
    if not isinstance(content, str) or utf8_len(content) <= MAX_TEXT_BYTES:
        return [message]
    pieces = split_to_fit(content, MAX_TEXT_BYTES)
    return [message | {"content": piece} for piece in pieces if piece.strip()]


def _check(message: Message, where: str) -> None:
    try:
        read_turns([message])
        if "timestamp" in message:
            message["timestamp"] = seconds_of(message["timestamp"])
    except InvalidInput as error:
        field = error.field.removeprefix("messages[0].")
        raise InvalidInput(f"{where}: {field}", error.problem, error.remedy) from error
