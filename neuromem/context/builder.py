"""From what is known to a prompt within its budget; see the package for its parts and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..cached import of_texts
from ..config import ContextConfig
from ..echo import KNOWN, RECALLED, RECALLED_FAINT
from ..errors import InvalidInput
from ..identity import seconds_of
from ..tokens import Count, byte_bound, cut_middle, word_bound
from .lines import gist_lines, is_faint, lines_within, one_line, printable, says_something
from .talk import EARLIER, Planner, Said, newest

if TYPE_CHECKING:
    from ..recall import Recall

__all__ = ["Context", "ContextBuilder"]

LABELS = {"system": "", "user": "User: ", "assistant": "Assistant: "}
ANSWER = "Assistant:"
STEP = 512  # tokens
CACHED_CHARS = 1_000  # a longer piece is counted anew each time
CACHED_PIECES = 1_024
CACHED_LONG = 32


@dataclass(frozen=True, slots=True)
class Context:
    """A prompt: as messages, and as one text for a model without a chat format."""

    messages: list[dict[str, str]]  # role and content; roles alternate after the system message
    text: str
    tokens: int  # of the messages or the text, whichever are more, with what a template adds
    parts: dict[str, int]  # part → its tokens, counted by itself
    dropped: dict[str, int]  # part → what is not there: characters of system and turn, lines, turns


@dataclass(slots=True)
class _Draft:
    """The parts as they will be written; what has to give way is taken from here."""

    system: str = ""
    # with its line; what matters least last
    conscious: list[tuple[Recall, str]] = field(default_factory=list)
    gists: list[str] = field(default_factory=list)
    talk: list[Said] = field(default_factory=list)
    now: str = ""
    memories: list[tuple[Recall, str]] = field(default_factory=list)
    turn: str = ""

    def messages(self) -> list[dict[str, str]]:
        """As a chat model takes them; turns of the same role that follow each other are one message."""
        told = sorted(self.conscious, key=lambda item: (item[0].created_at, item[0].id))
        head = _paragraphs(
            self.system, _block(KNOWN, [line for _, line in told]), _block(EARLIER, self.gists)
        )
        heading = RECALLED_FAINT if any(is_faint(recall) for recall, _ in self.memories) else RECALLED
        recalled = _block(heading, [line for _, line in self.memories])
        said = [("system", head), *((turn.role, turn.text) for turn in self.talk)]
        said.append(("user", _paragraphs(self.now, recalled, self.turn)))
        out: list[dict[str, str]] = []
        for role, content in said:
            if content and out and out[-1]["role"] == role:
                out[-1]["content"] += f"\n{content}"
            elif content:
                out.append({"role": role, "content": content})
        return out

    def give_way(self, count: Count) -> bool:
        """Takes away what is missed least; False when nothing is left."""
        lists: tuple[tuple[list[Any], int], ...] = (
            (self.gists, 0), (self.talk, 0), (self.memories, -1), (self.conscious, -1),
        )  # fmt: skip
        for lines, place in lists:
            if lines:
                lines.pop(place)
                return True
        if self.now:
            self.now = ""
        elif self.system:
            self.system = cut_middle(self.system, count(self.system) * 3 // 4, count)
        elif self.turn:
            self.turn = cut_middle(self.turn, count(self.turn) * 3 // 4, count)
        else:
            return False
        return True


class ContextBuilder:
    """Builds prompts within one budget.

    >>> builder = ContextBuilder()
    >>> builder.build(system="Be brief.", turn="What is my dog called?").messages[-1]
    {'role': 'user', 'content': 'What is my dog called?'}

    Args:
        config: the shares.
        count: tokens of a text by the model's own tokenizer, with nothing added before or after it. None:
            an estimate that is not too low (`tokens.py`; `config.estimate`).
    """

    def __init__(self, config: ContextConfig | None = None, count: Count | None = None) -> None:
        self.config = config or ContextConfig()
        self.count: Count = count or {"words": word_bound, "bytes": byte_bound}[self.config.estimate]
        self._cached = of_texts(CACHED_PIECES)(self.count)
        # a plain prompt has labels where a chat template has marks: the dearer of the two is reckoned with
        labels = max(self.count(f"\n\n{label}") for label in LABELS.values())
        self._overhead = overhead = max(self.config.message_overhead, labels)
        self._around = max(self.config.prompt_overhead, self.count(f"\n\n{ANSWER}"))
        gists = of_texts(CACHED_PIECES)(gist_lines)
        # a turn of the talk is as long as it was when it was the current one
        longest = max(self.config.turn, self.config.history // 4)
        cut = of_texts(CACHED_LONG)(lambda text: cut_middle(text, longest - overhead, self.count))
        self._planner = Planner(self.config, overhead, self._piece, gists, longest, cut)

    def build(
        self,
        *,
        system: str = "",
        conscious: Sequence[Recall] | None = (),
        recalled: Sequence[Recall] | None = (),
        history: Sequence[Mapping[str, Any] | Said] | None = (),
        turn: str = "",
        now: datetime | float | str | None = None,
        earlier: int = 0,
    ) -> Context:
        """The prompt for one turn.

        Args:
            system: who the assistant is.
            conscious: the essential facts, what matters most first (`Memory.conscious`).
            recalled: what was recalled for this turn, best first (`Memory.search`).
            history: the talk before this turn as {role, content} (and perhaps "name"), oldest first, or
                as `Said`, which is not read again; only the last `lookback_turns` are looked at.
            turn: what the user says now.
            now: the time, said in the prompt: a datetime, Unix seconds (UTC) or ISO 8601; None: it is not.
            earlier: turns of the talk that came before `history`, when only its end is given. With it,
                compression goes on in the same steps, and prompts keep sharing their beginnings.

        Returns:
            A prompt of at most ``config.prompt_budget`` tokens, whatever is given; with shares
            too small for anything it has no messages.

        Raises:
            InvalidInput: a turn of the history is malformed, a text is no string, or `now` no time; names it.
        """
        config, draft = self.config, _Draft()
        conscious, recalled, history = conscious or (), recalled or (), history or ()
        system, turn = _text("system", system), _text("turn", turn)
        first = earlier + max(0, len(history) - config.lookback_turns)
        said = newest(history, config.lookback_turns)
        known = [recall for recall in conscious if says_something(recall)]
        parts = {"system": self._add_system(draft, system)}
        spare = config.memories + config.system - parts["system"]
        draft.conscious, parts["conscious"] = self._lines(KNOWN, known, min(config.conscious, spare), False)
        spare -= parts["conscious"]
        ids = {recall.id for recall, _ in draft.conscious}
        found = [recall for recall in recalled if recall.id not in ids and says_something(recall)]
        draft.memories, parts["memories"] = self._lines(RECALLED_FAINT, found, spare, True)
        spare -= parts["memories"]
        turn_tokens = self._add_turn(draft, turn, now)
        spare += config.turn - turn_tokens + config.history
        # by steps: or else the place where compression begins would move with every turn
        varying = -(-(parts["memories"] + turn_tokens) // STEP) * STEP
        allowed = config.compress_at - parts["system"] - parts["conscious"] - varying
        talk = self._planner.plan(said, first, allowed, spare)
        draft.gists, draft.talk = talk.gists, list(talk.turns)
        parts |= {"history": talk.tokens, "turn": turn_tokens}
        parts["conscious"] -= self._leave_to_talk(draft, known)
        messages, text, tokens, parts = self._within_budget(draft, parts)
        dropped = {
            "system": max(0, len(system) - len(draft.system)),
            "conscious": len(known) - len(draft.conscious),
            "memories": len(found) - len(draft.memories),
            "history": talk.dropped + len(talk.turns) - len(draft.talk),
            "turn": max(0, len(turn) - len(draft.turn)),
        }
        return Context(messages, text, tokens, parts, dropped)

    # -- the parts ------------------------------------------------------------------------------

    def _add_system(self, draft: _Draft, text: str) -> int:
        """Adds the system text; returns its tokens, with what surrounds the message and the whole prompt."""
        around = self._around + self._overhead
        draft.system = cut_middle(text, self.config.system - around, self.count)
        return around + self._piece(draft.system)

    def _add_turn(self, draft: _Draft, text: str, now: datetime | float | str | None) -> int:
        """Adds the turn, cut to its share, and the time if that leaves enough; returns their tokens."""
        room = self.config.turn - self._overhead
        line = _time_line(now)
        when = line if text else ""
        if when and self._piece(f"{when}\n\n") * 4 <= room:
            draft.now = when
            room -= self._piece(f"{when}\n\n")
        draft.turn = cut_middle(text, room, self.count)
        return self.config.turn - room + self._piece(draft.turn)

    def _leave_to_talk(self, draft: _Draft, known: list[Recall]) -> int:
        """Takes out of the conscious set what the talk says word for word; returns the tokens it took.

        So what is told now leaves the beginning of the next prompts as it is, until its turn is compressed.
        """
        talk = "\n".join(turn.text for turn in draft.talk)
        said = [(recall, line) for recall, line in draft.conscious if one_line(recall.text) in talk]
        ids = {recall.id for recall, _ in said}
        draft.conscious = [item for item in draft.conscious if item[0].id not in ids]
        known[:] = [recall for recall in known if recall.id not in ids]
        heading = 0 if draft.conscious or not said else self._piece(f"\n\n{KNOWN}")
        return heading + sum(self._piece(f"\n{line}") for _, line in said)

    def _lines(
        self, heading: str, recalls: Sequence[Recall], share: int, exact: bool
    ) -> tuple[list[tuple[Recall, str]], int]:
        """The memories that fit into a share with their lines, and their tokens."""
        return lines_within(heading, recalls, share, self._piece, exact=exact)

    # -- the whole ------------------------------------------------------------------------------

    def _within_budget(
        self, draft: _Draft, parts: dict[str, int]
    ) -> tuple[list[dict[str, str]], str, int, dict[str, int]]:
        """(messages, text, tokens, parts) of a draft, counted as a whole.

        A tokenizer may make more of the whole than of the pieces: then what is missed least gives way.
        """
        limit, whole = self.config.prompt_budget, True
        while True:
            messages = draft.messages()
            text = _plain(messages)
            tokens = self._tokens(messages, text)
            if tokens <= limit or not draft.give_way(self.count):
                break
            whole = False
        if tokens > limit:  # not even the marks around an empty prompt fit
            messages, text, tokens = [], "", 0
        return messages, text, tokens, parts if whole else self._measured(draft)

    def _tokens(self, messages: Sequence[Mapping[str, str]], text: str) -> int:
        """Tokens of a prompt, as messages or as text, whichever are more; none of none."""
        if not messages:
            return 0
        config = self.config
        chat = sum(config.message_overhead + self._piece(message["content"]) for message in messages)
        return config.prompt_overhead + max(chat, self.count(text))

    def _measured(self, draft: _Draft) -> dict[str, int]:
        """Tokens of the parts that are left of a draft."""
        talk = sum(self._overhead + self._piece(turn.text) for turn in draft.talk)
        return {
            "system": self._piece(draft.system),
            "conscious": self._piece("\n".join(line for _, line in draft.conscious)),
            "memories": self._piece("\n".join(line for _, line in draft.memories)),
            "history": talk + self._piece("\n".join(draft.gists)),
            "turn": self._piece(draft.turn) + self._piece(draft.now),
        }

    def _piece(self, text: str) -> int:
        """Tokens of a piece; those of short ones are remembered."""
        if not text:
            return 0
        return self._cached(text) if len(text) <= CACHED_CHARS else self.count(text)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(name, f"is of type {type(value).__name__}", "give a string")
    return printable(value).strip()


def _time_line(now: datetime | float | str | None) -> str:
    """The time as it was given, in its own zone; Unix seconds are said in UTC."""
    if now is None:
        return ""
    seconds = seconds_of(now, "now")
    moment = datetime.fromisoformat(now) if isinstance(now, str) else now
    moment = moment if isinstance(moment, datetime) else datetime.fromtimestamp(seconds, tz=UTC)
    return f"Now: {moment:%A, %Y-%m-%d %H:%M}"


def _block(heading: str, lines: Sequence[str]) -> str:
    return "\n".join([heading, *lines]) if lines else ""


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(filter(None, texts))


def _plain(messages: Sequence[Mapping[str, str]]) -> str:
    """A prompt for a model that only goes on with a text."""
    if not messages:
        return ""
    said = [f"{LABELS[message['role']]}{message['content']}" for message in messages]
    return "\n\n".join([*said, ANSWER])
