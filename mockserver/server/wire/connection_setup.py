"""What all connections of a server begin with: where they may lead, what they are shown, who is told."""

import asyncio
from collections.abc import Callable, Coroutine, Sized
from dataclasses import dataclass
from typing import Any

from mockserver.server.certificates import Certificates
from mockserver.server.wire.incident import Incident
from mockserver.server.wire.limits import UNREADABLE, Refusal, no_vendors_host
from mockserver.server.wire.proxy import DEFAULT_PORTS, Authority, Destination, Proxy
from mockserver.server.wire.service import Service


@dataclass(frozen=True, slots=True)
class ConnectionSetup:
    """``protocol`` makes HTTP's, from what uvicorn gives; it can ``refuse``. ``record`` is the application's."""

    service: Service
    proxy: Proxy
    certificates: Certificates
    protocol: Callable[..., Any]
    record: Callable[[Incident], Coroutine[Any, Any, None]] | None = None

    def is_full(self, connections: Sized) -> bool:
        """Whether the newest connection is one too many, without those that are refused already."""
        return len(connections) - len(self.service.lingering) > self.service.settings.max_connections

    def elsewhere(self, scheme: str, host: bytes, listening: Any) -> Authority | Refusal | None:
        """Where a request is to be passed on whose target has this host; None: it is answered here."""
        to = Authority.read(host.decode("latin-1"), DEFAULT_PORTS[scheme])
        if to is None:
            return UNREADABLE
        destination = self.proxy.destination(to, listening)
        if destination is Destination.NOWHERE:
            return no_vendors_host(to)
        return to if destination is Destination.THROUGH else None

    def report(self, incident: Incident, tasks: set[asyncio.Task[None]]) -> None:
        """Record and log what happened."""
        spawn(self._tell(incident), tasks)

    async def _tell(self, incident: Incident) -> None:
        if incident.refusal is None:  # what was refused is logged where it is refused
            self.service.notice(incident.sentence)
        if self.record is not None:
            await self.record(incident)


def spawn(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
    """Have work done that the server's end waits for."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
