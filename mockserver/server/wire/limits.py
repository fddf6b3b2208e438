"""What a connection refuses before there is a request: our own words, never a vendor's."""

import json
from dataclasses import dataclass

from mockserver.server.settings import is_loopback, option, variable
from mockserver.server.wire.proxy import Authority


@dataclass(frozen=True, slots=True)
class Refusal:
    """Problem details (RFC 9457), and the end of the connection."""

    status: int
    title: str
    detail: str

    @property
    def rest(self) -> bytes:
        """All of it behind status line and Date, as it goes over the wire."""
        problem = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        body = json.dumps(problem)
        lines = (
            "content-type: application/problem+json",
            f"content-length: {len(body)}",
            "connection: close",
            "",
            body,
        )
        return "\r\n".join(lines).encode("ascii")


class RefusedError(Exception):
    """A request cannot be taken; the refusal says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


UNREADABLE = Refusal(400, "Not HTTP", "This is no HTTP/1.1 request that can be read; the connection ends here.")
FAILED = Refusal(500, "Internal error", "mockserver could not answer this; its log says more.")
MISDIRECTED = Refusal(400, "Not one Host", "A request has exactly one Host header, and a valid one (RFC 9112, 3.2).")


NO_AUTHORITY = Refusal(400, "No host and port", "CONNECT asks for a host and a port, as in api.example.com:443.")
CANNOT_BE_REACHED = "Cannot be reached"


def too_many_connections(most: int) -> Refusal:
    detail = f"{most} connections are open already; {_raised_by('max_connections')}"
    return Refusal(503, "Too many connections", detail)


def header_too_large(limit: int) -> Refusal:
    detail = f"Request line and headers may have {limit} bytes; {_raised_by('max_head')}"
    return Refusal(431, "Header too large", detail)


def too_slow(seconds: int) -> Refusal:
    detail = f"The request did not arrive whole within {seconds} s; {_raised_by('request_timeout')}"
    return Refusal(408, "Request too slow", detail)


def no_vendors_host(to: Authority) -> Refusal:
    detail = f"{to.host} is no vendor's host, and nothing leaves this machine; "
    if is_loopback(to.host):
        detail += "NO_PROXY=localhost,127.0.0.1,::1 has a client reach local addresses without the proxy."
    else:
        detail += f"{option('let_through')} {to.host} or {variable('let_through')} passes it on."
    return Refusal(502, "No vendor's host", detail)


def unreachable(to: Authority, reason: str) -> Refusal:
    return Refusal(502, CANNOT_BE_REACHED, f"{to} is let through, and cannot be reached: {reason}.")


def _raised_by(setting: str) -> str:
    return f"{option(setting)} or {variable(setting)} raises that."
