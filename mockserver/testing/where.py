"""What a call must be like: plain data for the server, and objects whose own ``==`` is asked here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import PurePath
from re import Pattern as RegularExpression
from typing import Any, TypedDict
from uuid import UUID

from mockserver.matching.compare import OwnEquality
from mockserver.matching.pattern import PARTS, Pattern
from mockserver.spec.pointer import MISSING, join
from mockserver.testing.arguments import check_number, check_text, cure, json_value, mapping, typed
from mockserver.testing.names import nearest_hint

OUTER = ("recipient", "answer")
KNOWN = (*PARTS, "when", *OUTER)
ELSEWHERE = {  # what another method is asked for
    "since": "verify(since=...) takes it, and gives the calls since then",
    "accepted": "assert_accepted and assert_refused ask for that, and verify(accepted=...)",
    "at_least": "verify(at_least=...) takes it",
    "at_most": "verify(at_most=...) takes it",
}
NEVER_SENT = (bytes, bytearray, memoryview, date, time, timedelta, UUID, set, frozenset, PurePath, RegularExpression)
_ROOTS = {"json": "body", "form": "body", "headers": "header"}  # of pointers, where a part's name is another


class Where(TypedDict, total=False):
    """Named members must be equal, the rest is free.

    ``json`` fits only a body that is read as JSON, ``form`` only the fields of a form, ``body`` either.

    ``path`` is the whole path, or its parameters by name; ``when`` maps pointers to JSON Schemas. A header that was
    sent twice is its values joined (``"one, two"``), or each of them. A value may be an object with an ``==`` of its
    own, such as ``unittest.mock.ANY`` or one of dirty-equals; it is asked about what was sent, secrets included.
    """

    path: Any
    query: Any
    headers: Any
    body: Any
    json: Any
    form: Any
    when: Mapping[str, Any]
    recipient: Any
    answer: Any


@dataclass(frozen=True, slots=True)
class Conditions:
    """``plain`` is for the server, as its API takes it; ``own`` holds what decides by its own ``==``.

    Both are held against what was sent, secrets included.
    """

    plain: Mapping[str, Any]
    own: Pattern

    @classmethod
    def of(cls, where: Mapping[str, Any], asking: str = "", options: tuple[str, ...] = ()) -> "Conditions":
        """Raises TypeError for a name that is not known and a value that can never be equal.

        ``asking`` is the method that asks, ``options`` are its other parameters, for the message.
        """
        for name in where:
            if name not in KNOWN:
                takes = f"; {asking} takes {', '.join(options)}" if options else ""
                hint = f". {ELSEWHERE[name]}" if name in ELSEWHERE else nearest_hint(name, (*options, *KNOWN))
                raise TypeError(f"{name} cannot be asked of a call; known: {', '.join(KNOWN)}{takes}{hint}")
        outer: dict[str, Any] = {}
        parts: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for name, value in where.items():
            if name == "when":
                outer[name] = _schemas(value)
                continue
            plain, own_part = _divided(value, name)
            if plain is not MISSING and name in OUTER:
                outer[name] = _word(plain, name)
            elif plain is not MISSING:
                parts[name] = plain
            if own_part is not MISSING:
                own[name] = own_part
        return cls(outer | ({"where": parts} if parts else {}), Pattern(own))

    def with_names(self) -> Mapping[str, Any]:
        """What the server can say about ``own``, too: each member that is compared here must be there."""
        present = {at: True for part, value in self.own.where.items() for at in _members(value, part)}
        return {**self.plain, "when": {**present, **self.plain.get("when", {})}} if present else self.plain


def _members(value: Any, part: str) -> Iterator[str]:
    """Pointers to the members that a part names."""
    waiting = [("/" + _ROOTS.get(part, part), value)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += ((at + join(name), item) for name, item in value.items())
        elif at.count("/") > 1:
            yield at


def plain_only(where: Any, when: Any, purpose: str) -> Mapping[str, Any]:
    """``where`` and ``when`` for a decision that the server takes alone. Raises TypeError."""
    parts = {} if where is None else mapping("where", where, "as in where={'json': {...}}")
    for name in parts:
        if name not in PARTS:
            hint = nearest_hint(str(name), PARTS) or (": use json={...}, say" if name == "recipient" else "")
            raise TypeError(f"{name} cannot be asked in {purpose}; known: {', '.join(PARTS)}{hint}")
    conditions = Conditions.of({**parts, **({} if when is None else {"when": when})})
    if conditions.own:
        raise TypeError(
            f"{purpose} is decided by the server, which cannot call the == of {', '.join(conditions.own.where)}; "
            "use when={pointer: JSON Schema}"
        )
    return conditions.plain


def _schemas(when: Any) -> Mapping[str, Any]:
    schemas = mapping("when", when, "as in when={'/body/text': {'maxLength': 160}}")
    json_value("when", schemas)
    return schemas


def _word(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{name} must be text, not {value!r}")
    return str(value)


def _divided(value: Any, at: str, depth: int = 0) -> tuple[Any, Any]:
    """A value as its plain part and the part with an ``==`` of its own; MISSING where there is none.

    Only a part's own members are divided: deeper ones are shown together where they differ.
    """
    if isinstance(value, Mapping):
        members = {str(name): _divided(item, f"{at}[{name!r}]", depth + 1) for name, item in value.items()}
        if depth and any(member is not MISSING for _, member in members.values()):
            return MISSING, _whole(value)
        plain = {name: member for name, (member, _) in members.items() if member is not MISSING}
        own = {name: member for name, (_, member) in members.items() if member is not MISSING}
        return plain, own or MISSING
    if isinstance(value, list | tuple):
        items = [_divided(item, f"{at}[{index}]", depth + 1) for index, item in enumerate(value)]
        if all(own is MISSING for _, own in items):
            return [plain for plain, _ in items], MISSING
        return MISSING, _whole(value)  # its length and order cannot be asked in parts
    if _is_plain(value):
        if isinstance(value, str):
            check_text(at, value)
        elif isinstance(value, float):
            check_number(at, value)
        return value, MISSING
    if isinstance(value, NEVER_SENT):
        raise TypeError(f"{at} is text or JSON where a client sent it, and never equals {typed(value)}{cure(value)}")
    inherited: Any = object.__eq__
    if type(value).__eq__ is inherited:
        raise TypeError(f"{at} cannot be compared with what a client sent: {value!r} is equal to itself only")
    return MISSING, OwnEquality(value)


def _whole(value: Any) -> Any:
    """A value to be compared here, its plain parts included."""
    if isinstance(value, Mapping):
        return {str(name): _whole(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value if _is_plain(value) else OwnEquality(value)


def _is_plain(value: Any) -> bool:
    """Whether a value is one that JSON has, and no object beside."""
    return value is None or type(value) in {bool, int, float, str}
