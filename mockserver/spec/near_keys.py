"""Keys that look like known ones but are not: OpenAPI and JSON Schema let any key pass, and nothing would read them."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from mockserver.spec.reader import Reader

MERGE_KEY = "merge keys ('<<') are not supported: write the members, or an alias of the whole mapping"
_KEYWORDS_TEXT = (
    "$anchor $comment $defs $dynamicAnchor $dynamicRef $id $ref $schema $vocabulary additionalProperties allOf "
    "anyOf const contains contentEncoding contentMediaType contentSchema default definitions dependentRequired "
    "dependentSchemas deprecated description discriminator else enum example examples exclusiveMaximum "
    "exclusiveMinimum externalDocs format if items maxContains maxItems maxLength maxProperties maximum "
    "minContains minItems minLength minProperties minimum multipleOf not oneOf pattern patternProperties "
    "prefixItems properties propertyNames readOnly required then title type unevaluatedItems "
    "unevaluatedProperties uniqueItems writeOnly xml"
)
SCHEMA_KEYWORDS = frozenset(_KEYWORDS_TEXT.split())
_NULLABLE = "'nullable' is a word of OpenAPI 3.0; in 3.1 a value may be null where its type is [string, 'null']"
SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
INNER_SCHEMAS = (
    *("additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
_NAMED_MEMBERS = frozenset(  # members whose own members have names that the author chooses
    (
        *("callbacks", "content", "encoding", "examples", "headers", "links", "paths", "pathItems", "requestBodies"),
        *("responses", "schemas", "securitySchemes", "variables", "webhooks"),
    )
)
_FREE_MEMBERS = frozenset({"default", "enum", "example", "value"})


def check_keys(reader: Reader) -> None:
    """Add an error for each key that is nearly one that would be read."""
    walk = _Walk(reader)
    walk.node(reader.document, is_named=False)


class _Walk:
    """One way through a document; each part of it is looked at once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._seen: set[tuple[int, bool]] = set()

    def _is_new(self, value: Any, *, is_schema: bool) -> bool:
        key = id(value), is_schema
        if not isinstance(value, dict | list) or key in self._seen:
            return False
        self._seen.add(key)
        return True

    def node(self, value: Any, *, is_named: bool) -> None:
        """A part of the document that is no schema; ``is_named`` if its keys are names."""
        if not self._is_new(value, is_schema=False):
            return
        if isinstance(value, list):
            for item in value:
                self.node(item, is_named=False)
        elif is_named:
            if "<<" in value:
                self._reader.error(value, MERGE_KEY, "<<")
            for item in value.values():
                self.node(item, is_named=False)
        else:
            self._own_name(value)
            for key, item in value.items():
                self._member(key, item)

    def _member(self, key: str, item: Any) -> None:
        if key == "x-mock":
            self._conditions(item)
        elif key == "schema":
            self.schema(item)
        elif key == "schemas" and isinstance(item, dict):
            for schema in item.values():
                self.schema(schema)
        elif key not in _FREE_MEMBERS:
            self.node(item, is_named=key in _NAMED_MEMBERS)

    def _conditions(self, value: Any) -> None:
        """The schemas in ``when`` of a block of ours; its other keys are a closed vocabulary."""
        if not self._is_new(value, is_schema=False):
            return
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key == "when" and isinstance(item, dict):
                for schema in item.values():
                    self.schema(schema)
            elif key in ("rules", "gates") and isinstance(item, list):
                for rule in item:
                    self._reason(rule)
                    self._conditions(rule)
            elif key == "responses":
                self.node(item, is_named=True)
            else:
                self._conditions(item)

    def _reason(self, rule: Any) -> None:
        """A reason of ``invalid`` is a keyword of JSON Schema, or a word of its own that resembles none."""
        reason = rule.get("reason") if isinstance(rule, dict) else None
        if not isinstance(reason, str) or reason in SCHEMA_KEYWORDS:
            return
        for near in get_close_matches(reason, SCHEMA_KEYWORDS, n=1, cutoff=0.8):
            self._reader.error(rule, f"no problem has the reason {reason!r}; did you mean {near!r}?", "reason")

    def schema(self, value: Any) -> None:
        """A JSON Schema, and those in it."""
        if not self._is_new(value, is_schema=True) or not isinstance(value, dict):
            return
        self._own_name(value)
        for key in value:
            if key == "nullable":
                self._reader.error(value, _NULLABLE, key)
            elif key not in SCHEMA_KEYWORDS and not key.startswith("x-"):
                for near in get_close_matches(key, SCHEMA_KEYWORDS, n=1, cutoff=0.8):
                    self._reader.error(value, f"unknown keyword {key!r} of JSON Schema; did you mean {near!r}?", key)
        for schema in inner_schemas(value):
            self.schema(schema)

    def _own_name(self, value: dict[str, Any]) -> None:
        for key in value:
            if key == "<<":
                self._reader.error(value, MERGE_KEY, key)
            elif key != "x-mock" and key.lower().replace("_", "").replace("-", "") == "xmock":
                self._reader.error(value, f"{key!r} is not read; did you mean 'x-mock'?", key)


def inner_schemas(schema: dict[str, Any]) -> Iterator[Any]:
    """The schemas that stand in a schema."""
    for key in SCHEMAS_BY_NAME:
        named = schema.get(key)
        if isinstance(named, dict):
            yield from named.values()
    for key in SCHEMA_LISTS:
        listed = schema.get(key)
        if isinstance(listed, list):
            yield from listed
    yield from (schema[key] for key in INNER_SCHEMAS if key in schema)
