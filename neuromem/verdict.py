"""What a new statement makes out of date, as a small network reads it, beside what the rules say.

The rules of `supersede.py` look at words; they are sure where a slot gets a new value or a correction is
told as one. Whether "we got the keys to the bungalow" ends "we rent a studio" has to be read: the judge is
the assistant's reader (`reading.py`) with other weights, the new statement in the place of the question and
what is held in that of the passages (`training/train_news.py`, `checkpoints/news.md`). It reads one statement
at a time, so nothing depends on what else is told; what is decided is logged, and a replay reads nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from .facts.languages import is_foreign
from .facts.wording import is_fragment, is_this_time, mends, points_back
from .habits import excepted
from .reading import STATEMENT, Passage, Reader, stands_on
from .sayings import Held, Saying, ends_nothing, may_meet, of_namesake, same_speaker, same_words
from .shipped import checkpoint_path
from .supersede import FOLLOWS, End
from .text import stems

__all__ = ["READ", "NewsJudge", "news_judge_for", "tells_of_another", "weighed"]

READ = "read"  # the reason of an end that the judge found
CHECKPOINT = "news.safetensors"
MOST = 4  # memories that are read at once, at most
LAST = 2  # … the last ones told among them
UNLIKE = 0.2  # cosine below which these are read only if something says that they may be meant
REPLACES = 0.7  # chance from which a memory is replaced …
ALSO = 0.3  # … and one more beside the likeliest; from which a statement may be news of it, too
DENIED = 0.05  # chance below which a rule links nothing
LEFT = 0.2  # chance that must be left beside those of namesakes to say anything of the others
CERTAIN = 0.9  # chance from which what reads like an exception to a habit replaces it all the same
NEVER = 0.01  # chance below which what does not say itself that something was wrong corrects nothing
ALIKE = 0.5  # … and the rule that goes by likeness alone replaces nothing; the others need no reading


class NewsJudge:
    """Reads which memories a statement makes out of date; loaded when first used, safe across threads."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Args: path: a checkpoint; None takes the shipped one. It belongs to the shipped transformer."""
        self._reader = Reader(path or checkpoint_path(CHECKPOINT), STATEMENT)

    def chances(self, new: Saying, held: Sequence[Held], found: Collection[str] = ()) -> dict[str, float]:
        """How likely a statement makes each memory out of date; what is missing to 1 is that it does none.

        It was taught English: nothing is said of what is hardly that.

        Args:
            held: candidates, all current, none told later; of those of the same speaker the nearest are read,
                and of the last ones what the statement may be about.
            found: ids that rules have found: read in any case.
        """
        if is_foreign(new.text):
            return {}
        held = [item for item in held if not is_foreign(item.said.text)]
        lead = [item for item in held if new.led and new.led.startswith(item.said.text)]
        chances = self._read(new, [item for item in held if item not in lead], found)
        if lead and sum(chances.values()) < ALSO:  # it may be the lead itself that is out of date
            return self._read(replace(new, led=""), held, found)
        return chances | {item.id: 0.0 for item in lead}

    def _read(self, new: Saying, held: Sequence[Held], found: Collection[str]) -> dict[str, float]:
        near = sorted(_readable(new, held, found), key=lambda item: (item.said.time, -item.back, item.id))
        passages = [Passage(item.said.text, " ".join(item.before), item.said.time) for item in near]
        chances = self._reader.chances(new.led or f"{new.cue} {new.text}".strip(), passages)
        return {item.id: chance for item, chance in zip(near, chances, strict=True)}

    def ends(self, new: str, old: Passage) -> float:
        """How likely a statement makes one that was told before it out of date."""
        return self._reader.chances(new, [old])[0]


