"""``mockserver run``: the command, its environment, its exit code and signals, and what is said at the end."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mockserver.cli.run
from tests.cli.running import COMMAND, invoke, surroundings
from tests.live import PATIENCE
from tests.processes.test_readme import UNCHANGED, block

SEND = """
import json, os, sys, urllib.request, urllib.error
base, key, *more = sys.argv[1:] + [os.environ["POLYAI_API_KEY"]]
headers = {"X-PolyAi-Auth-Token": key, "X-TOKEN-ID": os.environ["POLYAI_CONNECTORS_0_ID"]}
headers["Content-Type"] = "application/json"
body = json.dumps({"user_number": "+14155550123", "message": "Hi"}).encode()
try:
    print(urllib.request.urlopen(urllib.request.Request(base + "/v1/outbound-sms", body, headers)).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture
def send(tmp_path: Path) -> Path:
    """A program that sends one message to the base URL in its first argument, with the key in its second."""
    file = tmp_path / "send.py"
    file.write_text(SEND, "utf-8")
    return file


def sending(send: Path, base: str = "$POLYAI_URL", *more: str) -> tuple[str, ...]:
    return "sh", "-c", f"{sys.executable} {send} {' '.join([base, *more])}"


CLOSED_PORT = 9
UNTIL_A_CALLBACK = """
import os, time, urllib.request
url = os.environ["MOCKSERVER_URL"] + "/_mock/calls?kind=callback&account=" + os.environ["MOCKSERVER_ACCOUNT"]
while b'"aborted"' not in urllib.request.urlopen(url).read():
    time.sleep(0.05)
"""

Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ran(capfd: pytest.CaptureFixture[str]) -> Ran:
    """``mockserver run`` within this process: exit code, what the command printed, what was told at the end."""

    def run_it(*args: str, **environment: str) -> tuple[int, str, str]:
        ended = invoke("run", *args, **environment)
        return ended.exit_code, capfd.readouterr().out, ended.stderr

    return run_it


@pytest.mark.parametrize("code", [0, 3, 255])
def test_exit_code(code: int) -> None:
    """It is the command's."""
    assert invoke("run", "--", "sh", "-c", f"exit {code}").exit_code == code


def test_killed() -> None:
    """A command that a signal has ended gives what a shell gives."""
    assert invoke("run", "--", "sh", "-c", "kill -KILL $$").exit_code == 128 + signal.SIGKILL


def test_not_there(tmp_path: Path) -> None:
    """One that cannot be run is told in one line, and is no call; the reports are this run's."""
    report = tmp_path / "junit.xml"
    report.write_text("of an earlier run")
    gate = ["--expect", "polyai.send_sms=1", "--report", str(report)]
    ended = invoke("run", *gate, "--", str(tmp_path / "nothing"))
    assert (ended.exit_code, ended.stderr.splitlines()) == (
        127,
        [
            f"mockserver: cannot run {tmp_path}/nothing: No such file or directory",
            "mockserver: no call reached a vendor",
            "FAILED: --expect polyai.send_sms=1: polyai.send_sms was accepted never, not exactly once",
        ],
    )
    assert 'failures="1"' in report.read_text()
    (tmp_path / "data").write_text("x")
    assert invoke("run", "--", str(tmp_path / "data")).exit_code == 126


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals(tmp_path: Path, number: signal.Signals) -> None:
    """A signal goes to the command, which decides what becomes of it."""
    ready = tmp_path / "ready"
    script = f"trap 'exit 42' {number.name.removeprefix('SIG')}; echo > {ready}; while :; do sleep 0.05; done"
    command = [*COMMAND, "run", "--", "sh", "-c", script]
    process = subprocess.Popen(command, env=surroundings(), stderr=subprocess.PIPE, text=True, start_new_session=True)
    for _ in range(PATIENCE * 20):
        if ready.exists():
            break
        time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (42, "mockserver: no call reached a vendor\n")


@pytest.mark.parametrize("isolation", ["none", "auto"])
@pytest.mark.parametrize("step", ["_own_account", "_isolated"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_before_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals, step: str, isolation: str
) -> None:
    """It is not run, nothing is left, no earlier report either, and the exit code is a shell's."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    work = getattr(mockserver.cli.run, step)

    def and_signal(*args: Any) -> Any:
        os.kill(os.getpid(), number)
        done = work(*args)
        os.kill(os.getpid(), number)
        return done

    monkeypatch.setattr(mockserver.cli.run, step, and_signal)
    report = tmp_path / "junit.xml"
    report.write_text("of an earlier run")
    ended = invoke("run", "--isolation", isolation, "--report", report, "--", "touch", str(tmp_path / "ran"))
    assert ended.exit_code == 128 + number
    assert ended.stderr.splitlines()[-1] == f"mockserver: {number.name} came before the command was started"
    assert list(tmp_path.iterdir()) == []


def test_a_signal_behind_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It ends what is told, and nothing is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(mockserver.cli.run, "summary", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    ended = invoke("run", "--", "true")
    assert (ended.exit_code, ended.stderr, list(tmp_path.iterdir())) == (128 + signal.SIGINT, "", [])


def test_options_of_the_command_are_its_own(ran: Ran) -> None:
    """Also without ``--``."""
    assert ran("printf", "%s.", "--expect", "-h")[:2] == (0, "--expect.-h.")


NEEDLESS = {"ctypes", "xml.sax", "anyio._backends._asyncio"}
AT_THE_END = f"""
import atexit, sys
from mockserver.cli import main
atexit.register(lambda: print(sorted({NEEDLESS!r} & sys.modules.keys())))
main()
"""


def test_what_a_run_does_not_load() -> None:
    """What few runs need costs no other run its time."""
    command = [sys.executable, "-c", AT_THE_END, "run", "--", "true"]
    ended = subprocess.run(command, env=surroundings(), capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_summary(ran: Ran, send: Path) -> None:
    """Calls by answer, each refusal with its sentence, evidence and coverage."""
    twice = " && ".join(f"{sys.executable} {send} $POLYAI_URL {key}" for key in ("", "wrong"))
    code, said, told = ran("--", "sh", "-c", twice)
    assert (code, said) == (0, "202\n401\n")
    counted, refused, evidence = told.splitlines()
    assert re.fullmatch(r"mockserver: 2 calls: polyai.send_sms/sent 1, polyai.send_sms/\w+ 1", counted)
    assert re.fullmatch(r"  refused: polyai.send_sms/\w+ 401: /header/x-polyai-auth-token: .+", refused)
    assert re.fullmatch(r"  evidence: .+; coverage of polyai: 2 of \d+ answers.*", evidence)


def test_refusals_of_one_kind_are_counted(ran: Ran, send: Path) -> None:
    """One line for all of them."""
    told = ran("--", "sh", "-c", f"for n in 1 2 3; do {sys.executable} {send} $POLYAI_URL wrong; done")[2]
    assert len(re.findall("^  refused 3 times: polyai.send_sms/", told, re.MULTILINE)) == 1
    assert told.count("refused") == 1


TLS = """
import sys, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=20).status)
    except Exception as error:
        print(getattr(error, "code", type(error).__name__))
