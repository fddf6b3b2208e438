"""``mockserver serve``: what it prints, which options it takes, how it ends."""

import contextlib
import http.client
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import requests

from mockserver import __version__
from mockserver.authoring.skeleton import skeleton
from mockserver.cli.serve import TYPED_OUT, serve
from mockserver.server.application import Application
from mockserver.server.settings import RENAMED, Settings, option, variable
from tests.authoring.raw import RAW
from tests.cli.running import COMMAND, invoke, run, serving, serving_by, surroundings, taken_port
from tests.evidence import ROOT
from tests.live import PATIENCE

VENDORS = ["avaamo", "koreai", "opentact", "polyai", "voximplant"]
ELSEWHERE = "https://sms.example/mock"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Settings of the servers that would have listened; they are ready at once, and end."""
    found: list[Settings] = []

    class Server:
        def __init__(self, app: Application, on_ready: Any) -> None:
            found.append(app.settings)
            on_ready()

        def run(self, sockets: list[socket.socket]) -> None:
            sockets[0].close()

    monkeypatch.setattr("mockserver.server.uvicorn_server.uvicorn_server", Server)
    monkeypatch.setattr("mockserver.server.workers.listen", lambda _host, _port: [socket.socket()])
    return found


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=PATIENCE)


def test_announcement() -> None:
    """A free port is taken; the lines name it, each vendor's base URL with a command to try, and where calls are."""
    with serving("--port", "0") as server:
        assert server.lines[0] == f"mockserver {__version__} is ready on {server.url}"
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]+", server.url)
        program = f"{sys.executable} -m mockserver"  # as it was run
        tries = [f"{vendor} {server.url} try: {program} curl {vendor} --url {server.url}" for vendor in VENDORS]
        assert [" ".join(line.split()) for line in server.lines[1:-1]] == tries
        assert get(server.lines[-1].rpartition("curl ")[2]).json()["calls"] == []


def test_own_corrections_are_announced(tmp_path: Path) -> None:
    """Whoever reads the first lines knows that a built-in vendor is not as it was shipped."""
    own = tmp_path / "polyai.yaml"
    own.write_text((ROOT / "contracts" / "polyai.yaml").read_text("utf-8"), "utf-8")
    with serving("--port", "0", "--contracts", str(tmp_path)) as server:
        assert f"polyai is replaced by {own}" in server.lines


def test_a_raw_file_is_served_as_a_draft(tmp_path: Path) -> None:
    """A vendor's own OpenAPI file answers at once, beside the built-in vendors."""
    raw = tmp_path / "acme.yaml"
    raw.write_text(RAW, "utf-8")
    with serving("--port", "0", "--draft", str(raw)) as server:
        answer = requests.post(f"{server.url}/v1/messages", json={"to": "+12025550123"}, timeout=PATIENCE)
        assert (answer.status_code, answer.json(), answer.headers["x-mock-evidence"]) == (201, {"id": "abc"}, "draft")
        assert any(line.split()[0] == "acme" for line in server.lines)


