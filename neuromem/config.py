"""All settings: one frozen dataclass tree, validated where it is built.

`Config.load` takes a nested dict, a TOML file and environment variables
(``NEUROMEM_BANK__MAX_SLOTS=10``), in rising order of precedence. An unknown key is an error that
names the known ones: a misspelt setting must not be silently ignored.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from .checks import check_range, fits_header
from .errors import ConfigError

__all__ = [
    "BankConfig",
    "Config",
    "ContextConfig",
    "ForgettingConfig",
    "LLMConfig",
    "LogConfig",
    "RecallConfig",
    "ServerConfig",
    "SleepConfig",
    "WriteConfig",
]

ENV_PREFIX = "NEUROMEM_"
MODELS = "openai:MODEL, openai:MODEL@URL, anthropic:MODEL or gguf:PATH"


def _check(name: str, value: float, low: float, high: float) -> None:
    check_range(name, value, low, high, ConfigError)


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(name, f"{value!r} is not known", f"choose one of {', '.join(allowed)}")


@dataclass(frozen=True, slots=True)
class BankConfig:
    """Capacity and place of an owner's slots."""

    max_slots: int = 100_000  # hard limit; beyond it the weakest unpinned slot gives way
    max_kib: int = 0  # the same limit in KiB, of all that the slots hold; the lower one counts; 0: none
    block_slots: int = 256  # first allocation; growth doubles it (neurogenesis, amortized O(1))
    device: str = "auto"  # auto prefers mps, then cuda, then cpu; or any torch device string
    when_full: str = "evict"  # "evict" the weakest unpinned slot, or "refuse" with CapacityExhausted
    lexical_buckets: int = 0  # width of a hashed lexical part of a key; marks match words exactly without it
    threads: int = 1  # CPU threads that torch uses while the memory works; 0: as torch is set
    open_banks: int = 64  # owners whose banks are kept in memory (LRU)

    def __post_init__(self) -> None:
        _check("bank.max_slots", self.max_slots, 1, 10_000_000)
        _check("bank.max_kib", self.max_kib, 0, 1 << 32)
        _check("bank.block_slots", self.block_slots, 1, 1_000_000)
        _check("bank.lexical_buckets", self.lexical_buckets, 0, 8_192)
        _check("bank.threads", self.threads, 0, 1_024)
        _check("bank.open_banks", self.open_banks, 1, 100_000)
        _choice("bank.when_full", self.when_full, ("evict", "refuse"))


