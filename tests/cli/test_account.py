"""``mockserver account``: credentials that other processes read back as they are."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from mockserver.store.accounts import test_only_rsa_key as shared_key
from tests.cli.running import invoke, odd_account, run
from tests.evidence import ROOT
from tests.live import PATIENCE, Live, live_server

ODD = [
    "it's", 'say "hi"', "$HOME ${HOME} $(id) `id`", "back\\slash \\n \\", "'\\\"$`", " # no comment ",
    "two\nlines\n", "\n", "a=b", "é→😀", "MOCKSERVER_END\nMOCKSERVER_END_\nx", "!history", "~",
]  # fmt: skip

STABLE = ("url", "credentials", "owned")  # tokens are signed anew each time


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return odd_account(tmp_path_factory.mktemp("accounts"), ODD)


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as live:
        yield live


def shell_reads(text: str, file: Path) -> dict[str, str]:
    """The variables that a shell has after sourcing a dotenv file."""
    file.write_text(text, "utf-8")
    command = [
        "env",
        "-i",
        "/bin/bash",
        "-c",
        'set -aeu; HOME=/nowhere; . "$1"; exec /usr/bin/env -0',
        "bash",
        str(file),
    ]
    ended = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    assert ended.stderr == b""
    return dict(entry.split("=", 1) for entry in ended.stdout.decode().split("\0") if entry)


def github_reads(text: str) -> dict[str, str]:
    """The variables of a $GITHUB_ENV file: ``NAME=value``, or ``NAME<<END``, lines, ``END``."""
    found, lines = {}, iter(text.removesuffix("\n").split("\n"))
    for line in lines:
        name, mark, rest = line.partition("=")
        if "<<" in name:
            name, _, end = line.partition("<<")
            rest = "\n".join(iter(lambda: next(lines), end))
        assert mark or end
        found[name] = rest
    return found


def texts(value: Any) -> Iterator[str]:
    """Every value in a JSON document, booleans and numbers as JSON writes them; null is none."""
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from texts(item)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def same_values(variables: Mapping[str, str], shape: Mapping[str, Any]) -> None:
    """Each vendor's values are all there, tokens aside: those are signed anew each time."""
    for vendor, part in shape["vendors"].items():
        own = {name: value for name, value in variables.items() if name.startswith(f"{vendor.upper()}_")}
        tokens = {name for name in own if "_TOKEN_" in name}
        assert tokens == {f"{vendor}_TOKEN_{name}".upper() for name in part["tokens"]}
        expected = [*texts(part["credentials"]), *texts(part["owned"]), part["url"]]
        assert sorted(value for name, value in own.items() if name not in tokens) == sorted(expected)


def test_json_is_the_control_apis_shape(server: Live) -> None:
    """From files, the account is printed as a server that has read them shows it."""
    read = invoke("account", "--url", f"{server.url}/", "--fixtures", ROOT / "fixtures")
    shape = json.loads(read.stdout)
    told = requests.get(f"{server.url}/_mock/accounts/default", timeout=PATIENCE).json()
    assert shape.keys() == {"id", "vendors"} <= told.keys()
    assert (shape["id"], shape["vendors"].keys()) == (told["id"], told["vendors"].keys())
    for vendor, part in shape["vendors"].items():
        served = told["vendors"][vendor]
        assert part["tokens"].keys() == served["tokens"].keys()
        assert [part[name] for name in STABLE] == [served[name] for name in STABLE]


@pytest.mark.parametrize("account_id", ["default", "odd"])
def test_dotenv(accounts: Path, tmp_path: Path, account_id: str) -> None:
    """A shell that sources it has every value as it is, a key's lines as lines."""
    shape = json.loads(invoke("account", account_id, "--accounts", accounts).stdout)
    text = invoke("account", account_id, "--all", "--accounts", accounts, "--format", "dotenv").stdout
    variables = shell_reads(text, tmp_path / ".env")
    assert variables["VOXIMPLANT_KEYS_0_PRIVATE_KEY"] == shared_key()
    assert [variables[f"KOREAI_NUMBERS_{n}"] for n in range(2)] == shape["vendors"]["koreai"]["owned"]["numbers"][:2]
    same_values(variables, shape)


@pytest.mark.parametrize("account_id", ["default", "odd"])
def test_github(accounts: Path, account_id: str) -> None:
    """A workflow that appends it to $GITHUB_ENV has every value as it is."""
    shape = json.loads(invoke("account", account_id, "--accounts", accounts).stdout)
    variables = github_reads(
        invoke("account", account_id, "--all", "--accounts", accounts, "--format", "github").stdout
    )
    assert variables["KOREAI_APPS_3_CLIENT_SECRET"] == shared_key()
    assert variables["AVAAMO_URL"] == "http://127.0.0.1:8080"
    same_values(variables, shape)


def test_the_good_ones(tmp_path: Path) -> None:
    """Without --all, of each list only the first record is there: the one that every operation accepts."""
    every, good = (
        shell_reads(invoke("account", "--format", "dotenv", *more).stdout, tmp_path / ".env")
        for more in (["--all"], [])
    )
    left_out = every.keys() - good.keys()
    assert {"OPENTACT_KEYS_1_API_KEY", "VOXIMPLANT_NUMBERS_1_NUMBER", "KOREAI_TOKEN_JWT_2"} <= left_out
    assert {"OPENTACT_KEYS_0_API_KEY", "VOXIMPLANT_NUMBERS_0_NUMBER", "KOREAI_TOKEN_JWT"} <= good.keys() <= every.keys()
    assert not any(re.search("_[1-9][0-9]*(_|$)", name) for name in good)


