"""YAML text as plain values whose places in the file are known.

The reading is strict: only ``true``, ``false``, ``null`` and plain decimal numbers are not strings (no Norway, no
phone number turned into an integer), keys are unique strings, no tag builds an object.
"""

import codecs
import errno
import json
import math
import re
import stat
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mockserver.spec.errors import ContractError
from mockserver.spec.pointer import escape

MAX_YAML_VALUES = 200_000  # with every alias written out: a bound against the "billion laughs" attack
MAX_YAML_DEPTH = 64  # likewise; code that walks a value may do so recursively

_YAML_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_YAML_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_YAML_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is written; line and column count from 1. ``file`` is "" for the file that is read."""

    line: int
    column: int
    pointer: str
    file: str = ""


@dataclass(slots=True)
class Source:
    """A YAML file as read: its value, and the place of every container, member and item."""

    file: str
    value: Any = None
    errors: list[ContractError] = field(default_factory=list)
    _places: dict[tuple[int, Hashable], Place] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)

    def place(self, container: object, key: Hashable = None) -> Place:
        """The place of a container, or of one of its members; the start of the file if it is not known."""
        place = self._places.get((id(container), key)) or self._places.get((id(container), None))
        return place or Place(1, 1, "")

    def remember(self, container: object, key: Hashable, place: Place) -> None:
        """Note a place. The container is kept alive, so that no other object gets its identity."""
        self._kept.append(container)
        self._places[id(container), key] = place


class _TooMuchError(Exception):
    """The file has more values than any contract needs. The error is in ``Source.errors`` already."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    """The value that an alias stands for, and its size and height when written out."""

    value: Any
    size: int
    height: int


_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}  # by a file's first bytes, its encoding


def read_text(file: Path) -> str:
    """The text of a regular file, in UTF-8. Raises OSError, UnicodeDecodeError.

    A pipe that nobody writes to would be read for ever.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(file))
    return file.read_text("utf-8")


