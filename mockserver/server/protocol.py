"""uvicorn's HTTP protocol, which also hands the application the connection that a request came on."""

from typing import Any

import uvicorn

TRANSPORT = "mockserver.transport"  # in an ASGI scope's state: where faults reach the socket


def offer_transport(config: uvicorn.Config) -> uvicorn.Config:
    """Have whichever protocol uvicorn chose put its transport into each request's state."""
    config.load()
    chosen: Any = config.http_protocol_class

    class Protocol(chosen):  # type: ignore[misc]  # which class it is, uvicorn decides when it runs
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.app_state: dict[str, Any] = {**self.app_state, TRANSPORT: transport}

    config.http_protocol_class = Protocol
    return config
