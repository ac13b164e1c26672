"""`neuromem ingest`: parts of chat exports that are no plain text, and dates that there are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neuromem.errors import InvalidInput
from neuromem.ingest import read_talk


def put(folder: Path, content: Any) -> Path:
    path = folder / "conversations.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def spoken(text: Any, role: str = "user", **rest: Any) -> dict[str, Any]:
    """A node of a voice conversation of ChatGPT's."""
    heard = {"content_type": "audio_transcription", "text": text, "direction": "in", "decoding_id": None}
    sound = {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_1"}
    content = {"content_type": "multimodal_text", "parts": [heard, sound]}
    return {
        "parent": None,
        "message": {"author": {"role": role}, "create_time": 5.0, "content": content},
    } | rest


def test_what_was_said_aloud_to_chatgpt_is_read(tmp_path: Path) -> None:
    nodes = {
        "a": spoken("My daughter Mia is allergic to penicillin."),
        "b": spoken("I will keep it in mind.", "assistant", parent="a"),
        "c": spoken(None, parent="b"),
        "d": spoken("Good.", parent="c"),
    }
    talk = read_talk(put(tmp_path, [{"current_node": "d", "mapping": nodes}]))
    assert [(message["role"], message["content"]) for message in talk.messages] == [
        ("user", "My daughter Mia is allergic to penicillin."), ("assistant", "I will keep it in mind."),
        ("user", "Good."),
    ]  # fmt: skip


def test_typed_and_spoken_parts_of_a_message_stay_together(tmp_path: Path) -> None:
    node = spoken("It is called Potola.")
    node["message"]["content"]["parts"][:0] = ["Look at my dog.", ""]
    talk = read_talk(put(tmp_path, [{"current_node": "a", "mapping": {"a": node}}]))
    assert talk.messages[0]["content"] == "Look at my dog.\n\nIt is called Potola."


@pytest.mark.parametrize(
    "time", ["1:56 pm on 31 June, 2023", "32:99 pm on 8 May, 2023", "1:56 pm on 30 February, 0000", "noon"]
)
def test_a_locomo_session_at_a_time_that_there_is_not_has_none(tmp_path: Path, time: str) -> None:
    talk = read_talk(put(tmp_path, {"session_1_date_time": time, "session_1": [{"text": "I like figs."}]}))
    assert talk.format == "locomo"
    assert talk.messages == [{"role": "user", "content": "I like figs."}]


@pytest.mark.parametrize("nodes", [[1], ["a"], 7, "a", {"a": 5}])
def test_a_chatgpt_export_whose_nodes_are_none_is_refused(tmp_path: Path, nodes: object) -> None:
    with pytest.raises(InvalidInput, match="begins like chatgpt's but goes on differently"):
        read_talk(put(tmp_path, {"mapping": nodes}))
