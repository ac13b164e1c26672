"""Who finds the facts in talk: the rules, or an extractor of the user's choice with the rules behind it.

An extractor has the signature of `facts.extract`; `llm.LLMExtractor` is one. It is asked about talk alone,
never about words to be kept as they are, and before an owner is locked: a model may take seconds. When it
fails, for whatever reason, the rules read the same turns, a warning is logged, and `FactReader.counts` says
so.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .config import LLMConfig
from .errors import InvalidInput
from .facts import Fact, Opinion, Turn, extract

if TYPE_CHECKING:
    from .llm import LLMExtractor

__all__ = ["Extractor", "FactReader"]

_log = logging.getLogger(__name__)


class Extractor(Protocol):
    """Anything that can be called as `facts.extract`."""

    def __call__(
        self,
        turns: Sequence[Turn],
        *,
        infer: bool,
        only: Sequence[int],
        times: Sequence[float],
        earlier: Sequence[str],
    ) -> Sequence[Fact]:
        """The facts of the turns at the places `only`; see `facts.extract`."""


class FactReader:
    """Finds the facts in turns. Safe across threads."""

    def __init__(
        self,
        extractor: str | Extractor | None,
        config: LLMConfig,
        opinion: Callable[[], Opinion | None] = lambda: None,
    ) -> None:
        """
        Args:
            extractor: a model's name as in `config.extractor`, an `Extractor`, or None: what `config` says.
            config: used where this class makes the extractor.
            opinion: gives who is asked of what the rules are not sure whether to keep; None for nobody.

        Raises:
            InvalidInput: it is neither a name nor can it be called.
        """
        named = config.extractor if extractor is None else extractor
        if not isinstance(named, str) and not callable(named):
            problem = f"{type(named).__name__} cannot be called"
            raise InvalidInput("extractor", problem, "give what is called as neuromem.facts.extract is")
        if isinstance(named, str) and extractor is not None:
            LLMConfig(extractor=named)  # says at once what can be no name of a model
        self._named, self._config, self._opinion = named, config, opinion
        self._extractor: Extractor | None = None if isinstance(named, str) else named
        self._made: LLMExtractor | None = None
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def read(
        self,
        turns: Sequence[Turn],
        infer: bool,
        only: Sequence[int],
        times: Sequence[float],
        earlier: Sequence[str],
    ) -> list[Fact]:
        """The facts of the turns at the places `only`, in the order of the turns; as `facts.extract`.

        Raises:
            InvalidInput, NotFound, MissingDependency: the model of the settings cannot be had. That it
                does not answer is no error.
        """
        asked: dict[str, Any] = {"infer": infer, "only": only, "times": times, "earlier": earlier}
        extractor = self._chosen() if infer else None
        if extractor is None:
            return self._by_rules(turns, **asked)
        self._count("turns", len(only))
        try:
            facts = _checked(extractor(turns, **asked), only)
        except Exception as error:  # it is the user's own code: whatever it raises, talk is not lost
            self._count("failed", 1)
            _log.warning(
                "the extractor failed (%s: %s); the rules read %d turns",
                type(error).__name__, error, len(only),
            )  # fmt: skip
            return self._by_rules(turns, **asked)
        return facts

    def _by_rules(self, turns: Sequence[Turn], **asked: Any) -> list[Fact]:
        return extract(turns, **asked, opinion=self._opinion())

    @property
    def counts(self) -> dict[str, int]:
        """Since the start: "turns" given to an extractor, calls that "failed", and its own `counts`."""
        own = getattr(self._extractor, "counts", {})
        with self._lock:
            counted = dict(self._counts)
        return counted | (dict(own) if isinstance(own, Mapping) else {})

    def close(self) -> None:
        """Frees the model, if this made one."""
        with self._lock:
            made, self._made = self._made, None
        close = getattr(made.llm, "close", None) if made is not None else None
        if close is not None:
            close()

    def _chosen(self) -> Extractor | None:
        """The extractor, made when first needed; None for the rules."""
        if self._extractor is None and isinstance(self._named, str) and self._named:
            with self._lock:
                if self._extractor is None:
                    from .llm import LLMExtractor, load_llm

                    self._made = LLMExtractor(
                        load_llm(self._named),
                        timeout_s=self._config.timeout_s,
                        deadline_s=self._config.deadline_s,
                        notice=_log.warning,
                    )
                    self._extractor = self._made
        return self._extractor

    def _count(self, what: str, more: int) -> None:
        with self._lock:
            self._counts[what] += more


def _checked(facts: Any, only: Collection[int]) -> list[Fact]:
    """Facts of the turns that were asked about.

    Raises:
        TypeError: they are something else.
    """
    found = list(facts)
    for fact in found:
        if not isinstance(fact, Fact) or fact.turn not in only:
            raise TypeError(f"{fact!r:.80} is no Fact of these turns")
    return sorted(found, key=lambda fact: fact.turn)
