"""The request target and the Host header, as RFC 9112 has them."""

import re
from urllib.parse import unquote

from mockserver.server.wire.limits import MISDIRECTED, UNREADABLE, RefusedError

VERSIONS = {"1.0", "1.1"}
Headers = list[tuple[bytes, bytes]]

# scheme, host with port, path, query; a user's name and password have no place in a request (RFC 9110, 4.2.4)
_ABSOLUTE = re.compile(rb"(https?)://([^/?@]+)(/[^?]*)?(?:\?(.*))?", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[^\x00-\x20\x7f\"#/<>?@\[\\\]^`{|}:]*)(?::[0-9]*)?")


Target = tuple[str, bytes, bytes, str, bytes]  # path decoded and as it came, query, scheme, host


def read_target(target: bytes) -> Target:
    """The parts of an origin-form, an absolute-form or an asterisk-form. Raises RefusedError.

    Scheme and host stand in an absolute-form only, else they are empty.
    """
    target = target.partition(b"#")[0]
    scheme, host = "", b""
    if target.startswith(b"/") or target == b"*":
        raw_path, _, query = target.partition(b"?")
    else:
        match = _ABSOLUTE.fullmatch(target)
        if match is None or not _HOST.fullmatch(match[2]):
            raise RefusedError(UNREADABLE)
        scheme, host = match[1].decode("ascii").lower(), match[2]
        raw_path, query = match[3] or b"/", match[4] or b""
    path = raw_path.decode("latin-1")
    return unquote(path) if "%" in path else path, raw_path, query, scheme, host


def checked_host(headers: Headers, version: str) -> bytes:
    """The value of the Host header, b"" where HTTP/1.0 has none.

    Raises RefusedError unless the version is one that is spoken here, and there is exactly one Host.
    """
    if version not in VERSIONS:
        raise RefusedError(UNREADABLE)
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) == 1 and _HOST.fullmatch(hosts[0].strip(b" \t")):
        return hosts[0]
    if not hosts and version == "1.0":
        return b""
    raise RefusedError(MISDIRECTED)


def with_host(headers: Headers, host: bytes) -> Headers:
    """The headers of a request whose target names the host: that counts, not the header."""
    return [(b"host", host), *((name, value) for name, value in headers if name != b"host")]


FRAME = len("  HTTP/1.1\r\n\r\n")  # around method and target, and behind the headers
FIELD = len(": \r\n")


def head_size(method: str, target: bytes, headers: Headers) -> int:
    """Bytes of a request's line and headers, without optional spaces."""
    return FRAME + len(method) + len(target) + fields_size(headers)


def fields_size(headers: Headers) -> int:
    """Bytes of header fields, without optional spaces."""
    return sum(len(name) + len(value) + FIELD for name, value in headers)