"""


def test_no_count_is_made_of_a_part(ran: Ran, send: Path) -> None:
    """Where calls were evicted, an expectation is not met, whatever is left says."""
    four = f"for n in 1 2 3 4; do {sys.executable} {send} $POLYAI_URL; done"
    code, _, told = ran("--expect", "polyai.send_sms=2", "--", "sh", "-c", four, MOCKSERVER_MAX_JOURNAL_CALLS="2")
    assert code == 1
    assert told.count("2 earlier calls were evicted, and are not counted") == 2


NOBODYS, ELSEWHERE = "$MOCKSERVER_URL/nowhere", "http://crm.example/a"


@pytest.mark.parametrize(
    ("gate", "asked"),
    [("refused", (NOBODYS, ELSEWHERE)), ("unclaimed", (NOBODYS, ELSEWHERE)), ("escaped", (ELSEWHERE, NOBODYS))],
)
def test_what_was_evicted_may_be_to_blame(ran: Ran, gate: str, asked: tuple[str, ...]) -> None:
    """Where calls were evicted, no gate holds, though none of the calls that are left is to blame."""
    command = ("sh", "-c", f"curl -s {' '.join(asked)} >/dev/null")
    code, _, told = ran("--fail-on", gate, "--", *command, MOCKSERVER_MAX_JOURNAL_CALLS="1")
    assert code == 1
    assert f"FAILED: --fail-on {gate}: 1 earlier calls were evicted" in told


def test_an_account_that_the_command_deletes(ran: Ran) -> None:
    """The end of the run tells what is known."""
    script = "curl -s -X DELETE $MOCKSERVER_URL/_mock/accounts/$MOCKSERVER_ACCOUNT"
    assert ran("--", "sh", "-c", script) == (0, "", "mockserver: no call reached a vendor\n")


def test_over_tls_and_to_nobody(ran: Ran) -> None:
    """A vendor's https URL is answered and trusted; another host is refused, told, and fails the run if asked for."""
    urls = ("https://api.voximplant.com/platform_api/SendSmsMessage", "https://crm.example/", "http://crm.example/a")
    code, said, told = ran("--fail-on", "escaped", "--", sys.executable, "-c", TLS, *urls)
    assert (code, said) == (1, "200\nURLError\n502\n")
    assert told.count("  no vendor's host was asked for: crm.example") == 2
    assert "FAILED: --fail-on escaped: crm.example:443; crm.example\n" in told


