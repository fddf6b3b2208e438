"""A server on a real socket, in a thread of the test process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from mockserver.server.sockets import listen
from mockserver.server.uvicorn_server import uvicorn_server

PATIENCE = 120  # seconds; only a broken server needs them, however busy the machine is


@dataclass(frozen=True)
class Live:
    """A running server; ``url`` has no slash at its end."""

    app: Application
    url: str
    port: int


@contextmanager
def served(app: Any, host: str = "127.0.0.1", at: int = 0, **options: Any) -> Iterator[int]:
    """The port at which any application is served until the block ends: ``at``, or a free one.

    ``options`` are uvicorn's.
    """
    sockets = listen(host, at)
    ready = threading.Event()
    server = uvicorn_server(app, ready.set, **options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    try:
        assert ready.wait(PATIENCE), f"the server was not ready within {PATIENCE} s"
        yield sockets[0].getsockname()[1]
    finally:
        server.end()
        thread.join(PATIENCE)
        for socket in sockets:
            socket.close()
    assert not thread.is_alive(), f"the server did not end within {PATIENCE} s"


@contextmanager
def live_server(settings: Settings | None = None, **options: Any) -> Iterator[Live]:
    """Serve the contracts of these settings; ``options`` are uvicorn's."""
    settings = settings or Settings()
    app = create_app(settings)
    with served(app, settings.host, **options) as port:
        yield Live(app, f"http://127.0.0.1:{port}", port)
