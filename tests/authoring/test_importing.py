"""Contracts begun from a vendor's own OpenAPI file."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from mockserver.authoring.importing import Importer, RecipientError
from mockserver.authoring.openapi_file import OpenApiFile
from mockserver.authoring.reachable import snake
from mockserver.authoring.samples import Sampler, text_of
from mockserver.authoring.writing import contract_text, write_fixtures
from mockserver.engine.account import sample
from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import load_contracts
from mockserver.spec.model import Contract

VENDOR = """\
openapi: 3.0.3
info: {title: Acme}
servers: [{url: "https://{region}.acme.test/v1", variables: {region: {default: eu}}}]
security: [{Basic: []}, {App: []}, {Cookie: []}, {}]
paths:
  /messages/{id}:
    parameters: [{name: session, in: cookie, schema: {}}, {name: filter, in: query, style: deepObject, schema: {}}]
    get:
      operationId: ShowMessage
      responses: {"200": {description: One, content: {application/xml: {}}}, 4XX: {description: None}}
  /messages:
    post:
      operationId: sendMessage
      parameters: [{name: Authorization, in: header, schema: {type: string}}]
      requestBody:
        required: true
        content:
          application/xml: {schema: {type: object}}
          application/json: {schema: {$ref: "schemas.yaml#/Message"}}
      responses:
        "201":
          description: Taken
          headers: {Location: {example: /messages/1}}
          content:
            application/json:
              schema: {type: object, required: [id], properties: {id: {type: string, nullable: true}}}
              examples: {One message: {value: {id: null}}, Another: {value: {id: "2"}}}
        "400":
          description: Wrong
          content: {application/json: {schema: {properties: {code: {type: integer}}}, example: {code: text}}}
        default:
          description: Broken
          content: {application/json: {schema: {type: object, properties: {code: {type: integer, minimum: 5}}}}}
components:
  securitySchemes:
    Basic: {type: http, scheme: basic}
    App: {type: apiKey, in: header, name: Authorization, description: "Send `Authorization: App <key>`"}
    Cookie: {type: apiKey, in: cookie, name: c}
    Login: {type: oauth2}
"""
SCHEMAS = """\
Message:
  type: object
  required: [to, from]
  properties:
    to: {type: string, example: "+12025550123"}
    from: {$ref: "#/Sender"}
    text: {type: string, pattern: "^(?=x)(?!"}
    reply: {$ref: "#/Message"}
    lost: {$ref: "elsewhere.yaml#/Lost"}
Sender: {type: string, pattern: "^SM[0-9a-f]{32}$", x-internal: true, xml: {name: s}}
"""


def imported(folder: Path, *wanted: str, recipient: str | None = None) -> tuple[dict[str, Any], str]:
    """The contract of these operations, and all that is said of it."""
    (folder / "acme-api.yml").write_text(VENDOR, "utf-8")
    (folder / "schemas.yaml").write_text(SCHEMAS, "utf-8")
    source = OpenApiFile(folder / "acme-api.yml")
    chosen = [endpoint for endpoint in source.endpoints() if not wanted or endpoint.name in wanted]
    found = Importer(source, "acme").imported(chosen, recipient)
    return found.document, "\n".join(found.notes)


def loaded(folder: Path, document: dict[str, Any]) -> Contract:
    """The contract as the server reads it: without an error."""
    (folder / "acme.yaml").write_text(contract_text(document), "utf-8")
    return load_contracts([folder / "acme.yaml"])[0]


def test_what_is_made_of_a_file(tmp_path: Path) -> None:
    """Names, statuses and credentials are ours, samples are answers with evidence, and what is guessed says so."""
    document, notes = imported(tmp_path)
    contract = loaded(tmp_path, document)
    send = next(operation for operation in contract.operations if operation.name == "send_sms")
    assert contract.servers == ("https://eu.acme.test/v1",)
    assert [o.name for o in contract.operations] == ["show_message", "send_sms"]
    assert {(a.name, a.status) for a in send.answers.values()} == {
        ("sent", 201),
        ("another", 201),
        ("invalid", 400),
        ("server_error", 500),
        ("unauthorized", 401),
        ("method_not_allowed", 405),
    }
    grades = {name: answer.evidence.grade for name, answer in send.answers.items()}
    assert (grades["sent"], grades["unauthorized"], grades["server_error"]) == ("vendor", "assumed", "assumed")
    assert send.recipient is not None
    assert str(send.recipient.at) == "/body/to"
    assert [scheme.word for scheme in contract.schemes] == ["Basic", "App"]
    assert set(document["components"]["schemas"]) == {"message", "sender"}
    for left_out in (
        "session (cookie",
        "filter (query deepObject",
        "Cookie",
        "elsewhere.yaml",
        "application/xml",
        "may also",
    ):
        assert left_out in notes
    assert "does not fit its schema" in notes


def test_one_operation_and_another_recipient(tmp_path: Path) -> None:
    """Only what is chosen is reached; a recipient that is named is marked, and one that is not there is told."""
    document, _ = imported(tmp_path, "POST /messages", recipient="/body/from")
    send = loaded(tmp_path, document).operations[0]
    assert send.recipient is not None
    assert str(send.recipient.at) == "/body/from"
    with pytest.raises(RecipientError, match=r"no /body/nobody that can be a number; there is: /body/to, /body/from"):
        imported(tmp_path, "POST /messages", recipient="/body/nobody")


def sending(folder: Path, schemas: str, *media: str, security: str = "[]", path: str = "/messages") -> None:
    """A file whose one operation has bodies of these media types and schemas, as YAML, beside other schemas."""
    bodies = "".join(f"          {one}\n" for one in media)
    (folder / "acme-api.yml").write_text(
        f"""\
