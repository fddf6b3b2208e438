"""What all connections of a server begin with: where they may lead, what they are shown, who is told."""

from collections.abc import Callable, Coroutine, Sized
from dataclasses import dataclass
from typing import Any

from mockserver.server.certificates import Certificates
from mockserver.server.wire.incident import Incident
from mockserver.server.wire.proxy import Proxy
from mockserver.server.wire.service import Service


@dataclass(frozen=True, slots=True)
class Door:
    """``protocol`` makes HTTP's, from what uvicorn gives; it can ``refuse``. ``record`` is the application's."""

    service: Service
    proxy: Proxy
    certificates: Certificates
    protocol: Callable[..., Any]
    record: Callable[[Incident], Coroutine[Any, Any, None]] | None = None

    def is_full(self, connections: Sized) -> bool:
        """Whether the newest connection is one too many, without those that are refused already."""
        return len(connections) - len(self.service.lingering) > self.service.settings.max_connections

    async def tell(self, incident: Incident) -> None:
        """Record what happened, and log it; what was refused is logged where it is refused."""
        if incident.refusal is None:
            self.service.notice(incident.sentence)
        if self.record is not None:
            await self.record(incident)
