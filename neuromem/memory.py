"""Memory: the public face.

Every change is an event, appended to the log durably and then folded into the owner's bank (`fold.py`);
every answer comes from the bank's weights (`recall.py`), and from the log only when the exact words are
asked for, needed, or gone from the weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from . import telling, transfer
from .asking import Filters, Search, look, read_hits
from .bank import SlotBank
from .checks import check_fidelity, check_search
from .config import Config
from .conscious import ConsciousSets
from .deep import search_log
from .encoders import Encoder
from .engine import Engine, Owner, Written
from .fold import milliseconds
from .heap import give_back
from .identity import canonical_id, seconds_of
from .log import Record, VerifyReport
from .named import user_ids
from .owners import Notice, Progress
from .proof import Head, Proof, head_of, prove, verify_since
from .reader import Extractor
from .recall import Recall

if TYPE_CHECKING:
    from .sound.memory_file import Gaps

__all__ = ["Memory", "Written"]

Messages = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Memory:
    """A memory that lives in weights, of any number of owners.

    >>> memory = Memory()                                   # in RAM; Memory("folder") keeps it
    >>> _ = memory.add("My dog's name is Potola", user_id="ana")
    >>> memory.search("what is my dog called?", user_id="ana")[0].text
    "My dog's name is Potola"

    Args:
        path: folder of the store, made when missing; None: in RAM only.
        config: a `Config`, or a nested dict such as ``{"bank": {"max_slots": 10}}``.
        encoder: "transformer", "conv", … (see `load_encoder`), None (the default one), or an `Encoder`. When
            it is another than before, banks are keyed anew from the log as they are opened.
        clock: gives Unix seconds; with one of your own a test or a notebook moves time.
        readonly: looks only; another process may be writing.
        progress: called with (events done, events in all) while a bank is brought in step with the log.
        notice: called with a line that says why, when a bank has to be made anew (another encoder).
        extractor: finds the facts in talk: "openai:MODEL@URL", … (as `llm.extractor` of the settings), or an
            object called as `facts.extract`, such as `llm.LLMExtractor`. The rules where it fails, or None.

    Raises:
        InvalidInput, ConfigError: an argument is wrong. StoreLocked: another process is writing.

    Of methods: InvalidInput where an argument cannot be meant, NotFound where a memory, user or file is not
    there (searched or listed, somebody unknown has nothing), ReadOnly where `readonly` forbids it.
    """

    def __init__(
        self, path: str | Path | None = None, config: Config | Mapping[str, Any] | None = None,
        encoder: str | Encoder | None = None, clock: Callable[[], float] = time.time, *,
        readonly: bool = False, progress: Progress | None = None, notice: Notice | None = None,
        extractor: str | Extractor | None = None,
    ) -> None:  # fmt: skip
        settings = config if isinstance(config, Config) else Config.load(config)
        self._engine = Engine(path, settings, encoder, clock, readonly, None, progress, notice, extractor)
        self._conscious = ConsciousSets()

    @classmethod
    def _past(cls, engine: Engine) -> Self:
        memory = cls.__new__(cls)
        memory._engine, memory._conscious = engine, ConsciousSets()
        return memory

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Waits for what wrapped clients of models are still to tell it (20 s at most), snapshots the banks
        and closes the log. More calls do nothing, other calls raise Closed."""
        self._engine.close()

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._engine.config

    @property
    def engine(self) -> Engine:
        """The parts below: log, codec, keys, owners. For research and tools; no promise is made of it."""
        return self._engine

    # -- telling --------------------------------------------------------------------------------

    def add(
        self, messages: Messages, user_id: str | None = None, *, agent_id: str | None = None,
        app_id: str | None = None, run_id: str | None = None, metadata: Mapping[str, Any] | None = None,
        timestamp: float | datetime | str | None = None, infer: bool = True,
        progress: Progress | None = None,
    ) -> list[Written]:  # fmt: skip
        """Remembers what is said; durable when it returns.

        Args:
            messages: words, or OpenAI-style messages; "name" says who speaks.
            user_id: whose memory it is (else agent_id, else app_id, else run_id).
            metadata: JSON values that come back with the memory.
            timestamp: when it was said (Unix seconds, datetime or ISO 8601); now when None. A message
                may have one of its own under "timestamp".
            infer: keep facts only, sentence by sentence; False keeps every message as it is.
            progress: called with (facts written, facts in all).

        Returns:
            One `Written` for each fact: event "ADD"; "UPDATE" when it replaces what was known;
            "REINFORCE" when it was known already. Words that are no fact stay in the log but give
            no `Written`.

        Raises:
            InvalidInput: blank text, wrong type, owner or metadata missing or malformed.
            CapacityExhausted: the bank is full and may not evict. StoreFull: so is the disk.
        """
        owner = Owner.of(user_id, agent_id, run_id, app_id)
        self._engine.now_ms()
        call = telling.Call.of(self._engine, messages, metadata, timestamp, infer)
        return telling.add_all(self._engine, owner, [call], progress)[0]

    def update(
        self,
        id: str,
        text: str | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        timestamp: float | datetime | str | None = None,
    ) -> Written:
        """Gives a memory new words, other metadata, or another time of telling; its history keeps the old.

        Args:
            text: None keeps the words. metadata: in place of what it had; None keeps it.
            timestamp: when it was told (`Recall.created_at`); None keeps it.

        Raises:
            InvalidInput: nothing to change, or it is malformed. NotFound: no such memory.
        """
        return telling.change(self._engine, id, text, metadata, timestamp)

    def delete(self, id: str | list[str] | tuple[str, ...], *, user_id: str | None = None) -> None:
        """Forgets memories for good: from the weights, the log, and the file's freed pages.

        Args:
            user_id: only if they are this user's; None: whoever has them.

        Raises:
            NotFound: there is no such memory; of several, none is deleted then.
            StoreFull: the words could not leave the log yet; they go with the next opening that finds room.
        """
        owner = None if user_id is None else Owner.of(user_id, None, None)
        telling.delete(self._engine, id if isinstance(id, list | tuple) else [id], owner)

    def delete_all(
        self, user_id: str | None = None, *, agent_id: str | None = None, app_id: str | None = None,
        run_id: str | None = None,
    ) -> int:  # fmt: skip
        """Forgets an owner for good, every word. Returns how many memories the weights held.

        Raises:
            StoreFull: as `delete`; where only the file could not be purged, nobody is left all the same.
        """
        return telling.delete_owner(self._engine, Owner.of(user_id, agent_id, run_id, app_id))

    # -- asking ---------------------------------------------------------------------------------

    def search(
        self, query: str, user_id: str | None = None, *, agent_id: str | None = None,
        app_id: str | None = None, run_id: str | None = None, limit: int = 10, filters: Filters | None = None,
        fidelity: str = "auto", budget_ms: float | None = None, explain: bool = False,
        rehearse: bool = True, current_view: bool = True, now: float | datetime | str | None = None,
    ) -> list[Recall]:  # fmt: skip
        """Recalls what answers a question, best first.

        Args:
            limit: most results, 1 to 10,000.
            filters: metadata that results must have, such as ``{"topic": "pets"}``; or a function that
                says of a memory's id whether it may be a result.
            fidelity: "weights": what the slots say, never more. "exact": the words from the log. "auto": the
                slots; where a good answer has faded below its gist, or is not sure of its letters, the exact
                words are fetched and the slot is written anew. "deep": that, and where no answer is good,
                all that was ever said is searched, too (as `deep` does).
            budget_ms: all but "weights" stop looking for words when so much time is spent.
            explain: results carry the parts of their scores.
            rehearse: being recalled strengthens a memory; False only looks.
            current_view: what was superseded is left out, unless the question is about the past ("where did
                I live before?", "… in January?"). False: everything. now: ask as if it were this time.

        Raises:
            InvalidInput: blank query, no owner, bad limit, filter, fidelity or budget.
        """
        check_search(query, limit, fidelity, budget_ms, deep=True)
        owner = Owner.of(user_id, agent_id, run_id, app_id)
        at = None if now is None else milliseconds(seconds_of(now, "now"))
        return Search(
            query, limit, filters, fidelity, budget_ms, explain, rehearse, current_view, at
        ).of(self._engine, owner)  # fmt: skip

    def deep(
        self, query: str, user_id: str | None = None, *, agent_id: str | None = None,
        app_id: str | None = None, run_id: str | None = None, limit: int = 10,
        progress: Progress | None = None, budget_ms: float | None = None,
        among: Callable[[Record], bool] | None = None,
    ) -> list[Recall]:  # fmt: skip
        """The slow path: searches every word in the log, forgotten facts included.

        What is found and had faded or was gone is written back into the weights.

        Args:
            among: tells of a record of the log whether its words are looked at; None: all are.
        """
        check_search(query, limit, "auto", budget_ms)
        owner = Owner.of(user_id, agent_id, run_id, app_id)
        deadline = None if budget_ms is None else time.monotonic() + budget_ms / 1_000
        self._engine.now_ms()
        with self._engine.owners.threads:
            found = search_log(
                self._engine.log, owner.name, query, self._engine.keys, limit, progress, deadline,
                self._engine.owners.until, among,
            )  # fmt: skip
        with self._engine.owners.use(owner.name) as open_:
            return self._engine.bring_back(open_, found)

    def get(self, id: str, fidelity: str = "auto") -> Recall:
        """One memory, only looked at. `fidelity`: "exact" gives the words from the log.

        Raises:
            InvalidInput: not a UUID. NotFound: no such memory, or it is forgotten.
        """
        check_fidelity(fidelity)
        memory_id = canonical_id(id)
        with self._engine.use_owner_of(memory_id) as open_:
            recalls = look(self._engine, open_, [memory_id], fidelity)
        return recalls[0]

    def all(
        self, user_id: str | None = None, *, agent_id: str | None = None, app_id: str | None = None,
        run_id: str | None = None, fidelity: str = "auto",
    ) -> list[Recall]:  # fmt: skip
        """Everything the weights hold of an owner, oldest first, only looked at.

        What was replaced or taken back is there, too: `Recall.superseded_by`, `Recall.retracted`.
        """
        check_fidelity(fidelity)
        owner = Owner.of(user_id, agent_id, run_id, app_id)
        with self._engine.owners.use(owner.name) as open_:
            recalls = look(self._engine, open_, open_.bank.ids(), fidelity)
        return sorted(recalls, key=lambda recall: recall.created_at)

    def conscious(
        self, user_id: str | None = None, *, agent_id: str | None = None, app_id: str | None = None,
        run_id: str | None = None,
    ) -> list[Recall]:  # fmt: skip
        """The essential facts that hold now, what matters most first, only looked at.

        Who the user is, family, health, home, work, lasting preferences, and what is often recalled; at
        most ``config.context.essentials``.
        """
        owner = Owner.of(user_id, agent_id, run_id, app_id)
        with self._engine.owners.use(owner.name, settle=False) as open_:
            return self._conscious.of(
                open_, self._engine.now_ms(), self.config.context.essentials,
                lambda hits: read_hits(self._engine, open_, hits, self._engine.now_ms()),
            )  # fmt: skip

    def history(self, id: str) -> list[dict[str, Any]]:
        """What happened to a memory, oldest first: its words, changes, rehearsals, deletion."""
        return self._engine.history(id)

    # -- time -----------------------------------------------------------------------------------

    def sleep(
        self, now: float | None = None, user_id: str | None = None, *, budget_s: float | None = None,
        progress: Progress | None = None,
    ) -> dict[str, int]:  # fmt: skip
        """Merges what says the same, refreshes essentials in use, shrinks, forgets what has faded.

        Args:
            now: Unix seconds; the clock's time when None. user_id: one owner; everybody when None.
            budget_s: it stops cleanly after so many seconds; the next sleep goes on.

        Returns:
            ``{"owners": …, "held": …, "forgotten": …, "merged": …, "refreshed": …, "left": …}``.
        """
        self._conscious.forget_texts()
        done = self._engine.sleep(now, user_id, budget_s, progress)
        give_back()
        return done

    def rebuild(
        self, user_id: str | None = None, *, restore: bool = True, progress: Progress | None = None
    ) -> dict[str, int]:
        """Makes banks anew from the log, slowly and exactly.

        Args:
            user_id: one owner; everybody when None.
            restore: what has faded or was forgotten gets its words back, as if it were heard again now.
                False: the bank as it was, bit for bit where nothing was deleted.
            progress: called with (events done, events in all).
        """
        return self._engine.rebuild(user_id, restore, progress)

    def at(self, timestamp: float | datetime | str) -> Memory:
        """What was known at a time: a read-only memory of that moment."""
        return self._past(self._engine.at(timestamp))

    def verify(
        self, progress: Progress | None = None, user_id: str | None = None, since: Head | str | None = None
    ) -> VerifyReport:
        """Checks every record's hash, the chains and the Merkle trees; `.ok` and `.problems`.

        Args:
            user_id: one user's log; None: everybody's.
            since: a `head` of that user's: the log that it stood for must be how that of now begins.
        """
        self._engine.owners.settle_all()
        named, log = user_id is not None or since is not None, self._engine.log
        one = Owner.of(user_id, None, None).name if named else None
        report = log.verify(one, progress)
        return report if one is None or since is None else verify_since(log, one, report, since)

    def head(self, user_id: str | None = None) -> Head:
        """Where a user's log stands: its size and its Merkle root, which stand for every word in it."""
        self._engine.owners.settle_all()
        return head_of(self._engine.log, Owner.of(user_id, None, None).name, self._engine.owners.until)

    def prove(self, id: str, head: Head | str | None = None) -> Proof:
        """That a memory's words are in the log of a `head`, that of now when None; see `Proof.holds`.

        Raises: InvalidInput: no UUID, or no head of this log. NotFound: no such memory, or no log has it.
        """
        memory_id = canonical_id(id)
        with self._engine.use_owner_of(memory_id) as open_:
            record, until = self._engine.record(open_, memory_id), self._engine.owners.until
            return prove(self._engine.log, record, memory_id, head, until)

    def stats(self) -> dict[str, dict[str, int]]:
        """Counts since it was opened: "extraction", what an extractor read and where the rules stepped in."""
        return {"extraction": self._engine.reader.counts}

    # -- the tensors ----------------------------------------------------------------------------

    def users(self) -> list[str]:
        """Ids of the users that have said anything."""
        self._engine.now_ms()
        return user_ids(self._engine.log)

    def bank(self, user_id: str | None = None) -> SlotBank:
        """An owner's slots, in step with the log; `state_dict()` is everything. Treat it as read-only."""
        with self._engine.owners.use(Owner.of(user_id, None, None).name) as open_:
            return open_.bank

    def export(
        self, path: str | Path, user_id: str | None = None, profile: str | None = None,
        acoustic: str | None = None,
    ) -> Path:  # fmt: skip
        """Writes an owner's memory to one file, by suffix.

        `.safetensors`: the bank alone; its words are in the weights, as far as they have not faded.
        `.jsonl`: the words of every memory from the log, with times, metadata and how strong it is.
        `.flac`: log and bank, byte for byte, in sound; `profile` as `sound.profiles.PROFILES`.
        With `acoustic`, a mode of `sound.modem`: the log alone, to be played and heard by another machine.
        """
        return transfer.export(self._engine, Path(path), user_id, profile, acoustic)

    def import_(
        self, path: str | Path, user_id: str | None = None, on_gaps: Callable[[Gaps], None] | None = None
    ) -> int:
        """Reads what `export` wrote into an owner's memory; returns how many memories came. Ids are kept,
        but for those that another owner of this store has.

        Args:
            on_gaps: of a memory that was played and came with gaps, told what is missing (`Gaps`); the rest
                is taken in. None: `SignalDamaged` is raised then.
        """
        return transfer.import_(self._engine, Path(path), user_id, on_gaps)
