"""The whole server as one ASGI application."""

from typing import Any

from mockserver.engine.sources import Sources
from mockserver.server.build import contracts_of, store_of
from mockserver.server.control.app import control_app, description
from mockserver.server.control.requests import State
from mockserver.server.endpoint import Exchanges
from mockserver.server.masking import Masker
from mockserver.server.routing import Router
from mockserver.server.settings import Settings
from mockserver.server.sockets import Unreachable
from mockserver.spec.model import Contract
from mockserver.store.store import Store

CONTROL = "/_mock"


class Application:
    """Vendors at the root, under ``/{vendor}`` and by host; the control API under ``/_mock``."""

    def __init__(self, settings: Settings, contracts: tuple[Contract, ...], store: Store, sources: Sources) -> None:
        self.settings = settings
        self.contracts = contracts
        self.store = store
        self._unreachable = Unreachable()
        self._exchanges = Exchanges(
            contracts,
            Router(contracts),
            store,
            sources,
            body_limit=settings.body_limit,
            explain=settings.explain,
        )
        self._control = control_app(
            State(settings, contracts, store, sources, Masker(contracts), description(), self._unreachable)
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith(CONTROL) and (path == CONTROL or path[len(CONTROL)] == "/"):
                await self._control(scope, receive, send)
            else:
                await self._exchanges(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
            self._unreachable.close()


def create_app(settings: Settings | None = None, sources: Sources | None = None) -> Application:
    """Build everything: contracts read, checked and compiled, accounts made. Raises ContractErrors."""
    settings = settings or Settings()
    sources = sources or Sources.real()
    contracts = contracts_of(settings)
    return Application(settings, contracts, store_of(settings, contracts, sources), sources)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
