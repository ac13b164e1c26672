"""The server as one ASGI app: routes over a `Service`, and what stands around each request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from .. import __version__
from ..config import ServerConfig
from . import errors
from .paths import OnePath
from .platform import Platform
from .routes import ROUTERS
from .service import Service

__all__ = ["create_app"]


def create_app(service: Service, config: ServerConfig | None = None) -> FastAPI:
    """The app. It closes the service when it is shut down."""
    settings = config or service.memory.config.server
    platform = Platform(service)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # routes are plain functions and run in these threads; the event loop only reads and writes sockets
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
        app.state.service, app.state.config = service, settings
        yield
        platform.close()
        await anyio.to_thread.run_sync(service.close)

    app = FastAPI(
        title="neuromem", version=__version__, lifespan=lifespan, redirect_slashes=False,
        docs_url="/docs", redoc_url=None,
    )  # fmt: skip
    app.state.service, app.state.config, app.state.platform = service, settings, platform
    app.add_middleware(OnePath)
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
