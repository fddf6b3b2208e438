"""A vendor that this package has never heard of: one contract and one file of accounts, no Python."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.running import invoke, serving, taken_port
from tests.live import PATIENCE

CONTRACT = """\
openapi: 3.1.0
info: {title: Pigeon Post, version: "1"}
servers:
  - url: https://api.pigeon.example/coop
security:
  - Ring: []
x-mock:
  account:
    ring: {new: token, length: 12}
    lofts: [{number: {new: number, form: e164}}]
paths:
  /v2/flights:
    post:
      operationId: send_sms
      x-mock:
        rules:
          - {problem: method, answer: method_not_allowed}
          - {problem: unauthenticated, answer: unauthorized}
          - {problem: any, answer: invalid}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [from, to, text]
              properties:
                from: {type: string, x-mock: {owned: /account/lofts/number}}
                to: {type: string, pattern: "^\\\\+[1-9][0-9]{6,14}$", x-mock: {recipient: true}}
                text: {type: string, minLength: 1, maxLength: 40}
            example: {from: "+12025550100", to: "+12025550123", text: Coo}
      responses:
        "201":
          description: On its way.
          headers:
            Location: {required: true, schema: {type: string}}
          content:
            application/json:
              schema:
                type: object
                required: [flight, to, pigeons]
                properties: {flight: {type: integer}, to: {type: string}, pigeons: {type: integer}}
              examples:
                sent:
                  value: {flight: 1, to: "+12025550123", pigeons: 1}
                  x-mock:
                    evidence: {page: The back of an envelope}
                    fill:
                      /header/Location: {new: uuid}
                      /body/flight: {new: sequence}
                      /body/to: {echo: /body/to}
                      /body/pigeons: {call: sms_segments, of: [/body/text]}
        "400": {$ref: "#/components/responses/Error", description: Not understood.}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "405": {$ref: "#/components/responses/Method"}
components:
  securitySchemes:
    Ring: {type: http, scheme: bearer, x-mock: {accept: {equals: /account/ring}}}
  schemas:
    Error: {type: object, required: [coo], properties: {coo: {type: string}}}
  responses:
    Error:
      description: Not understood.
      content:
        application/json:
          schema: {$ref: "#/components/schemas/Error"}
          examples: {invalid: {value: {coo: What?}, x-mock: {evidence: {assumed: It was not heard.}}}}
    Unauthorized:
      description: Not one of ours.
      content:
        application/json:
          schema: {$ref: "#/components/schemas/Error"}
          examples: {unauthorized: {value: {coo: Who?}, x-mock: {evidence: {page: The back of an envelope}}}}
    Method:
      description: Only posted.
      content:
        application/json:
          schema: {$ref: "#/components/schemas/Error"}
          examples: {method_not_allowed: {value: {coo: How?}, x-mock: {evidence: {assumed: It was not heard.}}}}
"""
ACCOUNTS = """\
default:
  ring: ring-of-default
  lofts: [{number: "+12025550100"}]
second:
  lofts: [{number: "+12025550200"}]
"""
SMS = {"from": "+12025550100", "to": "+12025550123", "text": "Coo"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options that name the vendor's two files."""
    folder = tmp_path_factory.mktemp("sixth")
    for name, text in {"contracts/pigeon.yaml": CONTRACT, "fixtures/pigeon/accounts.yaml": ACCOUNTS}.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text, "utf-8")
    return ["--contracts", str(folder / "contracts"), "--fixtures", str(folder / "fixtures")]


@pytest.fixture(scope="module")
def beside(folders: list[str]) -> Iterator[str]:
    with serving("--port", "0", *folders) as server:
        yield server.url


def send(url: str, ring: str = "ring-of-default", **changes: Any) -> requests.Response:
    return requests.post(url, json=SMS | changes, headers={"Authorization": f"Bearer {ring}"}, timeout=PATIENCE)


def get(url: str) -> Any:
    return requests.get(url, timeout=PATIENCE).json()


def test_accepted(beside: str) -> None:
    """A good call is answered after the contract, dynamic values laid over its example."""
    answer = send(f"{beside}/coop/v2/flights", text="é" * 40)
    assert (answer.status_code, answer.headers["x-mock-answer"]) == (201, "pigeon.send_sms/sent")
    assert answer.headers["x-mock-evidence"] == "page"
    assert len(answer.headers["Location"]) == 36
    assert answer.json() == {"flight": answer.json()["flight"], "to": SMS["to"], "pigeons": 1}
    assert send(f"{beside}/pigeon/coop/v2/flights").json()["flight"] == answer.json()["flight"] + 1


@pytest.mark.parametrize(
    ("changes", "status", "coo", "problem"),
    [
        pytest.param({"ring": "stolen"}, 401, "Who?", "unauthenticated unknown /header/authorization", id="key"),
        pytest.param({"to": "12"}, 400, "What?", "invalid pattern /body/to", id="recipient"),
        pytest.param({"text": "c" * 41}, 400, "What?", "invalid maxLength /body/text", id="length"),
        pytest.param({"from": "+12025550200"}, 400, "What?", "foreign /body/from", id="sender"),
    ],
)
def test_refused(beside: str, changes: dict[str, Any], status: int, coo: str, problem: str) -> None:
    """A bad call is refused as the contract says, and the headers say why."""
    answer = send(f"{beside}/coop/v2/flights", **changes)
    assert (answer.status_code, answer.json()) == (status, {"coo": coo})
    assert answer.headers["x-mock-problem"] == problem


