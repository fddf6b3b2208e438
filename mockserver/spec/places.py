"""Which values a request can have at a place, as far as its schemas tell."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mockserver.spec.members import allows_others, item_schema, named_members, unfolded
from mockserver.spec.model import OperationSpec
from mockserver.spec.near_keys import inner_schemas
from mockserver.spec.parameters import ITEMS
from mockserver.spec.pointer import Pointer

UNDECLARED_HEADERS = frozenset(  # that clients send without being asked to
    (
        *("accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cache-control"),
        *("connection", "content-encoding", "content-length", "content-type", "cookie", "date", "expect"),
        *("forwarded", "host", "idempotency-key", "origin", "prefer", "referer", "traceparent", "tracestate"),
        *("user-agent", "via", "x-correlation-id", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
        *("x-request-id",),
    )
)
_OF_REQUESTS = ("path", "query", "header", "body")
_ITEM_NUMBER = re.compile(r"[0-9]+")
ANYTHING: list[Any] = []  # the schemas of a place where any value can be


class RequestPlaces:
    """The requests of an operation: of all its spellings, and of the operations that dispatch to it."""

    def __init__(self, document: Mapping[str, Any], operations: Iterable[OperationSpec]) -> None:
        self._document = document
        self.operations = tuple(operations)
        self._found: dict[Pointer, list[Any] | None] = {}

    def schemas(self, at: Pointer) -> list[Any] | None:
        """The schemas of the values at a place: none where any value can be there, None where there can be no value."""
        if not at.tokens or at.tokens[0] not in _OF_REQUESTS:
            return ANYTHING
        if at not in self._found:
            ways = [way for o in self.operations if (way := self._of_one(o, at)) is not None]
            known = [schema for way in ways for schema in way]
            self._found[at] = None if not ways else known if all(ways) else ANYTHING
        return self._found[at]

    def _of_one(self, operation: OperationSpec, at: Pointer) -> list[Any] | None:
        part, *below = at.tokens
        if part == "header" and (not below or below[0] in UNDECLARED_HEADERS):
            return ANYTHING
        if len(below) == 1 and any((scheme.where, scheme.key) == (part, below[0]) for scheme in operation.schemes):
            return ANYTHING
        if part == "body":
            ways = [found for schemas in self._bodies(operation) if (found := self._below(schemas, below)) is not None]
            known = [schema for found in ways for schema in found]
            return None if not ways else known if all(ways) else ANYTHING
        if not any(parameter.where == part for parameter in operation.parameters):
            return None
        found = self._below([operation.schemas[""]], at.tokens)
        is_declared = any((p.where, p.name) == at.tokens[:2] for p in operation.parameters)
        return ANYTHING if found is None and is_declared and len(below) == 1 else found

    @staticmethod
    def _bodies(operation: OperationSpec) -> Iterator[list[Any]]:
        """The schemas of each body that is read."""
        for essence, media in operation.body.media.items() if operation.body is not None else ():
            if media.reads != "nothing" and not (operation.merges_form and media.reads != "json"):
                properties = operation.schemas[essence]["properties"]
                yield [properties["body"]] if "body" in properties else ANYTHING

    def _below(self, schemas: list[Any], tokens: Iterable[str]) -> list[Any] | None:
        for token in tokens:
            if not schemas:
                return ANYTHING
            members = self._member(schemas, token)
            if members is None:
                return None
            schemas = members
        return schemas

    def _member(self, schemas: list[Any], token: str) -> list[Any] | None:
        """The schemas of a member, or of an item, of values that fit one of these."""
        parts = [schema for schema, _ in unfolded(self._document, [(schema, True) for schema in schemas])]
        if not parts or any(schema is True for schema in schemas):
            return ANYTHING
        named: list[Any] = []
        for part in parts:
            named += [named_members(part)[token]] if token in named_members(part) else []
            named += [schema for name, schema in part.get("patternProperties", {}).items() if _may_match(name, token)]
            if token == ITEMS or _ITEM_NUMBER.fullmatch(token):
                item = item_schema(part, 0 if token == ITEMS else int(token))
                named += [item] if item is not None else []
        possible = [schema for schema in named if schema is not False]
        if named:
            return possible or None
        has_members = any(named_members(part) or "patternProperties" in part or "items" in part for part in parts)
        types = kinds_of(self._document, schemas)
        if types is not None and not types & {"object", "array"}:
            return None
        return None if has_members and not any(map(allows_others, parts)) else ANYTHING

    @property
    def has_body(self) -> bool:
        """Whether some request has a body that is read."""
        return any(True for operation in self.operations for _ in self._bodies(operation))

    @property
    def all_keywords(self) -> set[str]:
        """The keywords of all schemas of the requests."""
        schemas = [schema for operation in self.operations for schema in operation.schemas.values()]
        return keywords_of(self._document, schemas)

    def names(self, at: Pointer) -> list[str]:
        """The names of the members that schemas name at a place."""
        schemas = self.schemas(at) if at.tokens else None
        if len(at.tokens) == 1 and at.tokens[0] != "body":
            schemas = [s for o in self.operations if (s := self._below([o.schemas[""]], at.tokens))]
            schemas = [schema for found in schemas for schema in found]
        parts = unfolded(self._document, [(schema, True) for schema in schemas or ()])
        return list(dict.fromkeys(name for part, _ in parts for name in named_members(part)))

    def keywords(self, at: Pointer) -> set[str] | None:
        """The keywords of the schemas at a place and below it; None where they cannot be told."""
        schemas = self.schemas(at)
        return None if not schemas else keywords_of(self._document, schemas)

    def kinds(self, at: Pointer) -> set[str] | None:
        """The types that values at a place can have; None where they can have any."""
        schemas = self.schemas(at)
        return None if not schemas else kinds_of(self._document, schemas)


def _may_match(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # ECMAScript's regular expressions have more
        return True


def kinds_of(document: Mapping[str, Any], schemas: list[Any]) -> set[str] | None:
    """The types that schemas name; None where one of them names none."""
    kinds: set[str] = set()
    for schema in schemas:
        named: set[str] = set()
        for part, _ in unfolded(document, [(schema, True)]):
            written = part.get("type", ())
            named |= {written} if isinstance(written, str) else set(written)
        if not named:
            return None
        kinds |= named
    return kinds | ({"integer"} if "number" in kinds else set())


def keywords_of(document: Mapping[str, Any], schemas: list[Any]) -> set[str]:
    """Every keyword of schemas and of those in them."""
    keywords: set[str] = set()
    seen: set[int] = set()
    waiting = list(schemas)
    while waiting:
        for part, _ in unfolded(document, [(waiting.pop(), True)]):
            if id(part) not in seen:
                seen.add(id(part))
                keywords |= part.keys()
                waiting += inner_schemas(part)
    return keywords
