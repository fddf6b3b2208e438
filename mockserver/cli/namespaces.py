"""A command in namespaces of its own, on Linux: there, the vendors' hosts are this machine, and no other is reached.

It needs neither root nor a helper program. A forked child makes user, mount and network namespaces, listens inside,
hands what listens to this process, which serves it from outside, and becomes the command under the same user.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple, NoReturn

from mockserver.cli.child import OF_SIGNALS, cannot_run, take_no_signals

NEW_MOUNTS, NEW_USERS, NEW_NETWORK = 0x20000, 0x10000000, 0x40000000  # of unshare(2)
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000  # of mount(2)
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 0x1  # of netdevice(7)
WEB_PORTS = (443, 80)
LOCAL_NAMES = "localhost"
CERTIFICATES = "/etc/ssl/certs"
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
HOSTS_FILE = "/etc/hosts"
RESOLVER_FILE = "/etc/resolv.conf"
INSIDE_ADDRESS = "127.0.0.1"
NAMES_PORT = 53  # of DNS
INSIDE_BACKLOG = 512
MAX_SAID_BYTES = 4096
MAX_SOCKETS = 250  # that one message can carry


class IsolationError(Exception):
    """The system does not allow it; the text says what forbids it, and how it is allowed."""


class LocalService(NamedTuple):
    """A service outside that the command may reach by the same name, or an address of this machine, and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def address(self) -> str:
        """Where it is listened for inside."""
        return self.host if self.is_address else INSIDE_ADDRESS

    @property
    def is_address(self) -> bool:
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Inside:
    """What the command finds: the vendors' hosts, the server's port, services, a CA. ``folder`` has the CA's files.

    ``own`` is a folder that one way in fills, so that what fails leaves nothing to the next.
    """

    hosts: tuple[str, ...]
    port: int
    services: tuple[LocalService, ...]
    ca: Path
    folder: Path
    own: Path = Path()

    @property
    def names(self) -> tuple[str, ...]:
        """What this machine is called inside, beside its local names."""
        services = (service.host for service in self.services if not service.is_address)
        return tuple(dict.fromkeys([*self.hosts, *services, socket.gethostname().lower()]))