def test_forced(beside: str) -> None:
    """A magic recipient works for it as for any vendor; another method is refused, naming the one there is."""
    answer = send(f"{beside}/coop/v2/flights", to="+15005550401")
    assert (answer.status_code, answer.json()) == (401, {"coo": "Who?"})
    wrong = requests.get(f"{beside}/coop/v2/flights", timeout=PATIENCE)
    assert (wrong.status_code, wrong.json(), wrong.headers["Allow"]) == (405, {"coo": "How?"}, "POST")


def test_recorded(beside: str) -> None:
    """Its calls are in the journal, its account has a ring to send, and a fresh account gets one of its own."""
    default = get(f"{beside}/_mock/accounts/default")["vendors"]["pigeon"]
    assert (default["url"], default["credentials"]) == (f"{beside}/coop", {"ring": "ring-of-default"})
    assert default["owned"] == {"lofts": [{"number": "+12025550100"}]}
    assert default["tokens"] == {"Ring": "ring-of-default"}
    fresh = requests.post(f"{beside}/_mock/accounts", timeout=PATIENCE).json()
    part = fresh["vendors"]["pigeon"]
    sent = send(f"{part['url']}/v2/flights", part["tokens"]["Ring"], **{"from": part["owned"]["lofts"][0]["number"]})
    assert sent.status_code == 201
    calls = get(f"{beside}/_mock/calls?account={fresh['id']}")["calls"]
    assert [(call["vendor"], call["answer"], call["recipient"]) for call in calls] == [
        ("pigeon", "pigeon.send_sms/sent", "+12025550123")
    ]
    assert calls[0]["id"] == sent.headers["x-mock-call"]


def test_second_account(beside: str) -> None:
    """What the fixture leaves out of an account is made up."""
    second = get(f"{beside}/_mock/accounts/second")["vendors"]["pigeon"]
    assert second["owned"] == {"lofts": [{"number": "+12025550200"}]}
    assert len(second["credentials"]["ring"]) == 12


def test_beside_the_built_in(beside: str) -> None:
    """The five vendors are served as before, and nothing of theirs is another's."""
    listed = [contract["vendor"] for contract in get(f"{beside}/_mock/contracts")["contracts"]]
    assert listed == ["avaamo", "koreai", "opentact", "polyai", "voximplant", "pigeon"]
    answer = requests.post(
        f"{beside}/sms/o", json={}, headers={"Authorization": "Bearer ring-of-default"}, timeout=PATIENCE
    )
    assert answer.headers["x-mock-answer"] == "opentact.send_sms/unauthorized"


def test_alone(folders: list[str]) -> None:
    """Without the built-in contracts there is this vendor only, and another's path is nobody's."""
    with serving("--port", "0", "--no-builtin", *folders) as server:
        assert [" ".join(line.split()) for line in server.lines[1:-1]] == [
            f"pigeon {server.url}/coop try: {sys.executable} -m mockserver curl pigeon --url {server.url}"
        ]
        assert send(f"{server.url}/coop/v2/flights").status_code == 201
        stranger = requests.post(f"{server.url}/sms/o", timeout=PATIENCE)
        assert (stranger.status_code, stranger.json()["nearest"]) == (404, ["POST /coop/v2/flights (pigeon.send_sms)"])
        assert set(get(f"{server.url}/_mock/accounts/default")["vendors"]) == {"pigeon"}


def test_other_commands(folders: list[str]) -> None:
    """The command line knows it too: checked without a fault, a ready call, an account's variables."""
    assert invoke("check", *folders, "--no-builtin").stdout == (
        "1 contract, 4 answers (2 page, 2 assumed). No errors.\n"
    )
    assert "http://127.0.0.1:8080/coop/v2/flights" in invoke("curl", "pigeon", *folders).stdout
    variables = invoke("account", *folders, "--format", "dotenv").stdout.splitlines()
    assert "PIGEON_RING='ring-of-default'" in variables
    assert "PIGEON_LOFTS_0_NUMBER='+12025550100'" in variables


@pytest.mark.parametrize("path", ["/sms/o", "/sms/{anything}/send"], ids=["fixed", "pattern"])
def test_taken_path(tmp_path: Path, path: str) -> None:
    """Hosts tell apart two vendors that have one path at the root; one port for both is refused."""
    text = CONTRACT.replace("/coop", "").replace("/v2/flights", path)
    if "{" in path:
        parameter = "    parameters: [{name: anything, in: path, required: true, schema: {type: string}, example: x}]\n"
        text = text.replace("    post:\n", f"{parameter}    post:\n")
    (tmp_path / "pigeon.yaml").write_text(text, "utf-8")
    with taken_port() as port:
        refused = invoke("serve", "--port", port, "--contracts", tmp_path)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert re.fullmatch(r"mockserver: [^\n]*port[^\n]*\n", refused.stderr), refused.stderr
    assert invoke("check", "--contracts", tmp_path, "--no-builtin").exit_code == 0
