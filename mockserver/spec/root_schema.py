"""A JSON Schema of a whole contract, for editors: OpenAPI's places, and in each the words of ours that stand there."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from mockserver.spec.near_keys import INNER_SCHEMAS, SCHEMA_KEYWORDS, SCHEMA_LISTS, SCHEMAS_BY_NAME
from mockserver.spec.openapi_words import OBJECTS
from mockserver.spec.value_forms import ACCOUNT_TAKES, NEW_TAKES, NEW_WORDS

Schema = dict[str, Any]
OTHER_TOOLS_MEMBERS = "^x-(?!m[a-z]*[ck]s?$)"  # members of other tools; x-mocks and x-moc are x-mock, misspelt
_REQUEST = "request"  # an operation that the vendor calls
_OUR_WORDS = {  # by OpenAPI's object, the part of the vocabulary that may stand on it
    "document": "document",
    "operation": "operation",
    _REQUEST: "callback",
    "parameter": "schema",
    "schema": "schema",
    "response": "answer",
    "example": "answer",
    "media": "answer",
    "scheme": "security_scheme",
}
_REQUIRED = {
    "document": ["openapi", "info", "servers", "x-mock", "paths"],
    "info": ["title", "version"],
    "operation": ["operationId"],
    _REQUEST: ["operationId"],
}
_MORE_OF_MEMBERS: dict[str, dict[str, Schema]] = {  # what is known of members that hold no object
    "document": {
        "openapi": {"type": "string", "pattern": "^3\\.[01]\\."},
        "servers": {"minItems": 1},
        "security": {"type": "array"},
        "tags": {"type": "array"},
    },
    "operation": {
        "operationId": {"type": "string"},
        "responses": {"propertyNames": {"pattern": "^[2-5][0-9][0-9]$"}},
    },
    "parameter": {"name": {"type": "string"}, "in": {"enum": ["path", "query", "header"]}},
    "scheme": {"type": {"enum": ["apiKey", "http"]}},
}


def root_schema() -> Schema:
    """The schema, made of the vocabulary."""
    vocabulary = json.loads(files("mockserver.spec").joinpath("x-mock.schema.json").read_text("utf-8"))["$defs"]
    vocabulary["document"]["properties"]["responses"]["additionalProperties"] = _ref("openapi_response")
    for conditions in (vocabulary["conditions"], vocabulary["rule"]["properties"]["when"]):
        conditions["additionalProperties"] = _ref("openapi_schema")
    vocabulary["value"]["else"]["patternProperties"] = _nearly_forms()
    vocabulary["new"]["allOf"] = _idle_words(NEW_TAKES)
    vocabulary["template"]["then"]["allOf"] = _idle_words(ACCOUNT_TAKES)
    vocabulary["template"]["else"]["then"]["else"]["patternProperties"] = {
        _near("new"): {**_ref("template"), "not": {"enum": sorted(ACCOUNT_TAKES)}},
        _near("copy"): {**_ref("template"), "not": {"type": "string", "pattern": "^/account/"}},
    }
    objects = {f"openapi_{kind}": _object(kind) for kind in OBJECTS if kind != "document"}
    called = {"openapi_called": _called(), f"openapi_{_REQUEST}": _object("operation", _REQUEST)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A contract of mockserver",
        **_object("document"),
        "$defs": {**vocabulary, **objects, **called, "openapi_schema": _schema()},
    }


def schema_text() -> str:
    """The schema as a file has it."""
    return json.dumps(root_schema(), indent=1, ensure_ascii=False) + "\n"


def _nearly_forms() -> Schema:
    """Members of a mapping of values that a misspelt form would have; the mapping itself would be sent."""
    pointer, new = {"type": "string", "pattern": "^/"}, {"enum": sorted(NEW_TAKES)}
    looks = {"echo": pointer, "each": pointer, "count": pointer, "new": new, "join": {"type": "array"}}
    value = _ref("value")
    near = {_near(word): {**value, "not": look} for word, look in looks.items()}
    return {**near, "^(echo|each|join)$": {**value, "not": {"type": "string"}}}


def _near(word: str) -> str:
    """A pattern of texts that differ from a word in a letter, or have two of its letters exchanged."""
    ways = [f"{word[:at]}.?{word[at + 1 :]}" for at in range(len(word))]
    ways += [f"{word[:at]}.{word[at:]}" for at in range(len(word) + 1)]
    ways += [f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}" for at in range(len(word) - 1)]
    return f"^(?!{word}$)({'|'.join(ways)})$"


def _idle_words(takes: Mapping[str, frozenset[str]]) -> list[Schema]:
    """For each kind of new value that the words which say nothing of it do not stand beside it."""
    return [
        {
            "if": {"required": ["new"], "properties": {"new": {"const": kind}}},
            "then": {"properties": dict.fromkeys([word for word in NEW_WORDS if word not in taken], False)},
        }
        for kind, taken in takes.items()
    ]


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _mapping(properties: Schema, required: list[str]) -> Schema:
    """A mapping with these members, and those of other tools."""
    closed = {"patternProperties": {OTHER_TOOLS_MEMBERS: True}, "additionalProperties": False}
    return {"type": "object", "properties": properties, **closed, **({"required": required} if required else {})}


def _object(kind: str, used_as: str = "") -> Schema:
    """An object of OpenAPI; ``used_as`` where it means something else to us. A ``$ref`` may take its place."""
    used_as = used_as or kind
    bounds = _MORE_OF_MEMBERS.get(kind, {})
    members = {name: {**_inner(inner), **bounds.get(name, {})} or True for name, inner in OBJECTS[kind].items()}
    for callbacks in ("callbacks", "webhooks"):
        if callbacks in members:
            members[callbacks] = _inner(OBJECTS[kind][callbacks].replace("path", "called"))
    ours = {"x-mock": _ref(_OUR_WORDS[used_as])} if used_as in _OUR_WORDS else {}
    if kind == "document":
        return _mapping({**members, **ours}, _REQUIRED[kind])
    whole = _mapping({"$ref": {"type": "string"}, **members, **ours}, [])
    needed = _REQUIRED.get(used_as)
    return {**whole, "anyOf": [{"required": ["$ref"]}, {"required": needed}]} if needed else whole


def _called() -> Schema:
    """A path item of a callback or a webhook."""
    path = _object("path")
    methods = {name: _ref(f"openapi_{_REQUEST}") for name, inner in OBJECTS["path"].items() if inner == "operation"}
    return {**path, "properties": {**path["properties"], **methods}}


def _inner(kind: str) -> Schema:
    """What stands in a member, of a kind as ``OBJECTS`` writes it."""
    if kind.startswith("["):
        return {"type": "array", "items": _inner(kind[1:-1])}
    if kind.startswith("{"):
        return {"type": "object", "additionalProperties": _inner(kind[1:-1])}
    return _ref(f"openapi_{kind}") if kind else {}


def _schema() -> Schema:
    """A JSON Schema, with words of ours."""
    one = _ref("openapi_schema")
    members: Schema = dict.fromkeys(sorted(SCHEMA_KEYWORDS), True)
    members |= {key: {"type": "object", "additionalProperties": one} for key in SCHEMAS_BY_NAME}
    members |= {key: {"type": "array", "items": one} for key in SCHEMA_LISTS}
    members |= dict.fromkeys(INNER_SCHEMAS, one)
    members |= {"required": {"type": "array"}, "x-mock": _ref(_OUR_WORDS["schema"])}
    return {"type": ["object", "boolean"], "if": {"type": "object"}, "then": _mapping(members, [])}