def test_port_taken(taken: str) -> None:
    """A port in use is a usage error of one line, which names it."""
    ended = run("serve", "--port", taken)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"mockserver: cannot listen on 127.0.0.1:{taken}: Address already in use; "
        "choose another --host or --port (0 takes a free one)\n"
    )


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        pytest.param(["--public-url", f"{ELSEWHERE}/", "--no-explain"], {}, id="options"),
        pytest.param([], {"MOCKSERVER_PUBLIC_URL": ELSEWHERE, "MOCKSERVER_EXPLAIN": "no"}, id="environment"),
    ],
)
def test_behind_a_proxy(options: list[str], environment: dict[str, str]) -> None:
    """Accounts show the public URL, and --no-explain leaves answers to the vendor alone."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving(*options, MOCKSERVER_SERVE_PORT=str(port), **environment) as server:
        assert server.url == ELSEWHERE
        assert server.lines[1] == f"It listens on http://127.0.0.1:{port}"
        assert server.lines[-1].endswith(f"Calls: curl http://127.0.0.1:{port}/_mock/calls")
        vendors = get(f"http://127.0.0.1:{port}/_mock/accounts/default").json()["vendors"]
        assert {part["url"] for part in vendors.values()} == {ELSEWHERE}
        answer = requests.post(f"http://127.0.0.1:{port}/sms/o", timeout=PATIENCE)
        assert answer.status_code == 401
        assert [name for name in answer.headers if name.lower().startswith("x-mock")] == []


def test_elsewhere() -> None:
    """On a public address it makes a token and prints it; only the control API asks for it, health excepted."""
    with serving("--host", "0.0.0.0", "--port", "0") as server:  # noqa: S104 -- what is tested
        assert server.url.startswith("http://127.0.0.1:")
        said = re.fullmatch(r"Control API token \(.*MOCKSERVER_ADMIN_TOKEN.*\): (\S{32,})", server.lines[1])
        assert said, server.lines
        assert server.lines[2].endswith(f"export MOCKSERVER_ADMIN_TOKEN={said[1]}")
        hint = server.lines[-1].partition("   Calls: ")[2]
        assert hint.endswith('-H "Authorization: Bearer $MOCKSERVER_ADMIN_TOKEN"')
        shown = subprocess.run(
            ["bash", "-c", f'curl() {{ command curl -sS "$@"; }}; {hint}'],
            env={**os.environ, "MOCKSERVER_ADMIN_TOKEN": said[1], "no_proxy": "*"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(shown.stdout)["evicted"] == 0
        assert get(f"{server.url}/_mock/health").json()["status"] == "ready"
        answer = requests.post(f"{server.url}/sms/o", timeout=PATIENCE)
        assert answer.headers["x-mock-answer"] == "opentact.send_sms/unauthorized"
        for token, status in ((None, 401), ("wrong", 401), (said[1], 200)):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            assert get(f"{server.url}/_mock/accounts", **headers).status_code == status, token
        live = invoke("account", "--live", "--url", server.url, MOCKSERVER_ADMIN_TOKEN=said[1])
        assert json.loads(live.stdout)["id"] == "default"
        stranger = invoke("account", "--live", "--url", server.url)
        assert (stranger.exit_code, stranger.stdout, stranger.stderr.count("\n")) == (2, "", 1)
        assert "answered 401: the control API needs Authorization" in stranger.stderr


def test_sigterm_in_flight() -> None:
    """At SIGTERM a request that is half sent is cut without a word, as a delay is; then the process ends at once."""
    with serving("--port", "0") as server:
        address = urlsplit(server.url).netloc
        half, delayed = (http.client.HTTPConnection(address, timeout=PATIENCE) for _ in range(2))
        half.putrequest("POST", "/sms/o")
        half.putheader("Content-Length", "100")
        half.endheaders(b"{")
        pin = {"account": "default", "fault": {"kind": "delay", "seconds": 60}}
        assert requests.put(f"{server.url}/_mock/pins/opentact.send_sms", json=pin, timeout=PATIENCE).ok
        authorization = {"Authorization": "Bearer OpenTactDefaultPaidKey00000000000000000000000001"}
        delayed.request("POST", "/sms/o", b"{}", {**authorization, "Content-Type": "application/json"})
        delayed.send(b"GET /behind HTTP/1.1\r\nHost: localhost\r\n\r\n")  # which holds up the end as little
        while not get(f"{server.url}/_mock/calls?account=default").json()["calls"]:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        for connection in (half, delayed):
            with pytest.raises(http.client.RemoteDisconnected):
                connection.getresponse()
            connection.close()
        assert server.process.wait(PATIENCE) in {-signal.SIGTERM, 0}
        output, log = server.process.communicate()
        assert output == ""
        assert re.fullmatch(r"[\d:.]{12} opentact\.send_sms/\S+ \d+ default - [\d.]+ms fault delay aborted .*\n", log)


def test_sigterm_while_somebody_waits_for_calls() -> None:
    """Whoever verifies within a minute is told what is known, and the process ends at once."""
    question = {"account": "default", "operation": "opentact.send_sms", "count": {"at_least": 1}, "within": 60}
    with serving("--port", "0") as server:
        waiting = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
        waiting.request("POST", "/_mock/calls/verify", json.dumps(question), {"Content-Type": "application/json"})
        assert get(f"{server.url}/_mock/health").ok  # what was sent before is being answered by now
        server.process.send_signal(signal.SIGTERM)
        response = waiting.getresponse()
        assert (response.status, json.load(response)["verified"]) == (200, False)
        waiting.close()
        assert server.process.wait(PATIENCE) in {-signal.SIGTERM, 0}
        assert server.process.communicate() == ("", "")


@contextmanager
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads, and that takes no more."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x")
        os.set_blocking(writing, True)
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("let_through", [(), ("--let-through", "sms.example")], ids=["alone", "let-through"])
def test_drain(let_through: tuple[str, ...]) -> None:
    """At SIGTERM it says that it is stopping and answers still; Ctrl-C ends it at once."""
    with serving("--port", "0", "--drain", "3600", *let_through) as server:
        server.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while get(f"{server.url}/_mock/health").status_code == 200:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert get(f"{server.url}/_mock/health").json()["status"] == "stopping"
        assert requests.post(f"{server.url}/sms/o", timeout=PATIENCE).status_code == 401
        server.process.send_signal(signal.SIGINT)
        server.process.wait(PATIENCE)


def test_log_that_nobody_reads() -> None:
    """A pipe that takes no more stops neither answers nor the end."""
    command = [*COMMAND, "serve", "--port", "0"]
    with full_pipe() as pipe, serving_by(command, surroundings(), pipe) as server:
        for _ in range(20):
            assert requests.post(f"{server.url}/sms/o", timeout=PATIENCE).status_code == 401
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) in {-signal.SIGTERM, 0}


def test_closed_standard_error() -> None:
    """Without one it serves, and writes to nothing else."""
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND, "serve", "--port", "0"]
    with serving_by(command, surroundings()) as server:
        assert requests.post(f"{server.url}/sms/o", timeout=PATIENCE).status_code == 401
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("options", [(), ("--drain", "3600")], ids=["alone", "drain"])
def test_interrupted(options: tuple[str, ...]) -> None:
    """Ctrl-C ends it at once, without a message."""
    with serving("--port", "0", *options) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(PATIENCE) == 0
        assert server.process.communicate() == ("", "")


CUT = "1 connections were cut: the server ends"


@pytest.mark.parametrize("seconds", [0, 0.003, 0.01, 0.03, 0.1])
@pytest.mark.parametrize("store", [None, "calls.db"])
def test_interrupted_again(seconds: float, store: str | None, tmp_path: Path) -> None:
    """Whenever Ctrl-C comes once more, nothing is said of it, and the store is closed."""
    options = () if store is None else ("--store", tmp_path / store)
    with serving("--port", "0", *options) as server:
        assert requests.post(f"{server.url}/sms/o", timeout=PATIENCE).status_code == 401
        for _ in range(3):
            server.process.send_signal(signal.SIGINT)
            time.sleep(seconds)
        assert server.process.wait(PATIENCE) == 0
        output, log = server.process.communicate()
        assert (output, log.count("\n")) == ("", 1)  # the call's
    assert [path.name for path in tmp_path.iterdir()] == ([] if store is None else [store])  # and no log of the store's


def test_interrupted_again_while_a_client_waits_over_tls(tmp_path: Path) -> None:
    """One that is kept waiting by a fault is cut at once then, and one line says so."""
    files = tmp_path / "tls"
    pin = {"account": "default", "fault": {"kind": "timeout"}}
    head = b"POST /sms/o HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    key = b"Authorization: Bearer OpenTactDefaultPaidKey00000000000000000000000001\r\n\r\n"
    options = ("--port", "0", "--log", "json", "--tls-files", files, "--store", tmp_path / "calls.db")
    with serving(*options, XDG_STATE_HOME=str(tmp_path / "state")) as server:
        assert requests.put(f"{server.url}/_mock/pins/opentact.send_sms", json=pin, timeout=PATIENCE).ok
        context = ssl.create_default_context(cafile=str(files / "ca.pem"))
        port = urlsplit(server.url).port or 0
        with (
            socket.create_connection(("127.0.0.1", port), PATIENCE) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as client,
        ):
            client.sendall(head + key)
            while not get(f"{server.url}/_mock/calls?account=default").json()["calls"]:
                time.sleep(0.01)
            for _ in range(2):
                server.process.send_signal(signal.SIGINT)
                time.sleep(0.1)
            assert server.process.wait(PATIENCE) == 0
            output, log = server.process.communicate()
    lines = [json.loads(line) for line in log.splitlines()]
    assert (output, [line["note"] for line in lines if "note" in line]) == ("", [CUT])
    assert not (tmp_path / "calls.db-wal").exists()


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        pytest.param("localhost", "localhost", id="name"),
        pytest.param("::1", "[::1]", id="IPv6"),
        pytest.param("::", "[::1]", id="any IPv6"),
        pytest.param("0.0.0.0", "127.0.0.1", id="any IPv4"),  # noqa: S104 -- only shown
        pytest.param("", "127.0.0.1", id="empty"),
    ],
)
def test_address_to_dial(built: list[Settings], host: str, shown: str) -> None:
    """The printed address can be reached, and only a loopback address goes without a token."""
    ended = invoke("serve", "--host", host)
    assert ended.stdout.splitlines()[0] == f"mockserver {__version__} is ready on http://{shown}:0"
    token = built[0].admin_token
    assert (token is None) == (host in {"localhost", "::1"})
    assert token is None or f": {token}\n" in ended.stdout


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "possible"),
    [
        pytest.param(64, 9000, 420, 100, id="raised"),
        pytest.param(64, resource.RLIM_INFINITY, 420, 100, id="raised, without end"),
        pytest.param(5000, 9000, None, 100, id="enough"),
        pytest.param(64, 350, 350, 30, id="as far as it goes"),
        pytest.param(64, 64, 64, 1, id="hardly any"),
    ],
)
def test_open_files(
    built: list[Settings], monkeypatch: pytest.MonkeyPatch, *, soft: int, hard: int, raised: int | None, possible: int
) -> None:
    """It takes as many connections as the option says; if open files do not suffice, it prints how many."""
    was_set: list[Any] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: was_set.append(limits))
    ended = invoke("serve", "--max-connections", "100")
    assert was_set == ([] if raised is None else [(raised, hard)])
    assert built[0].max_connections == possible
    told = f"mockserver: open files (ulimit -Hn) suffice for {possible} connections at once only\n"
    assert ended.stderr == ("" if possible == 100 else told)


def test_chosen_token(built: list[Settings]) -> None:
    """A chosen token is used and not printed."""
    ended = invoke("serve", "--host", "10.0.0.1", MOCKSERVER_ADMIN_TOKEN="letmein")
    assert built[0].admin_token == "letmein"
    assert "letmein" not in ended.stdout


def test_options_win(built: list[Settings], tmp_path: Path) -> None:
    """Each setting comes from the environment, and an option wins over it."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / "accounts.json").write_text('{"id": "third"}', "utf-8")
        (folder / f"{folder.name}.yaml").write_text(skeleton(folder.name), "utf-8")
    given = {"SERVE_HOST": "127.0.0.2", "SERVE_PORT": "1", "LOG": "json"}
    bounds = {"MAX_ACCOUNTS": "21", "MAX_CONNECTIONS": "22", "MAX_JOURNAL_CALLS": "23", "MAX_JOURNAL_BYTES": "24"}
    bounds |= {"MAX_BODY": "25", "MAX_HEAD": "26", "IDLE_TIMEOUT": "27", "REQUEST_TIMEOUT": "28"}
    given |= bounds
    given |= {"PUBLIC_URL": "http://five", "CONTRACTS": f"{there}:{here}", "FIXTURES": f"{there}:", "BUILTIN": "0"}
    environment = {f"MOCKSERVER_{name}": value for name, value in given.items()}
    environment["MOCKSERVER_ACCOUNTS"] = str(there / "accounts.json")
    options: list[str | Path] = ["--host", "localhost", "--port", "11", "--log", "off"]
    options += ["--public-url", "http://fifteen", "--contracts", here, "--no-explain"]
    options += [part for name in bounds for part in (f"--{name.lower().replace('_', '-')}", f"1{bounds[name]}")]
    options += ["--fixtures", here, "--fixtures", there, "--accounts", here / "accounts.json"]
    assert invoke("serve", **environment).exit_code == 0
    assert invoke("serve", "--no-builtin", *options, **environment).exit_code == 0
    paths = (there / "accounts.json", here / "accounts.json")
    numbers: dict[str, Any] = {name.lower(): int(value) for name, value in bounds.items()}
    larger: dict[str, Any] = {name: int(f"1{value}") for name, value in numbers.items()}
    assert built == [
        Settings(
            (there, here), (there,), False, paths[0], "127.0.0.2", 1, "http://five", None, True, "json", **numbers
        ),
        Settings(
            (here,),
            (here, there),
            False,
            paths[1],
            "localhost",
            11,
            "http://fifteen",
            None,
            False,
            "off",
            **larger,
        ),
    ]


