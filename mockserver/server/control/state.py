"""What the handlers of the control API share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from mockserver.exchange.sources import Sources
from mockserver.server.masking import Masker
from mockserver.server.settings import Settings
from mockserver.server.unreachable import Unreachable
from mockserver.spec.contract import Contract
from mockserver.world.store import Store


@dataclass(frozen=True, slots=True)
class State:
    """One server's contracts and store; ``description`` is the control API's own OpenAPI document."""

    settings: Settings
    contracts: tuple[Contract, ...]
    store: Store
    sources: Sources
    masker: Masker
    description: Mapping[str, Any]
    unreachable: Unreachable


def state_of(request: Request) -> State:
    """The state of the server that a request reached."""
    state: State = request.app.state.mock
    return state


def origin(request: Request) -> str:
    """Where this client reaches the server: ``--public-url``, else the request's own host."""
    public = state_of(request).settings.public_url
    if public:
        return public.rstrip("/")
    return f"{request.url.scheme}://{request.headers.get('host') or 'localhost'}"
