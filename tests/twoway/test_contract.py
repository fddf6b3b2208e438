"""What a contract may say of callbacks, kept records and several recipients, and what is a mistake."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import load_contracts

TEXT = Path(__file__).with_name("parcel.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("operationId: status", "operationId: send_message", "a second operation named 'send_message'"),
        (
            "on: [messages/sent,",
            "on: [messages/lost,",
            "nothing is called 'messages/lost'; there are: inbound, messages/",
        ),
        ("to: {echo: /body/callback_url, else", "to: {echo: /body/callback_url, esle", "unknown key 'esle'"),
        (
            "content: {application/json: {example: {id: x, state: sent}}}",
            "content: {application/json: {}}",
            "'example' is",
        ),
        ("key: id\n                      record", "key: nothing\n                      record", "no member 'nothing'"),
        ("set: {state: sent}}", "set: {status: sent}}", "the record has no member 'status'"),
        ("{step: sent, after: 1,", "{step: sent, after: 9,", "step 'delivered' comes before the one above it"),
        (
            'failed: {magic: "610"',
            'failed: {magic: "403"',
            "the magic 403 is that of opted_out, which is answered then",
        ),
        (
            'failed: {magic: "610"',
            'late: {magic: "610", steps: [{step: failed, after: 9}]}\n                        failed: {magic: "610"',
            "/courses/failed/magic: the magic 610 is that of the course late, which is taken then: write another",
        ),
        ("kept: /kept/messages/id", "kept: /kept/parcels/id", "no answer keeps /kept/parcels/id; kept: /kept/messages"),
        ("each: /kept/messages", "each: /kept/parcels", "no answer keeps /kept/parcels; kept: /kept/messages"),
        ("{echo: /owned/messages}}}}", "{echo: /owned/messages/size}}}}", "has the member 'size'"),
        ("where: {to: {is: /query/to}}", "where: {to: {is: {call: lower, of: {}}}}", "/to/is/of: {} is not of type"),
        ("of: [/account/secret, /made/raw]", "of: [/account/secret, /made/nothing]", "a callback makes /made/body"),
        ("    secret: {new: token}", "    secret: {new: token}\n    messages: []", "are both called 'messages'"),
        (
            "text: {echo: /body/text}",
            "text: {deep: [{call: upper, of: [//]}]}",
            '/text/deep/0/of/0: "//" does not match',
        ),
        ("of: [/account/secret, /made/raw]", "of: [account/secret, /made/raw]", "the pointer is /account/secret"),
        ("of: [/account/secret, /made/raw]", "of: [/account/secret]", "hmac_sha256 takes 2 or more, not 1"),
        (
            "to: {echo: /body/callback_url, else",
            "to: {echo: /body/callback_url, as: base64, else",
            "only a digest is written as base64: {call: hmac_sha1 | hmac_sha256 | md5_joined | md5_sorted}",
        ),
        (
            "id: {echo: /made/body/id}",
            "id: {echo: /made/url}",
            "an answer makes /made/body, /made/header, /made/raw, not",
        ),
        (
            "              x-mock:\n                on:",
            "              x-mocks:\n                on:",
            "x-mock is missing",
        ),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A mistake is told, with what there is."""
    assert old in TEXT
    file = tmp_path / "parcel.yaml"
    file.write_text(TEXT.replace(old, new), "utf-8")
    with pytest.raises(ContractErrors) as caught:
        load_contracts([file])
    assert message in str(caught.value)