def _readable(new: Saying, held: Sequence[Held], found: Collection[str]) -> list[Held]:
    """The candidates that are read: of the same speaker the nearest, and of the last ones those that the
    statement may be about. One that names its matter itself is about the last ones only if that is theirs.
    """
    own = [item for item in held if same_speaker(new, item) and not same_words(new.text, item.said.text)]
    last = [item for item in own if item.back < LAST]
    rest = sorted((item for item in own if item.back >= LAST), key=lambda item: (-item.likeness, item.id))
    nearest = rest[: MOST - len(last)]
    if not (new.led or new.cue or points_back(new.text) or is_fragment(new.text)):
        words = frozenset(stems(new.text))
        last = [
            item
            for item in last
            if item.likeness >= UNLIKE or item.id in found or words & frozenset(stems(item.said.text))
        ]
    return [*last, *nearest]


@lru_cache(maxsize=8)
def news_judge_for(encoder: str) -> NewsJudge | None:
    """The shipped judge, for memories whose encoder has the name given; None where the rules stand alone."""
    return NewsJudge() if stands_on(encoder, checkpoint_path(CHECKPOINT)) else None


def weighed(
    new: Saying, held: Sequence[Held], ends: Sequence[End], loose: Sequence[End], chances: Mapping[str, float]
) -> tuple[list[End], list[End]]:
    """What is replaced, and what the statement may be news of, from what rules and judge say.

    What the judge finds does not count where the rules that stand above all others forbid it: another
    person's news ends nothing of one's own, and an exception ends no habit.

    Args:
        held: candidates. ends, loose: what the rules say of them, as `outdated` and `followed` give it.
        chances: as `NewsJudge.chances`; a memory that was not read has none.
    """
    kept = [end for end in ends if not _is_overruled(new, end, chances)]
    exception = excepted(new, held) is not None
    least = 2.0 if is_this_time(new.text) else CERTAIN  # of what only happened, some is news all the same
    own = {
        item.id
        for item in held
        if not (exception and chances.get(item.id, 0.0) < least) and not _is_of_others(new, item)
    }
    read = {id_: chance for id_, chance in _without_namesakes(new, held, chances).items() if id_ in own}
    best = max(read, key=lambda id_: (read[id_], id_), default="")
    if read.get(best, 0.0) >= REPLACES:
        gone = [id_ for id_, chance in read.items() if id_ == best or chance >= ALSO]
        kept += [End(id_, READ) for id_ in gone if id_ not in {end.id for end in kept}]
    if kept:
        return kept, []
    if read.get(best, 0.0) >= ALSO:
        return [], [End(best, FOLLOWS)]
    return [], [end for end in loose if chances.get(end.id, 1.0) >= DENIED]


def _is_overruled(new: Saying, end: End, chances: Mapping[str, float]) -> bool:
    """Whether a rule that may err says so, and the judge does not: "Karen texted me" corrects nothing."""
    chance = chances.get(end.id, 1.0)
    if end.reason == "alike":
        return chance < ALIKE
    return end.reason == "corrected" and chance < NEVER and not mends(f"{new.cue} {new.text}")


def _without_namesakes(
    new: Saying, held: Sequence[Held], chances: Mapping[str, float]
) -> Mapping[str, float]:
    """The chances of the rest where namesakes are ruled out: the judge may see a change, but not whose."""
    out = {item.id for item in held if item.id in chances and of_namesake(new, item)}
    rest = 1.0 - sum(chances[id_] for id_ in out)
    whole = rest if rest >= LEFT else 1.0
    return {id_: chance / whole for id_, chance in chances.items() if id_ not in out}


def _is_of_others(new: Saying, held: Held) -> bool:
    """Whether a statement is somebody else's news, and a memory is not about them."""
    if tells_of_another(new, held.said) or ends_nothing(new, held):
        return True
    other = new.frame.whose.kind == "other" and held.said.frame.whose.kind != "other"
    return other and not may_meet(new, held)


def tells_of_another(new: Saying, old: Saying) -> bool:
    """Whether two statements say one kind of thing of two who have names: Ines's number, Tariq's number."""
    one, other = new.gist, old.gist
    if (
        not (one.is_triple and other.is_triple)
        or one.relation != other.relation
        or new.change.has("corrects")
    ):
        return False
    named = one.subject[:1].isupper() and other.subject[:1].isupper()
    return named and not frozenset(stems(one.subject)) & frozenset(stems(other.subject))