class IsolatedChild:
    """A command that waits until it may begin."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self._pid = pid
        self._channel = channel

        self._is_ended = False

    def begin(self) -> None:
        with self._channel, contextlib.suppress(OSError):  # a signal may have ended it
            self._channel.send(b"g")

    def wait(self) -> int:
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        self._is_ended = True
        return code

    def send_signal(self, number: int, /) -> None:
        os.kill(self._pid, number)

    def give_up(self) -> None:
        """End it where it has not begun."""
        self._channel.close()
        if not self._is_ended:
            self.wait()


class Isolated(NamedTuple):
    """``web`` are sockets for the server; ``services`` those that are to be relayed, in their order.

    Whoever inside asks for a name that is not ``known`` asks ``names``, by DNS.
    """

    child: IsolatedChild
    known: frozenset[str]
    names: socket.socket
    web: list[socket.socket]
    services: list[socket.socket]


def isolate(command: Sequence[str], environment: Mapping[str, str], inside: Inside) -> Isolated:
    """Start a command that waits in its namespaces. Raises IsolationError."""
    if sys.platform != "linux":
        raise IsolationError("isolation needs Linux's namespaces; without --isolation the run goes as well")
    failure = ""
    for kinds in _ways():
        found = _attempt(command, environment, inside, kinds)
        if isinstance(found, Isolated):
            return found
        failure = found
    raise IsolationError(failure)


def _ways() -> list[int]:
    """Root needs no user namespace, and keeps all of its rights without one."""
    own, other = NEW_MOUNTS | NEW_NETWORK, NEW_USERS | NEW_MOUNTS | NEW_NETWORK
    return [own, other] if os.geteuid() == 0 else [other]


def _attempt(command: Sequence[str], environment: Mapping[str, str], inside: Inside, kinds: int) -> Isolated | str:
    """The command where that works, else why it does not."""
    inside = replace(inside, own=Path(tempfile.mkdtemp(dir=inside.folder)))
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _become(command, environment, lambda: _enter(inside, kinds), theirs)
    theirs.close()
    said, descriptors, _, _ = socket.recv_fds(ours, MAX_SAID_BYTES, MAX_SOCKETS)
    child = IsolatedChild(pid, ours)
    if not descriptors:
        child.give_up()
        step, number = json.loads(said or b'["it ended at once", 0]')
        return why_not(step, number)
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    web = len(WEB_PORTS) + 2
    return Isolated(child, frozenset([LOCAL_NAMES, *inside.names]), sockets[0], sockets[1:web], sockets[web:])


def _become(
    command: Sequence[str],
    environment: Mapping[str, str],
    enter: Callable[[], list[socket.socket]],
    channel: socket.socket,
) -> NoReturn:
    """In the child: enter, hand over what listens, wait, and become the command."""
    try:
        sockets = enter()
        take_no_signals()
        socket.send_fds(channel, [b"[]"], [one.fileno() for one in sockets])
    except _StepError as error:
        channel.send(json.dumps([error.step, error.number]).encode()[:MAX_SAID_BYTES])
        os._exit(OF_SIGNALS)
    if not channel.recv(1):  # the other side gave up
        os._exit(OF_SIGNALS)
    for name in ("SIGPIPE", "SIGXFSZ"):  # which Python ignores
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], list(command), environment)  # noqa: S606 -- the user's own command
    except OSError as error:
        failure = cannot_run(command[0], error)
        os.write(2, f"mockserver: {failure}\n".encode("utf-8", "backslashreplace"))
        os._exit(failure.code)


class _StepError(Exception):
    """A step of the way in that the system refuses, and its errno."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(step)
        self.step = step
        self.number = number


def _enter(inside: Inside, kinds: int) -> list[socket.socket]:
    import ctypes  # noqa: PLC0415 -- takes 10 ms, and few runs need it

    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()

    def mount(source: Path | None, target: str, flags: int) -> None:
        what = None if source is None else os.fsencode(source)
        if libc.mount(what, os.fsencode(os.path.realpath(target)), None, flags, None):
            raise _StepError(f"mounting on {target}", ctypes.get_errno())

    if libc.unshare(kinds):
        raise _StepError("unshare", ctypes.get_errno())
    step = "the user namespace"
    try:
        if kinds & NEW_USERS:  # the same ids inside, so that the command is not suddenly root
            for name, text in (
                ("setgroups", "deny"),
                ("uid_map", f"{user} {user} 1"),
                ("gid_map", f"{group} {group} 1"),
            ):
                Path(f"/proc/self/{name}").write_text(text, "ascii")
        mount(None, "/", RECURSIVE | PRIVATE)
        step = "the loopback interface"
        _bring_up_loopback()
        step = f"the files of {inside.own}"
        for source, target in _replacements(inside):
            mount(source, target, BIND | RECURSIVE)
        names = socket.socket(type=socket.SOCK_DGRAM)
        names.bind((INSIDE_ADDRESS, NAMES_PORT))
        listening = []
        for place in _places(inside):
            step = "listening on {} port {}".format(*place)
            listening.append(_listening(*place))
    except OSError as error:
        raise _StepError(step if error.errno else f"{step}: {error}", error.errno or 0) from error
    return [names, *listening]


def _places(inside: Inside) -> list[tuple[str, int]]:
    """The addresses and ports that are listened on."""
    services = [(service.address, service.port) for service in inside.services]
    return [*((INSIDE_ADDRESS, port) for port in (*WEB_PORTS, inside.port)), *services]


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=INSIDE_BACKLOG)


def _bring_up_loopback() -> None:
    import fcntl  # noqa: PLC0415 -- not everywhere

    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(any_socket, GET_FLAGS, request))
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", flags | UP))


