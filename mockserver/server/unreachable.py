"""An address that refuses connections, for as long as the server runs."""

import socket


class Unreachable:
    """Holds a port of this machine that nobody listens on: a connection to it is refused."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:<port>``; the port is taken on first use."""
        if self._socket is None:
            self._socket = socket.socket()
            self._socket.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Give the port back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