def test_a_variable_more(tmp_path: Path) -> None:
    """Under a name of one's own, by the paths that setenv and run have; a typo is told in one line."""
    options = ("account", "--vendor", "polyai", "--format", "dotenv", "--env")
    variables = shell_reads(invoke(*options, "SMS_KEY={polyai.credentials.api_key}").stdout, tmp_path / ".env")
    assert variables["SMS_KEY"] == variables["POLYAI_API_KEY"]
    ended = invoke(*options, "SMS_KEY={polyai.key}")
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith(
        "mockserver: --env SMS_KEY: polyai has no 'key'; known: url, credentials, owned, tokens"
    )


def test_names(tmp_path: Path) -> None:
    """A member whose name no shell could take as a variable's is spelled so that it can."""
    contract = (Path(__file__).parents[2] / "contracts" / "polyai.yaml").read_text("utf-8")
    (tmp_path / "own.yaml").write_text(
        contract.replace("/account/api_key", "/account/api-key.1").replace("    api_key:", "    api-key.1:"), "utf-8"
    )
    ended = invoke("account", "--contracts", tmp_path, "--no-builtin", "--format", "dotenv")
    variables = shell_reads(ended.stdout, tmp_path / ".env")
    assert variables["OWN_API_KEY_1"] == variables["OWN_TOKEN_APIKEY"]


@pytest.mark.parametrize("live", [False, True], ids=["fixtures", "live"])
def test_files(server: Live, tmp_path: Path, live: bool) -> None:
    """The file that Voximplant hands out is written, and every format says where."""
    options = ["--files", str(tmp_path), "--url", server.url, *(["--live"] if live else [])]
    shape = json.loads(invoke("account", "second", *options).stdout)
    credentials = shape["vendors"]["voximplant"]["credentials"]
    file = tmp_path / "voximplant" / "credentials.json"
    assert shape["files"] == {"VOXIMPLANT_CREDENTIALS_JSON_FILE": str(file)}
    assert json.loads(file.read_text("utf-8")) == {
        "account_email": "second-account@voximplant.example",
        "account_id": 2222222,
        "key_id": credentials["keys"][0]["key_id"],
        "private_key": shared_key(),
    }
    assert [path.name for path in tmp_path.iterdir()] == ["voximplant"]
    text = invoke("account", "second", *options, "--format", "dotenv").stdout
    assert shell_reads(text, tmp_path / ".env")["VOXIMPLANT_CREDENTIALS_JSON_FILE"] == str(file)


def test_live(server: Live) -> None:
    """An account that only the server has is printed with --live; its token is accepted there."""
    made = requests.post(f"{server.url}/_mock/accounts", json={"id": "run-7"}, timeout=PATIENCE).json()
    ended = run("account", "run-7", "--live", "--url", server.url)
    shape = json.loads(ended.stdout)
    koreai = shape["vendors"]["koreai"]
    assert koreai["credentials"] == made["vendors"]["koreai"]["credentials"]
    answer = requests.post(
        f"{koreai['url']}/api/public/bot/{koreai['owned']['bots'][0]['id']}/outboundsms",
        headers={"auth": koreai["tokens"]["Jwt"]},
        json={"fromNo": koreai["owned"]["numbers"][0], "toNo": "+911234567890"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200


@pytest.fixture
def stranger() -> Iterator[tuple[str, dict[str, tuple[int, str]]]]:
    """Another program's server, and what it answers by path; 404 with a page where that says nothing."""
    answers: dict[str, tuple[int, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = answers.get(self.path, (404, "<h1>Not here</h1>"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", answers
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(None, "answered 404: Not Found", id="page"),
        pytest.param((500, '["detail"]'), "answered 500: Internal Server Error", id="list"),
        pytest.param((409, '{"detail": "busy"}'), "answered 409: busy", id="detail"),
        pytest.param((200, "<h1>Hello</h1>"), "Expecting value", id="welcome page"),
        pytest.param((200, "[1]"), "no 'vendors'", id="other list"),
        pytest.param((200, "{}"), "no 'vendors'", id="other object"),
    ],
)
def test_stranger(stranger: tuple[str, dict[str, Any]], answer: tuple[int, str] | None, said: str) -> None:
    """Another program's server is an error of one line, with its address and its answer."""
    url, answers = stranger
    if answer:
        answers["/_mock/accounts/a%2Fb%20%C3%A9"] = answer
    ended = invoke("account", "a/b é", "--live", "--url", url)
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert said in ended.stderr
    assert f"{url}/_mock/accounts/a%2Fb%20%C3%A9" in ended.stderr


@pytest.mark.parametrize(
    ("vendor", "file"),
    [
        pytest.param("../../out", "x", id="vendor above"),
        pytest.param("..", "x", id="vendor beside"),
        pytest.param("v", "../../x", id="file above"),
        pytest.param("v", "{}/x", id="file from the root"),
    ],
)
def test_hostile(stranger: tuple[str, dict[str, Any]], tmp_path: Path, vendor: str, file: str) -> None:
    """A server's names for files cannot lead out of the folder."""
    url, answers = stranger
    part = {"url": url, "credentials": {}, "owned": {}, "tokens": {}}
    answers["/_mock/accounts/default"] = (200, json.dumps({"vendors": {vendor: part}}))
    contract = {"x-mock": {"files": {file.format(tmp_path): {"a": "/account/a"}}}}
    answers[f"/_mock/contracts/{quote(vendor, safe='')}"] = (200, json.dumps(contract))
    ended = invoke("account", "--live", "--url", url, "--files", tmp_path / "in")
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "is not below" in ended.stderr
    assert list(tmp_path.iterdir()) == []