@dataclass(frozen=True, slots=True)
class WriteConfig:
    """The write loop (design: steps must earn their place; 0 turns it off)."""

    max_steps: int = 48  # budget of gradient steps for a value; easy facts take 0-3
    learning_rate: float = 0.02  # Adam's step on the code, in units of full amplitude
    key_steps: int = 12  # gradient steps that sculpt the key
    key_margin: float = 0.15  # cosine by which a cue should prefer its own slot to a neighbour
    key_anchor: float = 0.90  # lowest cosine of the sculpted key with the encoder's own target
    cue_share: float = 0.3  # weight of the question that a fact answers in its key, beside the words' own
    neighbours: int = 16  # nearest other slots that the key is set apart from
    seed: int = 0

    def __post_init__(self) -> None:
        _check("write.max_steps", self.max_steps, 0, 10_000)
        _check("write.learning_rate", self.learning_rate, 1e-6, 10)
        _check("write.key_steps", self.key_steps, 0, 10_000)
        _check("write.key_margin", self.key_margin, 0, 1)
        _check("write.key_anchor", self.key_anchor, 0, 1)
        _check("write.cue_share", self.cue_share, 0, 10)
        _check("write.neighbours", self.neighbours, 0, 4_096)
        _check("write.seed", self.seed, 0, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class ForgettingConfig:
    """FSRS-6's curve and updates, and the map from retrievability to strength.

    `decay="power"` fades; `decay="none"`, or None, never does. With the defaults a fact of middling
    importance, said once, is verbatim for eleven days, a gist until day 18, and gone after 57 days;
    small talk lasts for hours, an allergy or an address for the better part of a year.
    """

    decay: str | None = "power"  # None is read as "none"
    initial_stability_days: float = 25.7  # of a fact of importance 0.5, said once
    importance_range: float = 4_000.0  # stability of importance 1 over that of importance 0
    curve_exponent: float = 0.1542  # FSRS-6's w20
    strength_exponent: float = 3 / 0.1542  # s = R ** this: s = (1 + F·t/S) ** -3
    max_stability_days: float = 36_500.0

    def __post_init__(self) -> None:
        decay = "none" if self.decay is None else self.decay
        object.__setattr__(self, "decay", decay)
        _choice("forgetting.decay", decay, ("power", "none"))
        _check("forgetting.initial_stability_days", self.initial_stability_days, 0.001, 36_500)
        _check("forgetting.importance_range", self.importance_range, 1, 10_000)
        _check("forgetting.curve_exponent", self.curve_exponent, 0.01, 2)
        _check("forgetting.strength_exponent", self.strength_exponent, 0.01, 100)
        _check("forgetting.max_stability_days", self.max_stability_days, 0.001, 1e6)


@dataclass(frozen=True, slots=True)
class RecallConfig:
    """Scoring of a search."""

    candidates: int = 120  # memories of the lookup that are weighed with the talk around them
    strength_weight: float = 0.15  # share of the score that a fading slot may lose
    lexical_weight: float = 0.15  # share of the hashed lexical part in a key's squared norm
    min_score: float = 0.0  # results below it are not returned
    rehearse_score: float = 0.25  # a result at least this good is rehearsed by being recalled
    low_confidence: float = 0.25  # only a result at least this good is worth fetching exact words for

    def __post_init__(self) -> None:
        _check("recall.candidates", self.candidates, 1, 100_000)
        for name in ("strength_weight", "lexical_weight", "low_confidence"):
            _check(f"recall.{name}", getattr(self, name), 0, 1)
        for name in ("min_score", "rehearse_score"):
            _check(f"recall.{name}", getattr(self, name), -1, 2)


@dataclass(frozen=True, slots=True)
class ContextConfig:
    """The fixed budget of a prompt, in tokens, and the size of the conscious set.

    The budget is the sum of the five shares: 4,096 tokens. The package `context` says how what one part
    leaves over flows to the next.
    """

    system: int = 256  # share of the system text
    memories: int = 1_024  # … of the conscious set and the memories recalled for this turn
    history: int = 2_048  # … of the talk so far
    turn: int = 512  # … of the current turn; a longer one is cut in the middle
    response: int = 256  # … kept free for the answer
    conscious: int = 512  # of the memories' share, the most that the conscious set takes
    gists: int = 512  # of the history's share, the most that gists of older turns take
    compress_at: int = 2_000  # a prompt longer than this is compressed: older turns become gists
    recent_turns: int = 6  # turns that stay verbatim when it is, if they fit
    block_turns: int = 32  # so many turns are compressed at a time: in between, a prompt keeps its beginning
    lookback_turns: int = 256  # older turns are not looked at: what is known of them is in the memory
    essentials: int = 24  # facts in the conscious set at most
    message_overhead: int = 8  # tokens that a chat template puts around a message
    prompt_overhead: int = 16  # … around the whole prompt: its beginning and the answer's
    estimate: str = "words"  # with no tokenizer: "words" or "bytes" (see tokens.py)

    def __post_init__(self) -> None:
        for name in (
            "system",
            "memories",
            "history",
            "turn",
            "response",
            "conscious",
            "gists",
            "compress_at",
        ):
            _check(f"context.{name}", getattr(self, name), 0, 10_000_000)
        for name in ("recent_turns", "message_overhead", "prompt_overhead"):
            _check(f"context.{name}", getattr(self, name), 0, 10_000)
        for name in ("block_turns", "lookback_turns", "essentials"):
            _check(f"context.{name}", getattr(self, name), 1, 10_000)
        _choice("context.estimate", self.estimate, ("words", "bytes"))

    @property
    def budget(self) -> int:
        """Tokens of prompt and answer together."""
        return self.system + self.memories + self.history + self.turn + self.response

    @property
    def prompt_budget(self) -> int:
        """Tokens of the prompt alone."""
        return self.budget - self.response


@dataclass(frozen=True, slots=True)
class SleepConfig:
    """What sleep does besides shrinking and forgetting."""

    merge: bool = True  # memories that say the same become one
    refresh_days: float = 7.0  # essentials in use are rehearsed so long before they fade; 0: never

    def __post_init__(self) -> None:
        _check("sleep.refresh_days", self.refresh_days, 0, 36_500)


@dataclass(frozen=True, slots=True)
class LLMConfig:
    """A language model that reads talk for facts, with the rules behind it; none by default."""

    extractor: str = ""  # openai:MODEL, openai:MODEL@URL, anthropic:MODEL, gguf:PATH (keys: environment)
    timeout_s: float = 20.0  # for one question to it, of a dozen turns
    deadline_s: float = 120.0  # for 256 turns: what is left then, the rules read

    def __post_init__(self) -> None:
        kind, _, rest = self.extractor.partition(":")
        if self.extractor and not (kind in ("openai", "anthropic", "gguf") and rest.strip()):
            raise ConfigError("llm.extractor", f"{self.extractor!r} is not known", f"give {MODELS}")
        _check("llm.timeout_s", self.timeout_s, 0.001, 86_400)
        _check("llm.deadline_s", self.deadline_s, 0.001, 86_400)


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """`neuromem serve`."""

    host: str = "127.0.0.1"  # beyond loopback only with an admin key
    port: int = 8888
    admin_key: str = ""  # bootstraps: makes users and their keys; better given as NEUROMEM_SERVER__ADMIN_KEY
    threads: int = 4  # requests that are worked on at the same time: half of them searches, half adds
    queue: int = 256  # … that may wait for that; more are answered 503 with Retry-After
    max_body_kib: int = 4_096  # of a request
    rate_per_s: float = 0.0  # requests a key may make, on average; 0: as many as it likes
    burst: int = 60  # … at once
    cors: str = ""  # origins that a browser may call from, separated by commas; "*" for all
    tls_cert: str = ""  # PEM files; without them a proxy should speak TLS
    tls_key: str = ""
    sleep_every_s: float = 3_600.0  # between two sleeps of the memory; 0: never by itself
    mcp_user: str = ""  # whose memory MCP means when neither a call, its URL nor its key says so
    archives_mib: int = 1_024  # of a user's sound archives, all together
    drain_s: float = 10.0  # for what is being worked on when the server is told to stop

    def __post_init__(self) -> None:
        _check("server.port", self.port, 0, 65_535)
        _check("server.archives_mib", self.archives_mib, 1, 1 << 24)
        for name, most in (("threads", 256), ("queue", 100_000), ("max_body_kib", 1 << 20), ("burst", 1e6)):
            _check(f"server.{name}", getattr(self, name), 1, most)
        for name in ("rate_per_s", "sleep_every_s", "drain_s"):
            _check(f"server.{name}", getattr(self, name), 0, 1e9)
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ConfigError("server.tls_cert", "needs server.tls_key with it", "give both, or neither")
        if not fits_header(self.admin_key):  # nobody could ever show it
            problem = "holds what no header carries, such as a line break or a space at its end"
            raise ConfigError("server.admin_key", problem, "give letters, digits and punctuation")


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The event log and the snapshots of the banks."""

    sync: bool = True  # every commit reaches the disk before it is acknowledged
    map_mib: int = 64  # first size of the LMDB map; it grows by itself
    compression_level: int = 12  # zstd; 5 us a record more than 3, and 4 % smaller
    snapshot_events: int = 2_000  # a bank is snapshotted after this many events, and on close

    def __post_init__(self) -> None:
        _check("log.map_mib", self.map_mib, 1, 1 << 20)
        _check("log.compression_level", self.compression_level, 1, 22)
        _check("log.snapshot_events", self.snapshot_events, 1, 10_000_000)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole tree. `Config()` is the default of everything."""

    bank: BankConfig = field(default_factory=BankConfig)
    write: WriteConfig = field(default_factory=WriteConfig)
    forgetting: ForgettingConfig = field(default_factory=ForgettingConfig)
    recall: RecallConfig = field(default_factory=RecallConfig)
    context: ContextConfig = field(default_factory=ContextConfig)
    log: LogConfig = field(default_factory=LogConfig)
    sleep: SleepConfig = field(default_factory=SleepConfig)
    llm: LLMConfig = field(default_factory=LLMConfig)
    server: ServerConfig = field(default_factory=ServerConfig)

    @classmethod
    def load(
        cls,
        settings: Mapping[str, Any] | None = None,
        *,
        file: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> Self:
        """Builds a Config from a TOML file, then environment variables, then `settings`.

        Args:
            settings: nested dict, such as ``{"bank": {"max_slots": 10}}``.
            file: a TOML file of the same shape.
            env: variables to read; ``os.environ`` when None. ``NEUROMEM_BANK__MAX_SLOTS=10``.
            defaults: nested dict of what holds where nobody says otherwise.

        Raises:
            ConfigError: unknown key, wrong type, or value out of range; `settings` is no dict.
        """
        if settings is not None and not isinstance(settings, Mapping):
            remedy = 'give a dict such as {"bank": {"max_slots": 10}}, or Config.load(file=…) for a TOML file'
            raise ConfigError("config", f"{settings!r} is not a dict of settings", remedy)
        merged: dict[str, Any] = _merge({}, defaults or {})
        if file is not None:
            merged = _merge(merged, _read_toml(Path(file)))
        merged = _merge(merged, _from_env(os.environ if env is None else env))
        merged = _merge(merged, settings or {})
        built: Self = _build(cls, merged, "")
        return built

    def to_dict(self) -> dict[str, Any]:
        """The tree as plain values; `Config.load(config.to_dict(), env={})` gives it back."""
        return dataclasses.asdict(self)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            "config", f"{path} cannot be read ({error.strerror})", "give a TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("config", f"{path} is not TOML ({error})", "mend that line") from error


def _from_env(env: Mapping[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in env.items():
        if name.startswith(ENV_PREFIX) and "__" in name:
            section, _, key = name[len(ENV_PREFIX) :].lower().partition("__")
            tree.setdefault(section, {})[key] = value
        elif name.startswith(ENV_PREFIX):
            _check_spelling(name, value)
    return tree


def _check_spelling(name: str, value: str) -> None:
    """Raises ConfigError for a setting whose section and key are joined by one underscore only."""
    section, _, key = name[len(ENV_PREFIX) :].lower().partition("_")
    # Kubernetes sets NEUROMEM_SERVER_PORT so where a service is called neuromem-server: no setting of ours
    linked = value.startswith("tcp://")
    if not linked and key in getattr(get_type_hints(Config).get(section), "__slots__", ()):
        remedy = f"write {ENV_PREFIX}{section.upper()}__{key.upper()}, with two underscores"
        raise ConfigError(name, "is no setting", remedy)


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = _merge(dict(out[key]), value) if both else value
    return out


def _build(cls: Any, values: Mapping[str, Any], prefix: str) -> Any:
    hints = get_type_hints(cls)
    kwargs: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if key not in hints:
            raise ConfigError(name, "unknown setting", f"known here: {', '.join(sorted(hints))}")
        kind = hints[key]
        if dataclasses.is_dataclass(kind):
            if not isinstance(value, Mapping):
                raise ConfigError(name, f"{value!r} is not a table", "give key = value pairs")
            kwargs[key] = _build(kind, value, f"{name}.")
        else:
            kwargs[key] = _convert(name, value, kind)
    return cls(**kwargs)


def _convert(name: str, value: Any, kind: Any) -> Any:
    """Checks a value's type; text (from the environment) is parsed into it."""
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if value is None and type(None) in options:
        return None
    for option in options:
        if option is bool and isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
            return value.lower() in ("true", "1")
        if option in (int, float) and isinstance(value, str):
            try:
                return option(value)
            except ValueError:
                continue
        if option is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, option) and not (option is int and isinstance(value, bool)):
            return value
    wanted = " or ".join(getattr(option, "__name__", str(option)) for option in options)
    raise ConfigError(name, f"{value!r} is not {wanted}", f"give {wanted}")
