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

PATIENCE = 20  # seconds; only a broken server needs them


@dataclass(frozen=True)
class Live:
    """A running server; ``url`` has no slash at its end."""

    app: Application
    url: str
    port: int


@contextmanager
def live_server(settings: Settings | None = None, **options: Any) -> Iterator[Live]:
    """Serve on a free port of this machine until the block ends; ``options`` are uvicorn's."""
    settings = settings or Settings()
    app = create_app(settings)
    socket = listen(settings.serve_host, 0)
    ready = threading.Event()
    server = uvicorn_server(app, ready.set, log_config=None, **options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    try:
        assert ready.wait(PATIENCE), "the server did not start"
        port = socket.getsockname()[1]
        yield Live(app, f"http://127.0.0.1:{port}", port)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        socket.close()
    assert not thread.is_alive(), "the server did not end"