def test_options_on_and_off(built: list[Settings]) -> None:
    """An option can switch on what the environment switches off."""
    invoke("serve", "--explain", "--builtin", MOCKSERVER_EXPLAIN="0", MOCKSERVER_BUILTIN="0")
    assert (built[0].explain, built[0].builtin) == (True, True)


@pytest.mark.parametrize(
    ("options", "environment", "log"),
    [([], {}, "text"), ([], {"MOCKSERVER_LOG": "off"}, "off"), (["--log", "json"], {"MOCKSERVER_LOG": "off"}, "json")],
    ids=["nothing", "environment", "option"],
)
def test_log_is_on(built: list[Settings], options: list[str], environment: dict[str, str], log: str) -> None:
    """It writes a log unless that is switched off."""
    assert invoke("serve", *options, **environment).exit_code == 0
    assert built[0].log == log


def test_every_setting_has_one_name() -> None:
    """In Python, as an option, in the environment (but for --host and --port) and in the README.

    The token has no option: other users of a machine can read the command line of a process.
    """
    settings = {field.name for field in fields(Settings)}
    options = {str(parameter.name) for parameter in serve.params if not getattr(parameter, "hidden", False)}
    of_the_process = {"state", "drafts", "watch", "workers"}  # not of the application that a test may build
    assert options | {"admin_token"} == settings | {*TYPED_OUT} | of_the_process
    for parameter in serve.params:
        if parameter.name in settings and isinstance(parameter, click.Option):
            assert parameter.opts[0] == option(parameter.name)
    by_click = {param.name: param.envvar for param in serve.params if isinstance(param, click.Option) and param.envvar}
    assert by_click == {
        "state": "MOCKSERVER_STATE",
        "drafts": "MOCKSERVER_DRAFT",
        "watch": "MOCKSERVER_WATCH",
        "workers": "MOCKSERVER_WORKERS",
    }
    variables = {name: variable(name) for name in settings}
    assert {name for name in settings if variables[name] != f"MOCKSERVER_{name.upper()}"} == {"host", "port"}
    assert (variables["host"], variables["port"]) == ("MOCKSERVER_SERVE_HOST", "MOCKSERVER_SERVE_PORT")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("WORKERS", "2", "--workers needs a store that they share"),
        ("WORKERS", "two", "'two' is not a valid integer"),
        ("STATE", "nowhere.yaml", "--state: nowhere.yaml"),
        ("WATCH", "perhaps", "'perhaps' is not a valid boolean"),
        ("DRAFT", "nowhere.yaml", "nowhere.yaml"),
        ("REAL_CALLS", "calls.jsonl", "MOCKSERVER_REAL_CALLS is not read"),
    ],
)
def test_variables_of_the_process(taken: str, name: str, text: str, said: str) -> None:
    """What is set is heeded, or refused: nothing is ignored without a word."""
    ended = invoke("serve", "--port", taken, **{f"MOCKSERVER_{name}": text})
    assert ended.exit_code in {1, 2}
    assert said in ended.output


