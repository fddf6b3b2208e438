"""What a call must look like: plain data, and objects that compare themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from mockserver.testing.call import Call, Request
from mockserver.testing.comparison import ABSENT, Difference, Own, compared, is_equal_to_itself_only, is_plain, kept

PARTS = ("path", "query", "headers", "body")
OUTER = ("recipient", "answer")
KNOWN = (*PARTS, "when", *OUTER)


class Where(TypedDict, total=False):
    """Named members must be equal, the rest is free.

    ``path`` is the whole path, or its parameters by name; ``when`` maps pointers to JSON Schemas.
    """

    path: Any
    query: Any
    headers: Any
    body: Any
    when: Mapping[str, Any]
    recipient: Any
    answer: Any


@dataclass(frozen=True, slots=True)
class Pattern:
    """``plain`` is for the server, as its API takes it; ``own`` holds, by part, what has an ``==`` of its own.

    Plain data is held against what was sent, ``own`` against the calls as they are shown: secrets masked.
    """

    plain: Mapping[str, Any]
    own: Mapping[str, Any]

    @classmethod
    def of(cls, where: Mapping[str, Any]) -> "Pattern":
        """Raises TypeError for a name that is not known and a value that can never be equal."""
        unknown = [name for name in where if name not in KNOWN]
        if unknown:
            raise TypeError(f"{', '.join(unknown)} cannot be asked of a call; known: {', '.join(KNOWN)}")
        plain: dict[str, Any] = {}
        own: dict[str, Any] = {}
        sent: dict[str, Any] = {}
        for name, value in where.items():
            if name == "when":
                plain[name] = _schemas(value)
                continue
            expected = _lower(value) if name == "headers" and isinstance(value, Mapping) else value
            for_server, for_us = _divide(expected, name)
            if name in OUTER and for_server is not ABSENT:
                plain[name] = _word(for_server, name)
            elif for_server is not ABSENT:
                sent[name] = for_server
            if for_us is not ABSENT:
                own[name] = for_us
        return cls(plain | ({"where": sent} if sent else {}), own)

    def differences(self, call: Call) -> list[Difference]:
        """Where a call is not what the objects of ``own`` expect."""
        found: list[Difference] = []
        for name, expected in self.own.items():
            found += compared(expected, _seen(call, name, expected), f"/{name}")
        return found


def plain_only(where: Mapping[str, Any], purpose: str) -> Mapping[str, Any]:
    """``where`` and ``when`` for a decision that the server takes alone. Raises TypeError."""
    pattern = Pattern.of(where)
    if pattern.own:
        raise TypeError(
            f"{purpose} is decided by the server, which cannot call the == of {', '.join(pattern.own)}; "
            "use when={pointer: JSON Schema}"
        )
    return pattern.plain


def _schemas(when: Any) -> Mapping[str, Any]:
    if not isinstance(when, Mapping):
        raise TypeError(f"when must map pointers to JSON Schemas, not be {when!r}")
    return when


def _word(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{name} must be text, not {value!r}")
    return str(value)


def _lower(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in headers.items()}


def _divide(value: Any, at: str) -> tuple[Any, Any]:
    """A value as its plain part and the part with an ``==`` of its own; ABSENT where there is none."""
    if isinstance(value, Mapping):
        parts = {str(name): _divide(item, f"{at}[{name!r}]") for name, item in value.items()}
        plain = {name: one for name, (one, _) in parts.items() if one is not ABSENT}
        own = {name: other for name, (_, other) in parts.items() if other is not ABSENT}
        return plain, own or ABSENT
    if isinstance(value, list | tuple):
        items = [_divide(item, f"{at}[{index}]") for index, item in enumerate(value)]
        if all(own is ABSENT for _, own in items):
            return [plain for plain, _ in items], ABSENT
        return ABSENT, kept(value)  # its length and order cannot be asked in parts
    if is_plain(value):
        return value, ABSENT
    if is_equal_to_itself_only(value):
        raise TypeError(f"{at} cannot be compared with what a client sent: {value!r} is equal to itself only")
    return ABSENT, Own(value)


def _seen(call: Call, name: str, expected: Any) -> Any:
    """One part of a call as patterns see it; a form's fields count as body and as query."""
    if name in OUTER:
        value = call.data[name]
        if name == "answer" and value is not None and list(compared(expected, value, "")):
            return value.rpartition("/")[2]
        return ABSENT if value is None else value
    request = call.request
    if name == "path":
        return request.path_params if isinstance(expected, Mapping) else request.path
    if name == "headers":
        return dict(request.headers)
    return {**(request.form or {}), **request.query} if name == "query" else _body(request)


def _body(request: Request) -> Any:
    if request.form is not None:
        return request.form
    if request.json is None and request.body.strip() != b"null":
        return request.body.decode("utf-8", "replace") if request.body else ABSENT
    return request.json
