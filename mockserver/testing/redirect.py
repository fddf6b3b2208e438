"""Leads this process's connections to some hosts to another address, and has the certificates there trusted.

Clients, sessions and TLS contexts made before are caught too. It imports the standard library only and runs on Pythons
from 3.8 on, for ``hooks/sitecustomize.py`` loads it into programs that do not have this package.
"""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import ssl
import sys
from typing import Any, Callable, Iterable  # noqa: UP035 -- Python 3.8
from weakref import WeakKeyDictionary

MARK = (
    "127.0.0.77"  # what the hosts' names resolve to. A client may keep it and its own port, and connects to both later.
)
NO_ADDRESS = getattr(socket, "EAI_NODATA", socket.EAI_NONAME)  # of a host without the addresses that are asked for
LOOPS = {"uvloop": "Loop", "asyncio.windows_events": "ProactorEventLoop"}
"""Event loops that connect without ``socket.connect``, by their module; most programs never import one."""

_Socket = socket.socket  # what stands there later may refuse to be made
_ENDED: WeakKeyDictionary[Any, tuple[Any, bool]] = WeakKeyDictionary()
"""What was below a replacement that ended while another lay above it, and whether that is its owner's own."""


class Redirect:
    """From ``start`` to ``stop``, connections to ``hosts``, on any port, go to ``address``; ``ca`` (PEM) is trusted.

    What it replaces is put back as it was, in whatever order several of them end. Where something else has replaced it
    meanwhile, that stays, and what is below it only passes on. ``elsewhere`` is called with other hosts and their
    ports, when their names are looked up.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        address: tuple[str, int],
        ca: str,
        elsewhere: Callable[[Any, Any], None] | None = None,
    ) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._address = (socket.gethostbyname(address[0]), address[1])
        self._ca = ca
        self._elsewhere = elsewhere
        self._replaced: list[tuple[Any, str, Any, Any, bool]] = []
        self._late = _LateModules(
            {
                **dict.fromkeys(LOOPS, self._patch_loop),
                "pycares": self._patch_resolver,  # by which aiohttp asks where aiodns is installed
                "gevent.socket": self._patch_sockets,  # its monkey patch puts what stands there into socket
                "gevent.ssl": self._patch_contexts,
            }
        )
        self._connections = _Connections()
        self._is_on = False

    def start(self) -> None:
        """Begin; nothing happens if it has begun."""
        if self._is_on:
            return
        self._is_on = True
        self._patch_sockets(socket)
        self._patch_contexts(ssl)
        for name, patch in self._late.patches.items():
            if name in sys.modules:
                patch(sys.modules[name])
        sys.meta_path.insert(0, self._late)

    def stop(self) -> None:
        """End, and with it the connections that were led; nothing happens if it has ended."""
        self._is_on = False
        if self._late in sys.meta_path:
            sys.meta_path.remove(self._late)
        while self._replaced:
            owner, name, original, replacement, is_own = self._replaced.pop()
            if vars(owner).get(name) is not replacement:
                _ENDED[replacement] = original, is_own
                continue
            while original in _ENDED:
                original, is_own = _ENDED[original]
            if is_own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)
        self._connections.end()

    def _replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        original = getattr(owner, name, None)
        if original is None:  # what has that name is another module, or another version
            return
        replacement = make(original)
        self._replaced.append((owner, name, original, replacement, name in vars(owner)))
        setattr(owner, name, replacement)

    def _is_ours(self, host: Any) -> bool:
        if isinstance(host, (bytes, bytearray)):
            host = host.decode("ascii", "replace")
        return self._is_on and isinstance(host, str) and host.lower().rstrip(".") in self._hosts

    def _led(self, address: Any) -> Any:
        """Where a connection to an address goes. A name may stand there, or what it was resolved to."""
        if not self._is_on or not isinstance(address, tuple) or len(address) < 2:
            return address
        return self._address if address[0] == MARK or self._is_ours(address[0]) else address

    def _known_as(self, host: Any, port: Any = None) -> Any:
        """The name under which a host is looked up."""
        if self._is_ours(host):
            return MARK
        if self._is_on and self._elsewhere is not None:
            self._elsewhere(host, port)
        return host

    def _patch_sockets(self, module: Any) -> None:
        self._replace(module, "getaddrinfo", self._naming)
        self._replace(module, "gethostbyname", self._short_naming)
        self._replace(module, "gethostbyname_ex", self._long_naming)
        self._replace(module.socket, "connect", self._connecting)
        self._replace(module.socket, "connect_ex", self._connecting)

    def _naming(self, original: Any) -> Any:
        def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
            port = args[0] if args else options.get("port")
            known = self._known_as(host, port)
            if known is MARK:
                return original(MARK, *_of_an_address(*args, **options))
            return original(host, *args, **options)

        return getaddrinfo

    def _short_naming(self, original: Any) -> Any:
        def gethostbyname(host: Any) -> Any:
            known = self._known_as(host)
            return MARK if known is MARK else original(known)

        return gethostbyname

    def _long_naming(self, original: Any) -> Any:
        def gethostbyname_ex(host: Any) -> Any:
            known = self._known_as(host)
            return (host, [], [MARK]) if known is MARK else original(known)

        return gethostbyname_ex

    def _connecting(self, original: Any) -> Any:
        def connect(sock: Any, address: Any) -> Any:
            led = self._led(address)
            if led is address:
                return original(sock, address)
            try:
                return original(sock, led)
            finally:  # one that does not block says by an error that it has begun
                self._connections.add(sock)

        return connect

    def _patch_contexts(self, module: Any) -> None:
        self._replace(module.SSLContext, "wrap_socket", self._trusting(4))
        self._replace(module.SSLContext, "wrap_bio", self._trusting(3))

    def _trusting(self, place: int) -> Callable[[Any], Any]:
        """For a method of a TLS context whose argument of this number is the host."""

        def make(original: Any) -> Any:
            def wrap(context: Any, *args: Any, **options: Any) -> Any:
                host = args[place] if len(args) > place else options.get("server_hostname")
                if self._is_ours(host) and context.verify_mode != ssl.CERT_NONE:
                    context.load_verify_locations(cadata=self._ca)  # one that is there already is no error
                return original(context, *args, **options)

            return wrap

        return make

    def _patch_resolver(self, module: Any) -> None:
        self._replace(getattr(module, "Channel", None), "getaddrinfo", self._resolving)

    def _resolving(self, original: Any) -> Any:
        def getaddrinfo(channel: Any, host: Any, port: Any, *args: Any, **options: Any) -> Any:
            return original(channel, self._known_as(host, port), port, *args, **options)

        return getaddrinfo

    def _patch_loop(self, module: Any) -> None:
        loop = getattr(module, LOOPS[module.__name__], None)
        self._replace(loop, "getaddrinfo", self._loop_naming)
        self._replace(loop, "create_connection", self._loop_opening)
        self._replace(loop, "sock_connect", self._loop_connecting)

    def _loop_naming(self, original: Any) -> Any:
        async def getaddrinfo(loop: Any, host: Any, port: Any, **options: Any) -> Any:
            return await original(loop, self._known_as(host, port), port, **options)

        return getaddrinfo

    def _loop_opening(self, original: Any) -> Any:
        async def create_connection(loop: Any, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
            if self._is_ours(host) and options.get("ssl"):
                options.setdefault("server_hostname", host)
            address = (host, port)
            led = self._led(address)
            made = await original(loop, factory, *led, **options)
            sock = made[0].get_extra_info("socket")  # none where it has closed at once
            if led is not address and sock is not None:
                self._connections.add(sock)
            return made

        return create_connection

    def _loop_connecting(self, original: Any) -> Any:
        async def sock_connect(loop: Any, sock: Any, address: Any) -> Any:
            led = self._led(address)
            await original(loop, sock, led)
            if led is not address:
                self._connections.add(sock)

        return sock_connect


def _of_an_address(
    port: Any,
    family: Any = 0,
    type: Any = 0,  # noqa: A002 -- as socket.getaddrinfo names it
    proto: Any = 0,
    flags: Any = 0,
) -> tuple[Any, ...]:
    """What ``getaddrinfo`` is asked beside ``MARK``. Raises gaierror for IPv6, as the system for a host without it."""
    if family == socket.AF_INET6:
        raise socket.gaierror(NO_ADDRESS, "No address associated with hostname")
    return port, family, type, proto, flags | socket.AI_NUMERICHOST  # some resolvers ask others for addresses, too


class _Connections:
    """Those that were led, by their file descriptors, which stay when TLS or an event loop takes a socket over."""

    def __init__(self) -> None:
        self._names: dict[int, Any] = {}

    def add(self, sock: Any) -> None:
        with contextlib.suppress(OSError):  # it is closed, or was refused before it began
            name = sock.getsockname()
            self._names[sock.fileno()] = name

    def end(self) -> None:
        """Shut them down, whoever has them; a client that keeps one finds it closed and makes another."""
        while self._names:
            number, name = self._names.popitem()
            with contextlib.suppress(OSError):  # closed meanwhile, and its number may be another file's
                sock = _Socket(fileno=number)
                try:
                    if sock.getsockname() == name:
                        sock.shutdown(socket.SHUT_RDWR)
                finally:
                    sock.detach()


class NotedHosts:
    """Writes each host once into a file, with its port, but for those that are passed and those of this machine."""

    def __init__(self, file: str, passed: Iterable[str]) -> None:
        self._file = file
        self._seen = {socket.gethostname().lower(), *passed}

    def __call__(self, host: Any, port: Any = None) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else str(host or "")
        name = name.lower().rstrip(".")
        if name in self._seen or name.startswith("127."):
            return
        self._seen.add(name)
        try:
            with open(self._file, "a", encoding="utf-8") as file:  # noqa: PTH123 -- each Python that starts pays for pathlib
                file.write(f"{name}:{port}\n" if port else f"{name}\n")
        except OSError:  # the run is over, or its files are not for this user: the program goes on
            return


class _LateModules:
    """A finder that finds nothing by itself; it patches each module of ``patches`` once that has been imported."""

    def __init__(self, patches: dict[str, Callable[[Any], None]]) -> None:
        self.patches = patches
        self._busy: set[str] = set()

    def find_spec(self, name: str, *_: Any) -> Any:
        if name not in self.patches or name in self._busy:
            return None
        self._busy.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._busy.discard(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                self.patches[name](module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
