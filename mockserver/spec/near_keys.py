"""Keys that look like known ones but are not: OpenAPI and JSON Schema let any key pass, and nothing would read them."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from mockserver.spec.openapi_words import EXTENSION, OBJECTS
from mockserver.spec.reader import Reader
from mockserver.spec.schema_cycles import SchemaCycles
from mockserver.spec.value_forms import ACCOUNT_TAKES, LIKE_FORMS, idle_words

MERGE_KEY = "merge keys ('<<') are not supported: write the members, or an alias of the whole mapping"
CIRCLE = "the schema leads back to itself without going into a member or an item: it asks nothing"
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
_LIKE_OPENAPI = 0.7  # its objects have no members of other names, so that a distant likeness counts
_LIKE_SCHEMA = 0.8


def check_keys(reader: Reader) -> None:
    """Add an error for each key that is nearly one that would be read."""
    _DocumentWalk(reader).inside(reader.document, "document")


class _DocumentWalk:
    """One way through a document; each part of it is looked at once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._cycles = SchemaCycles(reader.document)
        self._seen: set[tuple[int, str]] = set()

    def _is_new(self, value: Any, kind: str) -> bool:
        key = id(value), kind
        if not isinstance(value, dict | list) or key in self._seen:
            return False
        self._seen.add(key)
        return True

    def inside(self, value: Any, kind: str) -> None:
        """A part of the document, of a kind as ``OBJECTS`` writes it."""
        if kind == "schema":
            self.schema(value)
        elif not kind or not self._is_new(value, kind):
            return
        elif kind.startswith("["):
            for item in value:
                self.inside(item, kind[1:-1])
        elif kind.startswith("{"):
            self._no_merge(value)
            for item in value.values() if isinstance(value, dict) else ():
                self.inside(item, kind[1:-1])
        elif isinstance(value, dict):
            self._object(value, kind)

    def _object(self, value: dict[str, Any], kind: str) -> None:
        members = OBJECTS[kind]
        spelled = {name.lower(): name for name in members}
        self._no_merge(value)
        for key, item in value.items():
            if key == "x-mock":
                self._conditions(item)
            elif key in members:
                self.inside(item, members[key])
            elif not self._is_our_name(value, key) and not key.startswith(EXTENSION) and not self._reader.is_draft:
                for near in get_close_matches(key.lower(), spelled, n=1, cutoff=_LIKE_OPENAPI):
                    self._reader.misspelt(value, f"unknown key {key!r} of OpenAPI", key, spelled[near])

    def _conditions(self, value: Any) -> None:
        """The schemas in ``when`` of a block of ours; its other keys are a closed vocabulary."""
        if not self._is_new(value, "x-mock"):
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
                self.inside(item, "{response}")
            elif key == "account":
                self._template(item)
            else:
                self._conditions(item)

    def _reason(self, rule: Any) -> None:
        """A reason of ``invalid`` is a keyword of JSON Schema, or a word of its own that resembles none."""
        reason = rule.get("reason") if isinstance(rule, dict) else None
        if not isinstance(reason, str) or reason in SCHEMA_KEYWORDS:
            return
        for near in get_close_matches(reason, SCHEMA_KEYWORDS, n=1, cutoff=_LIKE_SCHEMA):
            self._reader.error(rule, f"no problem has the reason {reason!r}; did you mean {near!r}?", "reason")

    def schema(self, value: Any) -> None:
        """A JSON Schema, and those in it."""
        if not self._is_new(value, "schema") or not isinstance(value, dict):
            return
        self._no_merge(value)
        circle = self._cycles.at(value)
        if circle is not None:
            self._reader.error(circle[0], CIRCLE, circle[1])
        for key in value:
            if key == "nullable":
                self._reader.error(value, _NULLABLE, key)
            elif key == "x-mock" or key in SCHEMA_KEYWORDS or self._is_our_name(value, key):
                continue
            elif not key.startswith(EXTENSION):
                for near in get_close_matches(key, SCHEMA_KEYWORDS, n=1, cutoff=_LIKE_SCHEMA):
                    self._reader.misspelt(value, f"unknown keyword {key!r} of JSON Schema", key, near)
        for schema in inner_schemas(value):
            self.schema(schema)

    def _template(self, value: Any) -> None:
        """What an account has: any name may stand there, but what is made up is written with ``new`` or ``copy``."""
        if isinstance(value, dict) and isinstance(value.get("new"), str) and value["new"] in ACCOUNT_TAKES:
            for word, told in idle_words(value, ACCOUNT_TAKES):
                self._reader.error(value, told, word)
            return
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, dict | list):
                self._template(item)
            elif isinstance(key, str) and isinstance(item, str) and key not in ("new", "copy"):
                meant = "new" if item in ACCOUNT_TAKES else "copy" if item.startswith("/account/") else ""
                if meant and get_close_matches(key.lower(), [meant], cutoff=LIKE_FORMS):
                    self._reader.error(value, f"{key!r} makes nothing up; did you mean {meant!r}?", key)

    def _no_merge(self, value: Any) -> None:
        if isinstance(value, dict) and "<<" in value:
            self._reader.error(value, MERGE_KEY, "<<")

    def _is_our_name(self, value: dict[str, Any], key: str) -> bool:
        """Whether a key is nearly ``x-mock``, which is told."""
        plain = key.lower().replace("_", "").replace("-", "")
        is_near = bool(get_close_matches(plain, ["xmock"], cutoff=0.85))
        if is_near:
            self._reader.misspelt(value, f"{key!r} is not read", key, "x-mock")
        return is_near


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
