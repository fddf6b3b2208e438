"""Sockets of this machine: to listen on, and to refuse connections on; how many may be open."""

import errno
import socket
import sys
import weakref
from collections.abc import Callable

from mockserver.server.wire import forks
from mockserver.server.wire.protocol import MAX_LINGERING

OTHER_FILES = MAX_LINGERING + 64  # beside the connections: refused ones, what listens, logs, contracts
BACKLOG = 2048
FREE_PORT_TRIES = 20  # a port that is free at one address may be taken at another


class ListenError(OSError):
    """The address cannot be listened on; the text says why."""


def listen(host: str, port: int, *, is_shared: bool = False) -> list[socket.socket]:
    """Listening sockets, one for each address of the host; ``::`` takes clients of both families.

    Port 0 takes any port that is free at all of them. ``is_shared``: other sockets may share the port. Raises
    ListenError.
    """
    try:
        addresses = _addresses(host)
        for _ in range(FREE_PORT_TRIES if port == 0 and len(addresses) > 1 else 1):
            try:
                return _listen_at(addresses, port, is_shared=is_shared)
            except OSError as error:
                taken = error
                if error.errno != errno.EADDRINUSE:
                    break
        raise taken
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ListenError(f"cannot listen on {host}:{port}: {reason.partition(' (while')[0]}") from error


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """The addresses of a host, each once."""
    host.encode("idna")  # bind would raise TypeError, and leave its socket open
    if not host:
        return [(socket.AF_INET, host)]
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _listen_at(addresses: list[tuple[socket.AddressFamily, str]], port: int, *, is_shared: bool) -> list[socket.socket]:
    """A socket for each address that this machine has. Raises OSError, and leaves none open."""
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    for family, address in addresses:
        try:
            sockets.append(_listening(family, address, port, is_shared=is_shared))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL and len(addresses) > 1:  # a name of another family's address
                missing = error
                continue
            for listening in sockets:
                listening.close()
            raise
        port = sockets[0].getsockname()[1]
    if missing is not None and not sockets:
        raise missing
    return sockets


def _listening(family: socket.AddressFamily, address: str, port: int, *, is_shared: bool) -> socket.socket:
    both = family == socket.AF_INET6 and address == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(
        (address, port), family=family, backlog=BACKLOG, reuse_port=is_shared, dualstack_ipv6=both
    )


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
    """Holds a port of this machine that nobody listens on: a connection to it is refused.

    The port is given back by ``close``, or when the holder itself is gone.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._give_back: Callable[[], object] | None = None

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:<port>``; the port is taken on first use."""
        if self._socket is None:
            self._socket = socket.socket()
            self._socket.bind(("127.0.0.1", 0))
            forks.hold(self._socket)
            self._give_back = weakref.finalize(self, _release, self._socket)
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Give the port back."""
        if self._give_back is not None:
            self._give_back()
            self._socket = self._give_back = None


def _release(holder: socket.socket) -> None:
    forks.release(holder.fileno())
    holder.close()
