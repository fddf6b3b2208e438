"""What happens on a connection before there is a request, or instead of one, and is worth a line."""

import re
from typing import NamedTuple, Self

from mockserver.server.wire.limits import Refusal
from mockserver.server.wire.proxy import Tunnel

WHAT_TO_SET = "`mockserver ca --hint` prints what to set"
DISTRUST = {"unknown_ca", "bad_certificate", "certificate_unknown", "certificate_expired", "unsupported_certificate"}
_ALERT = re.compile(r"_ALERT_(\w+)$")


class Incident(NamedTuple):
    """``method`` and ``target`` as the client asked, or ``TLS`` and the host; ``status`` 0: it got no answer.

    ``note`` is one of a few sentences; ``agent`` and ``target`` are the client's own words.
    """

    method: str
    target: str
    agent: str
    status: int
    note: str
    refusal: Refusal | None = None

    @classmethod
    def refused(cls, method: str, target: str, agent: str, refusal: Refusal) -> Self:
        return cls(method, target, agent, refusal.status, refusal.title, refusal)

    @property
    def sentence(self) -> str:
        """For the log, in one line."""
        agent = f", user agent {self.agent}" if self.agent else ""
        return f"{self.method} {self.target or 'without a host'}{agent}: {self.note}"


def tls_failure(error: OSError, name: str, tunnel: Tunnel | None) -> Incident:
    """A handshake that failed; ``name`` is the host that the client asked for."""
    alert = _ALERT.search(getattr(error, "reason", None) or "")
    word = alert[1].lower() if alert else ""
    if word in DISTRUST:
        note = f"the client did not trust the server's certificate ({word}); {WHAT_TO_SET}"
    elif isinstance(error, ConnectionResetError | BrokenPipeError):
        note = f"the client left in the TLS handshake, as some do that do not trust the certificate; {WHAT_TO_SET}"
    elif isinstance(error, ConnectionAbortedError | TimeoutError):
        note = "the TLS handshake took too long"
    else:
        note = f"the TLS handshake failed ({word or getattr(error, 'reason', None) or type(error).__name__})"
    return _of_tls(note, name, tunnel)


def no_certificate(error: Exception, name: str, tunnel: Tunnel | None) -> Incident:
    """A handshake that the server could not begin."""
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return _of_tls(f"no certificate could be made ({type(error).__name__}: {reason})", name, tunnel)


def tls_left(name: str, tunnel: Tunnel | None) -> Incident:
    """A handshake that was completed, and no request behind it."""
    note = f"the client left right after the TLS handshake, as some do that do not trust the certificate; {WHAT_TO_SET}"
    return _of_tls(note, name, tunnel)


def _of_tls(note: str, name: str, tunnel: Tunnel | None) -> Incident:
    if tunnel is not None:
        return Incident("CONNECT", str(tunnel.to), tunnel.agent, 200, note)
    return Incident("TLS", name, "", 0, note)
