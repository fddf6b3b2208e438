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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import Reader as YamlReader

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


_START = Place(1, 1, "")


@dataclass(slots=True)
class _Written:
    """Where a container and its members are written: a Place, or the parser's mark, of which few become a Place."""

    container: object  # kept alive, so that no other object gets its identity
    pointer: str
    at: Any
    members: dict[Hashable, Any]

    def place(self, key: Any) -> Place:
        at = self.members.get(key)
        at, key = (self.at, None) if at is None else (at, key)
        return at if isinstance(at, Place) else Place(at.line + 1, at.column + 1, _below(self.pointer, key))


@dataclass(slots=True)
class Source:
    """A YAML file as read: its value, and the place of every container, member and item.

    Where ``is_made``, the text is made of what the file says: no line of the file is known.
    ``changes`` are the places that other files have changed, each with an error at what changes it, without a message.
    """

    file: str
    value: Any = None
    is_made: bool = False
    errors: list[ContractError] = field(default_factory=list)
    changes: list[tuple[str, ContractError]] = field(default_factory=list)
    _written: dict[int, _Written] = field(default_factory=dict)  # by the container's identity

    def place(self, container: object, key: Hashable = None) -> Place:
        """The place of a container, or of one of its members; the start of the file if it is not known."""
        written = self._written.get(id(container))
        place = _START if written is None else written.place(key)
        return replace(_START, pointer=place.pointer) if self.is_made else place

    def error_at(self, container: object, key: Hashable, message: str) -> ContractError:
        """An error at the place of a container, or of one of its members."""
        place = self.place(container, key)
        return ContractError(place.file or self.file, place.line, place.column, place.pointer, message)

    def remember(self, container: object, key: Hashable, place: Place) -> None:
        """Note the place of a container, or of one of its members."""
        written = self._written.get(id(container))
        if written is None:
            written = self._written[id(container)] = _Written(container, "", _START, {})
        if key is None:
            written.at = place
        else:
            written.members[key] = place

    def note(self, container: object, pointer: str, mark: Any) -> dict[Hashable, Any]:
        """Note the parser's mark of a container. The marks of its members are to be put into what is returned."""
        members: dict[Hashable, Any] = {}
        self._written[id(container)] = _Written(container, pointer, mark, members)
        return members


class _TooMuchError(Exception):
    """The file has more values than any contract needs. The error is in ``Source.errors`` already."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    """The value that an alias stands for, and its size and height when written out."""

    value: Any
    size: int
    height: int


_BYTE_ORDER_MARKS = {  # by a file's first bytes, its encoding; the longer ones first, for one begins like another
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_text(file: Path, errors: str = "strict") -> str:
    """The text of a regular file, in UTF-8. Raises OSError, UnicodeDecodeError."""
    check_regular(file)
    return file.read_text("utf-8", errors)


def check_regular(file: Path) -> None:
    """Raise OSError where a file is none, or a device, or a pipe, which would be read or waited for without end."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(file))