def why_unread(error: OSError | UnicodeDecodeError) -> str:
    """What kept a file from being read, without its name, and what to do about it."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    encoding = _BYTE_ORDER_MARKS.get(bytes(error.object[:2]))
    if encoding is not None:
        return f"the file is not UTF-8 but {encoding}: save it as UTF-8"
    line = error.object.count(b"\n", 0, error.start) + 1
    return f"the file is not UTF-8: line {line} has the byte 0x{error.object[error.start]:02X}; save it as UTF-8"


_PAIR = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def _with_long_escapes(text: str) -> str:
    """JSON text as YAML has it: JSON escapes a character beyond U+FFFF in two halves, YAML in one."""
    if not _PAIR.search(text):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return re.sub(
        rf"\\\\|{_PAIR.pattern}",
        lambda found: found[0] if found[1] is None else rf"\U{_joined(int(found[1], 16), int(found[2], 16)):08X}",
        text,
    )


def _joined(high: int, low: int) -> int:
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)


def read_yaml(file: str, text: str) -> Source:
    """Parse YAML, or JSON. Errors (syntax, duplicate keys, keys that are no text) are in the result; none is raised."""
    source = Source(file)
    try:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(_with_long_escapes(text))
        try:
            source.value = _Walk(source, loader).document()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        source.errors.append(ContractError(file, line, column, "", f"not YAML: {error.problem}"))
    except yaml.YAMLError as error:
        source.errors.append(ContractError(file, 1, 1, "", f"not YAML: {error}"))
    except _TooMuchError:
        pass
    return source


class _Walk:
    """Turns events into values. An anchored value is the same object wherever an alias stands for it."""

    def __init__(self, source: Source, loader: Any) -> None:
        self.source = source
        self.next = loader.get_event
        self.anchors: dict[str, _Anchored | None] = {}
        self.count = 0
        self.depth = 0
        self.deepest = 0

    def document(self) -> Any:
        self.next()
        start = self.next()
        if isinstance(start, yaml.StreamEndEvent):
            self.error(start, "", "the file is empty")
            return None
        value = self.value(self.next(), "")
        self.next()
        after = self.next()
        if not isinstance(after, yaml.StreamEndEvent):
            self.error(after, "", "a second document: one file holds one")
        return value

    def value(self, event: Any, pointer: str) -> Any:
        """The value that begins with an event, read to its end."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, pointer)
        anchor, before, deepest = event.anchor, self.count, self.deepest
        if anchor is not None:
            self.anchors[anchor] = None
            self.deepest = self.depth
        self._reach(event, pointer, 1, 0)
        value = self._build(event, pointer)
        if anchor is not None:
            self.anchors[anchor] = _Anchored(value, self.count - before, self.deepest - self.depth)
            self.deepest = max(self.deepest, deepest)
        return value

    def _alias(self, event: Any, pointer: str) -> Any:
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            what = "contains itself" if event.anchor in self.anchors else "stands for nothing before it"
            self.error(event, pointer, f"the alias *{event.anchor} {what}")
            return None
        self._reach(event, pointer, anchored.size, anchored.height)
        return anchored.value

    def _reach(self, event: Any, pointer: str, size: int, height: int) -> None:
        self.count += size
        self.deepest = max(self.deepest, self.depth + height)
        if self.count > MAX_YAML_VALUES or self.deepest > MAX_YAML_DEPTH:
            most = f"{MAX_YAML_VALUES} values, {MAX_YAML_DEPTH} deep"
            self.error(event, pointer, f"the file is too large: at most {most}, aliases written out")
            raise _TooMuchError

    def _build(self, event: Any, pointer: str) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, pointer)
        self.depth += 1
        build = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._list
        value = build(event, pointer)
        self.depth -= 1
        return value

    def _list(self, event: Any, pointer: str) -> list[Any]:
        items: list[Any] = []
        self._tag(event, pointer, "seq")
        self.source.remember(items, None, _place(event, pointer))
        while not isinstance(item := self.next(), yaml.SequenceEndEvent):
            below = f"{pointer}/{len(items)}"
            self.source.remember(items, len(items), _place(item, below))
            items.append(self.value(item, below))
        return items

    def _mapping(self, event: Any, pointer: str) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self._tag(event, pointer, "map")
        self.source.remember(members, None, _place(event, pointer))
        while not isinstance(name := self.next(), yaml.MappingEndEvent):
            key = self._key(name, pointer)
            below = f"{pointer}/{escape(key)}"
            if key in members:
                self.error(name, below, f"duplicate key {key!r}")
                self.value(self.next(), below)
                continue
            self.source.remember(members, key, _place(name, below))
            members[key] = self.value(self.next(), below)
        return members

    def _key(self, event: Any, pointer: str) -> str:
        key = self.value(event, pointer)
        if isinstance(key, str):
            return key
        text = str(getattr(event, "value", key))
        self.error(event, pointer, f"a key must be a string: write {text!r} in quotes")
        return text

    def _scalar(self, event: Any, pointer: str) -> Any:
        if not event.implicit[0]:
            self._tag(event, pointer, "str")
            return event.value
        try:
            return _plain(event.value)
        except ValueError as error:
            self.error(event, pointer, f"cannot be read: {error}")
            return None

    def _tag(self, event: Any, pointer: str, kind: str) -> None:
        if event.tag not in {None, "!", f"tag:yaml.org,2002:{kind}"}:
            self.error(event, pointer, f"the tag {event.tag} is not allowed")

    def error(self, event: Any, pointer: str, message: str) -> None:
        place = _place(event, pointer)
        self.source.errors.append(ContractError(self.source.file, place.line, place.column, place.pointer, message))


def _plain(text: str) -> Any:
    """What text without quotes means. Raises ValueError for a number that is too large."""
    if text in _YAML_WORDS:
        return _YAML_WORDS[text]
    if text[0] not in "-0123456789" or not _YAML_NUMBER.fullmatch(text):
        return text
    if len(text) > 300 or math.isinf(float(text)):
        raise ValueError("the number is too large")
    return int(text) if _YAML_INTEGER.fullmatch(text) else float(text)


def _place(event: Any, pointer: str) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1, pointer)
