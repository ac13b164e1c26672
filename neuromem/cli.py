"""The command line: what can be said to it, and how it ends.

Only the parser is here; a command's module (`commands/`) is imported when the command runs, so that
`neuromem --help` starts at once. Exit status: 0 done; 1 an error of the store, or a check that failed;
2 bad input; 130 stopped with Ctrl-C; 141 the reader of the output went away. Output that cannot be written
(a full disk) is an error, too.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn, TypeAlias

from . import bench
from .commands import streams
from .errors import InvalidInput, NeuromemError, NotFound
from .shipped import DEFAULT_ENCODER, ENCODERS

__all__ = ["build_parser", "main"]

# prints a command's help, not its parser's type name
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"

EXIT_ERROR, EXIT_INPUT, EXIT_STOPPED, EXIT_PIPE = 1, 2, 130, 141
MODES = ("robust", "standard", "fast", "ultra")  # of the modem; `sound.modem` has them, and NumPy with them
CLASSES = ("control", "critical", "reliable", "standard", "high-density", "ultrasonic")  # the same
ME, ALL = 'default "me"', "default: everybody"  # whose memory a command means that names nobody
EPILOG = """\
examples:
  neuromem add "My dog's name is Potola"
  neuromem search "what is my dog called?"
  neuromem ingest conversations.json
  neuromem show

