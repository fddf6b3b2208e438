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


class SpecRequest:
    """The values that a request of an imported operation can have: parameters of its query, and parts of its bodies."""

    def __init__(self, node: Node, schemas: Reachable) -> None:
        self.has_other_form = False  # whether another body has the recipient where it cannot be marked, too
        self._schemas = schemas
        self._parameters = [
            (parameter, RequestValue(Pointer((parameter["in"], parameter["name"])), (Spot(parameter, "schema"),)))
            for parameter in node.get("parameters", [])
        ]
        media = members(node.get("requestBody"), "content").values()
        self._bodies = [(one, list(self._places(one))) for one in media if "schema" in one]

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
        for parameter, place in self._parameters:
            if place.at == at and self._can_be_marked(place):
                parameter["x-mock"] = {"recipient": True}
                if parameter.get("example") == SAMPLE_TEXT and self._schemas.fits(SAMPLE_NUMBER, parameter["schema"]):
                    parameter["example"] = SAMPLE_NUMBER
                return True
        found = [(media, self._number_at(places, at)) for media, places in self._bodies]
        first = next((its.at for _, its in found if its is not None), None)
        for media, its in found:
            if its is not None and its.at == first:
                self._mark(media, its)
        self.has_other_form = any(its is not None and its.at != first for _, its in found)
        return first is not None

    def _number_at(self, places: list[RequestValue], at: Pointer) -> RequestValue | None:
        """The value at a place; where that is a list, its items."""
        items = Pointer((*at.tokens, ITEMS))
        fitting = [place for place in places if place.at in {at, items} and self._can_be_marked(place)]
        return fitting[-1] if fitting else None

    def _mark(self, media: Node, place: RequestValue) -> None:
        if any(self._is_twice(spot, place) for spot in place.spots):
            media["schema"] = {"allOf": [media["schema"]], **_marked_below(place.at.tokens[1:])}
        else:
            for holder, key in place.spots:
                holder[key] = self._marked(holder[key])
        shown = _with_number(media.get("example"), place.at.tokens[1:])
        if "example" in media and self._schemas.fits(shown, media["schema"]):
            media["example"] = shown

    def _marked(self, schema: Any) -> Node:
        node = schema if isinstance(schema, dict) else {}
        is_shown = bool(node.keys() & {"$ref", "examples"}) or not self._schemas.fits(SAMPLE_NUMBER, node)
        return {**node, "x-mock": {"recipient": True}, **({} if is_shown else {"examples": [SAMPLE_NUMBER]})}

    def _is_twice(self, spot: Spot, place: RequestValue) -> bool:
        """Whether a schema is that of another place, too: a mark there would mark both."""
        others = [other for _, places in self._bodies for other in places if other.at != place.at]
        return any(spot.holder is its.holder and spot.key == its.key for other in others for its in other.spots)

    def _all(self) -> Iterator[RequestValue]:
        yield from (place for _, place in self._parameters)
        for _, places in self._bodies:
            yield from places

    def _places(self, media: Node) -> Iterator[RequestValue]:
        """The values of a body, those that are less deep first."""
        waiting, count = [RequestValue(Pointer(("body",)), (Spot(media, "schema"),))], 0
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
        parameters = {str(its.at): node["example"] for node, its in self._parameters if "example" in node}
        bodies = [Pointer.parse(_first(place.at)).get({"body": media.get("example")}) for media, _ in self._bodies]
        shown = (parameters.get(str(place.at)), *bodies)
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
