"""Names that a command in namespaces asks for by DNS, and that are nobody there: each is noted, and answered so."""

import asyncio
from collections.abc import Callable, Container
from typing import Any

NO_ADDRESS, NO_SUCH_NAME = b"\x81\x80", b"\x81\x83"  # responses with recursion, and their code (RFC 1035, 4.1.1)
HEAD_BYTES = 12
_COUNTS = b"\0\1" + b"\0\0" * 3  # one question, no answers
_REVERSE = (".in-addr.arpa", ".ip6.arpa")


class NameAnswerer(asyncio.DatagramProtocol):
    """Answers that there is no such name, and ``note`` is called with it.

    Of ``known`` names only the addresses of another kind come here, which they do not have.
    """

    def __init__(self, known: Container[str], note: Callable[[str], None]) -> None:
        self._known = known
        self._note = note

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        asked = read_question(data)
        if asked is None:
            return
        name, end = asked
        is_known = name in self._known
        if not (is_known or name.endswith(_REVERSE)):  # of an address nobody wants more than its name
            self._note(name)
        kind = NO_ADDRESS if is_known else NO_SUCH_NAME
        self._transport.sendto(data[:2] + kind + _COUNTS + data[HEAD_BYTES:end], addr)


def read_question(query: bytes) -> tuple[str, int] | None:
    """The name that a query asks for, in lower case, and where its question ends; None where it is no query."""
    labels = []
    at = HEAD_BYTES
    while at < len(query) and 0 < (size := query[at]) < 64:
        labels.append(query[at + 1 : at + 1 + size].decode("latin-1"))
        at += 1 + size
    end = at + 5  # behind the root's empty label, type and class
    if end > len(query) or query[at] or query[2] & 0x80:
        return None
    name = ".".join(labels).lower()
    return ("".join(letter if " " < letter <= "~" else "?" for letter in name), end) if name else None
