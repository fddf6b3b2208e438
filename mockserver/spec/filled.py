"""Whether what an answer fills in fits the schema of its body, as far as that is known when it is read."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, get_type_hints

from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.value_model import (
    Apply,
    Composed,
    Constant,
    Echo,
    Join,
    New,
    Shaped,
    SignedToken,
    Validator,
    Value,
)

_LIKE_UUID = "3f0c9a52-7d1e-4b68-9a37-c5e2d8b41f06"
_LIKE_HEX = "9f86d081884c7d65"
_LIKE_TOKEN = "Zk3vQ9xLr7Tn2WbY"  # noqa: S105 -- letters of a made-up value
_LIKE_ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
_UNKNOWN_TEXTS = (  # what a request or an account may have
    *("", "1", "a", "A", "Hello there", "12345678", "+14155550100", "14155550100", "1" * 20, "en-US", "a" * 100),
    *("https://example.test/a?b=c", "a@example.test", _LIKE_UUID, _LIKE_HEX, _LIKE_TOKEN, _LIKE_ULID, "2021-06-22"),
)
_LIKE_TIMES: dict[str, str | int] = {  # by format, one moment
    "iso_ms": "2021-06-22T07:30:35.768Z",
    "iso": "2021-06-22T07:30:35Z",
    "iso_offset": "2021-06-22T07:30:35+00:00",
    "iso_ms_offset": "2021-06-22T07:30:35.768+0000",
    "rfc2822": "Tue, 22 Jun 2021 07:30:35 +0000",
    "sql": "2021-06-22 07:30:35",
    "date": "2021-06-22",
    "unix": 1624347035,
    "unix_ms": 1624347035768,
}


@dataclass(frozen=True, slots=True)
class _Likeness:
    """A value that stands for one that is made later; ``is_exact`` if any other one looks like it."""

    value: Any
    is_exact: bool


def misfits(schema: Validator, sample: Any, fills: Iterable[tuple[Pointer, Value]]) -> Iterator[tuple[Pointer, str]]:
    """Each filled place whose value cannot fit the schema, and why. The sample itself fits it."""
    for at, value in fills:
        if at.get(sample) is MISSING:
            continue
        like = _likeness(value)
        if like is None:
            continue
        never = _never_fits(value, at, sample, schema)
        for error in schema.iter_errors(_with(sample, at, like.value)):
            if like.is_exact or never or list(error.schema_path)[-1:] == ["type"]:
                yield at, str(error.message)
                break


def _never_fits(value: Value, at: Pointer, sample: Any, schema: Validator) -> bool:
    """Whether text put together of known and unknown parts fits with none of many texts in place of the unknown ones.

    Where the sample begins and ends as the text does, it shows that some text fits.
    """
    joined = value.value if isinstance(value, Shaped) else value
    likes = [_likeness(part) for part in joined.parts] if isinstance(joined, Join) else []
    known = [str(like.value) if like is not None and like.is_exact else None for like in likes]
    if None not in known:
        return False
    head = "".join(part or "" for part in known[: known.index(None)])
    tail = "".join(part or "" for part in known[len(known) - known[::-1].index(None) :])
    shown = at.get(sample)
    if isinstance(shown, str) and shown.startswith(head) and shown[len(head) :].endswith(tail):
        return False
    texts = ("".join(unknown if part is None else part for part in known) for unknown in _UNKNOWN_TEXTS)
    return not any(schema.is_valid(_with(sample, at, text)) for text in texts)


def _with(sample: Any, at: Pointer, value: Any) -> Any:
    """A copy of a sample with another value at a place."""
    if not at.tokens:
        return value
    filled = deepcopy(sample)
    holder = Pointer(at.tokens[:-1]).get(filled)
    last = at.tokens[-1]
    holder[int(last) if isinstance(holder, list) else last] = value
    return filled


def _new(value: New) -> Any:
    if value.kind == "timestamp":
        return _LIKE_TIMES[value.form]
    if value.kind == "sequence":
        return 9001
    if value.kind in ("hex", "token"):
        letters = _LIKE_HEX if value.kind == "hex" else _LIKE_TOKEN
        return value.prefix + (letters * (value.length // len(letters) + 1))[: value.length]
    return value.prefix + (_LIKE_UUID if value.kind == "uuid" else _LIKE_ULID)


def _applied(value: Apply) -> _Likeness | None:
    """Functions of the request: their types are known, their values are not."""
    returned = get_type_hints(value.function).get("return")
    likes: dict[Any, Any] = {int: 1, str: "1"}
    return _Likeness(likes[returned], is_exact=False) if returned in likes else None


def _joined(value: Join) -> _Likeness:
    parts = [_likeness(part) for part in value.parts]
    known = [part for part in parts if part is not None]
    is_exact = len(known) == len(parts) and all(part.is_exact for part in known)
    return _Likeness("".join(str(part.value) for part in known), is_exact=is_exact)


def _shaped(value: Shaped) -> _Likeness | None:
    like = _likeness(value.value)
    if value.written_as == "text":
        return _Likeness("1", is_exact=False) if like is None else _Likeness(str(like.value), like.is_exact)
    if value.written_as == "integer":
        return _Likeness(1, is_exact=False)
    return like


def _composed(value: Composed) -> _Likeness | None:
    """A mapping or list, if all its members are known."""
    members = value.members
    names = list(range(len(members))) if isinstance(members, tuple) else list(members)
    likes = {name: _likeness(members[name]) for name in names}  # type: ignore[index]  # names are those of its kind
    known = {name: like for name, like in likes.items() if like is not None}
    if len(known) < len(likes):
        return None
    made = {name: like.value for name, like in known.items()}
    whole: Any = list(made.values()) if isinstance(members, tuple) else made
    return _Likeness(whole, is_exact=all(like.is_exact for like in known.values()))


def _echoed(value: Echo) -> _Likeness | None:
    return None if value.otherwise is None else _likeness(value.otherwise)


_LIKENESSES: dict[type, Callable[[Any], _Likeness | None]] = {
    Apply: _applied,
    Composed: _composed,
    Constant: lambda value: _Likeness(value.value, is_exact=True),
    Echo: _echoed,
    Join: _joined,
    New: lambda value: _Likeness(_new(value), is_exact=True),
    Shaped: _shaped,
    SignedToken: lambda _: _Likeness("eyJ.eyJ.c2ln", is_exact=False),
}


def _likeness(value: Value) -> _Likeness | None:
    """What a value will look like; None where only the request, the account or a list decides."""
    like = _LIKENESSES.get(type(value))
    return None if like is None else like(value)
