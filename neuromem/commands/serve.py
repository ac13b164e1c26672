"""serve: the HTTP server."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import sys
import threading
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..config import Config, ServerConfig
from ..errors import ConfigError, InvalidInput, MissingDependency, StoreError
from ..heap import loading
from .common import STEADY, check_folder, settings, store_path

__all__ = ["serve"]

BACKLOG = 2_048  # connections that the system holds until they are taken
OPEN_BANKS = 512  # by default: a server has many users, and a bank that few use takes 0.3 MB
KEEP_ALIVE_S = 30  # an idle connection is closed after so long
OPTIONS = ("host", "port", "tls_cert", "tls_key")
SWITCH_S = 0.001  # after which work gives way to the loop that reads and writes sockets (Python's: 0.005)
PACKAGES = ("fastapi", "uvicorn", "prometheus_client")


def serve(args: Namespace) -> int:
    """Runs the server until it is told to stop (SIGTERM or Ctrl-C)."""
    config, path = _settings(args), store_path(args)
    for package in PACKAGES:
        if find_spec(package) is None:
            raise MissingDependency("the server", package, "server")
    check_folder(path)
    _check_reach(config.server, path)
    _check_tls(config.server)
    with _listening(config.server) as listener:
        _run(args, path, config, listener)
    return 0


def _settings(args: Namespace) -> Config:
    """Settings of file, environment and options, in rising order; a server forgets only if one says so."""
    config = settings(args, STEADY | {"bank": {"open_banks": OPEN_BANKS}})
    if os.environ.get("NEUROMEM_ADMIN_KEY") and not config.server.admin_key:  # compose.yaml's, on its host
        remedy = "write NEUROMEM_SERVER__ADMIN_KEY, or the server stays open"
        raise ConfigError("NEUROMEM_ADMIN_KEY", "is no setting of the server", remedy)
    given = {name: value for name in OPTIONS if (value := getattr(args, name)) is not None}
    if args.user is not None:
        given["mcp_user"] = args.user
    return replace(config, server=replace(config.server, **given))


def _check_reach(config: ServerConfig, path: Path) -> None:
    """Raises InvalidInput when others than this machine could reach a server that asks for no key."""
    from ..server.desk import Desk
    from ..server.loopback import is_loopback

    if config.admin_key or is_loopback(config.host):
        return
    desk = Desk(path)
    admins = desk.rows("SELECT 1 FROM keys WHERE scope = 'admin' AND revoked IS NULL")
    desk.close()
    if not admins:
        raise InvalidInput(
            "host", f"{config.host!r} can be reached by others, and there is no admin key",
            "set NEUROMEM_SERVER__ADMIN_KEY, or serve on 127.0.0.1",
        )  # fmt: skip


def _check_tls(config: ServerConfig) -> None:
    """Raises InvalidInput, before anything is loaded, where the files of TLS cannot be used."""
    if not config.tls_cert:
        return
    for field in ("tls_cert", "tls_key"):
        name = getattr(config, field)
        if not os.access(name, os.R_OK) or not Path(name).is_file():
            raise InvalidInput(field, f"{name!r} is no file that can be read", "give a PEM file")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            config.tls_cert, config.tls_key, _no_passphrase
        )
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        if isinstance(error, InvalidInput):
            raise
        problem = f"{config.tls_cert!r} and {config.tls_key!r} are no certificate and its key ({error})"
        raise InvalidInput("tls_cert", problem, "give the PEM files of one pair") from error


def _no_passphrase() -> str:
    """Called where a key is encrypted; a server has nobody to ask."""
    remedy = "give one without: openssl pkey -in KEY -out PLAIN"
    raise InvalidInput("tls_key", "is kept under a passphrase", remedy)


def _listening(config: ServerConfig) -> socket.socket:
    """The socket. It listens before the models are loaded: who connects meanwhile is answered then.

    Raises:
        StoreError: the port is taken. InvalidInput: no such address here.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
    except (OSError, UnicodeError) as error:
        problem = f"{config.host!r} is no address ({error})"
        raise InvalidInput("host", problem, "give one of this machine") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an answer is two packets
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        where = f"{config.host}:{config.port}"
        raise StoreError(f"cannot listen at {where} ({error.strerror}); choose another --port") from error
    return listener


def _run(args: Namespace, path: Path, config: Config, listener: socket.socket) -> None:
    if config.bank.threads:  # before torch is loaded: its threads would spin while they wait for each other
        os.environ.setdefault("OMP_NUM_THREADS", str(config.bank.threads))
    with ExitStack() as stack:
        with loading():
            server = _ready(args, path, config, listener, stack)
        # also for a signal that comes before uvicorn listens for them, or that it raises again at the end
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        server.run(sockets=[listener])
    if not server.started:
        raise StoreError("the server did not start; the lines above say why")


def _ready(args: Namespace, path: Path, config: Config, listener: socket.socket, stack: ExitStack) -> Any:
    """A server that may run, its models loaded. What it stands on is closed with the stack."""
    from ..memory import Memory
    from ..server.warming import warm

    memory = stack.enter_context(Memory(path, config, args.encoder, notice=_say))
    # models are read and compiled mostly outside of Python, so packages are imported meanwhile
    reading = threading.Thread(target=warm, args=(memory,), name="warming", daemon=True)
    reading.start()
    from ..server.app import create_app
    from ..server.desk import Desk
    from ..server.logs import set_up
    from ..server.service import Service

    reading.join()
    sys.setswitchinterval(SWITCH_S)
    set_up(args.log_level)
    app = create_app(Service(memory, Desk(path)), config.server)
    server = _server(app, config.server)
    server.greeting = _greeting(args, config.server, listener, app.state.keys.open)
    return server


def _server(app: Any, config: ServerConfig) -> Any:
    """uvicorn's server, which says where it listens once it can answer."""
    import uvicorn

    class Server(uvicorn.Server):
        greeting = ""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(self.greeting, flush=True)

    return Server(
        uvicorn.Config(
            app, lifespan="on", log_config=None, access_log=False, server_header=False, backlog=BACKLOG,
            timeout_graceful_shutdown=max(1, round(config.drain_s)), timeout_keep_alive=KEEP_ALIVE_S,
            ssl_certfile=config.tls_cert or None, ssl_keyfile=config.tls_key or None,
        )
    )  # fmt: skip


def _greeting(args: Namespace, config: ServerConfig, listener: socket.socket, open_: bool) -> str:
    host = f"[{config.host}]" if ":" in config.host else config.host
    url = f"{'https' if config.tls_cert else 'http'}://{host}:{listener.getsockname()[1]}"
    if args.json:
        return json.dumps({"url": url, "open": open_, "pid": os.getpid()})
    line = f"neuromem: serving on {url}"
    if open_:
        line += (
            "\nneuromem: no admin key is set: it listens to this machine only, and everybody on it may use it"
            "\nneuromem: NEUROMEM_SERVER__ADMIN_KEY=… closes it"
        )
    return line


def _say(line: str) -> None:
    print(f"neuromem: {line}", file=sys.stderr)