openapi: 3.0.3
info: {{title: Acme}}
servers: [{{url: "https://acme.test"}}]
security: {security}
paths:
  {path}:
    post:
      requestBody:
        required: true
        content:
{bodies}
      responses:
        200: {{description: Taken, content: {{"*/*": {{schema: {{$ref: "#/components/schemas/Message"}}}}}}}}
components:
  schemas: {schemas}
  securitySchemes:
    Basic: {{type: http, scheme: basic}}
    Sign: {{type: apiKey, in: header, name: X-Key, description: HMAC of the body}}
""",
        "utf-8",
    )


def made(folder: Path, recipient: str | None = None) -> tuple[Contract, dict[str, Any], str]:
    """The contract of all operations of the file, its document, and all that is said of it."""
    source = OpenApiFile(folder / "acme-api.yml")
    found = Importer(source, "acme").imported(source.endpoints(), recipient)
    return loaded(folder, found.document), found.document, "\n".join(found.notes)


MESSAGE = "{Message: {type: object, required: [to], properties: {to: {type: string}, text: {type: string}}}}"
JSON = 'application/json: {schema: {$ref: "#/components/schemas/Message"}}'


@pytest.mark.parametrize(
    ("schemas", "media", "recipient", "told"),
    [
        ("{Message: {properties: {src: {type: string}, dst: {type: string}}}}", [JSON], "/body/dst", "taken for"),
        ("{Message: {properties: {to: {properties: {number: {type: string}}}}}}", [JSON], "/body/to/number", ""),
        ("{Message: {properties: {list: {items: {properties: {to: {type: string}}}}}}}", [JSON], "/body/list", ""),
        ("{Message: {properties: {to: {items: {type: integer}}}}}", [JSON], "/body/to", ""),
        (
            '{N: {type: string}, Message: {properties: {from: {$ref: "#/components/schemas/N"}, '
            'to: {$ref: "#/components/schemas/N"}}}}',
            [JSON],
            "/body/to",
            "",
        ),
        (
            '{P: {properties: {to: {type: string}}}, Message: {properties: {a: {$ref: "#/components/schemas/P"}, '
            'b: {$ref: "#/components/schemas/P"}}}}',
            [JSON],
            "/body/a/to",
            "",
        ),
        (
            MESSAGE,
            [
                JSON,
                "application/x-www-form-urlencoded: {schema: {properties: {to: {type: array, items: {type: string}}}}}",
            ],
            "/body/to",
            "is not marked in each body",
        ),
        (MESSAGE, [JSON.replace("application/json", '"*/*"')], "/body/to", ""),
        ("{Message: {properties: {to: {type: string, pattern: '^[a-z]+$'}}}}", [JSON], None, "no recipient is found"),
        (
            "{Message: {properties: {who: {type: string}}}}",
            [JSON],
            None,
            "no recipient is found: name it with --recipient; there is: /body/who",
        ),
    ],
)
def test_recipients(tmp_path: Path, schemas: str, media: list[str], recipient: str | None, told: str) -> None:
    """A usual name that can be a number is marked, in one place only; that there is none is told with what there is."""
    sending(tmp_path, schemas, *media)
    contract, _, notes = made(tmp_path)
    found = contract.operations[0].recipient
    assert (found and str(found.at)) == recipient
    assert told in notes


def test_members_of_one_side(tmp_path: Path) -> None:
    """What is only in answers is not asked of requests, and the other way round; each side has its own schema."""
    schemas = """
    Base: {type: object, properties: {id: {type: string, readOnly: true}, pin: {type: string, writeOnly: true}}}
    Message: {allOf: [{$ref: "#/components/schemas/Base"}, {required: [id, pin, to]}], properties: {to: {type: string}}}
