"""Files of talk: every format becomes the messages that were said, with their times and names."""

from __future__ import annotations

import json
import zipfile
from argparse import Namespace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem import Memory
from neuromem.commands.common import store_path
from neuromem.commands.intake import CHUNK, Bookmarks, Intake, take_in
from neuromem.errors import InvalidInput, NeuromemError, NotFound
from neuromem.facts import MAX_TEXT_BYTES, read_turns
from neuromem.ingest import FORMATS, Talk, read_talk


def put(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def said(talk: Talk) -> list[tuple[str, str | None, str]]:
    return [(message["role"], message.get("name"), message["content"]) for message in talk.messages]


# -- formats -----------------------------------------------------------------------------------------


def test_jsonl_messages_keep_role_name_and_time(tmp_path: Path) -> None:
    lines = [
        {
            "role": "user",
            "name": "Ana",
            "content": "I adopted a dog.",
            "timestamp": "2026-03-02T18:04:00+00:00",
        },
        {"role": "assistant", "content": "How lovely!", "timestamp": 1772474700},
        {"content": "Her name is Potola.", "timestamp": 1772474760000},  # milliseconds
    ]
    talk = read_talk(put(tmp_path, "talk.jsonl", "\n\n".join(json.dumps(line) for line in lines)))
    assert (talk.format, talk.dictated) == ("messages", False)
    assert said(talk) == [
        ("user", "Ana", "I adopted a dog."),
        ("assistant", None, "How lovely!"),
        ("user", None, "Her name is Potola."),
    ]
    assert [message["timestamp"] for message in talk.messages] == [1772474640.0, 1772474700.0, 1772474760.0]


@pytest.mark.parametrize(
    "content",
    [
        [{"role": "user", "content": "I live in Enugu."}],
        {"messages": [{"role": "user", "content": "I live in Enugu."}]},
        {"role": "user", "content": "I live in Enugu."},
        [{"text": "I live in Enugu."}],
    ],
)
def test_messages_may_come_as_json_of_several_shapes(tmp_path: Path, content: Any) -> None:
    talk = read_talk(put(tmp_path, "talk.json", content))
    assert said(talk) == [("user", None, "I live in Enugu.")]


CHATGPT = [
    {
        "title": "Dogs",
        "create_time": 100.0,
        "current_node": "d",
        "mapping": {
            "a": {"id": "a", "message": None, "parent": None, "children": ["b"]},
            "b": {"id": "b", "parent": "a", "message": {
                "author": {"role": "system"}, "content": {"content_type": "text", "parts": ["Be kind."]}}},
            "c": {"id": "c", "parent": "b", "message": {
                "author": {"role": "user"}, "create_time": 1772474640.5,
                "content": {"content_type": "multimodal_text", "parts": [{"a": 1}, "My dog is Potola."]}}},
            "abandoned": {"id": "abandoned", "parent": "b", "message": {
                "author": {"role": "user"}, "content": {"content_type": "text", "parts": ["My cat: Tom"]}}},
            "d": {"id": "d", "parent": "c", "message": {
                "author": {"role": "assistant"}, "create_time": None,
                "content": {"content_type": "text", "parts": ["What a name!"]}}},
        },
    }
]  # fmt: skip

CLAUDE = [
    {
        "uuid": "1",
        "name": "Dogs",
        "created_at": "2026-03-02T18:00:00Z",
        "chat_messages": [
            {"sender": "human", "text": "My dog is Potola.", "created_at": "2026-03-02T18:04:00Z"},
            {"sender": "assistant", "text": "", "content": [{"type": "text", "text": "What a name!"}]},
            {"sender": "human", "text": "", "content": []},
        ],
    }
]


def test_chatgpt_export_gives_the_branch_that_was_kept(tmp_path: Path) -> None:
    talk = read_talk(put(tmp_path, "conversations.json", CHATGPT))
    assert talk.format == "chatgpt"
    assert said(talk) == [("user", None, "My dog is Potola."), ("assistant", None, "What a name!")]
    assert [message["timestamp"] for message in talk.messages] == [1772474640.5, 100.0]


def test_claude_export_gives_both_sides_and_leaves_out_empty_messages(tmp_path: Path) -> None:
    talk = read_talk(put(tmp_path, "conversations.json", CLAUDE))
    assert talk.format == "claude"
    assert said(talk) == [("user", None, "My dog is Potola."), ("assistant", None, "What a name!")]
    assert [message["timestamp"] for message in talk.messages] == [1772474640.0, 1772474400.0]


def test_an_export_may_stay_in_its_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("data/conversations.json", json.dumps(CLAUDE))
        archive.writestr("user.json", "{}")
    assert read_talk(tmp_path / "export.zip").format == "claude"
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("user.json", "{}")
    with pytest.raises(InvalidInput, match=r"conversations\.json"):
        read_talk(tmp_path / "other.zip")


def test_locomo_sessions_come_in_order_with_their_times_and_speakers(tmp_path: Path) -> None:
    conversation = {
        "speaker_a": "Ana",
        "session_10_date_time": "12:05 am on 9 June, 2023",
        "session_10": [{"speaker": "Ben", "dia_id": "D10:1", "text": "I got the job."}],
        "session_2_date_time": "1:56 pm on 8 May, 2023",
        "session_2": [{"speaker": "Ana", "dia_id": "D2:1", "text": "I adopted a dog.", "blip_caption": "x"}],
        "session_1_date_time": "12:30 pm on 7 May, 2023",
        "session_1": [],
    }
    for content in ([{"sample_id": "conv-1", "conversation": conversation, "qa": []}], conversation):
        talk = read_talk(put(tmp_path, "locomo.json", content))
        assert talk.format == "locomo"
        assert said(talk) == [("user", "Ana", "I adopted a dog."), ("user", "Ben", "I got the job.")]
        times = [
            datetime.fromisoformat("2023-05-08T13:56+00:00"),
            datetime.fromisoformat("2023-06-09T00:05+00:00"),
        ]
        assert [message["timestamp"] for message in talk.messages] == [time.timestamp() for time in times]


ANDROID = """\
3/13/26, 18:04 - Messages and calls are end-to-end encrypted.
3/13/26, 18:05 - Ana: My dog is Potola.
She sleeps in the basket: always.
3/13/26, 18:06 - Ben: <Media omitted>
3/14/26, 09:00 - Ben: No way! <This message was edited>
"""
IOS = """\
\u200e[13.03.26, 6:05:07\u202fPM] Ana: My dog is Potola.
She sleeps in the basket: always.
[13.03.26, 6:06:00\u202fPM] Ben: \u200eimage omitted
[14.03.26, 9:00:00\u202fAM] Ben: No way!
"""
ISO = """\
2026-03-13, 18:05 - Ana: My dog is Potola.
She sleeps in the basket: always.
2026-03-14, 09:00 - Ben: No way!
"""


@pytest.mark.parametrize(
    "content", [ANDROID, IOS, IOS.replace("\n", "\r\n"), ISO], ids="android ios crlf iso".split()
)
def test_whatsapp_chats_of_every_region_and_phone(tmp_path: Path, content: str) -> None:
    talk = read_talk(put(tmp_path, "chat.txt", content.encode()))
    assert talk.format == "whatsapp"
    assert said(talk) == [
        ("user", "Ana", "My dog is Potola.\nShe sleeps in the basket: always."),
        ("user", "Ben", "No way!"),
    ]
    days = [
        datetime.fromtimestamp(message["timestamp"]).strftime("%Y-%m-%d %H:%M") for message in talk.messages
    ]
    assert days == ["2026-03-13 18:05", "2026-03-14 09:00"]


def test_a_date_that_could_be_two_is_read_so_that_time_goes_forward(tmp_path: Path) -> None:
    months_first = "2/11/26, 10:00 - Ana: one\n3/2/26, 10:00 - Ana: two\n3/4/26, 10:00 - Ana: three\n"
    talk = read_talk(put(tmp_path, "chat.txt", months_first))
    assert [datetime.fromtimestamp(m["timestamp"]).month for m in talk.messages] == [2, 3, 3]


def test_notes_are_dictated_in_blocks_and_raw_ones_come_paragraph_by_paragraph(tmp_path: Path) -> None:
    notes = "\n\n".join(f"Note {number}: {'the boiler wants 1.5 bar ' * 20}" for number in range(10))
    path = put(tmp_path, "notes.txt", "\ufeff" + notes)
    talk, raw = read_talk(path), read_talk(path, raw=True)
    assert (talk.format, talk.dictated, raw.dictated) == ("text", True, False)
    assert 2 <= len(talk.messages) < len(raw.messages) == 10
    everything = "".join("".join(message["content"] for message in talk.messages).split())
    assert everything == "".join(notes.split())


def test_a_note_that_begins_with_a_bracket_is_still_a_note(tmp_path: Path) -> None:
    assert said(read_talk(put(tmp_path, "n.txt", "[todo] buy milk")))[0][2] == "[todo] buy milk"


# -- bad files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.txt", "", "no messages"),
        ("blank.jsonl", "\n \n", "no messages"),
        ("image.png", b"\x89PNG\r\n\x1a\n\xff\xfe", "not UTF-8"),
        ("zeros.bin", b"abc\0def", "binary"),
        ("cut.json", '[{"role": "user", "content": "He', "is not JSON"),
        ("line.jsonl", '{"content": "one"}\n{"content": "tw\n', "line 2: is not JSON"),
        ("other.json", '{"a": 1}', "is no message"),
        ("number.json", "[1]", "is no message"),
        ("role.jsonl", '{"content": "x"}\n{"role": "king", "content": "y"}', "message 2: role"),
        ("time.jsonl", '{"content": "x", "timestamp": "soon"}\n{"content": "y"}', "message 1: timestamp"),
        ("nan.jsonl", '{"content": "x", "timestamp": NaN}\n{"content": "y"}', "message 1: timestamp"),
        ("kind.json", '[{"content": 5}]', "message 1: content"),
        ("chat.txt", "99/99/26, 18:05 - Ana: hello", "no sense in any order"),
        ("deep.json", "[" * 100_000, "is not JSON"),
        ("m.jsonl", '{"id": "1", "text": "t", "gist": ["", "", "", ""], "time": 0}', "neuromem import"),
    ],
)
def test_a_bad_file_gives_one_line_with_its_name_and_place(
    tmp_path: Path, name: str, content: str | bytes, problem: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_talk(put(tmp_path, name, content))
    message = str(caught.value)
    assert problem in message
    assert name in message or "dates of the chat" in message
    assert "\n" not in message


def test_a_missing_file_and_a_folder_are_not_found(tmp_path: Path) -> None:
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(NotFound):
            read_talk(path)


def test_half_a_surrogate_pair_is_replaced_not_fatal(tmp_path: Path) -> None:
    talk = read_talk(put(tmp_path, "half.json", r'[{"content": "tail \ud83d end"}]'))
    assert talk.messages[0]["content"] == "tail \ufffd end"


def test_a_pasted_book_becomes_several_messages_that_together_hold_every_word(tmp_path: Path) -> None:
    book = "The ferry came late again. " * (2 * MAX_TEXT_BYTES // 27 + 1)
    talk = read_talk(put(tmp_path, "book.json", [{"role": "user", "name": "Ana", "content": book}]))
    assert len(talk.messages) >= 3
    assert "".join(message["content"] for message in talk.messages) == book
    assert {message["name"] for message in talk.messages} == {"Ana"}


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "content role name text timestamp mapping chat_messages conversation session_1".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200) | st.text(max_size=200) | JSONS)
def test_any_content_gives_valid_messages_or_a_typed_error(tmp_path: Path, content: Any) -> None:
    path = put(tmp_path, "any.json", content if isinstance(content, bytes) else json.dumps(content).encode())
    try:
        talk = read_talk(path)
    except NeuromemError:
        return
    assert talk.format in FORMATS
    assert len(talk.messages) >= 1
    for message in talk.messages:
        read_turns([message])


