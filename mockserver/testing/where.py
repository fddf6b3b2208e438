"""What a call must be like: plain data for the server, and objects whose own ``==`` is asked here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from mockserver.matching.compare import OwnEquality
from mockserver.matching.pattern import PARTS, Pattern
from mockserver.spec.pointer import MISSING
from mockserver.testing.arguments import nearest_hint

OUTER = ("recipient", "answer")
KNOWN = (*PARTS, "when", *OUTER)


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
                hint = nearest_hint(name, (*options, *KNOWN))
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


def plain_only(where: Mapping[str, Any], purpose: str) -> Mapping[str, Any]:
    """``where`` and ``when`` for a decision that the server takes alone. Raises TypeError."""
    conditions = Conditions.of(where)
    if conditions.own:
        raise TypeError(
            f"{purpose} is decided by the server, which cannot call the == of {', '.join(conditions.own.where)}; "
            "use when={pointer: JSON Schema}"
        )
    return conditions.plain


def _schemas(when: Any) -> Mapping[str, Any]:
    if not isinstance(when, Mapping):
        raise TypeError(f"when must map pointers to JSON Schemas, not be {when!r}")
    return when


def _word(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{name} must be text, not {value!r}")
    return str(value)


def _divided(value: Any, at: str) -> tuple[Any, Any]:
    """A value as its plain part and the part with an ``==`` of its own; MISSING where there is none."""
    if isinstance(value, Mapping):
        members = {str(name): _divided(item, f"{at}[{name!r}]") for name, item in value.items()}
        plain = {name: member for name, (member, _) in members.items() if member is not MISSING}
        own = {name: member for name, (_, member) in members.items() if member is not MISSING}
        return plain, own or MISSING
    if isinstance(value, list | tuple):
        items = [_divided(item, f"{at}[{index}]") for index, item in enumerate(value)]
        if all(own is MISSING for _, own in items):
            return [plain for plain, _ in items], MISSING
        return MISSING, _whole(value)  # its length and order cannot be asked in parts
    if _is_plain(value):
        return value, MISSING
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