"""
    sending(tmp_path, schemas, JSON)
    _, document, notes = made(tmp_path)
    parts = document["components"]["schemas"]
    required = {name: part["allOf"][1]["required"] for name, part in parts.items() if "allOf" in part}
    assert required == {"message": ["pin", "to"], "message_2": ["id", "to"]}
    assert "readOnly: id: left out of each request" in notes


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_what_stands_beside_a_reference(tmp_path: Path, version: str) -> None:
    """OpenAPI 3.1 lets a schema say more beside a reference: it is kept, sides too; 3.0 has it ignored."""
    reference = '$ref: "#/components/schemas/Number"'
    schemas = f"""
    Number: {{type: string, minLength: 3}}
    Message:
      required: [to, id]
      properties: {{to: {{{reference}, maxLength: 16, description: Who}}, id: {{{reference}, readOnly: true}}}}
"""
    sending(tmp_path, schemas, JSON)
    file = tmp_path / "acme-api.yml"
    file.write_text(file.read_text("utf-8").replace("openapi: 3.0.3", f"openapi: {version}"), "utf-8")
    contract, document, _ = made(tmp_path)
    message = document["components"]["schemas"]["message"]
    beside = {"maxLength": 16, "description": "Who"} if version == "3.1.0" else {}
    assert {k: v for k, v in message["properties"]["to"].items() if k != "x-mock"} == {
        "$ref": "#/components/schemas/number",
        **beside,
    }
    assert ("id" in message["properties"]) is (version == "3.0.3")
    assert contract.operations[0].recipient is not None


def test_a_path_that_another_hides(tmp_path: Path) -> None:
    """It is left out, and said: a contract with both would be wrong."""
    sending(tmp_path, MESSAGE, JSON, path="/messages/{id}")
    file = tmp_path / "acme-api.yml"
    text = file.read_text("utf-8")
    get = "  /messages/{id}.json: {get: {responses: {200: {description: Ok}}}}\n"
    file.write_text(text.replace("components:\n", f"{get}components:\n"), "utf-8")
    contract, _, notes = made(tmp_path)
    assert [operation.path for operation in contract.operations] == ["/messages/{id}"]
    assert "GET /messages/{id}.json is left out: /messages/{id} takes its requests" in notes


def test_schemas_that_are_themselves(tmp_path: Path) -> None:
    """A kind of message that names its own kinds is followed once; all others stay."""
    schemas = """
    Message:
      required: [to]
      properties: {to: {type: string}}
      oneOf: [{$ref: "#/components/schemas/Sms"}, {$ref: "#/components/schemas/Mms"}]
    Sms: {allOf: [{$ref: "#/components/schemas/Message"}, {required: [text], properties: {text: {type: string}}}]}
    Mms: {allOf: [{$ref: "#/components/schemas/Message"}, {required: [url], properties: {url: {type: string}}}]}
