"""YAML text to plain values that remember where they stood.

Strict: only ``true``, ``false``, ``null`` and plain decimal numbers are not strings (no Norway, no
phone number turned into an integer), keys are unique strings, no tag builds an object.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from mockserver.spec.faults import ContractError

MAX_VALUES = 200_000  # aliases are written out when walked: a bound, against "billion laughs"

_PLAIN = {
    "bool": (r"^(?:true|false)$", "tf"),
    "null": (r"^(?:null|~|)$", ["~", "n", ""]),
    "int": (r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    "float": (r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", "-0123456789"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands; line and column count from 1."""

    line: int
    column: int
    pointer: str


@dataclass(slots=True)
class Source:
    """One YAML file as read: its value, and the place of every container, member and item."""

    file: str
    value: Any = None
    faults: list[ContractError] = field(default_factory=list)
    _places: dict[tuple[int, Hashable], Place] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)

    def place(self, container: object, key: Hashable = None) -> Place:
        """The place of a container, or of one of its members; the start of the file if unknown."""
        found = self._places.get((id(container), key)) or self._places.get((id(container), None))
        return found or Place(1, 1, "")

    def remember(self, container: object, key: Hashable, place: Place) -> None:
        """Note a place, keeping the container alive so that its identity stays its own."""
        self._kept.append(container)
        self._places.setdefault((id(container), key), place)


def read(file: str, text: str) -> Source:
    """Parse YAML. Faults (syntax, duplicate keys, odd keys) are collected in the result, none raised."""
    source = Source(file)
    try:
        loader = _strict_loader()(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        source.faults.append(ContractError(file, line, column, "", f"not YAML: {error.problem}"))
        return source
    except yaml.YAMLError as error:
        source.faults.append(ContractError(file, 1, 1, "", f"not YAML: {error}"))
        return source
    if root is None:
        source.faults.append(ContractError(file, 1, 1, "", "the file is empty"))
        return source
    source.value = _Walk(source).value(root, "")
    return source


@cache
def _strict_loader() -> type[Any]:
    """The safe loader of libyaml with YAML 1.2's plain types only; built on first use."""
    base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("StrictLoader", (base,), {"yaml_implicit_resolvers": {}})
    for tag, (pattern, first) in _PLAIN.items():
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))
    return loader  # type: ignore[no-any-return]  # made by type(): mypy sees Any


class _Walk:
    """Turns nodes into values once each: an aliased node is one shared value."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.scalars = yaml.constructor.SafeConstructor()
        self.done: dict[int, Any] = {}
        self.open: set[int] = set()
        self.count = 0

    def value(self, node: yaml.Node, pointer: str) -> Any:
        if id(node) in self.done:
            return self.done[id(node)]
        self.count += 1
        if id(node) in self.open or self.count > MAX_VALUES:
            self.fault(node, pointer, "an alias contains itself, or the file is too large")
            return None
        self.open.add(id(node))
        value = self._build(node, pointer)
        self.open.discard(id(node))
        if isinstance(value, dict | list):
            self.done[id(node)] = value
            self.source.remember(value, None, _place(node, pointer))
        return value

    def _build(self, node: yaml.Node, pointer: str) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, pointer)
        if isinstance(node, yaml.SequenceNode):
            items: list[Any] = []
            for index, item in enumerate(node.value):
                self.source.remember(items, index, _place(item, f"{pointer}/{index}"))
                items.append(self.value(item, f"{pointer}/{index}"))
            return items
        return self._scalar(node, pointer)

    def _mapping(self, node: yaml.MappingNode, pointer: str) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key_node, item in node.value:
            key = self._scalar(key_node, pointer)
            if not isinstance(key, str):
                self.fault(key_node, pointer, f"a key must be a string: write {str(key)!r} in quotes")
                key = str(key)
            below = f"{pointer}/{escape(key)}"
            if key in members:
                self.fault(key_node, below, f"duplicate key {key!r}")
                continue
            self.source.remember(members, key, _place(key_node, below))
            members[key] = self.value(item, below)
        return members

    def _scalar(self, node: yaml.Node, pointer: str) -> Any:
        if not isinstance(node, yaml.ScalarNode) or not node.tag.startswith("tag:yaml.org,2002:"):
            self.fault(node, pointer, f"{node.tag} is not allowed here")
            return None
        try:
            return self.scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            self.fault(node, pointer, f"cannot be read: {error}")
            return None

    def fault(self, node: yaml.Node, pointer: str, message: str) -> None:
        place = _place(node, pointer)
        self.source.faults.append(ContractError(self.source.file, place.line, place.column, place.pointer, message))


def _place(node: yaml.Node, pointer: str) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1, pointer)


def escape(token: str) -> str:
    """One reference token as a JSON Pointer spells it (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")
