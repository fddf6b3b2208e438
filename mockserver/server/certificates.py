"""The certificates of the vendors' hosts: made when they are first asked for, and kept for the next start."""

import contextlib
import hashlib
import os
import re
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from mockserver.server.settings import is_loopback
from mockserver.spec.model import Contract

VALID_SECONDS = 397 * 86_400  # more than 398 days are refused by Apple's systems
LAG_SECONDS = 86_400  # of other clocks: an identity is valid from so long ago
RENEWAL_SECONDS = 30 * 86_400  # before the end
MODE_OF_OTHERS = 0o077  # what a file's mode lets its group and everybody do

_NAME = re.compile(r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*")  # no address, no variable of a template


class TlsIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server's certificate with its key, and the CA that signed it, all as PEM; ``until`` is in Unix seconds.

    ``folder_name`` is the name by which OpenSSL finds the CA; ``java_store`` is what ``trust_store`` gives.
    """

    hosts: tuple[str, ...]
    until: float
    ca: str
    certificate: str
    key: str
    folder_name: str
    java_store: bytes | None

    def trust_store(self) -> bytes | None:
        """The CA in a file for Java; None where the installed cryptography cannot make one."""
        if self.java_store is not None:
            return self.java_store
        from mockserver.server.authority import java_store  # noqa: PLC0415 -- as below

        return java_store(self.ca)  # it may have been kept by an older one

    def is_good(self, hosts: tuple[str, ...], now: float) -> bool:
        """Whether it is for these hosts, by now, and for some time to come."""
        return self.hosts == hosts and self.until - VALID_SECONDS <= now < self.until - RENEWAL_SECONDS

    def is_whole(self) -> bool:
        """Whether a server can serve with it, and a client can read its CA."""
        try:
            tls_context(self).load_verify_locations(cadata=self.ca)
        except (ssl.SSLError, ValueError, TypeError):  # the last two are of what is no ASCII
            return False
        return True


def vendor_hosts(contracts: Iterable[Contract]) -> tuple[str, ...]:
    """The host names in the contracts' ``servers``, sorted; not the names of this machine, which every server has."""
    hosts = {urlsplit(server).hostname or "" for contract in contracts for server in contract.servers}
    return tuple(sorted(host for host in hosts if _NAME.fullmatch(host) and not is_loopback(host)))


def state_folder() -> Path:
    """Where a program keeps what it has made for itself. Raises RuntimeError where the user has no home."""
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"], "mockserver")
    chosen = Path(os.environ.get("XDG_STATE_HOME") or "-")
    return (chosen if chosen.is_absolute() else Path.home() / ".local" / "state") / "mockserver"


class Certificates:
    """The identity for these hosts, and a TLS context with it. Threads may ask at once.

    ``now`` gives Unix seconds, of a clock that no test moves: what is made is kept for other processes. ``say`` is
    told in a sentence what a user should know, and ``changed`` is called with each identity that was not used here
    before.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        now: Callable[[], float],
        say: Callable[[str], None],
        changed: Callable[[TlsIdentity], None] = lambda _: None,
    ) -> None:
        self.hosts = tuple(hosts)
        self._now = now
        self._say = say
        self._changed = changed
        self._lock = threading.Lock()
        self._identity: TlsIdentity | None = None
        self._context: ssl.SSLContext | None = None

    @property
    def ready(self) -> ssl.SSLContext | None:
        """The context where there is one that is good; None where ``context`` has to work for it."""
        identity = self._identity
        return self._context if identity is not None and identity.is_good(self.hosts, self._now()) else None

    def identity(self) -> TlsIdentity:
        """The identity, read from the user's state folder, or made and kept there."""
        with self._lock:
            return self._good_identity()

    def context(self) -> ssl.SSLContext:
        """A context that serves HTTP/1.1."""
        with self._lock:
            identity = self._good_identity()
            if self._context is None:
                self._context = tls_context(identity)
            return self._context

    def _good_identity(self) -> TlsIdentity:
        now = self._now()
        if self._identity is None or not self._identity.is_good(self.hosts, now):
            self._context = None
            self._identity = self._kept(now)
            self._changed(self._identity)
        return self._identity

    def _kept(self, now: float) -> TlsIdentity:
        try:
            return kept_identity(self.file, self.hosts, now)
        except (OSError, RuntimeError) as error:  # a home that is not there is a RuntimeError
            place = getattr(error, "filename", None) or "the user's state folder"
            self._say(f"certificates are made anew at each start: {place} cannot be used ({_reason(error)})")
            return make_identity(self.hosts, now)

    @property
    def file(self) -> Path:
        """Where it is kept: a file for each set of hosts, so that servers of other contracts keep theirs."""
        digest = hashlib.sha256(" ".join(self.hosts).encode("utf-8")).hexdigest()[:12]
        return state_folder() / f"certificates-{digest}.json"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def kept_identity(file: Path, hosts: tuple[str, ...], now: float) -> TlsIdentity:
    """The identity in a file, which only its user can read; made where there is no good one. Raises OSError."""
    was_there, kept = file.exists(), _read(file)
    if kept is not None and kept.is_good(hosts, now) and kept.is_whole():
        return kept
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = make_identity(hosts, now)
    handle, name = tempfile.mkstemp(dir=file.parent)  # 0600
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(msgspec.json.encode(made))
        if was_there:
            Path(name).replace(file)
        else:
            with contextlib.suppress(FileExistsError):  # another process was sooner, and all of them have one CA
                os.link(name, file)
        return _read(file) or made
    finally:
        Path(name).unlink(missing_ok=True)


def make_identity(hosts: tuple[str, ...], now: float) -> TlsIdentity:
    """A new one, of a CA of its own."""
    # takes 140 ms; few servers speak TLS, and fewer make their certificates
    from mockserver.server.authority import certify, folder_name, java_store  # noqa: PLC0415

    since = int(now) - LAG_SECONDS  # a certificate knows whole seconds
    until = since + VALID_SECONDS
    ca, certificate, key = certify(hosts, since, until)
    return TlsIdentity(hosts, until, ca, certificate, key, folder_name(ca), java_store(ca))


def _read(file: Path) -> TlsIdentity | None:
    """The identity in a file; None where there is no file, or it holds something else."""
    try:
        if file.stat().st_mode & MODE_OF_OTHERS:
            with contextlib.suppress(OSError):  # it may be another user's
                file.chmod(0o600)
        return msgspec.json.decode(file.read_bytes(), type=TlsIdentity)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def tls_context(identity: TlsIdentity) -> ssl.SSLContext:
    """A server's context, TLS 1.2 at least."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pem = (identity.key + identity.certificate).encode("ascii")
    try:
        _load_from_memory(context, pem)
    except (OSError, AttributeError):  # only Linux has such files, and only with /proc
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "identity.pem")
            file.write_bytes(pem)
            context.load_cert_chain(file)
    context.set_alpn_protocols(["http/1.1"])
    context.num_tickets = 1  # of 250 bytes and a signature's time each
    return context


def _load_from_memory(context: ssl.SSLContext, pem: bytes) -> None:
    """Load what the library takes from files only, without one that stays or that another user can open."""
    with os.fdopen(os.memfd_create("mockserver"), "wb") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
