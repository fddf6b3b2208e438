"""The official SDKs of one vendor: installed as they are published, called as their users do."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live import PATIENCE, Live
from tests.tools.installing import execute, virtual_environment

Sdk = list[str | Path]
"""A program that calls one method: give it endpoint, credentials file, the method's name, its arguments as JSON."""

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

endpoint, credentials, name, arguments = sys.argv[1:]
method = getattr(VoximplantAPI(credentials, endpoint=endpoint), name)
try:  # what JSON has no type for is shown with its type
    print(json.dumps(method(**json.loads(arguments)), default=lambda value: [type(value).__name__, str(value)]))
except VoximplantException as error:
    print(json.dumps({"raised": [error.code, error.message]}))
"""

NODE = "4.11.0"
NODE_PROGRAM = """
const axios = require('axios');
axios.interceptors.request.use(c => { c.url = c.url.replace(/^https:/, 'http:'); return c; });
const Voximplant = require('@voximplant/apiclient-nodejs').default;
const [host, pathToCredentials, name, parameters] = process.argv.slice(2);
const client = new Voximplant({ pathToCredentials, host });
const [group, method] = name.split('.');
client.onReady = () => client[group][method](JSON.parse(parameters))
  .then(answer => console.log(JSON.stringify(answer)));
"""


PYTHON_SDK = """
import json, os
from voximplant.apiclient import VoximplantAPI

api = VoximplantAPI(os.environ["VOXIMPLANT_CREDENTIALS_JSON_FILE"])
print(json.dumps(api.send_sms_message(os.environ["VOXIMPLANT_NUMBERS_0_NUMBER"], "447443332212", "Hi")))
"""
NODE_SDK = """
const Voximplant = require('@voximplant/apiclient-nodejs').default;
const client = new Voximplant({ pathToCredentials: process.env.VOXIMPLANT_CREDENTIALS_JSON_FILE });
const sms = { source: process.env.VOXIMPLANT_NUMBERS_0_NUMBER, destination: '447443332212', smsBody: 'Hi' };
client.onReady = () => client.SMS.sendSmsMessage(sms).then(answer => console.log(JSON.stringify(answer)));
"""


def installed_python_sdk(tools: Path) -> Path:
    """The Python of an environment that has it."""
    return virtual_environment(tools / f"voximplant-python-{PYTHON}", f"voximplant-apiclient=={PYTHON}")


def installed_node_sdk(tools: Path) -> Path:
    """A folder whose programs find it."""
    folder = tools / f"voximplant-node-{NODE}"
    if not (folder / "whole").exists():
        folder.mkdir(exist_ok=True)
        package = f"@voximplant/apiclient-nodejs@{NODE}"
        execute("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, package, cwd=folder)
        (folder / "whole").touch()
    return folder


def python_sdk(tools: Path) -> Sdk:
    """The Python SDK's program."""
    return [installed_python_sdk(tools), "-c", PYTHON_PROGRAM]


def node_sdk(tools: Path) -> Sdk:
    """The Node SDK's program."""
    program = installed_node_sdk(tools) / "sms.js"  # beside node_modules, where it looks for them
    program.write_text(NODE_PROGRAM, "utf-8")
    return ["node", program]


@dataclass(frozen=True)
class Customer:
    """An account of its own, and the file that the vendor would hand it."""

    id: str
    numbers: list[str]
    credentials: Path


def call(sdk: Sdk, server: Live, customer: Customer, method: str, **arguments: Any) -> Any:
    """What an SDK's method gives back."""
    endpoint = f"127.0.0.1:{server.port}"
    sent = json.dumps(arguments)
    return json.loads(execute(*sdk, endpoint, customer.credentials, method, sent, timeout=PATIENCE))


def is_node(sdk: Sdk) -> bool:
    """Whether it is the SDK for Node.js, whose names are in camel case."""
    return sdk[0] == "node"


def send(sdk: Sdk, server: Live, customer: Customer, source: str, text: str) -> Any:
    """What an SDK gives back for a message."""
    sms = {"source": source, "destination": "447443332212"}
    if is_node(sdk):
        return call(sdk, server, customer, "SMS.sendSmsMessage", **sms, smsBody=text, storeBody=True)
    return call(sdk, server, customer, "send_sms_message", **sms, sms_body=text)