@pytest.mark.parametrize("former", [name for name in RENAMED if not name.startswith("serve_")])
def test_former_names(taken: str, former: str) -> None:
    """An option and a variable of a former name are told with the present one, in one line."""
    old = f"--{former.replace('_', '-')}"
    ended = invoke("serve", "--port", taken, old, "5")
    assert (ended.exit_code, ended.stderr) == (2, f"mockserver: {old} is now {option(RENAMED[former])}\n")
    ended = invoke("serve", "--port", taken, **{f"MOCKSERVER_{former.upper()}": "5"})
    said = f"mockserver: MOCKSERVER_{former.upper()} is now {variable(RENAMED[former])}\n"
    assert (ended.exit_code, ended.stderr) == (2, said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({}, "", id="none"),
        pytest.param(
            {"PORT": "9"}, "MOCKSERVER_PORT not read, another product's; ours: MOCKSERVER_SERVE_PORT", id="one"
        ),
        pytest.param(
            {"PORT": "9", "HOST": "h"},
            "MOCKSERVER_HOST and MOCKSERVER_PORT not read, another product's; "
            "ours: MOCKSERVER_SERVE_HOST and MOCKSERVER_SERVE_PORT",
            id="both",
        ),
    ],
)
def test_another_products_variables(built: list[Settings], given: dict[str, str], said: str) -> None:
    """Those that look like ours, and are not read, are named with ours in one line."""
    ended = invoke("serve", **{f"MOCKSERVER_{name}": value for name, value in given.items()})
    assert ended.stderr == (f"mockserver: {said}\n" if said else "")
    assert (built[0].host, built[0].port) == ("127.0.0.1", 8080)


