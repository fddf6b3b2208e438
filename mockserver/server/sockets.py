"""Sockets of this machine: to listen on, and to refuse connections on; how many may be open."""

import socket
import sys

from mockserver.server.wire.protocol import MOST_LINGERING

OTHER_FILES = MOST_LINGERING + 64  # beside the connections: refused ones, what listens, logs, contracts


class ListenError(OSError):
    """The address cannot be listened on; the text says why."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises ListenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        host.encode("idna")  # bind would raise TypeError, and leave its socket open
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ListenError(f"cannot listen on {host}:{port}: {reason.partition(' (while')[0]}") from error


def open_files_for(connections: int) -> int:
    """Raise this process's limit of open files for so many connections; returns how many it allows then."""
    if sys.platform == "win32":  # knows no such limit
        return connections
    import resource  # noqa: PLC0415 -- not everywhere

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < connections + OTHER_FILES:
        soft = connections + OTHER_FILES if hard == resource.RLIM_INFINITY else min(hard, connections + OTHER_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(connections, soft - OTHER_FILES))


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
