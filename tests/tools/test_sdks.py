"""The vendor's own SDKs, unchanged but for where they connect, send through a live server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.running import invoke
from tests.live import PATIENCE, Live, live_server
from tests.tools.installing import execute, virtual_environment

pytestmark = pytest.mark.tools

PYTHON = "2.12.0"
PYTHON_PROGRAM = """
import json, sys
import voximplant.apiclient.client as client
from voximplant.apiclient import VoximplantAPI, VoximplantException

post = client.httpx.post
def plain(url, **options):  # the SDK writes https itself
    options.pop("verify", None)
    return post(url.replace("https://", "http://", 1), **options)
client.httpx.post = plain

endpoint, credentials, *sms = sys.argv[1:]
try:
    print(json.dumps(VoximplantAPI(credentials, endpoint=endpoint).send_sms_message(*sms)))
except VoximplantException as error:
    print(json.dumps({"raised": [error.code, error.message]}))
"""

NODE = "4.11.0"
NODE_PROGRAM = """
const axios = require('axios');
axios.interceptors.request.use(c => { c.url = c.url.replace(/^https:/, 'http:'); return c; });
const Voximplant = require('@voximplant/apiclient-nodejs').default;
const [host, pathToCredentials, source, destination, smsBody] = process.argv.slice(2);
const client = new Voximplant({ pathToCredentials, host });
client.onReady = () => client.SMS.sendSmsMessage({ source, destination, smsBody, storeBody: true })
  .then(answer => console.log(JSON.stringify(answer)));
"""


@dataclass(frozen=True)
class Customer:
    """An account of its own, and the file that the vendor would hand it."""

    id: str
    numbers: list[str]
    credentials: Path


@pytest.fixture(scope="module")
def python(tools: Path) -> list[str | Path]:
    installed = virtual_environment(tools / f"voximplant-python-{PYTHON}", f"voximplant-apiclient=={PYTHON}")
    return [installed, "-c", PYTHON_PROGRAM]


@pytest.fixture(scope="module")
def node(tools: Path) -> list[str | Path]:
    folder = tools / f"voximplant-node-{NODE}"
    if not (folder / "whole").exists():
        folder.mkdir(exist_ok=True)
        package = f"@voximplant/apiclient-nodejs@{NODE}"
        execute("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, package, cwd=folder)
        (folder / "whole").touch()
    program = folder / "sms.js"  # beside node_modules, where it looks for them
    program.write_text(NODE_PROGRAM, "utf-8")
    return ["node", program]


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as live:
        yield live


@pytest.fixture
def customer(server: Live, tmp_path: Path) -> Customer:
    made = requests.post(f"{server.url}/_mock/accounts", timeout=PATIENCE).json()
    files = invoke("account", made["id"], "--live", "--url", server.url, "--files", tmp_path)
    assert files.exit_code == 0, files.output
    numbers = [record["number"] for record in made["vendors"]["voximplant"]["owned"]["numbers"]]
    return Customer(made["id"], numbers, tmp_path / "voximplant" / "credentials.json")


def send(sdk: list[str | Path], server: Live, customer: Customer, source: str, text: str) -> Any:
    """What an SDK gives back for a message."""
    endpoint = f"127.0.0.1:{server.port}"
    return json.loads(execute(*sdk, endpoint, customer.credentials, source, "447443332212", text, timeout=PATIENCE))


def recorded(server: Live, customer: Customer) -> Any:
    """The customer's one call."""
    listed = requests.get(f"{server.url}/_mock/calls?account={customer.id}", timeout=PATIENCE).json()["calls"]
    assert len(listed) == 1
    call = listed[0]
    assert (call["operation"], call["recipient"]) == ("voximplant.send_sms", "+447443332212")
    assert (call["request"]["method"], call["request"]["path"]) == ("POST", "/platform_api")
    return call


def test_python(python: list[str | Path], server: Live, customer: Customer) -> None:
    """The Python SDK gets its dictionary, fragments counted; its form is recorded as it came."""
    text = "Привет, мир! " * 8  # 104 UTF-16 units: two fragments of 67
    answer = send(python, server, customer, customer.numbers[0], text)
    assert answer == {"result": 1, "message_id": answer["message_id"], "fragments_count": 2}
    call = recorded(server, customer)
    assert (call["answer"], call["problems"]) == ("voximplant.send_sms/sent", [])
    assert sorted(call["request"]["form"]) == [
        ["cmd", "SendSmsMessage"],
        ["destination", "447443332212"],
        ["sms_body", text],
        ["source", customer.numbers[0]],
    ]


def test_python_error(python: list[str | Path], server: Live, customer: Customer) -> None:
    """An API error is raised as the SDK's exception, with the vendor's code and text."""
    answer = send(python, server, customer, customer.numbers[1], "Test message")
    assert answer == {"raised": [386, "SMS disabled for number"]}
    assert recorded(server, customer)["answer"] == "voximplant.send_sms/disabled"


def test_node(node: list[str | Path], server: Live, customer: Customer) -> None:
    """The Node SDK, whose form is multipart and chunked, gets its object, members spelled its way."""
    answer = send(node, server, customer, customer.numbers[0], "Test message")
    assert answer == {"result": 1, "messageId": answer["messageId"], "fragmentsCount": 1}
    call = recorded(server, customer)
    assert (call["answer"], call["problems"]) == ("voximplant.send_sms/sent", [])
    assert ["transfer-encoding", "chunked"] in call["request"]["headers"]
    assert sorted(call["request"]["form"]) == [
        ["cmd", "SendSmsMessage"],
        ["destination", "447443332212"],
        ["sms_body", "Test message"],
        ["source", customer.numbers[0]],
        ["store_body", "true"],
    ]


def test_node_error(node: list[str | Path], server: Live, customer: Customer) -> None:
    """An API error is no rejection there, but a member of the answer."""
    answer = send(node, server, customer, customer.numbers[1], "Test message")
    assert answer["error"] == {"msg": "SMS disabled for number", "code": 386}
    assert recorded(server, customer)["answer"] == "voximplant.send_sms/disabled"


def test_foreign_number(python: list[str | Path], server: Live, customer: Customer) -> None:
    """Another account's number cannot be sent from."""
    answer = send(python, server, customer, "447700900111", "Test message")
    assert answer["raised"][0] == 422
    assert recorded(server, customer)["problems"][0]["kind"] == "foreign"