def why_unread(error: OSError | UnicodeDecodeError) -> str:
    """What kept a file from being read, without its name, and what to do about it."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    start = bytes(error.object[:4])
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
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


def read_yaml(file: str, text: str, *, any_scalar_key: bool = False) -> Source:
    """Parse YAML, or JSON. Errors (syntax, duplicate keys, keys that are no text) are in the result; none is raised.

    With ``any_scalar_key`` a key that is a number, a boolean or null is its text, as in files that others write.
    """
    source = Source(file)
    try:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(_with_long_escapes(text))
        try:
            source.value = _EventReader(source, loader, any_scalar_key=any_scalar_key).document()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        source.errors.append(ContractError(file, line, column, "", f"not YAML: {error.problem}"))
    except yaml.YAMLError as error:
        source.errors.append(_strange_character(file, text) or ContractError(file, 1, 1, "", f"not YAML: {error}"))
    except _TooMuchError:
        pass
    return source


def _strange_character(file: str, text: str) -> ContractError | None:
    """That a text has a character which YAML has not; of nothing but such ones is a file in another encoding."""
    found = YamlReader.NON_PRINTABLE.search(text)
    if found is None:
        return None
    nothing = text.count("\0")
    if 3 * nothing >= len(text):
        encoding = "UTF-32" if 3 * nothing >= 2 * len(text) else "UTF-16"
        return ContractError(file, 1, 1, "", f"the file is not UTF-8 but {encoding}: save it as UTF-8")
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    told = f"YAML has no character U+{ord(found[0]):04X}: take it out, or write it in double quotes as an escape"
    return ContractError(file, line, column, "", told)


class _EventReader:
    """Turns events into values. An anchored value is the same object wherever an alias stands for it."""

    def __init__(self, source: Source, loader: Any, *, any_scalar_key: bool) -> None:
        self.source = source
        self.any_scalar_key = any_scalar_key
        self.next = loader.get_event
        self.anchors: dict[str, _Anchored | None] = {}
        self.count = 0
        self.depth = 0
        self.deepest = 0

    def document(self) -> Any:
        self.next()
        start = self.next()
        if isinstance(start, yaml.StreamEndEvent):
            self.error(start, "", None, "the file is empty")
            return None
        value = self.value(self.next(), "", None)
        self.next()
        after = self.next()
        if not isinstance(after, yaml.StreamEndEvent):
            self.error(after, "", None, "a second document: one file holds one")
        return value

    def value(self, event: Any, above: str, key: str | int | None) -> Any:
        """The value that begins with an event: the member ``key`` of the container whose pointer is ``above``."""
        if isinstance(event, yaml.ScalarEvent) and event.anchor is None:  # of nearly all: the shortest way
            self._reach(event, above, key, 1, 0)
            return self._scalar(event, above, key)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, above, key)
        anchor, before, deepest = event.anchor, self.count, self.deepest
        if anchor is not None:
            self.anchors[anchor] = None
            self.deepest = self.depth
        self._reach(event, above, key, 1, 0)
        build = self._scalar if isinstance(event, yaml.ScalarEvent) else self._inner
        value = build(event, above, key)
        if anchor is not None:
            self.anchors[anchor] = _Anchored(value, self.count - before, self.deepest - self.depth)
            self.deepest = max(self.deepest, deepest)
        return value

    def _alias(self, event: Any, above: str, key: str | int | None) -> Any:
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            what = "contains itself" if event.anchor in self.anchors else "stands for nothing before it"
            self.error(event, above, key, f"the alias *{event.anchor} {what}")
            return None
        self._reach(event, above, key, anchored.size, anchored.height)
        return anchored.value

    def _reach(self, event: Any, above: str, key: str | int | None, size: int, height: int) -> None:
        self.count += size
        self.deepest = max(self.deepest, self.depth + height)
        if self.count > MAX_YAML_VALUES or self.deepest > MAX_YAML_DEPTH:
            most = f"{MAX_YAML_VALUES} values, {MAX_YAML_DEPTH} deep"
            self.error(event, above, key, f"the file is too large: at most {most}, aliases written out")
            raise _TooMuchError

    def _inner(self, event: Any, above: str, key: str | int | None) -> Any:
        pointer = _below(above, key)
        self.depth += 1
        build = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._list
        value = build(event, pointer)
        self.depth -= 1
        return value

    def _list(self, event: Any, pointer: str) -> list[Any]:
        items: list[Any] = []
        self._tag(event, pointer, None, "seq")
        marks = self.source.note(items, pointer, event.start_mark)
        while not isinstance(item := self.next(), yaml.SequenceEndEvent):
            marks[len(items)] = item.start_mark
            items.append(self.value(item, pointer, len(items)))
        return items

    def _mapping(self, event: Any, pointer: str) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self._tag(event, pointer, None, "map")
        marks = self.source.note(members, pointer, event.start_mark)
        while not isinstance(name := self.next(), yaml.MappingEndEvent):
            key = self._key(name, pointer)
            if key in members:
                self.error(name, pointer, key, f"duplicate key {key!r}")
                self.value(self.next(), pointer, key)
                continue
            marks[key] = name.start_mark
            members[key] = self.value(self.next(), pointer, key)
        return members

    def _key(self, event: Any, pointer: str) -> str:
        key = self.value(event, pointer, None)
        if isinstance(key, str):
            return key
        text = str(getattr(event, "value", key))
        if self.any_scalar_key and not isinstance(key, dict | list):
            return text
        self.error(event, pointer, None, f"a key must be a string: write {text!r} in quotes")
        return text

    def _scalar(self, event: Any, above: str, key: str | int | None) -> Any:
        if not event.implicit[0]:
            self._tag(event, above, key, "str")
            return event.value
        try:
            return _plain(event.value)
        except ValueError as error:
            self.error(event, above, key, f"cannot be read: {error}")
            return None

    def _tag(self, event: Any, above: str, key: str | int | None, kind: str) -> None:
        if event.tag not in {None, "!", f"tag:yaml.org,2002:{kind}"}:
            self.error(event, above, key, f"the tag {event.tag} is not allowed")

    def error(self, event: Any, above: str, key: str | int | None, message: str) -> None:
        mark = event.start_mark
        self.source.errors.append(
            ContractError(self.source.file, mark.line + 1, mark.column + 1, _below(above, key), message)
        )


def _below(above: str, key: str | int | None) -> str:
    """The pointer of a member; that of the container itself where ``key`` is None."""
    return above if key is None else f"{above}/{escape(str(key))}"


def _plain(text: str) -> Any:
    """What text without quotes means. Raises ValueError for a number that is too large."""
    if text in _YAML_WORDS:
        return _YAML_WORDS[text]
    if text[0] not in "-0123456789" or not _YAML_NUMBER.fullmatch(text):
        return text
    if len(text) > 300 or math.isinf(float(text)):
        raise ValueError("the number is too large")
    return int(text) if _YAML_INTEGER.fullmatch(text) else float(text)
