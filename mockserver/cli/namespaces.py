"""A command in namespaces of its own, on Linux: there, the vendors' hosts are this machine, and no other is reached.

It needs neither root nor a helper program. A forked child makes user, mount and network namespaces, listens inside,
hands what listens to this process, which serves it from outside, and becomes the command under the same user.
"""

import ctypes
import errno
import json
import os
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from mockserver.cli.child import OF_SIGNALS, cannot_run

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
INSIDE_BACKLOG = 512
MAX_SAID_BYTES = 4096
MAX_SOCKETS = 250  # that one message can carry


class IsolationError(Exception):
    """The system does not allow it; the text says what forbids it, and how it is allowed."""


class LocalService(NamedTuple):
    """A service outside that the command may reach by the same name and port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Inside:
    """What the command finds: the vendors' hosts, the server's port, services, a CA. ``folder`` has the CA's files."""

    hosts: tuple[str, ...]
    port: int
    services: tuple[LocalService, ...]
    ca: Path
    folder: Path


class IsolatedChild:
    """A command that waits until it may begin."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self._pid = pid
        self._channel = channel

    def begin(self) -> None:
        self._channel.send(b"g")
        self._channel.close()

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def send_signal(self, number: int, /) -> None:
        os.kill(self._pid, number)


class Isolated(NamedTuple):
    """``web`` are sockets for the server; ``services`` those that are to be relayed, in their order."""

    child: IsolatedChild
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
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _become(command, environment, lambda: _enter(inside, kinds), theirs)
    theirs.close()
    said, descriptors, _, _ = socket.recv_fds(ours, MAX_SAID_BYTES, MAX_SOCKETS)
    child = IsolatedChild(pid, ours)
    if not descriptors:
        child.wait()
        ours.close()
        step, number = json.loads(said or b'["it ended at once", 0]')
        return why_not(step, number)
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    web = len(WEB_PORTS) + 1
    return Isolated(child, sockets[:web], sockets[web:])


def _become(
    command: Sequence[str],
    environment: Mapping[str, str],
    enter: Callable[[], list[socket.socket]],
    channel: socket.socket,
) -> NoReturn:
    """In the child: enter, hand over what listens, wait, and become the command."""
    try:
        sockets = enter()
        socket.send_fds(channel, [b"[]"], [one.fileno() for one in sockets])
    except _StepError as error:
        channel.send(json.dumps([error.step, error.number]).encode())
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
        step = f"the files of {inside.folder}"
        for source, target in _replacements(inside):
            mount(source, target, BIND | RECURSIVE)
        step = "listening"
        return [socket.create_server(("127.0.0.1", port), backlog=INSIDE_BACKLOG) for port in _ports(inside)]
    except OSError as error:
        raise _StepError(step, error.errno or 0) from error


def _ports(inside: Inside) -> list[int]:
    return [*WEB_PORTS, inside.port, *(service.port for service in inside.services)]


def _bring_up_loopback() -> None:
    import fcntl  # noqa: PLC0415 -- not everywhere

    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(any_socket, GET_FLAGS, request))
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", flags | UP))


def _replacements(inside: Inside) -> list[tuple[Path, str]]:
    """Files and folders to be laid over the system's: who is where, and whom to trust."""
    hosts = inside.folder / "hosts"
    names = [*inside.hosts, *(service.host for service in inside.services if service.host != LOCAL_NAMES)]
    lines = [*_local_lines(Path(HOSTS_FILE)), *(f"127.0.0.1 {name}" for name in dict.fromkeys(names))]
    hosts.write_text("\n".join(lines) + "\n", "utf-8", "surrogateescape")
    found = [(hosts, HOSTS_FILE)]
    if Path(CERTIFICATES).is_dir():  # a new file there needs a new folder
        certificates = inside.folder / "certs"
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
        copy = inside.folder / f"bundle-{number}.pem"
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
    text = file.read_text("utf-8", "surrogateescape") if file.exists() else f"127.0.0.1 {LOCAL_NAMES}"
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
    return f"this system forbids it ({step}: {os.strerror(number)})"


def _is_filtered(root: Path) -> bool:
    """Whether a seccomp filter looks at what this process asks of the kernel."""
    status = root / "proc/self/status"
    return status.is_file() and "Seccomp:\t2" in status.read_text("ascii", "replace")