def _replacements(inside: Inside) -> list[tuple[Path, str]]:
    """Files and folders to be laid over the system's: who is where, whom to ask for others, and whom to trust."""
    hosts = inside.own / "hosts"
    lines = _local_lines(Path(HOSTS_FILE))
    known = {LOCAL_NAMES, *(name for line in lines for name in line.split()[1:])}
    names = [name for name in inside.names if name not in known]
    hosts.write_text(
        "\n".join([*lines, *(f"{INSIDE_ADDRESS} {name}" for name in names)]) + "\n", "utf-8", "surrogateescape"
    )
    found = [(hosts, HOSTS_FILE)]
    if Path(RESOLVER_FILE).is_file():  # without one, this machine is asked anyway
        resolver = inside.own / "resolv.conf"
        resolver.write_text(f"nameserver {INSIDE_ADDRESS}\nsearch .\n", "ascii")
        found.append((resolver, RESOLVER_FILE))
    if Path(CERTIFICATES).is_dir():  # a new file there needs a new folder
        certificates = inside.own / "certs"
        shutil.copytree(CERTIFICATES, certificates, symlinks=True)
        for hashed in inside.folder.glob("*.0"):  # as OpenSSL finds it in a folder
            shutil.copy(hashed, certificates)
        bundle = certificates / Path(BUNDLES[0]).name
        if bundle.exists():
            _write_bundle(bundle, bundle, inside.ca)
        found.append((certificates, CERTIFICATES))
    folder = os.path.realpath(CERTIFICATES)
    others = {os.path.realpath(bundle) for bundle in BUNDLES if Path(bundle).is_file()}
    for number, bundle_path in enumerate(sorted(path for path in others if os.path.dirname(path) != folder)):  # noqa: PTH120 -- as realpath gives it
        copy = inside.own / f"bundle-{number}.pem"
        _write_bundle(copy, Path(bundle_path), inside.ca)
        found.append((copy, bundle_path))
    return found


def _write_bundle(target: Path, source: Path, ca: Path) -> None:
    """The certificates of a file and one more, in a file of its own even where a link was."""
    text = source.read_bytes() + b"\n" + ca.read_bytes()
    target.unlink(missing_ok=True)
    target.write_bytes(text)


def _local_lines(file: Path) -> list[str]:
    """The lines of a hosts file about this machine."""
    text = file.read_text("utf-8", "surrogateescape") if file.exists() else f"{INSIDE_ADDRESS} {LOCAL_NAMES}"
    return [line for line in text.splitlines() if line.startswith(("127.", "::1"))]


def why_not(step: str, number: int, root: Path = Path("/")) -> str:
    """What forbids it, and how it is allowed, in one sentence; ``root`` is that of the system's files."""

    def setting(name: str) -> str:
        file = root / "proc/sys" / name
        return file.read_text("ascii").strip() if file.is_file() else ""

    if setting("user/max_user_namespaces") == "0":
        return "user namespaces are switched off here: `sudo sysctl -w user.max_user_namespaces=10000` allows them"
    if setting("kernel/unprivileged_userns_clone") == "0":
        return "user namespaces are for root only here: `sudo sysctl -w kernel.unprivileged_userns_clone=1` allows them"
    if setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        cure = "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` allows them, or run it as root"
        return f"AppArmor forbids user namespaces here: {cure}"
    if number in {errno.EPERM, errno.EACCES} and _is_filtered(root):
        cure = "`docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined` allows it"
        return f"the container forbids it ({step}: {os.strerror(number)}): {cure}"
    return f"this system forbids it ({step}{f': {os.strerror(number)}' if number else ''})"


def _is_filtered(root: Path) -> bool:
    """Whether a seccomp filter looks at what this process asks of the kernel."""
    status = root / "proc/self/status"
    return status.is_file() and "Seccomp:\t2" in status.read_text("ascii", "replace")