# -- told, and told once -----------------------------------------------------------------------------


@pytest.fixture
def long_talk(tmp_path: Path) -> Talk:
    """Three chunks of messages with times, every third one no fact."""
    lines = [
        {"content": "Good morning!" if n % 3 == 0 else f"My locker number {n} is {n * 7919 % 10_007}.",
         "timestamp": 1772474640 + n}
        for n in range(2 * CHUNK + 10)
    ]  # fmt: skip
    return read_talk(put(tmp_path, "long.jsonl", "\n".join(json.dumps(line) for line in lines)))


def logged(memory: Memory) -> list[tuple[str, float, dict[str, Any]]]:
    return [(record.kind, record.time, record.body) for record in memory.engine.log.events("user:me")]


def tell(
    folder: Path, talk: Talk, stop_after: int | None = None, **options: bool
) -> tuple[Intake | None, list[Any]]:
    """Ingests; is cut off when so many messages have been told."""

    def step(done: int, total: int) -> None:
        if stop_after is not None and done >= stop_after:
            raise KeyboardInterrupt

    intake = None
    memory = Memory(folder, encoder="hash")
    try:
        intake = take_in(memory, "me", talk, Bookmarks(folder), progress=step, **options)
    except KeyboardInterrupt:
        memory.engine.log.close()
        memory = Memory(folder, encoder="hash")
    with memory:
        return intake, logged(memory)


