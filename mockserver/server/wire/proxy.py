"""What a client may ask of the server as of a proxy: which hosts are served here, passed on, or refused."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from mockserver.server.settings import Settings, is_loopback

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_AGENT = 200  # characters of a client's own name that are kept

_TARGET_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")


class Authority(NamedTuple):
    """A host, in lower case and an IPv6 address in brackets, and a port."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str, default_port: int | None = None) -> Self | None:
        """``host:port``; None where the text is none, or has no port and there is no default."""
        match = _AUTHORITY.fullmatch(text)
        if match is None:
            return None
        host, port = match["host"].lower().removesuffix("."), int(match["port"] or default_port or 0)
        return cls(host, port) if _TARGET_HOST.fullmatch(host) and 0 < port < 65536 else None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Tunnel(NamedTuple):
    """What a CONNECT asks for, and who asks."""

    to: Authority
    agent: str


class Destination(Enum):
    """Where a host's requests go."""

    HERE = auto()
    THROUGH = auto()  # passed on to the real host
    NOWHERE = auto()


@dataclass(frozen=True, slots=True)
class Proxy:
    """``hosts`` are the vendors'; ``own`` is where clients reach this server, beside the address it listens on."""

    hosts: frozenset[str]
    let_through: frozenset[str]
    own: Authority | None = None

    @classmethod
    def of(cls, hosts: tuple[str, ...], settings: Settings) -> Self:
        url = urlsplit(settings.public_url or "")
        own = Authority.read(url.netloc, DEFAULT_PORTS.get(url.scheme))
        return cls(frozenset(hosts), frozenset(host.lower() for host in settings.let_through), own)

    def destination(self, to: Authority, listening: Any) -> Destination:
        """``listening`` is the socket's own address."""
        if to.host in self.hosts or to == self.own or _is_at(to, listening):
            return Destination.HERE
        return Destination.THROUGH if to.host in self.let_through else Destination.NOWHERE


def _is_at(to: Authority, listening: Any) -> bool:
    if not isinstance(listening, tuple) or to.port != listening[1]:
        return False
    return is_loopback(to.host) or to.host.strip("[]") == listening[0]