Every command takes --json, --user, --path, --config and --encoder; `neuromem COMMAND --help` says more.
A benchmark has options of its own: `neuromem bench NAME --help`.
Settings may also come from the environment: NEUROMEM_PATH, NEUROMEM_BANK__MAX_SLOTS=10, …
"""


class Parser(argparse.ArgumentParser):
    """Wrong usage is one line on stderr, like every other error."""

    def error(self, message: str) -> NoReturn:
        """Ends with status 2."""
        name = self.prog.removeprefix("neuromem").strip()
        command = f"neuromem {name}".strip()
        _complain(f"{message}; see: {command} --help")
        raise SystemExit(EXIT_INPUT)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: words after the program's name; `sys.argv` when None.

    Returns:
        The exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    streams.set_up()
    try:
        status = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(
            "\nneuromem: stopped; nothing acknowledged was lost. Run the same command again to go on.",
            file=sys.stderr,
        )
        return EXIT_STOPPED
    except BrokenPipeError:
        streams.let_go()
        return EXIT_PIPE
    except OSError as error:
        if not streams.unwritten(error):
            raise
        streams.let_go()
        _complain(f"the output cannot be written ({error.strerror}); make room, or send it elsewhere")
        return EXIT_ERROR
    except NeuromemError as error:
        _complain(str(error))
        return EXIT_INPUT if isinstance(error, InvalidInput | NotFound) else EXIT_ERROR
    except SystemExit as end:  # of argparse, or of rich when its reader is gone
        return end.code if isinstance(end.code, int) else EXIT_INPUT
    return status


def _run(words: list[str]) -> int:
    if words[:1] == ["bench"] and len(words) > 1 and not words[1].startswith("-"):
        return bench.run(words[1], words[2:])  # a benchmark has options of its own
    parser = build_parser()
    args = parser.parse_args(words)
    if args.command is None:
        parser.print_help(sys.stderr)
        return EXIT_INPUT
    module, _, function = args.run.partition(":")
    run: Callable[[argparse.Namespace], int] = getattr(
        import_module(f".commands.{module}", __package__), function
    )
    return run(args)


def _complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    line = "".join(char if char.isprintable() else " " for char in message)
    print(f"neuromem: error: {' '.join(line.split())}", file=sys.stderr)


# -- the parser ---------------------------------------------------------------------------------------


def build_parser() -> Parser:
    """The parser of everything but the benchmarks' own options."""
    parser = Parser(
        prog="neuromem",
        description="A memory that lives in weights: facts are written, fade, and return.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"neuromem {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for group in (
        _telling, _asking, _talking, _speaking, _keeping, _moving, _sounding, _serving, _looking,
    ):  # fmt: skip
        group(commands)
    return parser


def _version() -> str:
    from . import __version__

    return __version__


def _command(
    commands: Commands, name: str, run: str, what: str, more: str = "", *,
    user: str = 'default "me", else the only user', path: str | None = None,
) -> Parser:  # fmt: skip
    """A command with the options that all have; with a `path` of its own it ignores the environment's."""
    description = f"{what[0].upper()}{what[1:]}.{' ' + more if more else ''}"
    parser = commands.add_parser(name, help=what, description=description)
    parser.set_defaults(run=run)
    common = parser.add_argument_group("options of every command")
    common.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    common.add_argument("--user", metavar="NAME", help=f"whose memory ({user})")
    common.add_argument(
        "--path",
        metavar="FOLDER",
        default=None if path else os.environ.get("NEUROMEM_PATH"),
        help=path or "where the memory is kept (default: $NEUROMEM_PATH, else the user's data folder)",
    )
    common.add_argument("--config", metavar="FILE.toml", help="settings, such as [bank] max_slots = 10")
    common.add_argument("--encoder", metavar="NAME", help=f"{ENCODERS} (default: {DEFAULT_ENCODER})")
    return parser


def _telling(commands: Commands) -> None:
    add = _command(
        commands, "add", "tell:add", "remember what is said", "Questions and greetings are no facts.", user=ME
    )
    add.add_argument("text", nargs="+", metavar="TEXT", help="the words; - reads them from standard input")
    add.add_argument("--at", metavar="TIME", help="when it was said: ISO 8601 or Unix seconds (default: now)")
    add.add_argument("--metadata", metavar="JSON", help="""an object that comes back with the memory""")
    add.add_argument("--raw", action="store_true", help="keep the words as they are, whole")
    _extractor(add)
    ingest = _command(
        commands, "ingest", "tell:ingest", "read conversations from files",
        "The format is detected: plain text, JSON or JSONL messages, exports of ChatGPT, Claude and "
        "WhatsApp, LoCoMo JSON. An interrupted ingest goes on where it stopped.", user=ME,
    )  # fmt: skip
    ingest.add_argument("files", nargs="+", metavar="FILE", help="a file, or a .zip with a chat export")
    ingest.add_argument("--raw", action="store_true", help="keep every message as it is, whole")
    ingest.add_argument("--again", action="store_true", help="read a file even if it was read before")
    _extractor(ingest)


def _extractor(command: Parser) -> None:
    command.add_argument(
        "--extractor",
        metavar="MODEL",
        help="a language model that finds the facts, the rules behind it: openai:MODEL[@URL], "
        "anthropic:MODEL or gguf:PATH (default: llm.extractor of the settings, else the rules alone)",
    )


def _asking(commands: Commands) -> None:
    search = _command(
        commands, "search", "ask:search", "recall what answers a question", "Being recalled strengthens."
    )
    search.add_argument("query", nargs="+", metavar="QUERY", help="the question, in any words")
    search.add_argument("--limit", type=_whole, default=5, metavar="N", help="most results (default 5)")
    search.add_argument(
        "--fidelity", choices=("auto", "weights", "exact", "deep"), default="auto",
        help="weights: only what the slots say; exact: the words from the log; auto: the slots, and the "
        "log for a good answer that has faded (default); deep: and all of the log where no answer is good",
    )  # fmt: skip
    search.add_argument("--budget-ms", type=float, metavar="MS", help="stop fetching words after so long")
    search.add_argument(
        "--filter", action="append", default=[], metavar="KEY=VALUE", help="metadata a result must have"
    )
    search.add_argument("--explain", action="store_true", help="show the parts of the scores")
    search.add_argument("--no-rehearse", action="store_true", help="only look: change nothing")
    deep = _command(
        commands, "deep", "ask:deep", "search every word ever said", "Forgotten facts are found and return."
    )
    deep.add_argument("query", nargs="+", metavar="QUERY", help="the question, in any words")
    deep.add_argument("--limit", type=_whole, default=5, metavar="N", help="most results (default 5)")
    deep.add_argument("--budget-ms", type=float, metavar="MS", help="return what was found by then")
    show = _command(commands, "show", "ask:show", "list the memories, or one with its history")
    show.add_argument("id", nargs="?", metavar="ID", help="a memory's id, or its last letters; or a .flac")
    show.add_argument("--spectrogram", metavar="FILE.png", help="draw the sound of the .flac")
    show.add_argument("--clusters", action="store_true", help="memories that are alike, side by side")


def _talking(commands: Commands) -> None:
    chat = _command(
        commands, "chat", "chat:chat", "talk with an assistant that remembers",
        "With no --llm it answers from the recalled facts. /help tells the commands, such as /why and "
        "/time +30d. Lines may come from a pipe; --json prints one object for each answer.", user=ME,
    )  # fmt: skip
    _llm(chat)


def _speaking(commands: Commands) -> None:
    voice = _command(
        commands, "voice", "voice:voice", "talk with it by voice, offline",
        "It hears, recalls, answers, speaks, and is silent when you speak. With --input and --output it "
        "needs no sound card. With no --llm it answers from the recalled facts.", user=ME,
    )  # fmt: skip
    voice.add_argument(
        "--stt", metavar="NAME", default="pocketsphinx",
        help="what hears: pocketsphinx (default; its package holds an English model) or whisper:NAME_OR_PATH",
    )  # fmt: skip
    voice.add_argument(
        "--language", metavar="CODE", help="what is spoken, such as de; none: Whisper finds out"
    )
    voice.add_argument(
        "--tts", metavar="NAME", help="flite, espeak, say, piper:MODEL, none; else what is here"
    )
    _llm(voice)
    voice.add_argument("--input", metavar="FILE.wav", action="append", help="hear this; may be repeated")
    voice.add_argument("--output", metavar="FILE.wav", help="write the answers' sound there")
    voice.add_argument("--device-in", metavar="NAME", help="microphone; `neuromem doctor` lists devices")
    voice.add_argument("--device-out", metavar="NAME", help="loudspeaker")
    voice.add_argument(
        "--echo", choices=("guard", "half", "off"), default="guard",
        help="guard: tell your voice from its own; half: deaf while it speaks; off: headphones",
    )  # fmt: skip
    voice.add_argument("--log", metavar="FILE", help="JSON lines: what was heard, and each turn's times")


def _llm(command: Parser) -> None:
    command.add_argument(
        "--llm", metavar="MODEL",
        help="a language model that answers: gguf:PATH, openai:MODEL[@URL] or anthropic:MODEL",
    )  # fmt: skip


def _keeping(commands: Commands) -> None:
    sleep = _command(
        commands, "sleep", "keep:sleep", "merge what says the same, let the weights shrink as they are due",
        "What has faded is forgotten.", user=ALL,
    )  # fmt: skip
    sleep.add_argument("--budget", type=float, metavar="SECONDS", help="stop after so long; the next goes on")
    sleep.add_argument("--now", metavar="TIME", nargs="?", help="as of this time (default: the present)")
    rebuild = _command(
        commands, "rebuild", "keep:rebuild", "make the weights anew from the log", "Every word returns.",
        user=ALL,
    )  # fmt: skip
    rebuild.add_argument("--no-restore", action="store_true", help="the bank as it was, faded")
    verify = _command(
        commands,
        "verify",
        "keep:verify",
        "check every record, hash chain and Merkle tree of the log",
        user=ALL,
    )
    verify.add_argument("id", nargs="?", metavar="ID", help="prove that this memory's words are in the log")
    verify.add_argument("--since", metavar="HEAD", help="as verify printed it: nothing was changed since")


def _moving(commands: Commands) -> None:
    export = _command(commands, "export", "move:export", "write a memory to one file")
    export.add_argument(
        "file", metavar="FILE",
        help=".safetensors: the weights alone; .jsonl: the words from the log; .flac: all there is, in sound",
    )  # fmt: skip
    export.add_argument(
        "--profile", metavar="NAME",
        help="of a .flac: server, desktop, mobile, embedded, or durable, which survives 15 %% of wrong bytes",
    )  # fmt: skip
    export.add_argument(
        "--acoustic", nargs="?", const="robust", choices=MODES, metavar="MODE",
        help="a .flac that is played and heard: the log through the modem (robust, standard, fast, ultra)",
    )  # fmt: skip
    import_ = _command(commands, "import", "move:import_", "read a file that export wrote")
    import_.add_argument("file", metavar="FILE", help=".safetensors, .jsonl or .flac")
    import_.add_argument("--partial", action="store_true", help="of a memory heard with gaps, what there is")


def _sounding(commands: Commands) -> None:
    send = _command(
        commands, "send", "air:send", "send words or a file as sound, for another machine to hear",
        "It survives loudspeakers, rooms, telephones and lossy codecs; `neuromem listen` hears it.",
    )  # fmt: skip
    send.add_argument("what", nargs="*", metavar="TEXT|FILE", help="a path, or words; - is stdin")
    send.add_argument("--memory", action="store_true", help="the memory: what matters most is kept safest")
    send.add_argument("--importance", choices=CLASSES, help="the class that it travels in (default: plain)")
    send.add_argument("--output", metavar="FILE.wav", help="write the sound there, .wav or .flac")
    send.add_argument("--rate", type=_whole, default=48_000, metavar="HZ", help="of samples (default 48000)")
    send.add_argument("--spare", type=int, default=0, metavar="N", help="bursts of parity (default 0)")
    listen = _command(
        commands, "listen", "air:listen", "hear what `neuromem send` sends",
        "Ends with the first whole message.",
    )  # fmt: skip
    listen.add_argument("--input", metavar="FILE", help="a recording, instead of the microphone")
    listen.add_argument("--output", metavar="FILE", help="write what was received there, byte for byte")
    listen.add_argument("--memory", action="store_true", help="take in the memory that is sent")
    listen.add_argument("--partial", action="store_true", help="… what there is, if it comes with gaps")
    listen.add_argument("--seconds", type=_whole, metavar="N", help="give up after so long")
    for command, default in ((send, "robust"), (listen, None)):
        command.add_argument(
            "--mode", choices=MODES, default=default,
            help="robust: under 3.75 kHz, 2 kb/s; fast: to 16 kHz, good lines only (default: "
            f"{default or 'whichever is heard'})",
        )  # fmt: skip


def _serving(commands: Commands) -> None:
    serve = _command(
        commands, "serve", "serve:serve", "answer over HTTP, as a memory service and as mem0 does",
        "It does not forget unless [forgetting] decay says so. Keys: NEUROMEM_SERVER__ADMIN_KEY.",
    )  # fmt: skip
    serve.add_argument("--host", metavar="ADDRESS", help="where to listen (default 127.0.0.1)")
    serve.add_argument("--port", type=_whole, metavar="N", help="default 8888; 0: any that is free")
    serve.add_argument("--tls-cert", metavar="PEM", help="certificate, with its chain")
    serve.add_argument("--tls-key", metavar="PEM", help="its private key")
    serve.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), default="info",
        help="JSON lines on stderr; they never hold what was said (default info)",
    )  # fmt: skip
    mem0_env = _command(
        commands,
        "mem0-env",
        "mem0_env:mem0_env",
        "run a program whose mem0 clients talk to your own server",
        "MemoryClient() and AsyncMemoryClient() that are told no host go to --url, also inside of AutoGen, "
        "Agno, CAMEL and others. Without a program, what it would set is printed, for a shell.",
    )
    mem0_env.add_argument(
        "--url", help="address of the server (default: $NEUROMEM_URL, else http://127.0.0.1:8888)"
    )
    mem0_env.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="-- PROGRAM", help="the program and its arguments"
    )
    mcp = _command(
        commands,
        "mcp",
        "mcp:mcp",
        "the memory for agents, over the Model Context Protocol",
        "An agent's client starts it and speaks to it over standard input and output. Nothing fades unless "
        "the settings say so.",
    )
    mcp.add_argument(
        "--http", action="store_true", help="serve (see there); clients come to http://HOST:PORT/mcp"
    )
    mcp.add_argument("--host", metavar="HOST", help="address to listen on (default: 127.0.0.1)")
    mcp.add_argument("--port", type=_whole, metavar="PORT", help="port to listen on (default: 8888)")
    mcp.add_argument(
        "--url", metavar="URL", help="speak through a server that runs, instead of opening the store"
    )
    mcp.add_argument("--api-key", metavar="KEY", help="its key (default: $NEUROMEM_API_KEY)")
    mcp.set_defaults(tls_cert=None, tls_key=None, log_level="warning")


def _looking(commands: Commands) -> None:
    benches = _command(
        commands, "bench", "look:benches", "measure our claims on this machine",
        "`neuromem bench` lists the benchmarks, `neuromem bench NAME --help` explains one.",
    )  # fmt: skip
    benches.add_argument("name", nargs="?", metavar="NAME", help=f"one of {', '.join(bench.NAMES)}")
    _command(commands, "doctor", "doctor:doctor", "check this installation", "Ends with status 1 on a FAIL.")
    demo = _command(
        commands, "demo", "demo:demo", "tell it a conversation, let months pass, watch it fade and return",
        "The store is made anew in .demo/ (or --path).",
        path="where the demo's store is made (default: .demo)",
    )  # fmt: skip
    demo.add_argument("--plain", action="store_true", help="plain text, 100 columns, no colour")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from error
