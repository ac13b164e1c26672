"""Words: normalization, sentences, cutting to fit, stems and how rare they are."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuromem.text as text_module
from neuromem.errors import InvalidInput
from neuromem.text import idf, is_name_like, normalize, sentences, split_to_fit, stem, stems, utf8_len, words

ANY_TEXT = st.text(max_size=200) | st.text(alphabet="aB. ,!?'\n1é你🎉\u0301\u200d", max_size=200)


def test_quotes_dashes_and_spaces_are_folded() -> None:
    assert normalize("“Don’t”  —\tnow… ") == '"don\'t" - now...'
    assert normalize("Cafe\u0301", casefold=False) == "Café"


@given(ANY_TEXT)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith came at 5 p.m. yesterday. He left.", ["Dr. Smith came at 5 p.m. yesterday.", "He left."]),
        ("It cost 3.50 euros, e.g. for tea. Fine.", ["It cost 3.50 euros, e.g. for tea.", "Fine."]),
        (
            "J. R. Tolkien wrote it. So did I. Then we left.",
            ["J. R. Tolkien wrote it.", "So did I.", "Then we left."],
        ),
        (
            "See https://x.example/a.b. Mail a.b@c.example. Ok.",
            ["See https://x.example/a.b.", "Mail a.b@c.example.", "Ok."],
        ),
        ("Well... it went fine. Really!", ["Well... it went fine.", "Really!"]),
        ("I left… We moved.", ["I left…", "We moved."]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("Great! 🎉 Next one.", ["Great! 🎉", "Next one."]),
        ("one line\nanother line\r\n\r\n", ["one line", "another line"]),
        ("他来了。我走了！", ["他来了。", "我走了！"]),
        ("my dog is rex i live in utrecht these days", ["my dog is rex i live in utrecht these days"]),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(ANY_TEXT)
def test_sentences_lose_nothing_but_white_space(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@given(ANY_TEXT, st.integers(min_value=4, max_value=60))
def test_pieces_fit_and_join_to_the_exact_text(text: str, limit: int) -> None:
    pieces = split_to_fit(text, limit)
    assert "".join(pieces) == text
    assert all(0 < len(piece.encode()) <= limit for piece in pieces)


def test_a_text_is_cut_after_a_sentence_then_a_clause_then_a_word() -> None:
    text = "Hello there my friend. This is a longer sentence, with a clause and more words to go."
    assert split_to_fit(text, 30)[:2] == ["Hello there my friend. ", "This is a longer sentence, "]
    assert split_to_fit("abcde fghij klmno", 12) == ["abcde fghij ", "klmno"]


def test_a_word_is_cut_only_when_it_does_not_fit_and_never_inside_a_character() -> None:
    assert split_to_fit("ééééé", 4) == ["éé", "éé", "é"]
    assert split_to_fit("ab e\u0301e\u0301", 5) == ["ab ", "e\u0301", "e\u0301"]
    assert split_to_fit("fits", 160) == ["fits"]
    assert split_to_fit("", 160) == []


def test_a_limit_below_one_character_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"limit_bytes: 3 .*4 or more"):
        split_to_fit("text", 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call +44 161 496 0331 now", ["call", "+441614960331", "now"]),
        ("0161-496-0331", ["01614960331"]),
        ("owl.and.kettle@post.example", ["owl.and.kettle@post.example"]),
        ("at https://a.example/b?c=d.", ["at", "https://a.example/b?c=d"]),
        ("serial T24-00917-K, code tern-4471-bay", ["serial", "t24-00917-k", "code", "tern-4471-bay"]),
        ("1,140 euros at 3:41 on 2025-05-01", ["1140", "euros", "at", "3:41", "on", "2025-05-01"]),
        ("rooms 16 17 18", ["rooms", "16", "17", "18"]),
        ("well-known o’neill", ["well", "known", "o'neill"]),
        ("我住在东京", ["我住", "住在", "在东", "东京"]),
        ("猫", ["猫"]),
        ("Привет café", ["привет", "café"]),
        ("", []),
    ],
)
def test_words_keep_numbers_codes_and_addresses_whole(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_stems_are_the_content_words() -> None:
    assert stems("My dogs' names, and the running dog’s bowl!") == ["dog", "name", "run", "dog", "bowl"]
    assert stems("who is it that you are") == []
    assert stems("i dont like im ive") == ["like"]


@given(ANY_TEXT)
def test_any_text_has_words_and_stems_without_spaces(text: str) -> None:
    assert not any(part.isspace() or " " in part or not part for part in words(text) + stems(text))


def test_threads_do_not_mix_their_stems() -> None:
    plain = [f"{first}{second}{third}ing" for first in "bcdfgh" for second in "aeiou" for third in "klmnprst"]
    stem.cache_clear()
    expected = {word: stem(word) for word in plain}
    stem.cache_clear()
    wrong: list[str] = []

    def work() -> None:
        wrong.extend(word for word in plain if stem(word) != expected[word])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_rarer_words_tell_more_and_unknown_ones_most() -> None:
    assert 0 < idf("like") < idf("dog") < idf("tortois") <= idf("potola") == 16.0


def test_names_are_told_from_words() -> None:
    assert all(is_name_like(word) for word in ("Potola", "emeka", "paris", "Zofia"))
    assert not any(is_name_like(word) for word in ("dog", "choir", "school", "likes", "42", ""))


def test_the_table_is_compact_and_says_where_it_comes_from() -> None:
    packed = (Path(text_module.__file__).parent / "data" / "words.txt.gz").read_bytes()
    assert len(packed) <= 150_000
    header = [line for line in gzip.decompress(packed).decode().splitlines() if line.startswith("#")]
    assert "CC BY 4.0" in " ".join(header)
    assert "CDLA" in " ".join(header)


@given(st.text(max_size=30))
def test_byte_length_is_that_of_utf8(text: str) -> None:
    assert utf8_len(text) == len(text.encode())
