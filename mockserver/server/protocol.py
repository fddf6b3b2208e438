"""uvicorn's HTTP protocol, which also hands the application the connection that a request came on."""

import asyncio
from typing import Any

import uvicorn

CONNECTION = "mockserver.connection"  # in an ASGI scope's state: where faults reach the socket


class Connection:
    """A transport as uvicorn uses it, which a fault can take from it; ``gone`` is set when the client is."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.gone = asyncio.Event()
        self.is_muted = False

    def mute(self) -> None:
        """From now on nothing that is written goes out, and reading never rests, so that a client's end is noticed."""
        self.is_muted = True
        self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        if not self.is_muted:
            self._transport.write(data)

    def pause_reading(self) -> None:
        if not self.is_muted:
            self._transport.pause_reading()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def offer_connection(config: uvicorn.Config) -> uvicorn.Config:
    """Have whichever protocol uvicorn chose put its connection into each request's state."""
    config.load()
    chosen: Any = config.http_protocol_class

    class Protocol(chosen):  # type: ignore[misc]  # which class it is, uvicorn decides when it runs
        def connection_made(self, transport: Any) -> None:
            self.connection = Connection(transport)
            super().connection_made(self.connection)
            self.app_state: dict[str, Any] = {**self.app_state, CONNECTION: self.connection}

        def data_received(self, data: bytes) -> None:
            if not self.connection.is_muted:
                super().data_received(data)

        def connection_lost(self, error: Exception | None) -> None:
            super().connection_lost(error)
            self.connection.gone.set()

        def shutdown(self) -> None:
            """A client that is kept waiting for nothing keeps the server from ending no longer."""
            super().shutdown()
            if self.connection.is_muted:
                self.connection.close()

    config.http_protocol_class = Protocol
    return config
