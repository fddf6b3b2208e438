"""A JSON Schema of a whole contract, for editors: OpenAPI's places, and in each the words of ours that stand there."""

import json
from importlib.resources import files
from typing import Any

Schema = dict[str, Any]
CHECKED_METHODS = ("get", "put", "post", "delete", "head", "patch", "trace")
NEAR_MISSES = "^(x_mock|X-Mock|xmock|x-Mock|requird|propertis|maxItem|nullable|<<)$"


def root_schema() -> Schema:
    """The schema, made of the vocabulary."""
    vocabulary = json.loads(files("mockserver.spec").joinpath("x-mock.schema.json").read_text("utf-8"))["$defs"]
    vocabulary["document"]["properties"]["responses"]["additionalProperties"] = _ref("openapi_response")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A contract of mockserver",
        "type": "object",
        "required": ["openapi", "info", "servers", "x-mock", "paths"],
        "properties": {
            "openapi": {"type": "string", "pattern": "^3\\.[01]\\."},
            "info": {"type": "object", "required": ["title", "version"]},
            "servers": {"type": "array", "minItems": 1},
            "security": {"type": "array"},
            "tags": {"type": "array"},
            "x-mock": _ref("document"),
            "paths": {"type": "object", "additionalProperties": _ref("openapi_path")},
            "webhooks": {"type": "object"},
            "components": _ref("openapi_components"),
        },
        "patternProperties": {NEAR_MISSES: False},
        "$defs": {**vocabulary, **_places()},
    }
    return schema


def schema_text() -> str:
    """The schema as a file has it."""
    return json.dumps(root_schema(), indent=1, ensure_ascii=False) + "\n"


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _each(name: str) -> Schema:
    return {"type": "object", "additionalProperties": _ref(name)}


def _mapping(properties: Schema, *required: str) -> Schema:
    near = {"patternProperties": {NEAR_MISSES: False}}
    return {"type": "object", "properties": properties, **near, **({"required": list(required)} if required else {})}


def _places() -> Schema:
    """The parts of OpenAPI in which words of ours stand."""
    text, several = {"type": "string"}, {"type": "array", "items": _ref("openapi_schema")}
    parameter = {"name": text, "in": {"enum": ["path", "query", "header"]}, "schema": _ref("openapi_schema")}
    operation = {
        "operationId": text,
        "summary": text,
        "parameters": {"type": "array", "items": _ref("openapi_parameter")},
        "requestBody": _mapping({"content": _each("openapi_media")}),
        "responses": {
            "type": "object",
            "patternProperties": {"^[2-5][0-9][0-9]$": _ref("openapi_response")},
            "additionalProperties": False,
        },
        "x-mock": _ref("operation"),
    }
    schema = {
        "properties": _each("openapi_schema"),
        "items": _ref("openapi_schema"),
        **dict.fromkeys(("allOf", "anyOf", "oneOf"), several),
        "required": {"type": "array"},
        "x-mock": _ref("schema"),
    }
    scheme = {"type": {"enum": ["apiKey", "http"]}, "x-mock": _ref("security_scheme")}
    response = {"content": _each("openapi_media"), "headers": {"type": "object"}, "x-mock": _ref("answer")}
    components = {
        "schemas": _each("openapi_schema"),
        "parameters": _each("openapi_parameter"),
        "responses": _each("openapi_response"),
        "securitySchemes": _each("openapi_scheme"),
    }
    methods = {method: _ref("openapi_operation") for method in CHECKED_METHODS}
    return {
        "openapi_path": _mapping({"parameters": operation["parameters"], **methods}),
        "openapi_operation": _mapping(operation, "operationId"),
        "openapi_parameter": _mapping({**parameter, "x-mock": _ref("schema")}),
        "openapi_schema": {"if": {"type": "object"}, "then": _mapping(schema)},
        "openapi_media": _mapping({"schema": _ref("openapi_schema"), "examples": _each("openapi_example")}),
        "openapi_example": _mapping({"value": True, "summary": text, "x-mock": _ref("answer")}),
        "openapi_response": _mapping(response),
        "openapi_scheme": _mapping(scheme),
        "openapi_components": _mapping(components),
    }