"""
    sending(tmp_path, schemas, JSON)
    _, document, notes = made(tmp_path)
    assert document["components"]["schemas"]["sms"]["allOf"][0] == {}
    assert "the schema message says that it is itself" in notes


def test_credentials_in_fields(tmp_path: Path) -> None:
    """Fields that are usual for credentials are asked for where the file asks for none; keys are as the fields say."""
    fields = "api_key: {type: string, maxLength: 8}, api_secret: {type: string, pattern: '^[0-9a-f]{16}$'}"
    schema = f"{{required: [api_key], properties: {{{fields}, to: {{type: string}}}}}}"
    sending(tmp_path, f"{{Message: {schema}}}", JSON)
    contract, document, notes = made(tmp_path)
    assert document["x-mock"]["account"] == {
        "api_key": {"new": "token", "length": 8},
        "api_secret": {"new": "hex", "length": 16},
    }
    assert [scheme.at for scheme in contract.operations[0].security[0].schemes] == ["/body/api_key", "/body/api_secret"]
    assert "/body/api_key, /body/api_secret are taken for credentials" in notes
    write_fixtures(contract, tmp_path / "fixtures")
    case = yaml.safe_load((tmp_path / "fixtures/acme/send_sms/sent.yaml").read_text("utf-8"))
    assert case["request"]["json"]["api_key"] == {"credential": "api_key"}


def test_an_account_in_the_path(tmp_path: Path) -> None:
    """It is the user of HTTP Basic, of the form that its pattern says: a fresh customer's own client is let in."""
    sending(tmp_path, MESSAGE, JSON, security="[{Basic: []}]", path="/accounts/{AccountSid}/messages")
    text = (tmp_path / "acme-api.yml").read_text("utf-8")
    declared = "[{name: AccountSid, in: path, required: true, schema: {type: string, pattern: '^AC[0-9a-fA-F]{32}$'}}]"
    (tmp_path / "acme-api.yml").write_text(text.replace("    post:", f"    parameters: {declared}\n    post:"), "utf-8")
    _, document, notes = made(tmp_path)
    assert document["x-mock"]["account"]["basic"][0]["user"] == {"new": "hex", "prefix": "AC", "length": 32}
    assert "AccountSid is taken for the user's name" in notes
    (tmp_path / "mine").mkdir()
    (tmp_path / "acme.yaml").rename(tmp_path / "mine" / "acme.yaml")
    app = create_app(Settings(builtin=False, contracts=(tmp_path / "mine",)))
    with TestClient(app, base_url="http://localhost") as client:
        made_account = client.post("/_mock/accounts", json={}).json()["vendors"]["acme"]
        user = made_account["credentials"]["basic"][0]["user"]
        login = {"Authorization": made_account["tokens"]["basic"]}
        calls = [client.post(f"/accounts/{sid}/messages", json={"to": "1"}, headers=login) for sid in (user, "AC1")]
        assert [call.status_code for call in calls] == [200, 400]


def test_a_signature(tmp_path: Path) -> None:
    """A key that is a signature of each request is a fixed one here, which is told."""
    sending(tmp_path, MESSAGE, JSON, security="[{Sign: []}]")
    assert "Sign: TODO a signature of each request is read as one fixed key" in made(tmp_path)[2]


def test_a_body_that_is_not_read(tmp_path: Path) -> None:
    """It has an example all the same: the call that is printed has a body. One that is read goes before it."""
    sending(tmp_path, MESSAGE, "text/plain: {schema: {type: string}, example: Coo}")
    contract, _, _ = made(tmp_path)
    write_fixtures(contract, tmp_path / "fixtures")
    case = yaml.safe_load((tmp_path / "fixtures/acme/send_sms/sent.yaml").read_text("utf-8"))
    assert (case["request"]["text"], case["request"]["headers"]) == ("Coo", {"content-type": "text/plain"})
    assert sample(contract.operations[0], {"id": "1"}, 0).body == "Coo"
    sending(tmp_path, MESSAGE, "text/plain: {schema: {type: string}, example: Coo}", JSON)
    contract, _, _ = made(tmp_path)
    assert sample(contract.operations[0], {"id": "1"}, 0, recipient="+12025550123").body[:6] == '{"to":'


def test_a_recipient_where_no_body_is_shown(tmp_path: Path) -> None:
    """Where a body that is read has no example, the call has the text of another, which names no number."""
    unmade = "{Message: {required: [to, a], properties: {to: {type: string}, a: {type: string, pattern: '^(?=b)c'}}}}"
    sending(tmp_path, unmade, JSON, "text/plain: {example: Coo}")
    contract, _, notes = made(tmp_path)
    assert "TODO an example of the body that fits its schema" in notes
    assert sample(contract.operations[0], {"id": "1"}, 0, recipient="+12025550123").body == "Coo"


