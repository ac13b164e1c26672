"""What expressions of time mean, seen from the day on which they were said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.facts.times import dated, has_time_word, spans

NOW = datetime(2025, 5, 3, 15, 0, tzinfo=UTC)  # a Saturday


def found(text: str, **options: bool) -> list[tuple[str, str]]:
    """First and last day of each span, as ISO dates."""
    days = [(span.start.date(), span.end.date() - timedelta(days=1)) for span in spans(text, NOW, **options)]
    return [(first.isoformat(), last.isoformat()) for first, last in days]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        # days, counted from today
        ("yesterday", "2025-05-02", "2025-05-02"),
        ("the day before yesterday", "2025-05-01", "2025-05-01"),
        ("last night we danced", "2025-05-02", "2025-05-02"),
        ("see you tomorrow evening", "2025-05-04", "2025-05-04"),
        ("this morning", "2025-05-03", "2025-05-03"),
        ("three days ago", "2025-04-30", "2025-04-30"),
        ("a couple of days ago", "2025-05-01", "2025-05-01"),
        ("we leave in ten days", "2025-05-13", "2025-05-13"),
        ("a fortnight ago", "2025-04-19", "2025-04-19"),
        # weekdays
        ("I saw her last Friday", "2025-05-02", "2025-05-02"),
        ("last saturday", "2025-04-26", "2025-04-26"),
        ("the friday before last", "2025-04-25", "2025-04-25"),
        ("next Tuesday", "2025-05-06", "2025-05-06"),
        ("this coming Monday", "2025-05-05", "2025-05-05"),
        ("I went there on Thursday", "2025-05-01", "2025-05-01"),
        ("I'm flying out on Thursday", "2025-05-08", "2025-05-08"),
        ("friday week", "2025-05-16", "2025-05-16"),
        # weeks, weekends, months, seasons, years
        ("two weeks ago", "2025-04-19", "2025-04-19"),
        ("last week", "2025-04-21", "2025-04-27"),
        ("last weekend", "2025-04-26", "2025-04-27"),
        ("the weekend before last", "2025-04-19", "2025-04-20"),
        ("next month", "2025-06-01", "2025-06-30"),
        ("four months ago", "2025-01-01", "2025-01-31"),
        ("last summer", "2024-06-01", "2024-08-31"),
        ("last winter", "2024-12-01", "2025-02-28"),
        ("last June", "2024-06-01", "2024-06-30"),
        ("three years ago", "2022-01-01", "2022-12-31"),
        ("a year and a half ago", "2023-11-01", "2023-11-30"),
        # written dates
        ("on 7 May 2023", "2023-05-07", "2023-05-07"),
        ("May 7th, 2023", "2023-05-07", "2023-05-07"),
        ("May 2nd", "2025-05-02", "2025-05-02"),
        ("the 7th of March, 2021", "2021-03-07", "2021-03-07"),
        ("2024-02-29", "2024-02-29", "2024-02-29"),
        ("3/14", "2025-03-14", "2025-03-14"),
        ("3/4/2025", "2025-03-04", "2025-03-04"),
        ("14/3/2024", "2024-03-14", "2024-03-14"),
        ("3.4.2025", "2025-04-03", "2025-04-03"),
        ("in the summer of 2022", "2022-06-01", "2022-08-31"),
        ("June 2021", "2021-06-01", "2021-06-30"),
        ("what happened in 2019", "2019-01-01", "2019-12-31"),
        ("2019", "2019-01-01", "2019-12-31"),
        ("in the nineties", "1990-01-01", "1999-12-31"),
        ("We met in June", "2024-06-01", "2024-06-30"),
        ("We will meet in June", "2025-06-01", "2025-06-30"),
        # as a speech recognizer writes
        ("the twenty third of june", "2025-06-23", "2025-06-23"),
        ("june the twenty third twenty twenty", "2020-06-23", "2020-06-23"),
        ("since twenty seventeen", "2017-01-01", "2017-12-31"),
        ("in nineteen eighty four", "1984-01-01", "1984-12-31"),
        ("in two thousand and nine", "2009-01-01", "2009-12-31"),
    ],
)
def test_an_expression_stands_for_its_days(text: str, first: str, last: str) -> None:
    assert found(text) == [(first, last)]


@pytest.mark.parametrize(
    "text",
    [
        "my pin is 2019",
        "room 2019",
        "the kids may be late",
        "we march on",
        "half a cup, or 1/2 a cup",
        "open 24/7",
        "31 June",
        "I finished it in two days",
        "my back hurts",
        "she has fallen behind",
        "call me on 0161 496 0331",
        "",
    ],
)
def test_what_is_no_date_is_not_taken_for_one(text: str) -> None:
    assert found(text) == []


def test_the_locale_says_which_comes_first_in_a_numeric_date() -> None:
    assert found("3/4/2025") == [("2025-03-04", "2025-03-04")]
    assert found("3/4/2025", day_first=True) == [("2025-04-03", "2025-04-03")]
    assert found("3/14/2025", day_first=True) == [("2025-03-14", "2025-03-14")]  # there is no month 14


def test_several_expressions_come_in_the_order_of_the_words() -> None:
    text = "I moved in 2019, left two weeks ago and am back since yesterday"
    assert [span.phrase for span in spans(text, NOW)] == ["in 2019", "two weeks ago", "yesterday"]


def test_a_span_knows_where_it_stands_and_whether_it_depends_on_today() -> None:
    relative, written = spans("Yesterday I found a note of 7 May 2023.", NOW)
    assert (relative.place, relative.phrase, relative.explicit) == (0, "Yesterday", False)
    assert (written.phrase, written.explicit) == ("7 May 2023", True)
    assert relative.start.tzinfo is UTC


def test_what_is_vague_says_so() -> None:
    [span] = spans("a few years ago", NOW)
    assert span.vague
    assert span.start.year <= 2022 < span.end.year


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We adopted Biscotti yesterday.", "We adopted Biscotti yesterday [2025-05-02]."),
        ("i started last month", "i started last month [2025-04]"),
        ("We met three years ago", "We met three years ago [2022]"),
        ("We camped last weekend", "We camped last weekend [2025-04-26/27]"),
        ("I was ill last week", "I was ill last week [2025-04-21/27]"),
        ("I hiked last summer", "I hiked last summer [2024-06/08]"),
        ("it snowed last winter", "it snowed last winter [2024-12/2025-02]"),
        ("I quit on Friday", "I quit on Friday [2025-05-02]"),
        ("I'm flying on Friday", "I'm flying on Friday [2025-05-09]"),
        (
            "I left yesterday and go back next month",
            "I left yesterday [2025-05-02] and go back next month [2025-06]",
        ),
    ],
)
def test_relative_times_get_their_date(text: str, expected: str) -> None:
    assert dated(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I have choir on Friday",  # perhaps every week
        "Bins go out on Thursdays",
        "I ran every Monday",
        "I'm tired today",
        "We met on 7 May 2023",
        "I was born in June",
        "a few weeks ago I fell",
        "We adopted Biscotti yesterday [2025-05-02].",
        "My dog is called Potola",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert dated(text, NOW) == text


def test_time_words() -> None:
    for text in ("we moved last spring", "I saw her recently", "as a child I sang", "on 7 May", "at 5 pm"):
        assert has_time_word(text), text
    for text in ("I like tea", "my dog is called Potola", "she works nights"):
        assert not has_time_word(text), text


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("The dentist appointment on Friday is cancelled.", ["2025-05-09"]),
        ("My dentist appointment on Friday was cancelled.", ["2025-05-09"]),
        ("The meeting on Thursday at ten has been called off.", ["2025-05-08"]),
        ("The party on Tuesday was moved to Wednesday.", ["2025-05-06", "2025-05-07"]),
        ("They moved the party from Tuesday to Wednesday.", ["2025-05-06", "2025-05-07"]),
        ("The recital got postponed until Thursday.", ["2025-05-08"]),
        ("We put off the dinner on Friday", ["2025-05-09"]),
        ("I cancelled the Friday class", ["2025-05-09"]),
        ("practice is brought forward to Monday", ["2025-05-05"]),
        ("Friday's rescheduled", ["2025-05-09"]),
        ("We moved to Porto on Friday.", ["2025-05-02"]),
        ("I heard on Friday that the trip is cancelled.", ["2025-05-02"]),
        ("I cancelled my subscription on Friday.", ["2025-05-02"]),
        ("I met Tom on Friday, he was moved to Leeds", ["2025-05-02"]),
        ("The dentist cancelled on me on Friday", ["2025-05-02"]),
    ],
)
def test_a_day_of_what_is_called_off_or_moved_is_to_come(text: str, days: list[str]) -> None:
    assert [first for first, _ in found(text)] == days


@given(st.text(max_size=80) | st.text(alphabet="0123456789/.- aeinorst", max_size=40), st.dates())
def test_any_text_on_any_day_can_be_read(text: str, day: date) -> None:
    now = datetime(day.year, day.month, day.day)
    for span in spans(text, now):
        assert span.start < span.end
        assert text[span.place : span.place + len(span.phrase)] == span.phrase
    without = dated(text, now)
    assert len(without) >= len(text)
    assert dated(without, now).count("[") == without.count("[")


def test_spans_on_a_leap_day() -> None:
    leap = datetime(2024, 2, 29)
    assert spans("a year ago", leap)[0].start == datetime(2023, 1, 1)
    assert spans("29 February", leap)[0].start == leap
