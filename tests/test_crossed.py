"""Questions of one user, asked of another to whom nobody told the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuromem.text import stems
from training.crossed import crossed, stands_alone
from training.talks import Talk, read_talk

ANA = """# Ana | 2026-11-02
1 11-02 09:00 I told Ines that our wedding anniversary is on the ninth of May.
2 11-02 09:01 My car's registration is KX 12.
?
11-03 10:00 known | When is my wedding anniversary? | ninth of May | | 1
11-03 10:01 known | What is my car's registration? | KX 12 | | 2
11-03 10:02 other_person | What did Ines hear about my anniversary? | ninth | | 1
11-03 10:03 inferred | And when is it? | ninth | | 1
"""
BEN = """# Ben | 2026-11-02
1 11-02 09:00 I drive the number nine tram with Omar, my registration is pending.
?
11-03 10:00 known | Which tram do I drive? | nine | | 1
"""


@pytest.fixture
def talks(tmp_path: Path) -> list[Talk]:
    out = []
    for name, text in (("01_ana", ANA), ("02_ben", BEN)):
        path = tmp_path / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        out.append(read_talk(path))
    return out


def test_nothing_of_what_a_question_asks_for_has_been_told(talks: list[Talk]) -> None:
    ana, ben = crossed(talks, {"Ines", "Omar"}, 6, 0)
    assert [ask.wordings for ask in ana.asks] == [["Which tram do I drive?"]]
    asked = {ask.wordings[0] for ask in ben.asks}
    assert asked == {"When is my wedding anniversary?", "What did Omar hear about my anniversary?"}
    told = {stem for _, text in ben.turns for stem in stems(text)}
    assert "registr" in told, "Ben spoke of a registration, so nobody asks him for that of the car"


def test_nobody_can_answer_and_all_is_said_before_it_is_asked(talks: list[Talk]) -> None:
    for talk in crossed(talks, {"Ines", "Omar"}, 6, 0):
        for ask in talk.asks:
            assert (ask.kind, ask.expected, ask.evidence) == ("unknown", [], [])
            assert ask.time > talk.turns[-1][0]


def test_the_same_seed_asks_the_same(talks: list[Talk]) -> None:
    one, other = (crossed(talks, {"Ines", "Omar"}, 1, 3) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("wording", "alone"),
    [("When is my anniversary?", True), ("And when is it?", False), ("Where does she work?", False)],
)
def test_what_leans_on_talk_before_is_asked_of_nobody_else(wording: str, alone: bool) -> None:
    assert stands_alone(wording) == alone