def test_real_vendors(tmp_path: Path) -> None:
    """What reaches a real vendor is said at the start, with where it is recorded, and in each line of the log."""
    file = tmp_path / "real.jsonl"
    with (
        taken_port() as port,
        serving("--port", "0", "--forward-real", f"polyai=http://127.0.0.1:{port}", "--real-calls", file) as server,
    ):
        assert f"REAL: calls to polyai go to http://127.0.0.1:{port}" in server.lines
        assert any(line.startswith(f"REAL: they are recorded in {file}, secrets masked") for line in server.lines)
        key = {"X-PolyAi-Auth-Token": "polyai-default-api-key-0000000000000001a"}
        assert requests.post(f"{server.url}/v1/outbound-sms", headers=key, timeout=PATIENCE).status_code == 502
        server.process.terminate()
        said = server.process.stderr.read() if server.process.stderr is not None else ""
    assert " REAL polyai.send_sms/- 502 default " in said
    assert f"REAL http://127.0.0.1:{port}: not passed on: the credentials are this server's own invention" in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["polyai"], "--forward-real is VENDOR=https://HOST, both typed out, not 'polyai'"),
        (["polyai=http://vendor.example"], "--forward-real takes https://HOST[:PORT], http for this machine alone"),
        (["polyai=https://a.example", "polyai=https://b.example"], "--forward-real names polyai twice"),
        (["nobody=https://a.example"], "there is no vendor 'nobody'"),
    ],
)
def test_real_vendors_that_cannot_be(built: list[Settings], arguments: list[str], complaint: str) -> None:
    """Whom calls are passed on to is typed out, vendor and address, or nothing is served."""
    ended = invoke("serve", "--port", "0", *[word for text in arguments for word in ("--forward-real", text)])
    assert (ended.exit_code, built) == (2, [])
    assert ended.stderr.startswith(f"mockserver: {complaint}")