PAST_THE_PROXY = {
    "python": """
import http.client
for host in ("crm.example", "crm.example", "localhost", "let.example"):
    try:
        http.client.HTTPConnection(host, 1).connect()
    except OSError:
        pass
""",
    "node": """
const http = require('http'), net = require('net');
for (const host of ['crm.example', 'crm.example', 'localhost', 'let.example'])
  http.get({host, port: 1}).on('error', () => {});
net.connect(1, 'crm.example').on('error', () => {});
""",
}


@pytest.mark.parametrize("language", PAST_THE_PROXY)
def test_past_the_proxy(ran: Ran, language: str) -> None:
    """A client that heeds no proxy is told of as well, once; not what is local or let through."""
    program = [sys.executable, "-c"] if language == "python" else ["node", "-e"]
    options = ("--fail-on", "escaped", "--let-through", "let.example")
    code, _, told = ran(*options, "--", *program, PAST_THE_PROXY[language])
    assert code == 1
    assert "  no vendor's host was asked for: crm.example:1\n" in told
    assert "FAILED: --fail-on escaped: crm.example:1\n" in told


def test_let_through_and_not_reached(ran: Ran) -> None:
    """Why is told, for tunnels and for whole addresses; it has not escaped."""
    urls = ("https://nosuch.invalid/", "http://nosuch.invalid/a")
    command = (sys.executable, "-c", TLS, *urls)
    code, _, told = ran("--let-through", "nosuch.invalid", "--fail-on", "escaped", "--", *command)
    assert code == 0
    for port in (443, 80):
        assert f"  nosuch.invalid:{port} is let through, and cannot be reached: " in told


def test_a_client_that_does_not_trust_us(ran: Ran) -> None:
    """It is told in a sentence that says which one it is, and what to set."""
    script = "SSL_CERT_DIR=/nowhere SSL_CERT_FILE=/dev/null CURL_CA_BUNDLE= curl -s -A probe/3 https://cx.avaamo.com/"
    code, _, told = ran("--", "sh", "-c", script)
    assert code > 0
    sentence = "^  cx.avaamo.com:443, user agent probe/3: the client did not trust the server's certificate"
    assert re.search(sentence, told, re.MULTILINE)


def test_by_the_vendors_host(ran: Ran, send: Path) -> None:
    """A client that is told nothing but the vendor's own address reaches the server."""
    base = "http://api.us-1.platform.polyai.app"
    assert ran("--expect", "polyai.send_sms=1", "--", *sending(send, base))[:2] == (0, "202\n")


@pytest.mark.parametrize(
    ("gates", "code", "said"),
    [
        (["--expect", "polyai.send_sms=1"], 0, None),
        (["--expect", "polyai.send_sms=1+"], 0, None),
        (["--expect", "polyai.send_sms/sent=1"], 0, None),
        (["--expect", "avaamo.send_sms=0", "--fail-on", "refused", "--fail-on", "unclaimed"], 0, None),
        (["--expect", "polyai.send_sms=2"], 1, "polyai.send_sms was accepted once, not exactly twice"),
        (["--expect", "polyai.send_sms=3+"], 1, "polyai.send_sms was accepted once, not at least 3 times"),
        (["--expect", "polyai.send_sms=0"], 1, "polyai.send_sms was accepted once, not never at all"),
        (
            ["--expect", "polyai.send_sms/rate_limited=1"],
            1,
            "polyai.send_sms was answered rate_limited never, once otherwise, not exactly once",
        ),
    ],
)
def test_expect(send: Path, gates: list[str], code: int, said: str | None) -> None:
    """What was not met fails the run."""
    ended = invoke("run", *gates, "--", *sending(send))
    assert ended.exit_code == code
    failed = [line for line in ended.stderr.splitlines() if line.startswith("FAILED: ")]
    assert failed == ([] if said is None else [f"FAILED: {' '.join(gates[:2])}: {said}"])


