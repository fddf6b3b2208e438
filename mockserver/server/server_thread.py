"""A server in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

from mockserver.server.application import Application
from mockserver.server.uvicorn_server import uvicorn_server


@contextmanager
def serving(app: Application, sockets: list[socket]) -> Iterator[str]:
    """An application on listening sockets, in a thread until the block ends; gives the address of the first."""
    thread = ServerThread(app, sockets)
    thread.start()
    try:
        yield thread.url
    finally:
        thread.stop()


class ServerThread:
    """The server in a daemon thread; no logger is touched."""

    def __init__(self, app: Application, listening: list[socket]) -> None:
        self._sockets = listening
        self._address = listening[0].getsockname()[:2]
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._server = uvicorn_server(app, self._ready.set, log_level=None, access_log=None)
        self._thread = threading.Thread(target=self._run, name="mockserver", daemon=True)

    @property
    def url(self) -> str:
        """Where the server is reached from this machine."""
        host, port = self._address
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not listened on
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Return once it answers. Raises what kept it from that."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self.stop()
            raise RuntimeError("the server did not start") from self._failure

    def stop(self) -> None:
        self._server.end()
        self._thread.join()
        for listening in self._sockets:
            listening.close()

    def _serve(self) -> None:
        self._server.run(self._sockets)

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:  # noqa: BLE001 -- uvicorn ends a failed start with SystemExit
            self._failure = error
        finally:
            self._ready.set()