def test_ingest_keeps_the_times_and_logs_what_is_no_fact(tmp_path: Path, long_talk: Talk) -> None:
    intake, events = tell(tmp_path / "store", long_talk)
    assert intake is not None
    assert (intake.already, intake.messages, intake.inexact) == (0, len(long_talk.messages), 0)
    assert intake.added == sum("locker" in message["content"] for message in long_talk.messages)
    assert [time for _, time, _ in events] == [message["timestamp"] for message in long_talk.messages]
    assert {body["text"] for kind, _, body in events if kind == "say"} == {"Good morning!"}


@pytest.mark.parametrize("stop_after", [CHUNK, 2 * CHUNK])
def test_an_ingest_cut_between_commit_and_bookmark_tells_everything_once(
    tmp_path: Path, long_talk: Talk, stop_after: int
) -> None:
    _, whole = tell(tmp_path / "whole", long_talk)
    _, part = tell(tmp_path / "cut", long_talk, stop_after)
    assert len(part) == stop_after  # this chunk is in the log, the note of its end is not
    intake, resumed = tell(tmp_path / "cut", long_talk)
    assert intake is not None
    assert intake.already == stop_after
    assert resumed == whole


def test_a_file_read_before_is_not_told_again_unless_asked(tmp_path: Path, long_talk: Talk) -> None:
    tell(tmp_path / "store", long_talk)
    again, events = tell(tmp_path / "store", long_talk)
    assert again is not None
    assert (again.already, again.added, len(events)) == (again.messages, 0, again.messages)
    forced, _ = tell(tmp_path / "store", long_talk, again=True)
    assert forced is not None
    assert (forced.already, forced.added) == (0, 0)
    assert forced.reinforced > 0


def test_who_was_deleted_can_be_told_the_same_file_anew(tmp_path: Path, long_talk: Talk) -> None:
    tell(tmp_path / "store", long_talk)
    with Memory(tmp_path / "store", encoder="hash") as memory:
        memory.delete_all("me")
    intake, _ = tell(tmp_path / "store", long_talk)
    assert intake is not None
    assert intake.already == 0


def test_a_damaged_bookmark_only_costs_a_second_reading(tmp_path: Path, long_talk: Talk) -> None:
    tell(tmp_path / "store", long_talk)
    for damage in (b"\xff", b"[]", b'{"x": 1}', b""):
        (tmp_path / "store" / "ingest.json").write_bytes(damage)
        assert Bookmarks(tmp_path / "store").get("x") is None
    intake, _ = tell(tmp_path / "store", long_talk)
    assert intake is not None
    assert (intake.already, intake.added) == (0, 0)


def test_the_default_store_is_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert store_path(Namespace(path=None)) == tmp_path / "neuromem"
    assert store_path(Namespace(path="~/x")) == Path.home() / "x"
