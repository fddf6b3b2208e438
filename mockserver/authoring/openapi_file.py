"""A vendor's own OpenAPI file, with the files that it refers to."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.openapi30 import read_as_31
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.shared import METHODS
from mockserver.spec.source import MAX_YAML_DEPTH, read_text, read_yaml, why_unread

MAX_NUMBER = 10**299  # below this a contract can have it
MAX_REFERENCES = 32  # that lead from one to the next
Node = dict[str, Any]
HEADER_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HALF = re.compile("[\ud800-\udfff]")  # of a pair that stands for one character: JSON can spell it alone


@dataclass(frozen=True, slots=True)
class Found:
    """A value, and the file that its own references begin in."""

    value: Any
    file: Path


@dataclass(frozen=True, slots=True)
class SpecOperation:
    """A method and path of a file."""

    method: str
    path: str
    node: Node
    path_item: Node
    file: Path

    @property
    def name(self) -> str:
        """As a user names it: ``POST /messages``."""
        return f"{self.method.upper()} {self.path}"


class OpenApiFile:
    """An OpenAPI document of version 3.0 or 3.1, in JSON or YAML. One of 3.0 is read as 3.1."""

    def __init__(self, file: Path) -> None:
        """Raises ContractErrors where the file cannot be read, or is no such document."""
        self.file = file
        self._documents: dict[Path, Any] = {}
        self.document: Node = self._read(file)
        version = str(self.document.get("openapi")) if isinstance(self.document, dict) else ""
        if not version.startswith(("3.0", "3.1")):
            raise _unreadable(file, "no OpenAPI document of version 3.0 or 3.1")
        self.is_30 = version.startswith("3.0")
        if self.is_30:
            read_as_31(self.document)

    def endpoints(self) -> Iterator[SpecOperation]:
        """The operations of the document, in its order."""
        for path, written in members(self.document, "paths").items():
            item = self.follow(Found(written, self.file))
            for method in METHODS:
                if isinstance(item.value, dict) and isinstance(item.value.get(method), dict):
                    yield SpecOperation(method, path, item.value[method], item.value, item.file)

    def follow(self, found: Found) -> Found:
        """What a value leads to, through its ``$ref``; ``MISSING`` where that is nothing."""
        for _ in range(MAX_REFERENCES):
            if not isinstance(found.value, dict) or not isinstance(found.value.get("$ref"), str):
                return found
            found = self.target(found.value["$ref"], found.file)
        return Found(MISSING, found.file)

    def target(self, ref: str, file: Path) -> Found:
        """What a reference of a file points at, in this file or another beside it."""
        other, _, pointer = ref.partition("#")
        there = file if not other else _beside(file, unquote(other)) if "://" not in other else None
        if there is None or (pointer and not pointer.startswith("/")):
            return Found(MISSING, file)
        return Found(Pointer.parse(unquote(pointer)).get(self._read(there)), there)

    def _read(self, file: Path) -> Any:
        if file not in self._documents:
            document = _value_of(file)
            if self._documents and isinstance(document, dict) and self.is_30:
                read_as_31(document)
            self._documents[file] = document
        return self._documents[file]


def members(node: Any, key: str) -> Node:
    """The members of a part of a node; none where there is no such part, or it is no mapping."""
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, dict) else {}


def entries(node: Any, key: str) -> list[Any]:
    """The entries of a part of a node; none where there is no such part, or it is no list."""
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, list) else []


def _beside(file: Path, name: str) -> Path | None:
    """The file of a name beside another, if it is there."""
    try:
        path = (file.parent / name).resolve()
        return path if path.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


def _value_of(file: Path) -> Any:
    """What a file says. Raises ContractErrors."""
    try:
        text = read_text(file)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, f"cannot be read: {why_unread(error)}") from error
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        source = read_yaml(str(file), text, any_scalar_key=True)
        if source.errors:
            raise ContractErrors(source.errors) from None
        value = source.value
    why = _why_no_contract(value)
    if why:
        raise _unreadable(file, why)
    return value


def _refuse(constant: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)


def _why_no_contract(value: Any) -> str:
    """Why no contract can be made of what a file says; "" where one can."""
    level, depth = [value], 0
    while level:
        if depth > MAX_YAML_DEPTH:
            return f"values within values: at most {MAX_YAML_DEPTH} deep"
        texts = [text for one in level for text in (one if isinstance(one, dict) else [one]) if isinstance(text, str)]
        broken = next((text for text in texts if _HALF.search(text)), None)
        if broken is not None:
            return f"half a character, which no file can have: {broken[:40]!a}"
        if any(isinstance(one, int) and abs(one) >= MAX_NUMBER for one in level):
            return "a number is too large: it has 300 digits or more"
        level = [item for one in level if isinstance(one, dict | list) for item in _items(one)]
        depth += 1
    return ""


def _items(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _unreadable(file: Path, message: str) -> ContractErrors:
    return ContractErrors([ContractError(str(file), 1, 1, "", message)])