def test_no_real_vendor_by_the_environment(built: list[Settings], tmp_path: Path) -> None:
    """No variable has calls leave the machine."""
    environment = {"MOCKSERVER_FORWARD_REAL": "polyai=https://a.example"}
    ended = invoke("serve", "--port", "0", "--real-calls", tmp_path / "real", **environment)
    assert (ended.exit_code, built) == (2, [])
    assert "MOCKSERVER_FORWARD_REAL is not read: no variable has calls leave this machine" in ended.stderr
    assert not (tmp_path / "real").exists()


def test_a_state_file(tmp_path: Path) -> None:
    """What it fixes is there from the first call on."""
    file = tmp_path / "state.json"
    pin = {"operation": "voximplant.send_sms", "answers": [{"status": 503}]}
    file.write_text(json.dumps({"accounts": {"default": {"pins": [pin], "clock": {"freeze": True}}}}))
    with serving("--port", "0", "--state", file) as server:
        account = requests.get(f"{server.url}/_mock/accounts/default", timeout=PATIENCE).json()
        pins = requests.get(f"{server.url}/_mock/pins", timeout=PATIENCE).json()["pins"]
    assert account["clock"]["frozen"] is True
    assert [one["answers"] for one in pins] == [[{"status": 503}]]


def test_a_state_file_with_a_mistake(taken: str, tmp_path: Path) -> None:
    """One line with its place, and nothing is served."""
    file = tmp_path / "state.yaml"
    file.write_text("accounts:\n  default: {pin: []}\n")
    ended = invoke("serve", "--port", taken, "--state", file)
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith(f"mockserver: --state: {file}:2:")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--let-through", "https://a"], "must be hosts' names without scheme and port, not 'https://a'"),
        (
            ["--let-through", "a", "--let-through", "Api.Voximplant.com"],
            "cannot have Api.Voximplant.com: it is a vendor's host, which is served here",
        ),
    ],
)
def test_hosts_that_cannot_be_let_through(options: list[str], complaint: str) -> None:
    """An option that could take no effect is a mistake, in one line."""
    with taken_port() as port:
        ended = invoke("serve", "--port", port, *options)
    assert ended.exit_code == 2
    assert re.fullmatch(f"mockserver: (let_through|--let-through) {re.escape(complaint)}\n", ended.stderr)


