"""A vendor's own OpenAPI file, with the files that it refers to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.openapi30 import read_as_31
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.shared import METHODS
from mockserver.spec.source import read_text, read_yaml, why_unread

MAX_REFERENCES = 32  # that lead from one to the next
Node = dict[str, Any]


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
        version = str(self.document.get("openapi", "")) if isinstance(self.document, dict) else ""
        if not version.startswith(("3.0", "3.1")):
            raise _unreadable(file, "no OpenAPI document of version 3.0 or 3.1")
        self._is_30 = version.startswith("3.0")
        if self._is_30:
            read_as_31(self.document)

    def endpoints(self) -> Iterator[SpecOperation]:
        """The operations of the document, in its order."""
        for path, written in _mapping(self.document.get("paths")).items():
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
        if other:
            file = (file.parent / unquote(other)).resolve() if "://" not in other else file / "elsewhere"
        if "://" in other or not (file.is_file() or file in self._documents or file == self.file):
            return Found(MISSING, file)
        return Found(Pointer.parse(unquote(pointer)).get(self._read(file)), file)

    def _read(self, file: Path) -> Any:
        if file not in self._documents:
            document = _value_of(file)
            if self._documents and isinstance(document, dict) and self._is_30:
                read_as_31(document)
            self._documents[file] = document
        return self._documents[file]


def _mapping(value: Any) -> Node:
    return value if isinstance(value, dict) else {}


def _value_of(file: Path) -> Any:
    """What a file says. Raises ContractErrors."""
    try:
        text = read_text(file)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, f"cannot be read: {why_unread(error)}") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        source = read_yaml(str(file), text)
    if source.errors:
        raise ContractErrors(source.errors)
    return source.value


def _unreadable(file: Path, message: str) -> ContractErrors:
    return ContractErrors([ContractError(str(file), 1, 1, "", message)])
