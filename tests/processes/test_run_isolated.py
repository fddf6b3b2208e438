"""``mockserver run --isolation``: inside are the vendors' hosts, and nothing else of the network."""

import errno
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import mockserver.cli.run
from mockserver.cli.namespaces import IsolationError, why_not
from tests.cli.running import COMMAND, invoke, run, surroundings
from tests.processes.test_readme import UNCHANGED, block

REFUSED = "mockserver: not isolated, and so not run: "


@pytest.fixture(scope="module")
def _allowed() -> None:
    """Skips where the machine forbids namespaces, with its reason."""
    ended = run("run", "--isolation", "require", "--", "true")
    if ended.returncode == 125:
        pytest.skip(ended.stderr.strip())


def isolated(*command: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    ended = run("run", "--isolation", "require", *options, "--", *command)
    return ended.returncode, ended.stdout, ended.stderr


CONNECT = """
import socket, sys
for host, port in (argument.rsplit(":", 1) for argument in sys.argv[1:]):
    try:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
            print(host, connection.recv(12).decode())
    except OSError as error:
        print(host, type(error).__name__)
"""


@pytest.mark.usefixtures("_allowed")
def test_vendors_and_nobody_else() -> None:
    """Every vendor's host answers at its own ports; no other name, address or port of this machine does."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        asked = ["api.voximplant.com:80", "cx.avaamo.com:80", "example.com:80", "192.0.2.1:443", f"127.0.0.1:{port}"]
        code, said, _ = isolated(sys.executable, "-I", "-c", CONNECT, *asked)
    answers = dict(line.split(" ", 1) for line in said.splitlines())
    assert code == 0
    assert answers.pop("api.voximplant.com").startswith("HTTP/1.1")
    assert answers.pop("cx.avaamo.com").startswith("HTTP/1.1")
    assert set(answers.values()) <= {"gaierror", "OSError", "ConnectionRefusedError", "TimeoutError"}
    assert len(answers) == 3


@pytest.mark.usefixtures("_allowed")
def test_the_server_is_where_it_was() -> None:
    """Its own address works inside, too, so that a command can ask the control API; the calls are counted."""
    script = "curl -sS $MOCKSERVER_URL/_mock/health && curl -sS -o /dev/null http://api.voximplant.com/platform_api/SendSmsMessage"
    code, said, told = isolated("sh", "-c", script, options=("--expect", "voximplant.send_sms/unauthorized=1"))
    assert (code, '"ready"' in said) == (0, True), told


@pytest.mark.usefixtures("_allowed")
def test_the_same_user_and_folder() -> None:
    """The command is not suddenly root."""
    _, said, _ = isolated(sys.executable, "-I", "-c", "import os; print(os.getuid(), os.getgid(), os.getcwd())")
    assert said.split() == [str(os.getuid()), str(os.getgid()), str(Path.cwd())]


NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user() -> None:
    """Without any right, and without a folder to keep certificates in."""
    script = "id -u; grep CapEff /proc/self/status"
    try:
        ended = subprocess.run(
            [*COMMAND, "run", "--isolation", "require", "--", "sh", "-c", script],
            env=surroundings(HOME="/nowhere", XDG_STATE_HOME="/nowhere"),
            cwd="/",
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
    except PermissionError as error:
        pytest.skip(f"{error.filename} is not for others")
    if ended.returncode == 125:
        pytest.skip(ended.stderr.strip())
    assert (ended.returncode, ended.stdout.split()) == (0, [str(NOBODY), "CapEff:", "0" * 16]), ended.stderr


@pytest.mark.usefixtures("_allowed")
def test_certificates() -> None:
    """The system's own bundle has the CA inside, and only there."""
    script = 'grep -c "BEGIN CERT" /etc/ssl/certs/ca-certificates.crt; ls /etc/ssl/certs | grep -cE "^[0-9a-f]{8}[.]0$"'
    outside = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split()
    _, said, _ = isolated("sh", "-c", script)
    assert [int(number) for number in said.split()] == [int(number) + 1 for number in outside]


@pytest.mark.usefixtures("_allowed")
def test_no_proxy_is_left() -> None:
    """Whatever led clients elsewhere would lead them nowhere."""
    ended = run(
        "run",
        "--isolation",
        "require",
        "--",
        "env",
        HTTPS_PROXY="http://proxy:3128",
        NODE_USE_ENV_PROXY="1",
        MOCKSERVER_REACH="{}",
    )
    names = {line.partition("=")[0] for line in ended.stdout.splitlines()}
    assert not names & {"HTTPS_PROXY", "https_proxy", "NODE_USE_ENV_PROXY", "MOCKSERVER_REACH"}
    assert {"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "POLYAI_API_KEY", "MOCKSERVER_URL"} <= names


@pytest.mark.usefixtures("_allowed")
@pytest.mark.parametrize(
    ("command", "code"), [(("sh", "-c", "exit 7"), 7), (("sh", "-c", "kill -KILL $$"), 137), (("/nowhere/x",), 127)]
)
def test_exit_codes(command: tuple[str, ...], code: int) -> None:
    """They are the command's, and those of a shell."""
    assert isolated(*command)[0] == code


@pytest.mark.usefixtures("_allowed")
def test_an_ignored_signal() -> None:
    """It is ignored inside, too, as nohup wants it."""
    shell = f"trap '' HUP; exec {shlex.join(COMMAND)} run --isolation require -- grep SigIgn /proc/self/status"
    ended = subprocess.run(["sh", "-c", shell], env=surroundings(), capture_output=True, text=True, check=True)
    assert int(ended.stdout.split()[1], 16) & 1 == 1


@pytest.mark.usefixtures("_allowed")
def test_other_names() -> None:
    """Whatever asks for them: each is told, and fails the run if asked for; the machine's own name is no other."""
    script = "getent hosts Other.example cx.avaamo.com $(hostname) | wc -l"
    code, said, told = isolated("sh", "-c", script, options=("--fail-on", "escaped"))
    assert (code, said.strip()) == (1, "2")
    assert "FAILED: --fail-on escaped: other.example\n" in told


@pytest.mark.usefixtures("_allowed")
def test_one_within_another() -> None:
    """The hooks of the outer one lead nobody away from the inner one."""
    url = "https://api.voximplant.com/platform_api/SendSmsMessage"
    ask = f"import urllib.request; print(urllib.request.urlopen({url!r}).status)"
    inner = [*COMMAND, "run", "--isolation", "require", "--", sys.executable, "-c", ask]
    ended = run("run", "--", *inner)
    assert (ended.returncode, ended.stdout) == (0, "200\n"), ended.stderr


@pytest.fixture
def echo() -> Iterator[int]:
    """A service of this machine that says back what it is told until its client has said all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for _ in range(2):
                connection, _address = listening.accept()
                with connection:
                    while piece := connection.recv(1000):
                        connection.sendall(piece)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]


ECHO = """
import socket, sys
for host in sys.argv[2:]:
    with socket.create_connection((host, int(sys.argv[1]))) as connection:
        connection.sendall(b"x" * 300_000)
        connection.shutdown(socket.SHUT_WR)
        print(sum(len(piece) for piece in iter(lambda: connection.recv(65536), b"")))
"""


@pytest.mark.usefixtures("_allowed")
def test_with_a_service(echo: int) -> None:
    """A named service is reached by its own name and port, both ways, half-closed too."""
    code, said, told = isolated(
        sys.executable, "-I", "-c", ECHO, str(echo), "localhost", "127.0.0.1", options=("--with", f"localhost:{echo}")
    )
    assert (code, said) == (0, "300000\n300000\n"), told


@pytest.mark.usefixtures("_allowed")
def test_with_a_service_that_is_not_there() -> None:
    """Its client is reset, and the end of the run says so."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    _, said, told = isolated(
        sys.executable, "-I", "-c", CONNECT, f"localhost:{port}", options=("--with", f"localhost:{port}")
    )
    assert said == "localhost ConnectionResetError\n"
    assert f"mockserver: --with localhost:{port}: could not be reached: " in told


@pytest.mark.parametrize("line", block("isolation", UNCHANGED).splitlines())
def test_the_guides_commands(line: str) -> None:
    """They end well, with or without."""
    program, *arguments = line.split()
    ended = run(*arguments)
    assert (program, ended.returncode) == ("mockserver", 0), ended.stderr


def forbidden(*_: object) -> None:
    raise IsolationError("nobody may")


def test_required_and_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, exit code 125, and the command is not run."""
    monkeypatch.setattr(mockserver.cli.run, "isolate", forbidden)
    ended = invoke("run", "--isolation", "require", "--", "sh", "-c", "exit 9")
    assert (ended.exit_code, ended.stderr) == (125, f"{REFUSED}nobody may\n")


def test_auto_and_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on without, and says so."""
    monkeypatch.setattr(mockserver.cli.run, "isolate", forbidden)
    ended = invoke("run", "--isolation", "auto", "--", "sh", "-c", "exit 9")
    assert (ended.exit_code, ended.stderr.splitlines()[0]) == (9, "mockserver: not isolated: nobody may")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--isolation", "auto", "--with", "x"], "--with is HOST:PORT, as localhost:5432, not 'x'"),
        (["--isolation", "auto", "--with", "localhost:443"], "--with localhost:443: port 443 is the vendors' hosts'"),
        (["--with", "localhost:5432"], "--with is for --isolation"),
        (["--isolation", "auto", "--let-through", "a.example"], "--let-through a.example is not for --isolation"),
    ],
)
def test_mistakes(options: list[str], said: str) -> None:
    """What cannot be let in, and what would do nothing: one line, and the command is not run."""
    ended = invoke("run", *options, "--", "sh", "-c", "exit 9")
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith(f"mockserver: {said}")


@pytest.mark.parametrize(
    ("file", "text", "number", "said"),
    [
        ("proc/sys/user/max_user_namespaces", "0\n", errno.ENOSPC, "user.max_user_namespaces=10000"),
        ("proc/sys/kernel/unprivileged_userns_clone", "0\n", errno.EPERM, "kernel.unprivileged_userns_clone=1"),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", errno.EACCES, "AppArmor forbids .*userns=0"),
        (
            "proc/self/status",
            "Name:\tx\nSeccomp:\t2\n",
            errno.EPERM,
            "the container forbids it .unshare: .*--cap-add SYS_ADMIN",
        ),
        (
            "proc/self/status",
            "Name:\tx\nSeccomp:\t0\n",
            errno.EINVAL,
            "this system forbids it .unshare: Invalid argument.$",
        ),
    ],
)
def test_why_not(tmp_path: Path, file: str, text: str, number: int, said: str) -> None:
    """Each cause has its sentence, with what allows it."""
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    reason = why_not("unshare", number, tmp_path)
    assert re.search(said, reason)
    assert "\n" not in reason