def test_a_form_of_members(tmp_path: Path) -> None:
    """A field that has members of its own cannot be sent as it is: examples do without it; a number is one."""
    fields = "{to: {type: string}, more: {type: object, properties: {a: {type: string}}}, parts: {$ref: PARTS}}"
    fields = fields.replace("PARTS", '"#/components/schemas/Parts"')
    form = "application/x-www-form-urlencoded: {schema: {required: [to], properties: FIELDS}}".replace("FIELDS", fields)
    sending(tmp_path, MESSAGE.replace("{Message", "{Parts: {type: integer, nullable: true}, Message"), form)
    _, document, _ = made(tmp_path)
    (media,) = document["paths"]["/messages"]["post"]["requestBody"]["content"].values()
    assert media["example"] == {"to": "+12025550123", "parts": 1}


def test_fixtures(tmp_path: Path) -> None:
    """Each answer has an exchange, none is written over; credentials are named by their scheme."""
    contract = loaded(tmp_path, imported(tmp_path)[0])
    written = write_fixtures(contract, tmp_path / "fixtures")
    names = {f"{file.parent.name}/{file.stem}" for file in written}
    assert {"acme/accounts", "send_sms/sent", "send_sms/unauthorized", "show_message/sent"} <= names
    case = yaml.safe_load((tmp_path / "fixtures/acme/send_sms/sent.yaml").read_text("utf-8"))
    assert case["request"]["headers"]["authorization"] == {"credential": "basic"}
    assert write_fixtures(contract, tmp_path / "fixtures") == []


@pytest.mark.parametrize("text", ["openapi: 2.0\n", 'swagger: "2.0"\n', "[", "- a\n"])
def test_no_openapi(tmp_path: Path, text: str) -> None:
    """What is no OpenAPI of these versions is refused in a line."""
    (tmp_path / "x.yaml").write_text(text, "utf-8")
    with pytest.raises(ContractErrors):
        OpenApiFile(tmp_path / "x.yaml")
    with pytest.raises(ContractErrors):
        OpenApiFile(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^SM[0-9a-fA-F]{32}$", "SM" + "0" * 32),
        (r"^\+[1-9]\d{1,14}$", "+12025550123"),
        (r"^(AC|SM)x?\d+\.$", "AC0."),
        (r"^[^a]b*$", "0"),
        (r"^\w{3}-\s$", "aaa- "),
        (r"^(?=never)", "text"),
        ("(", "text"),
    ],
)
def test_texts_of_patterns(pattern: str, text: str) -> None:
    """Patterns as vendors write them get a text that they find."""
    assert text_of(pattern) == text


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "object", "properties": {"a": {"type": ["null", "integer"], "minimum": 3}}}, {"a": 3}),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"default": 2}}}]}, {"a": 1, "b": 2}),
        ({"oneOf": [{"properties": {"a": {"enum": ["x"]}}}], "properties": {"b": True}}, {"a": "x", "b": "text"}),
        ({"anyOf": [{"type": "boolean"}]}, True),
        ({"items": {"type": "number", "exclusiveMinimum": 4}, "type": "array"}, [5]),
        ({"type": "string", "format": "date", "maxLength": 4}, "2026"),
        ({"type": "string", "minLength": 6}, "textxx"),
        ({"type": "null"}, None),
        ({"$ref": "#/components/schemas/A"}, {"next": None}),
        ({"$ref": "#/components/schemas/A", "required": ["b"], "properties": {"b": True}}, {"next": None, "b": "text"}),
        ({"$ref": "#/components/schemas/B", "required": ["c"]}, {"b": "text", "c": "text"}),
        (False, None),
    ],
)
def test_samples(schema: Any, value: Any) -> None:
    """A value of each kind of schema; one that refers to itself ends."""
    schemas = {"A": {"properties": {"next": {"type": "null"}}}, "B": {"required": ["b"]}}
    document = {"components": {"schemas": schemas}}
    assert Sampler(document).value(schema) == value
    endless: dict[str, Any] = {
        "components": {"schemas": {"A": {"properties": {"a": {"$ref": "#/components/schemas/A"}}}}}
    }
    assert isinstance(Sampler(endless).value({"$ref": "#/components/schemas/A"}), dict)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("sendSms", "send_sms"),
        ("Send-SMS v2", "send_sms_v2"),
        ("SMSSend", "sms_send"),
        ("2x", "x_2x"),
        ("é", "unnamed"),
    ],
)
def test_names(name: str, written: str) -> None:
    """Names of any style become those of contracts."""
    assert snake(name) == written