def test_a_failing_command_keeps_its_exit_code() -> None:
    """Whatever the gates say."""
    assert invoke("run", "--expect", "polyai.send_sms=1", "--", "sh", "-c", "exit 7").exit_code == 7


def test_fail_on_refused(send: Path) -> None:
    """A refusal by a rule that nobody had arranged."""
    ended = invoke("run", "--fail-on", "refused", "--", *sending(send, "$POLYAI_URL", "wrong"))
    assert ended.exit_code == 1
    assert re.search("^FAILED: --fail-on refused: .* 401 ", ended.stderr, re.MULTILINE)


@pytest.mark.parametrize("fault", ["reset", "timeout", "empty", "garbage"])
def test_a_fault_that_a_pin_asks_for_is_no_refusal(tmp_path: Path, fault: str) -> None:
    """Though the call is not accepted."""
    state = tmp_path / "state.yaml"
    state.write_text(f"pins: [{{operation: polyai.send_sms, fault: {{kind: {fault}, times: 1}}}}]", "utf-8")
    headers = '-H "X-PolyAi-Auth-Token: $POLYAI_API_KEY" -H "X-TOKEN-ID: $POLYAI_CONNECTORS_0_ID"'
    body = """-H "Content-Type: application/json" -d '{"user_number": "+14155550123", "message": "Hi"}'"""
    script = f"curl -s -m 1 -o /dev/null {headers} {body} $POLYAI_URL/v1/outbound-sms || true"
    ended = invoke("run", "--state", str(state), "--fail-on", "refused", "--", "sh", "-c", script)
    assert (ended.exit_code, "refused" in ended.stderr) == (0, False), ended.stderr
    assert ended.stderr.startswith("mockserver: 1 call: polyai.send_sms 1")


def test_a_callback_that_nobody_takes_is_no_refusal(tmp_path: Path) -> None:
    """It is told by itself: no rule of a vendor's refused anything."""
    state = tmp_path / "state.yaml"
    profile = f'{{callback_url: "http://127.0.0.1:{CLOSED_PORT}/receipts"}}'
    state.write_text(f"vendors: {{opentact: {{leases: [{{messaging_profile: {profile}}}]}}}}", "utf-8")
    headers = '-H "Authorization: Bearer $OPENTACT_KEYS_0_API_KEY" -H "Content-Type: application/json"'
    body = '{\\"from\\": \\"$OPENTACT_LEASES_0_TN\\", \\"to\\": \\"13115552367\\", \\"text\\": \\"Hi\\"}'
    wait = f"{sys.executable} -c {shlex.quote(UNTIL_A_CALLBACK)}"
    script = f'curl -s {headers} -d "{body}" $OPENTACT_URL/sms/o >/dev/null; {wait}'
    ended = invoke("run", "--state", str(state), "--fail-on", "refused", "--", "sh", "-c", script)
    assert ended.exit_code == 0, ended.stderr
    assert re.search("^  callback not taken.*: POST /receipts 0: no connection: ", ended.stderr, re.MULTILINE)


def test_fail_on_unclaimed() -> None:
    """A call that is nobody's; it is told which paths there are."""
    ended = invoke("run", "--fail-on", "unclaimed", "--", "sh", "-c", "curl -s $MOCKSERVER_URL/nowhere >/dev/null")
    assert ended.exit_code == 1
    assert re.search(
        "^  refused: GET /nowhere 404: mockserver knows no GET here. Nearest: ", ended.stderr, re.MULTILINE
    )
    assert "FAILED: --fail-on unclaimed: " in ended.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--expect", "polyai.send_sms"], "--expect is VENDOR.OPERATION[/ANSWER]=N, or =N+ for at least N, not "),
        (["--expect", "polyai.sent=1"], "--expect: there is no operation 'polyai.sent'; known: "),
        (["--expect", "polyai.send_sms/nope=1"], "--expect: polyai.send_sms has no answer 'nope'; known: "),
        (["--env", "KEY"], "--env is NAME=TEXT, not 'KEY'"),
        (["--env", "KEY={polyai.credentials.kay}"], "--env KEY: polyai.credentials has no 'kay'; known: api_key"),
        (["--report", "calls.txt"], "--report writes by the file's name: *.har, *.json, *.xml, not calls.txt"),
        (["--state", "/nowhere.yaml"], "--state: /nowhere.yaml cannot be read: No such file or directory"),
    ],
)
def test_mistakes(options: list[str], said: str) -> None:
    """One line each, and the command is not run."""
    ended = invoke("run", *options, "--", "sh", "-c", "exit 9")
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith(f"mockserver: {said}")


