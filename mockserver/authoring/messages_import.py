"""Who the messages of an imported operation go to, come from, and what they say: told by names that are usual."""

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from mockserver.authoring.openapi_file import Node, members
from mockserver.authoring.reachable import Reachable
from mockserver.authoring.samples import SAMPLE_TEXT
from mockserver.spec.parameters import ITEMS
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.request_probes import LIKE_PHONE_NUMBERS, MAGIC_NUMBERS

RECIPIENTS = (
    *("to", "destination", "destinations", "recipient", "recipients", "dst", "msisdn", "msisdns", "tonumber"),
    *("phonenumber", "phonenumbers", "phone", "phones", "mobile", "usernumber", "dest", "number", "numbers"),
)
SENDERS = ("from", "sender", "source", "originator", "src", "fromnumber", "senderid")
TEXT_NAMES = ("text", "body", "content", "message", "smsbody")
SAMPLE_NUMBER = "+12025550123"  # of nobody
MAX_PLACE_DEPTH = 8  # members within members where a number is looked for
MAX_PLACES = 500  # of a request
_NUMBER_TYPES = {"string", "integer", "number"}


class Spot(NamedTuple):
    """Where a schema is written: the member ``key`` of ``holder``."""

    holder: Any
    key: Any


class RequestValue(NamedTuple):
    """A value of a request, and where its schemas are written; ``*`` is an item of a list.

    ``above`` are the schemas that it stands in, by identity: one that is its own member is not followed again.
    """

    at: Pointer
    spots: tuple[Spot, ...]
    above: frozenset[int] = frozenset()


class _Root(NamedTuple):
    """A parameter or a body, and all its values."""

    holder: Node
    at: Pointer
    values: list[RequestValue]

    @property
    def usable(self) -> list[RequestValue]:
        """Those that can be a number: what stands within a parameter is not read, but for the items of a list."""
        own = {self.at, Pointer((*self.at.tokens, ITEMS))}
        return [value for value in self.values if self.at.tokens == ("body",) or value.at in own]

    @property
    def example(self) -> Any:
        """A request that has this example alone."""
        made = self.holder.get("example")
        for token in reversed(self.at.tokens):
            made = {token: made}
        return made


