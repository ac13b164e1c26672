"""The server as one ASGI app: routes over a `Service`, and what stands around each request."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from .. import __version__
from ..config import ServerConfig
from . import errors
from .archives import Archives
from .around import Around
from .background import Background
from .deps import who_asks
from .events import Events
from .heads import Heads
from .jobs import Jobs
from .keys import Keys
from .limits import Gate
from .loopback import is_loopback
from .mcp.door import Door
from .mcp.memories import Parts
from .metrics import Metrics
from .paths import OnePath
from .platform import Platform
from .routes import ROUTERS
from .service import Service
from .turns import Turns
from .warming import warm

__all__ = ["create_app"]

LAST_WORDS_S = 3.0  # in which webhooks hear of what was changed just before the server stops


def create_app(service: Service, config: ServerConfig | None = None) -> FastAPI:
    """The app. It closes the service when it is shut down."""
    settings = config or service.memory.config.server

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # routes are plain functions and run in threads; the event loop only reads and writes sockets.
        # Searches and adds have threads of their own (`turns.py`); these are for the rest
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
        await anyio.to_thread.run_sync(warm, service.memory)
        app.state.jobs.start()
        app.state.background.start()
        app.state.ready = True
        async with app.state.mcp.running():
            yield
        app.state.ready = False
        await anyio.to_thread.run_sync(_end, app)

    app = FastAPI(
        title="neuromem", version=__version__, lifespan=lifespan, redirect_slashes=False,
        docs_url="/docs", redoc_url=None,
    )  # fmt: skip
    _furnish(app, service, settings)
    parts = Parts(service, app.state.events, app.state.platform.adding)
    app.state.mcp = Door(parts, settings, who_asks, app.state.turns)
    app.router.routes.extend(app.state.mcp.routes)
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def _furnish(app: FastAPI, service: Service, settings: ServerConfig) -> None:
    """The parts beside the service, where routes find them, and what stands around."""
    state = app.state
    state.service, state.config, state.ready = service, settings, False
    state.keys = Keys(service.desk, settings.admin_key, reached=not is_loopback(settings.host))
    state.events = Events(service.desk, service.engine.clock)
    state.jobs = Jobs(service, state.events)
    state.background = Background(service, state.events, state.keys, settings)
    state.platform = Platform(service, state.events, state.jobs)
    folder = None if service.desk.path is None else service.desk.path.parent
    state.archives = Archives(service, folder, settings.archives_mib)
    gate = Gate(settings)
    state.turns, state.metrics = Turns(settings, gate, prepare=service.prepare), Metrics(gate)
    state.jobs.aside = state.turns.aside
    state.metrics.watch(service, state.jobs, state.background, state.turns, state.platform.webhooks)
    app.add_middleware(Heads)  # within the next one, which notes what was asked
    app.add_middleware(
        Around, keys=state.keys, config=settings, metrics=state.metrics, clock=service.engine.clock
    )
    if settings.cors:
        from starlette.middleware.cors import CORSMiddleware

        origins = [origin.strip() for origin in settings.cors.split(",") if origin.strip()]
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"],
            expose_headers=["X-Request-ID"],
        )  # fmt: skip
    app.add_middleware(OnePath)  # the outermost: all others see one spelling of a path


def _end(app: FastAPI) -> None:
    """Ends what runs by itself, then closes. What is not told yet lies on the desk; nothing is lost."""
    state = app.state
    deadline = time.monotonic() + state.config.drain_s
    state.background.stop(state.config.drain_s)
    state.jobs.stop(max(0.1, deadline - time.monotonic()))
    state.turns.close()
    state.platform.close(min(LAST_WORDS_S, max(0.0, deadline - time.monotonic())))
    state.archives.close()
    state.events.flush()
    state.keys.note_use()
    state.service.close()
