"""Contracts begun from a vendor's own OpenAPI file."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.authoring.importing import Importer, RecipientError
from mockserver.authoring.openapi_file import OpenApiFile
from mockserver.authoring.reachable import snake
from mockserver.authoring.samples import Sampler, text_of
from mockserver.authoring.writing import contract_text, write_fixtures
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
        (False, None),
    ],
)
def test_samples(schema: Any, value: Any) -> None:
    """A value of each kind of schema; one that refers to itself ends."""
    document = {"components": {"schemas": {"A": {"properties": {"next": {"type": "null"}}}}}}
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
