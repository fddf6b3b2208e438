"""Values of an answer that come to nothing, whatever the request: they read what the answer does not make."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.value_forms import is_form
from mockserver.spec.value_model import CountOf, Each, Shaped, Value
from mockserver.spec.values import parts_of

Read = tuple[Any, Hashable, str]  # the container, the key in it, the pointer that stands there
_BODY = ("made", "body")
_MADE_HEADER = ("made", "header")
_OF_ENTRIES = "/item"
_RAW = "/made/raw"
_REFUSABLE = "/recipients"
_NO_ENTRY = "an entry is read inside of `each`, `problems` or a `keeps` with `each`: here is none"


def check_fills(
    reader: Reader, block: dict[str, Any], values: Mapping[Pointer, Value], sample: Any, headers: Sequence[str]
) -> None:
    """Add an error for each value of an answer's block that reads what the answer never makes.

    ``values`` are its fills by their place, ``sample`` is its documented body, ``headers`` are its own in their order.
    """
    _Probe(reader, values, headers).answer(block, sample)


class _Probe:
    """The fills of one answer: which places of its body are made, and in which order."""

    def __init__(self, reader: Reader, values: Mapping[Pointer, Value], headers: Sequence[str]) -> None:
        self._reader = reader
        self._headers = headers
        in_body = [at for at in values if at.tokens[0] == "body"]
        counts = {at: any(isinstance(part, CountOf) for part in parts_of(values[at])) for at in in_body}
        self._made = [Pointer(at.tokens[1:]) for at in sorted(in_body, key=counts.__getitem__)]  # in their order
        self._lists = {str(at) for at in in_body if isinstance(_unshaped(values[at]), Each)}

    def answer(self, block: dict[str, Any], sample: Any) -> None:
        fill = block.get("fill", {})
        for text, node in fill.items():
            at = Pointer.parse(text)
            own = Pointer(at.tokens[1:])
            for container, key, read in _reads(fill, text, node, in_each=False):
                if at.tokens[0] == "body":
                    self._in_body(container, key, read, self._made[: self._made.index(own)])
                else:
                    self._in_header(container, key, read, own.tokens[0].lower(), sample)
            self._forms(node)
        keeps = block.get("keeps", [])
        for one in keeps if isinstance(keeps, list) else [keeps]:
            for container, key, read in _reads(one, "record", one["record"], in_each="each" in one):
                self._effect(container, key, read, sample)
            self._forms(one["record"])
        for member, node in block.get("changes", {}).items():
            for container, key, read in _reads(block["changes"], member, node, in_each=False):
                self._effect(container, key, read, sample)
            self._forms(node)

    def _in_body(self, container: Any, key: Hashable, text: str, before: list[Pointer]) -> None:
        at = Pointer.parse(text)
        place = Pointer(at.tokens[2:])
        if text.startswith(_OF_ENTRIES):
            self._reader.error(container, _NO_ENTRY, key)
        elif text == _RAW or at.tokens[:2] == _MADE_HEADER:
            what = "whole body is" if text == _RAW else "headers are"
            self._reader.error(container, f"the {what} made last: only a header can read {text}", key)
        elif at.tokens[:2] == _BODY and not any(map(place.overlaps, before)):
            if any(map(place.overlaps, self._made)):
                message = f"{text} is made after this one: write its fill before"
            else:
                made = ", ".join(f"/made/body{earlier}" for earlier in before) or "nothing"
                message = f"no fill makes {text}; made before: {made}"
            self._reader.error(container, message, key)

    def _in_header(self, container: Any, key: Hashable, text: str, own: str, sample: Any) -> None:
        at = Pointer.parse(text)
        before = self._headers[: self._headers.index(own)] if own in self._headers else self._headers
        if text != _RAW and at.tokens[:2] != _MADE_HEADER:
            self._effect(container, key, text, sample)
        elif text != _RAW and "/".join(at.tokens[2:]) not in before:
            made = ", ".join(f"/made/header/{name}" for name in before) or "none"
            message = f"no header before {own} is {text}; before it are, in the order of `headers`: {made}"
            self._reader.error(container, message, key)

    def _effect(self, container: Any, key: Hashable, text: str, sample: Any) -> None:
        at = Pointer.parse(text)
        place = Pointer(at.tokens[2:])
        is_there = place.get(sample) is not MISSING or any(one.covers(place) for one in self._made)
        if text.startswith(_OF_ENTRIES):
            self._reader.error(container, _NO_ENTRY, key)
        elif text == _RAW or at.tokens[:2] == _MADE_HEADER:
            self._reader.error(container, f"what an answer leaves behind reads its /made/body, not {text}", key)
        elif at.tokens[:2] == _BODY and not is_there:
            self._reader.error(container, f"this answer's body has no {place}: {text} is nothing", key)

    def _forms(self, node: Any) -> None:
        """The forms in a value: counts of no list, tokens of no scheme, `refused` of what is never refused."""
        if isinstance(node, list):
            for item in node:
                self._forms(item)
        if not isinstance(node, dict):
            return
        made = is_form(node)
        if made and "count" in node and node["count"] not in self._lists:
            lists = ", ".join(sorted(self._lists)) or "none"
            message = f"no list of records is filled in at {node['count']}; this answer fills in: {lists}"
            self._reader.error(node, message, "count")
        if made and isinstance(node.get("token"), str):
            self._token(node)
        if made and "each" in node and "refused" in node and node["each"] != _REFUSABLE:
            self._reader.error(node, f"only an entry of {_REFUSABLE} can be refused, none of {node['each']}", "refused")
        for key, item in node.items():
            if key not in ("evidence", "when"):
                self._forms(item)

    def _token(self, node: dict[str, Any]) -> None:
        components = self._reader.mapping(self._reader.document, "components")
        schemes = self._reader.mapping(components, "securitySchemes")
        signed = [name for name in schemes if _is_of_tokens(schemes[name])]
        if node["token"] not in signed:
            known = ", ".join(signed) or "none"
            message = f"{node['token']!r} is no security scheme of signed tokens; there are: {known}"
            self._reader.error(node, message, "token")


def problem_verdicts(block: dict[str, Any], *, meets_problems: bool) -> Iterator[tuple[Any, Hashable, str | None]]:
    """A verdict on each echo of the request's problem in an answer's block, which may be chosen for one or not."""
    message = None if meets_problems else "no rule gives this answer to a problem: there is none to repeat"
    waiting: list[Any] = [block.get("fill", {})]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict) and str(value.get("echo", "")).startswith("/problem/") and "else" not in value:
            yield value, "echo", message
        waiting += [item for item in _items(value) if isinstance(item, dict | list)]


def _items(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else list(value)


def _is_of_tokens(scheme: Any) -> bool:
    block = scheme.get("x-mock") if isinstance(scheme, dict) else None
    accept = block.get("accept") if isinstance(block, dict) else None
    return isinstance(accept, dict) and "jwt" in accept


def _unshaped(value: Value) -> Value:
    return _unshaped(value.value) if isinstance(value, Shaped) else value


def _reads(container: Any, key: Hashable, value: Any, *, in_each: bool) -> Iterator[Read]:
    """The pointers in a value to what is made, and those to an entry that is not inside of a list."""
    if isinstance(value, str):
        if value.startswith("/made/") or (not in_each and (value + "/").startswith("/item/")):
            yield container, key, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _reads(value, index, item, in_each=in_each)
    elif isinstance(value, dict):
        repeats = {"item", "refused"} if "each" in value and is_form(value) else set()
        repeats |= {"problems"} if is_form(value) else set()
        for name, item in value.items():
            if name == "when" and isinstance(item, dict):
                for at in item:
                    yield from _reads(item, at, at, in_each=in_each)
            elif name != "evidence":
                yield from _reads(value, name, item, in_each=in_each or name in repeats)
