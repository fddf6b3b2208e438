"""What an account pointer names in a customer's data, and the files that a vendor makes of it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.spec.pointer import Pointer


def values_at(data: Mapping[str, Any], pointer: str) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """The values that an account pointer names, in each item of a list, each with its record."""
    waiting: list[tuple[Any, tuple[str, ...], Mapping[str, Any]]] = [(data, Pointer.parse(pointer).tokens[1:], data)]
    while waiting:
        value, rest, record = waiting.pop()
        if isinstance(value, list):
            waiting += [(item, rest, item if isinstance(item, Mapping) else record) for item in reversed(value)]
        elif not rest:
            yield value, record
        elif isinstance(value, Mapping) and rest[0] in value:
            waiting.append((value[rest[0]], rest[1:], record))


def is_made(template: Any) -> bool:
    """Whether what an account's template has somewhere is made up, or copied."""
    return isinstance(template, Mapping) and ("new" in template or "copy" in template)


def holders_at(template: Mapping[str, Any], pointer: str) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """What an account's template has where ``values_at`` finds the values of an account, each with its record."""
    waiting: list[tuple[Any, tuple[str, ...], Mapping[str, Any]]] = [
        (template, Pointer.parse(pointer).tokens[1:], template)
    ]
    while waiting:
        value, rest, record = waiting.pop()
        if isinstance(value, list) and value:
            waiting += [
                (item, rest, item if rest and isinstance(item, Mapping) else record) for item in reversed(value)
            ]
        elif not rest:
            yield value, record
        elif isinstance(value, Mapping) and rest[0] in value:
            waiting.append((value[rest[0]], rest[1:], record))


def file_texts(files: Mapping[str, Mapping[str, str]], data: Mapping[str, Any]) -> dict[str, str]:
    """The files that a vendor gives a customer (``x-mock.files``), as JSON text by name."""
    texts = {}
    for name, members in files.items():
        content = {key: next((v for v, _ in values_at(data, pointer)), None) for key, pointer in members.items()}
        texts[name] = json.dumps(content, indent=2) + "\n"
    return texts