def test_files_for_clients(tmp_path: Path) -> None:
    """They are written before the server is ready, and are those of this user's servers; a bad folder ends it."""
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with serving("--port", "0", "--tls-files", tmp_path / "tls", **environment):
        assert sorted(path.suffix for path in (tmp_path / "tls").iterdir()) == [".0", ".p12", ".pem", ".pem"]
    printed = invoke("ca", tmp_path / "same", **environment)
    assert (tmp_path / "same" / "ca.pem").read_text() == (tmp_path / "tls" / "ca.pem").read_text(), printed
    (tmp_path / "file").write_text("")
    ended = invoke("serve", "--port", "0", "--tls-files", tmp_path / "file", **environment)
    assert (ended.exit_code, ended.stderr) == (2, f"mockserver: cannot use {tmp_path / 'file'}: File exists\n")


def test_certificates_that_cannot_be_kept(tmp_path: Path) -> None:
    """A line says so, and the server serves all the same."""
    (tmp_path / "file").write_text("")
    with serving("--port", "0", "--tls-files", tmp_path / "tls", XDG_STATE_HOME=str(tmp_path / "file")) as server:
        server.process.terminate()
        _, said = server.process.communicate(timeout=PATIENCE)
    assert said.startswith("mockserver: certificates are made anew at each start: ")
    assert said.count("\n") == 1
    assert (tmp_path / "tls" / "ca.pem").exists()


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_public_address_beyond_ascii(built: list[Settings], way: str) -> None:
    """It would stand in headers, which have no such letters: it is refused at the start, in one line."""
    address = "http://例え:8080"
    given = ["--public-url", address] if way == "option" else []
    ended = invoke("serve", *given, **({} if given else {"MOCKSERVER_PUBLIC_URL": address}))
    name = "--public-url" if given else "MOCKSERVER_PUBLIC_URL"
    said = f"mockserver: {name} must be ASCII, its host as xn--… and its path percent-encoded, not {address!r}\n"
    assert (ended.exit_code, ended.stderr, built) == (2, said, [])


def test_what_a_connection_refuses_is_logged() -> None:
    """In a line of its own, by our log; nothing of any library's is printed."""
    with serving("--port", "0") as server:
        host, _, port = urlsplit(server.url).netloc.rpartition(":")
        for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection((host, int(port)), PATIENCE) as client:
                client.sendall(sent)
                assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
        server.process.send_signal(signal.SIGTERM)
        _, log = server.process.communicate(timeout=PATIENCE)
    assert [line.partition(": ")[2].partition(":")[0] for line in log.splitlines()] == [
        "400 Not HTTP",
        "400 Not one Host",
    ]


def test_sigterm_while_an_answer_is_not_read() -> None:
    """A client that does not read is cut after a second, and one line says so."""
    pin = {"account": "default", "answers": [{"status": 200, "body": "x" * 900_000}], "then": "last"}
    key = b"Authorization: Bearer OpenTactDefaultPaidKey00000000000000000000000001\r\n"
    body = b'{"from": "12065550141", "to": "+13115552367", "text": "Hello, world!"}'
    head = b"POST /sms/o HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    request = head + key + b"\r\n" + body
    with serving("--port", "0", "--log", "json") as server:
        assert requests.put(f"{server.url}/_mock/pins/opentact.send_sms", json=pin, timeout=PATIENCE).ok
        host, _, port = urlsplit(server.url).netloc.rpartition(":")
        with socket.create_connection((host, int(port)), PATIENCE) as client:
            client.sendall(request * 30)
            while len(get(f"{server.url}/_mock/calls?account=default").json()["calls"]) < 5:
                time.sleep(0.01)
            server.process.send_signal(signal.SIGTERM)
            _, log = server.process.communicate(timeout=PATIENCE)
    notes = [json.loads(line)["note"] for line in log.splitlines() if "note" in json.loads(line)]
    assert notes == [CUT]


def test_sigterm_while_a_list_is_not_read() -> None:
    """One line says so, too, where a task waits for its client to read."""
    with serving("--port", "0", "--log", "json") as server:
        for _ in range(30):
            requests.post(f"{server.url}/sms/o", data="x" * 900, timeout=PATIENCE)
        host, _, port = urlsplit(server.url).netloc.rpartition(":")
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((host, int(port)))
            client.sendall(b"GET /_mock/calls HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200)
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            _, log = server.process.communicate(timeout=PATIENCE)
    assert [json.loads(line)["note"] for line in log.splitlines() if "note" in json.loads(line)] == [CUT]
