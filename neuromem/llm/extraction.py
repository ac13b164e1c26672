"""Facts by a language model, believed only as far as they are what the speakers said; else by the rules.

`LLMExtractor` stands in for `facts.extract`. The model only proposes: what is not grounded in the words is
dropped, whose fact it is comes from the turn and not from the model, and nothing that a model says deletes
or replaces a memory: that is decided by the rules, on the speaker's own words. When the model fails, for
whatever reason, the rules read the turns.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import Any

from ..errors import InvalidInput
from ..facts import Fact, Turn, extract, is_pinned
from .base import LLM, LLMError, Notice
from .belief import believed
from .prompt import SCHEMA, TASK, Piece, messages_for, proposed_of
from .shown import Shown

__all__ = ["Extraction", "LLMExtractor"]

CHARS = 6_000  # of turns (two thirds) and context together; less where the model can read less
LEAST_CHARS = 300  # a model that reads less is not asked
CHARS_PER_TOKEN = 2.0  # on the safe side for most languages
MARGIN_TOKENS = 64  # for the template's own signs
REPLY_TOKENS = 2_048
PAUSES = {"connection": 30.0, "timeout": 30.0, "auth": 300.0, "limited": 30.0}  # seconds without asking again


@dataclass(frozen=True, slots=True)
class Extraction:
    """The facts of some turns, and how they came about."""

    facts: tuple[Fact, ...]
    by: str  # "llm", "rules", or "both": some turns each
    reasons: tuple[str, ...] = ()  # why the rules read them
    dropped: int = 0  # proposed by the model, and not what was said


@dataclass(frozen=True, slots=True)
class _Answer:
    """What became of one question to the model."""

    facts: tuple[Fact, ...] = ()
    dropped: int = 0
    reason: str = ""  # why it failed
    detail: str = ""


class LLMExtractor:
    """`facts.extract` by a language model. Safe across threads."""

    def __init__(
        self,
        llm: LLM,
        *,
        timeout_s: float = 20.0,
        deadline_s: float | None = None,
        max_tokens: int = REPLY_TOKENS,
        notice: Notice | None = None,
    ) -> None:
        """
        Args:
            llm: asked with temperature 0 and a schema.
            timeout_s: for one question to it (12 turns).
            deadline_s: for one call, however many turns; what is left then is read by the rules.
            max_tokens: of one answer.
            notice: told, on one line, whenever the rules had to step in.
        """
        for field, value in (
            ("timeout_s", timeout_s),
            ("deadline_s", deadline_s),
            ("max_tokens", max_tokens),
        ):
            if value is not None and not value > 0:
                raise InvalidInput(field, f"{value!r} is not positive", "give a number above 0")
        self.llm, self.timeout_s, self.deadline_s, self.max_tokens = llm, timeout_s, deadline_s, max_tokens
        self._notice = notice
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._asleep_until, self._asleep_why = 0.0, ""

    @property
    def counts(self) -> dict[str, int]:
        """Since the start: "turns:llm", "turns:rules", "facts", and why: "dropped:…", "failed:…"."""
        with self._lock:
            return dict(self._counts)

    def __call__(
        self,
        turns: Sequence[Turn],
        infer: bool = True,
        only: Sequence[int] | None = None,
        **context: Any,
    ) -> list[Fact]:
        """The facts in a conversation, as `facts.extract` gives them; arguments as there."""
        return list(self.extraction(turns, infer, only, **context).facts)

    def extraction(
        self,
        turns: Sequence[Turn],
        infer: bool = True,
        only: Sequence[int] | None = None,
        **context: Any,
    ) -> Extraction:
        """As calling it, with how the facts came about.

        Args:
            context: what else `facts.extract` takes: `times`, `earlier`, `zone`.
        """
        chosen = list(range(len(turns)) if only is None else only)
        if not infer:
            return Extraction(tuple(extract(turns, infer=False, only=chosen, **context)), "rules")
        asked = [index for index in chosen if turns[index].role == "user"]
        shown = Shown(turns, context.get("times"), context.get("earlier", ()), context.get("zone", UTC))
        room, _ = self._limits
        until = time.monotonic() + self.deadline_s if self.deadline_s is not None else None
        answers = [
            (window, self._ask(window, shown, until))
            for window in shown.windows(asked, max(LEAST_CHARS, room * 2 // 3))
        ]
        failed = {piece.turn for window, answer in answers if answer.reason for piece in window}
        facts = [fact for _, answer in answers for fact in answer.facts if fact.turn not in failed]
        told = {fact.turn for fact in facts}
        again = [index for index in asked if index in failed or _must_tell(turns[index], index in told)]
        by_rules = extract(turns, infer=True, only=again, **context) if again else []
        facts = sorted([*facts, *by_rules], key=lambda fact: fact.turn)
        dropped = sum(answer.dropped for _, answer in answers)
        self._report(answers, asked, failed, len(facts))
        reasons = tuple(dict.fromkeys(answer.reason for _, answer in answers if answer.reason))
        by = "llm" if not again else "rules" if set(again) >= set(asked) else "both"
        return Extraction(tuple(facts), by, reasons, dropped)

    # -- asking -----------------------------------------------------------------------------------

    @cached_property
    def _limits(self) -> tuple[int, int]:
        """Characters of conversation that the model can read at once, and tokens that it may answer."""
        known = self.llm.context_tokens
        if known is None:
            return CHARS, self.max_tokens
        counted = self.llm.count(TASK)
        task = len(TASK) / CHARS_PER_TOKEN if counted is None else float(counted)
        per_token = min(CHARS_PER_TOKEN, 0.5 * len(TASK) / task)  # talk may need twice the tokens of English
        reply = min(self.max_tokens, known // 2)
        return min(CHARS, int((known - reply - task - MARGIN_TOKENS) * per_token)), reply

    def _ask(self, window: list[Piece], shown: Shown, until: float | None) -> _Answer:
        """Asks about one window; a failure is an answer too."""
        left = self.timeout_s if until is None else min(self.timeout_s, until - time.monotonic())
        if left <= 0:
            return _Answer(reason="deadline", detail=f"{self.deadline_s:g} s are up")
        if time.monotonic() < self._asleep_until:
            return _Answer(reason=self._asleep_why, detail="not asked again so soon")
        room, max_tokens = self._limits
        if room < LEAST_CHARS:
            return _Answer(reason="too long", detail=f"it reads {self.llm.context_tokens} tokens at once")
        context = shown.before(window[0].turn, room // 3)
        try:
            reply = self.llm.generate(
                messages_for(context, window), max_tokens=max_tokens, schema=SCHEMA, timeout_s=left
            )
            proposed, malformed = proposed_of(reply)
        except LLMError as error:
            if error.reason == "timeout" and left < self.timeout_s:
                return _Answer(reason="deadline", detail=f"{self.deadline_s:g} s are up")
            self._fall_asleep(error)
            return _Answer(reason=error.reason, detail=str(error))
        except OSError as error:  # a model of the user's own, whose line broke
            return _Answer(reason="connection", detail=f"{self.llm.name}: {error}")
        facts, faults = believed(proposed, window, context, shown)
        if malformed:
            faults["malformed"] = malformed
        self._count({f"dropped:{fault}": count for fault, count in faults.items()})
        if not facts and faults.total():
            return _Answer(
                reason="ungrounded", detail="nothing of its answer was said", dropped=faults.total()
            )
        return _Answer(tuple(facts), faults.total())

    def _fall_asleep(self, error: LLMError) -> None:
        """Nobody there: the next turns do not wait for it as well."""
        pause = PAUSES.get(error.reason, 0.0)
        if pause:
            wait = max(pause, error.retry_after_s or 0.0)
            self._asleep_until, self._asleep_why = time.monotonic() + wait, error.reason

    # -- telling ----------------------------------------------------------------------------------

    def _count(self, more: Mapping[str, int]) -> None:
        with self._lock:
            self._counts.update(more)

    def _report(
        self,
        answers: Sequence[tuple[list[Piece], _Answer]],
        asked: Sequence[int],
        failed: set[int],
        facts: int,
    ) -> None:
        failures = Counter(answer.reason for _, answer in answers if answer.reason)
        read = {"turns:llm": len(asked) - len(failed), "turns:rules": len(failed), "facts": facts}
        self._count(read | {f"failed:{reason}": count for reason, count in failures.items()})
        if self._notice is not None:
            for reason in failures:
                detail = next(answer.detail for _, answer in answers if answer.reason == reason)
                turns = {
                    piece.turn for window, answer in answers if answer.reason == reason for piece in window
                }
                self._notice(
                    f"extraction by {self.llm.name}: {reason} ({detail}); the rules read {len(turns)} turns"
                )


def _must_tell(turn: Turn, told: bool) -> bool:
    """Whether the rules read a turn of which the model says nothing: it was said to be remembered."""
    return not told and (turn.dictated or is_pinned(turn.text))