class SpecRequest:
    """The values that a request of an imported operation can have: parameters of its query, and parts of its bodies."""

    def __init__(self, node: Node, schemas: Reachable) -> None:
        self.has_other_form = False  # whether another body has the recipient where it cannot be marked, too
        self._schemas = schemas
        parameters = [(p, Pointer((p["in"], p["name"]))) for p in node.get("parameters", [])]
        bodies = [(media, Pointer(("body",))) for media in members(node.get("requestBody"), "content").values()]
        roots = [(holder, at) for holder, at in (*parameters, *bodies) if "schema" in holder]
        self._roots = [_Root(holder, at, list(self._values(holder, at))) for holder, at in roots]

    @property
    def score(self) -> int:
        """How much the request looks like one that sends a message."""
        return 0 if self.called(RECIPIENTS, is_number=True) is None else 1 + (self.called(TEXT_NAMES) is not None)

    @property
    def numbers(self) -> list[str]:
        """The places that can hold a number, for people."""
        return list(dict.fromkeys(str(place.at) for place in self._all() if self._can_be_marked(place)))

    @property
    def fields(self) -> Iterator[tuple[Pointer, Node]]:
        """The fields of queries and bodies, and of each the first schema that says something."""
        for place in self._all():
            if len(place.at.tokens) == 2 and place.at.tokens[0] in {"query", "body"}:
                yield place.at, next((part for part in self._parts(place) if "$ref" not in part), {})

    def called(self, names: tuple[str, ...], *, is_number: bool = False) -> Pointer | None:
        """The place whose name is one of these: earlier names first, then what is less deep in the request."""
        found: dict[str, Pointer] = {}
        for place in self._all():
            name = next((token for token in reversed(place.at.tokens[1:]) if token != ITEMS), "")
            usual = re.sub("[^a-z]", "", name.lower())
            if usual in names and usual not in found and place.at.tokens[0] in {"query", "body"}:
                found |= {usual: place.at} if not is_number or self._can_be_number(place) else {}
        return next((found[name] for name in names if name in found), None)

    def mark(self, at: Pointer) -> bool:
        """Mark the recipient, in each body that has it at one and the same place; False where there is none."""
        found = [(root, self._number_at(root, at)) for root in self._roots]
        first = next((value.at for _, value in found if value is not None), None)
        for root, value in found:
            if value is not None and value.at == first:
                self._mark(root, value)
        self.has_other_form = any(value is not None and value.at != first for _, value in found)
        return first is not None

    def _number_at(self, root: _Root, at: Pointer) -> RequestValue | None:
        """The value at a place; where that is a list, its items."""
        items = Pointer((*at.tokens, ITEMS))
        fitting = [value for value in root.usable if value.at in {at, items} and self._can_be_marked(value)]
        return fitting[-1] if fitting else None

    def _mark(self, root: _Root, value: RequestValue) -> None:
        holder, below = root.holder, value.at.tokens[len(root.at.tokens) :]
        if any(self._is_twice(spot, value) for spot in value.spots):
            holder["schema"] = {"allOf": [holder["schema"]], **_marked_below(below)}
        else:
            for spot in value.spots:
                spot.holder[spot.key] = self._marked(spot.holder[spot.key])
        shown = _with_number(holder.get("example"), below)
        if "example" in holder and self._schemas.fits(shown, holder["schema"]):
            holder["example"] = shown

    def _marked(self, schema: Any) -> Node:
        node = schema if isinstance(schema, dict) else {}
        is_shown = bool(node.keys() & {"$ref", "examples"}) or not self._schemas.fits(SAMPLE_NUMBER, node)
        return {**node, "x-mock": {"recipient": True}, **({} if is_shown else {"examples": [SAMPLE_NUMBER]})}

    def _is_twice(self, spot: Spot, value: RequestValue) -> bool:
        """Whether a schema is that of another value, too: a mark there would mark both."""
        others = [other for root in self._roots for other in root.values if other.at != value.at]
        return any(spot.holder is its.holder and spot.key == its.key for other in others for its in other.spots)

    def _all(self) -> Iterator[RequestValue]:
        yield from (value for root in self._roots for value in root.usable)

    def _values(self, holder: Node, at: Pointer) -> Iterator[RequestValue]:
        """The values of a parameter or body, those that are less deep first."""
        waiting, count = [RequestValue(at, (Spot(holder, "schema"),))], 0
        while waiting and count < MAX_PLACES:
            place, count = waiting.pop(0), count + 1
            yield place
            below: dict[str, list[Spot]] = {}
            parts = [part for part in self._parts(place) if id(part) not in place.above]
            for schema in parts:
                if "items" in schema:
                    below.setdefault(ITEMS, []).append(Spot(schema, "items"))
                for name in schema.get("properties", {}):
                    below.setdefault(name, []).append(Spot(schema["properties"], name))
            above = place.above | {id(part) for part in parts}
            for name, spots in below.items() if len(place.at.tokens) <= MAX_PLACE_DEPTH else ():
                waiting.append(RequestValue(Pointer((*place.at.tokens, name)), tuple(spots), above))

    def _parts(self, place: RequestValue) -> Iterator[Node]:
        """All schemas that a value must or may fit, each once."""
        waiting, seen = [spot.holder[spot.key] for spot in place.spots], set()
        while waiting:
            schema = waiting.pop(0)
            if not isinstance(schema, dict) or id(schema) in seen:
                continue
            seen.add(id(schema))
            yield schema
            if "$ref" in schema:
                waiting.append(self._schemas.components.get(schema["$ref"].rpartition("/")[2]))
            waiting += [part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, [])]

    def _can_be_marked(self, place: RequestValue) -> bool:
        """Whether a value can be that of a phone, or is text that an example shows: who names it knows."""
        shown = [Pointer.parse(_first(place.at)).get(root.example) for root in self._roots]
        return self._can_be_number(place) or any(isinstance(value, str) for value in shown)

    def _can_be_number(self, place: RequestValue) -> bool:
        """Whether a value is text or a number, and can be that of a phone."""
        kinds: set[str] = set()
        for schema in self._parts(place):
            kind = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else [])
            kinds |= {kind} if isinstance(kind, str) else set(kind)
        if kinds and not kinds & _NUMBER_TYPES:
            return False
        schemas = [holder[key] for holder, key in place.spots]
        numbers = (*MAGIC_NUMBERS, *LIKE_PHONE_NUMBERS)
        return any(self._schemas.first_that_fits(numbers, schema) is not MISSING for schema in schemas)


def message_of(request: SpecRequest) -> Node:
    """The block that says who a message comes from and what it says."""
    sender, text = request.called(SENDERS), request.called(TEXT_NAMES)
    return {
        "message": {
            "from": None if sender is None else {"echo": _first(sender)},
            "text": None if text is None else {"echo": _first(text)},
        }
    }


def _first(at: Pointer) -> str:
    """A place, of lists in their first item."""
    return str(Pointer(tuple("0" if token == ITEMS else token for token in at.tokens)))


def _marked_below(tokens: Iterable[str]) -> Node:
    """A schema that asks nothing, and marks what stands below."""
    schema: Node = {"x-mock": {"recipient": True}}
    for token in reversed(list(tokens)):
        schema = {"items": schema} if token == ITEMS else {"properties": {token: schema}}
    return schema


def _with_number(example: Any, tokens: Iterable[str]) -> Any:
    """An example of a body that names a number where it named none: the call that it makes is then accepted."""
    shown = copy.deepcopy(example)
    *above, last = ["0" if token == ITEMS else token for token in ("", *tokens)]
    holder = Pointer(tuple(above)).get({"": shown})
    if Pointer((last,)).get(holder) == SAMPLE_TEXT:
        holder[int(last) if isinstance(holder, list) else last] = SAMPLE_NUMBER
    return shown
