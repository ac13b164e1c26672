"""Open stores, one for each folder: mem0's users make a `Memory` wherever they need one."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from ..config import Config
from ..memory import Memory
from ..server.adding import Adding
from ..server.desk import Desk
from ..server.service import Service
from .settings import Settings

__all__ = ["Lease", "lease"]


@dataclass(slots=True, eq=False)
class _Shared:
    service: Service
    adding: Adding
    leases: int = 0


_lock = threading.Lock()
_open: dict[Path, _Shared] = {}


@dataclass(slots=True, eq=False)
class Lease:
    """The use of a store. The last one that is given back closes it."""

    service: Service
    adding: Adding
    folder: Path | None
    ended: bool = False

    def end(self) -> None:
        """Gives the store back; more calls do nothing."""
        with _lock:
            if self.ended:
                return
            self.ended = True
            shared = None if self.folder is None else _open[self.folder]
            if shared is not None and self.folder is not None:
                shared.leases -= 1
                if shared.leases:
                    return
                del _open[self.folder]
            self.service.close()


def lease(settings: Settings) -> Lease:
    """Opens a store, or shares the one that is open in this process already: the settings are the first's."""
    if settings.folder is None:
        service = _service(settings)
        return Lease(service, Adding.alone(service), None)
    folder = settings.folder.resolve()
    with _lock:
        shared = _open.get(folder)
        if shared is None:
            service = _service(settings)
            shared = _open[folder] = _Shared(service, Adding.alone(service))
        shared.leases += 1
        return Lease(shared.service, shared.adding, folder)


def _service(settings: Settings) -> Service:
    memory = Memory(
        settings.folder, Config.load(settings.config), settings.encoder, extractor=settings.extractor
    )
    try:
        return Service(memory, Desk(settings.folder))
    except BaseException:
        memory.close()
        raise