@pytest.fixture
def environment(ran: Ran) -> Callable[..., dict[str, str]]:
    """The environment that a command gets."""

    def environment_of(*options: str, **before: str) -> dict[str, str]:
        code, said, told = ran(*options, "--", "env", "-0", **before)
        assert code == 0, told
        return dict(entry.split("=", 1) for entry in said.split("\0") if entry)

    return environment_of


def test_environment(environment: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    """Credentials under their usual names and under those asked for, the server's address, the account, files."""
    found = environment(
        "--env", "SMS_KEY={polyai.credentials.api_key}", "--env", "SMS_URL={polyai.url}/v1", "--env", "MODE=test",
        "--files", str(tmp_path),
    )  # fmt: skip
    assert found["SMS_KEY"] == found["POLYAI_API_KEY"]
    assert found["SMS_URL"] == f"{found['POLYAI_URL']}/v1" == f"{found['MOCKSERVER_URL']}/v1"
    assert found["MODE"] == "test"
    assert found["MOCKSERVER_ACCOUNT"].startswith("a-")
    assert found["VOXIMPLANT_CREDENTIALS_JSON_FILE"] == str(tmp_path / "voximplant" / "credentials.json")
    assert json.loads((tmp_path / "voximplant" / "credentials.json").read_text())["account_id"]
    assert not any(re.search("_[1-9][0-9]*(_|$)", name) for name in found if name.startswith("POLYAI_"))
    assert environment()["POLYAI_API_KEY"] != found["POLYAI_API_KEY"]  # each run has a fresh account


def test_files_are_found_from_any_folder(
    environment: Callable[..., dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that changes its folder still has their paths."""
    monkeypatch.chdir(tmp_path)
    found = environment("--files", "credentials")
    assert found["VOXIMPLANT_CREDENTIALS_JSON_FILE"] == str(
        tmp_path / "credentials" / "voximplant" / "credentials.json"
    )


def test_a_users_own_credentials_stay(environment: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    """A second run replaces what the first one wrote; no run replaces what is the user's."""
    file = Path(environment("--files", str(tmp_path))["VOXIMPLANT_CREDENTIALS_JSON_FILE"])
    environment("--files", str(tmp_path))
    file.write_text("{}", "utf-8")
    ended = invoke("run", "--files", str(tmp_path), "--", "true")
    assert (ended.exit_code, file.read_text("utf-8")) == (2, "{}")
    assert ended.stderr.startswith(f"mockserver: cannot write {file}: it is there, and not as mockserver wrote it")


def test_what_the_user_had_set_is_kept(ran: Ran, environment: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    """Options of Node and Java, Python's path, PHP's folders, wget's settings and certificates stay beside ours."""
    more = tmp_path / "more.pem"
    more.write_text("-----BEGIN CERTIFICATE-----\nbW9yZQ==\n-----END CERTIFICATE-----\n")
    settings = tmp_path / "wgetrc"
    settings.write_text("tries = 7\n")
    script = "cat $WGETRC $NODE_EXTRA_CA_CERTS $SSL_CERT_FILE"
    said = ran("--", "sh", "-c", script, NODE_EXTRA_CA_CERTS=str(more), WGETRC=str(settings))[1]
    assert "tries = 7\n" in said
    assert said.count("bW9yZQ==") == 2
    options = {"NODE_OPTIONS": "--no-warnings", "JAVA_TOOL_OPTIONS": "-Xmx64m"}
    found = environment(**options, PHP_INI_SCAN_DIR="/x", PYTHONPATH="/y")
    assert found["NODE_OPTIONS"].startswith("--no-warnings --require=")
    assert found["JAVA_TOOL_OPTIONS"].startswith("-Xmx64m -D")
    assert found["PHP_INI_SCAN_DIR"].startswith(f"/x{os.pathsep}")
    assert found["PYTHONPATH"].endswith(f"{os.pathsep}/y")


ORDINARY = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]  # root, to whom closed files are closed


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="nothing is closed to root")
def test_files_that_are_closed(tmp_path: Path) -> None:
    """A home that cannot be entered, and certificates that cannot be read, are as if they were not there."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.pem").write_text("secret")
    home.chmod(0)
    named = dict.fromkeys(["REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"], str(home / "a.pem"))
    command = [*(ORDINARY if os.geteuid() == 0 else []), *COMMAND, "run", "--", "ls", str(home)]
    environment = surroundings(HOME=str(home)) | named
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    home.chmod(0o700)
    assert ended.returncode == 2  # as ls says of a closed folder
    assert ended.stderr.splitlines()[1:] == ["mockserver: no call reached a vendor"]


def test_a_hidden_sitecustomize_runs(ran: Ran, tmp_path: Path) -> None:
    """The user's own is run, too."""
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.own = 'seen'\n")
    program = "import sitecustomize; print(own, sitecustomize.__file__)"
    said = ran("--", sys.executable, "-c", program, PYTHONPATH=str(tmp_path))[1]
    assert said == f"seen {tmp_path}/sitecustomize.py\n"


@pytest.mark.parametrize("suffix", ["har", "json", "xml"])
def test_reports(ran: Ran, send: Path, tmp_path: Path, suffix: str) -> None:
    """By the file's name an archive, calls in the control API's shape, or the gates for CI; no key is in them."""
    file = tmp_path / "new" / f"report.{suffix}"
    gates = ("--expect", "polyai.send_sms=1", "--expect", "polyai.send_sms=2+", "--report", str(file))
    code, _, _ = ran(
        *gates,
        "--env",
        f"KEY_FILE={tmp_path}/key",
        "--",
        "sh",
        "-c",
        f"echo $POLYAI_API_KEY > $KEY_FILE; {sending(send)[2]}",
    )
    text, key = file.read_text("utf-8"), (tmp_path / "key").read_text().strip()
    assert code == 1
    assert len(key) > 20
    assert key not in text
    if suffix == "xml":
        assert 'tests="2" failures="1"' in text
        assert '<testcase classname="mockserver.run" name="--expect polyai.send_sms=1"/>' in text
        assert '<failure message="polyai.send_sms was accepted once, not at least twice"/>' in text
    elif suffix == "har":
        (entry,) = json.loads(text)["log"]["entries"]
        assert entry["request"]["url"].endswith("/v1/outbound-sms")
    else:
        (call,) = json.loads(text)["calls"]
        assert call["answer"] == "polyai.send_sms/sent"


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    """It is told before the command is run; what turns out at the end leaves the others and the exit code alone."""
    gone, whole = tmp_path / "gone" / "calls.har", tmp_path / "gates.xml"
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe.json")  # nobody reads it
    for name in ("file/x.json", "pipe.json"):
        ended = invoke("run", "--report", str(tmp_path / name), "--", "touch", str(tmp_path / "ran"))
        assert (ended.exit_code, ended.stderr.count("\n"), (tmp_path / "ran").exists()) == (2, 1, False)
        assert re.match(f"mockserver: --report .*/{name} cannot be written: ", ended.stderr)
    for code, expected in ((5, 5), (0, 2)):
        script = f"rm -r {gone.parent}; touch {gone.parent}; exit {code}"
        ended = invoke("run", "--report", str(gone), "--report", str(whole), "--", "sh", "-c", script)
        assert ended.exit_code == expected
        assert f"mockserver: --report {gone} cannot be written: " in ended.stderr
        assert "<testsuite" in whole.read_text("utf-8")
        whole.unlink()
        gone.parent.unlink()


def test_a_state_file(ran: Ran, send: Path, tmp_path: Path) -> None:
    """What it fixes is there from the first call on, and what no call used is told: the guide's example."""
    state = tmp_path / "state.yaml"
    state.write_text(block("state", UNCHANGED), "utf-8")
    code, said, told = ran("--state", str(state), "--fail-on", "refused", "--", *sending(send))
    assert (code, said) == (0, "429\n"), told
    assert "pin of avaamo.* (fault reset) was never used" in told
    assert "refused" not in told
