"""The measured operation as each peer wants it written: an OpenAPI document, a Mockoon environment, WireMock mappings.

Each checks both headers by value, and the body as far as the peer can; each answers 202, 400 or 401 with the
contract's own bodies.
"""

import copy
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scenarios import COMPARED, Sample, send
from mockserver.server.build import contracts_folder
from mockserver.spec.load import load_contracts
from mockserver.spec.source import read_yaml

CREDENTIALS = ("x-polyai-auth-token", "x-token-id")
REFUSALS = {400: "invalid", 401: "unauthorized"}


@dataclass(frozen=True, slots=True)
class Stub:
    """One operation: its OpenAPI document, a good request, its body's schema, bodies of refusals by status."""

    document: dict[str, Any]
    good: Sample
    schema: dict[str, Any]
    refusals: dict[int, str]


def contract_document() -> dict[str, Any]:
    """The contract that has the measured operation, as it is written."""
    file = contracts_folder() / f"{COMPARED}.yaml"
    document: dict[str, Any] = read_yaml(str(file), file.read_text("utf-8")).value
    return document


def stub() -> Stub:
    """The measured operation, from its contract."""
    (contract,) = load_contracts([contracts_folder() / f"{COMPARED}.yaml"])
    document = dict(contract.document)  # with what it says once for all operations
    good = send()
    item = document["paths"][good.path]
    operation = item[good.method.lower()]
    schemas = copy.deepcopy(document["components"]["schemas"])
    schema = schemas["OutboundSms"]
    for inner in schema["properties"].values():
        if "$ref" in inner:
            inner.update(schemas[inner.pop("$ref").rpartition("/")[2]])
        inner.pop("x-mock", None)
    refusals = {
        status: json.dumps(
            operation["responses"][str(status)]["content"]["application/json"]["examples"][name]["value"]
        )
        for status, name in REFUSALS.items()
    }
    return Stub({**document, "paths": {good.path: item}}, good, schema, refusals)


def openapi(stub: Stub) -> str:
    """The contract with both headers' values as enums: a validating mock knows no credential otherwise."""
    document = copy.deepcopy(stub.document)
    operation = document["paths"][stub.good.path][stub.good.method.lower()]
    operation["parameters"] = [
        {
            "name": name,
            "in": "header",
            "required": True,
            "schema": {"type": "string", "enum": [stub.good.headers[name]]},
        }
        for name in CREDENTIALS
    ]
    return json.dumps(document)


def mockoon(stub: Stub, *, by_schema: bool) -> str:
    """A Mockoon environment of one route; the body is checked by its JSON Schema, or its number by a pattern."""
    number = stub.schema["properties"]["user_number"]["pattern"]
    keys = [_rule("header", name, stub.good.headers[name]) for name in CREDENTIALS]
    body = (
        _rule("body", "", "schema", "valid_json_schema") if by_schema else _rule("body", "user_number", number, "regex")
    )
    route = {
        "uuid": _uuid("route"),
        "type": "http",
        "documentation": "",
        "method": stub.good.method.lower(),
        "endpoint": stub.good.path.lstrip("/"),
        "responseMode": None,
        "responses": [
            _response(202, "", [*keys, body]),
            _response(400, stub.refusals[400], keys),
            _response(401, stub.refusals[401], [], default=True),
        ],
    }
    bucket = {
        "uuid": _uuid("bucket"),
        "id": "schema",
        "name": "schema",
        "documentation": "",
        "value": json.dumps(stub.schema),
    }
    return json.dumps(
        {
            "uuid": _uuid("environment"),
            "lastMigration": 33,
            "name": "benchmark",
            "endpointPrefix": "",
            "latency": 0,
            "port": 3000,
            "hostname": "127.0.0.1",
            "folders": [],
            "routes": [route],
            "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
            "cors": False,
            "headers": [],
            "data": [bucket],
            "callbacks": [],
        }
    )


def _rule(target: str, modifier: str, value: str, operator: str = "equals") -> dict[str, Any]:
    return {"target": target, "modifier": modifier, "value": value, "operator": operator, "invert": False}


def _response(status: int, body: str, rules: list[dict[str, Any]], *, default: bool = False) -> dict[str, Any]:
    return {
        "uuid": _uuid(str(status)),
        "body": body,
        "latency": 0,
        "statusCode": status,
        "label": "",
        "headers": [{"key": "content-type", "value": "application/json"}] if body else [],
        "bodyType": "INLINE",
        "filePath": "",
        "databucketID": "",
        "sendFileAsBody": False,
        "rules": rules,
        "rulesOperator": "AND",
        "disableTemplating": True,
        "fallbackTo404": False,
        "default": default,
        "crudKey": "id",
        "callbacks": [],
    }


def _uuid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def write_wiremock(stub: Stub, root: Path) -> None:
    """WireMock's mappings in its root folder: accepted, a bad body, a bad credential."""
    keys = {name: {"equalTo": stub.good.headers[name]} for name in CREDENTIALS}
    body = [{"matchesJsonSchema": json.dumps(stub.schema), "schemaVersion": "V202012"}]
    request = {"method": stub.good.method, "urlPath": stub.good.path}
    typed = {"headers": {"Content-Type": "application/json"}}
    mappings = [
        {"priority": 1, "request": {**request, "headers": keys, "bodyPatterns": body}, "response": {"status": 202}},
        {
            "priority": 2,
            "request": {**request, "headers": keys},
            "response": {"status": 400, "body": stub.refusals[400], **typed},
        },
        {"priority": 3, "request": request, "response": {"status": 401, "body": stub.refusals[401], **typed}},
    ]
    folder = root / "mappings"
    folder.mkdir(parents=True)
    (folder / "send.json").write_text(json.dumps({"mappings": mappings}), "utf-8")