SEVERAL = """\
openapi: 3.1.0
info: {title: Several, version: "1"}
servers: [{url: "https://api.several.test"}]
security: [{Login: []}]
x-mock: {account: {users: [{name: {new: email}, password: {new: token}, app_key: {new: token}}]}}
paths:
  /send:
    post:
      operationId: send_all
      parameters:
        - {name: to, in: query, required: true, schema: {type: string}, x-mock: {recipient: {split: ";"}}}
      responses:
        "200":
          description: done
          content:
            application/json:
              examples:
                sent:
                  value: {sent: [], failed: []}
                  x-mock:
                    evidence: {assumed: test}
                    fill:
                      /body/sent: {each: /recipients, where: {accepted: {is: true}}, item: {to: {echo: /item/to}}}
                      /body/failed: {each: /recipients, where: {accepted: {is: false}}, item: {to: {echo: /item/text}}}
        "403":
          description: no
          content: {application/json: {examples: {refused: {value: {}, x-mock: {evidence: {assumed: test}}}}}}
      x-mock:
        message: {from: null, text: null}
        rules: [{problem: any, answer: refused}]
  /many:
    post:
      operationId: send_many
      security: [{App: []}]
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, properties: {to: {type: array, items: {type: string, x-mock: {recipient: true}}}}}
            example: {to: ["+12025550100"]}
      responses:
        "200":
          description: done
          content: {application/json: {examples: {sent: {value: {ok: true}, x-mock: {evidence: {assumed: test}}}}}}
        "403":
          description: no
          content: {application/json: {examples: {refused: {value: {}, x-mock: {evidence: {assumed: test}}}}}}
      x-mock:
        message: {from: null, text: null}
        rules: [{problem: any, answer: refused}]
components:
  securitySchemes:
    Login:
      type: http
      scheme: basic
      x-mock: {accept: {basic: {user: /account/users/name, password: /account/users/password}}}
    App:
      type: apiKey
      in: header
      name: Authorization
      x-mock: {accept: {scheme: App, equals: /account/users/app_key}}
"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    (tmp_path / "several.yaml").write_text(SEVERAL, "utf-8")
    app = create_app(Settings(contracts=(tmp_path,), builtin=False))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_basic_and_several_recipients(client: TestClient) -> None:
    """Tokens are handed out ready to send; a magic number refuses its own entry only; all recipients are recorded."""
    account = client.post("/_mock/accounts", json={}).json()
    login = {"Authorization": account["vendors"]["several"]["tokens"]["Login"]}
    reply = client.post("/send", params={"to": "+12025550100; +15005550403;+12025550101;x"}, headers=login)
    sent = [{"to": "+12025550100"}, {"to": "+12025550101"}]
    assert (reply.status_code, reply.json()) == (200, {"sent": sent, "failed": [{"to": "+15005550403"}, {"to": "x"}]})
    call = client.get("/_mock/calls", params={"account": account["id"]}).json()["calls"][0]
    assert (call["recipient"], call["recipients"]) == (
        "+12025550100",
        ["+12025550100", "+15005550403", "+12025550101"],
    )
    messages = client.get("/_mock/messages", params={"account": account["id"]}).json()["messages"]
    assert [message["to"] for message in messages] == ["+12025550101", "+12025550100"]


def test_a_list_of_recipients_and_a_word_of_the_vendor_s(client: TestClient) -> None:
    """A credential behind the vendor's own word, and recipients that are items of a list."""
    account = client.post("/_mock/accounts", json={}).json()
    app = account["vendors"]["several"]["tokens"]["App"]
    assert app.startswith("App ")
    body = {"to": ["+12025550100", "+12025550101"]}
    assert client.post("/many", json=body, headers={"Authorization": app}).status_code == 200
    assert client.post("/many", json=body, headers={"Authorization": app[4:]}).status_code == 403
    messages = client.get("/_mock/messages", params={"account": account["id"]}).json()["messages"]
    assert [message["to"] for message in messages] == ["+12025550101", "+12025550100"]


@pytest.mark.parametrize(
    ("credential", "problem"),
    [
        ("Basic", "malformed"),
        ("Basic !!!", "malformed"),
        ("Basic dXNlcg==", "malformed"),
        ("Bearer dXNlcjpwYXNz", "malformed"),
        ("Basic dXNlcjpwYXNz", "unknown"),
    ],
)
def test_wrong_basic(client: TestClient, credential: str, problem: str) -> None:
    """What is no pair is malformed, a user of nobody's is unknown."""
    reply = client.post("/send", params={"to": "+12025550100"}, headers={"Authorization": credential})
    assert reply.status_code == 403
    assert reply.headers["x-mock-problem"] == f"unauthenticated {problem} /header/authorization"


def test_a_wrong_password(client: TestClient) -> None:
    """The user is found, and the password is not the user's."""
    user = client.post("/_mock/accounts", json={}).json()["vendors"]["several"]["credentials"]["users"][0]
    reply = client.post("/send", params={"to": "+12025550100"}, auth=(user["name"], "wrong"))
    assert reply.headers["x-mock-problem"] == "unauthenticated signature /header/authorization"
    right = client.post("/send", params={"to": "+12025550100"}, auth=(user["name"], user["password"]))
    assert right.status_code == 200
