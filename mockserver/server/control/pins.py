"""Pins over HTTP: put, list, remove."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mockserver.engine.account import EVERYBODY
from mockserver.engine.bodies import integral
from mockserver.engine.callback import signature_places
from mockserver.engine.fault import NEEDS_WIRE, OF_CALLBACKS, Fault, FaultError, read_fault
from mockserver.engine.pin import (
    Literal,
    PinEntry,
    PinState,
    answer_of,
    callback_obstacle,
    literal,
    obstacle,
)
from mockserver.server.control.listing import parameters
from mockserver.server.control.names import Scope, known_account, known_reach
from mockserver.server.control.questions import check_pin
from mockserver.server.control.requests import (
    ApiError,
    State,
    member,
    read_object,
    read_pattern,
    state_of,
    unknown,
)
from mockserver.server.serialize import moment_text
from mockserver.server.wire.asgi import WIRE
from mockserver.spec.answer_model import EMPTY_STATUSES
from mockserver.spec.model import OperationSpec
from mockserver.spec.pointer import Pointer, join
from mockserver.spec.reach import EVERYTHING, covers

PIN_MEMBERS = ("account", "answers", "course", "then", "where", "when", "changes", "force", "fault", "replace")
OF_REPLIES = ("answers", "course", "changes", "force")  # what a pin for callbacks cannot have
FILTERS = ("account", "operation", "id")
_CALLBACK_FAULTS = ", ".join(sorted(OF_CALLBACKS))
MAX_ANSWERS = 1000  # of one pin
MAX_PINS = 1000  # of one account
MAX_PIN_BYTES = 8 * 1024 * 1024  # of one account's pins, as they were sent
MAX_ALL_PIN_BYTES = 64 * 1024 * 1024  # of all accounts' pins


async def put_pin(request: Request) -> Response:
    """``PUT /_mock/pins/{operation}``."""
    state = state_of(request)
    reach = request.path_params["operation"]
    scope = known_reach(state, reach, "/path/operation", status=404)
    operations = _covered(state, reach)
    body = await _read_body(request)
    account = member(body, "account", str)
    if account is None:
        raise ApiError(400, "name the account that it is for", "/body/account")
    await known_account(state, account, "/body/account")
    if scope.is_outbound and "fault" not in body:
        detail = f"{reach} is a callback, which its receiver answers: pin a fault, of {_CALLBACK_FAULTS}"
        raise ApiError(400, detail, "/body/fault")
    pin = _pin(request, account, reach, operations, body)
    _check_direction(pin, scope, body)
    asked = replace(scope, direction="out") if pin.is_of_callbacks else scope
    warnings = check_pin(asked, pin.pattern, is_success=_is_success(pin, operations))
    replaces = member(body, "replace", bool, default=False)
    held = await state.store.pins(account)
    pins = [one for one in held if not (replaces and one.reach == reach)]
    _check_effective(pins, pin, scope, operations)
    in_all = await state.store.pin_bytes()
    _check_room(pins, pin, in_all - (_size(held) - _size(pins)))
    await state.store.put_pin(pin, replaces=replaces)
    return JSONResponse({**_shape(pin), **({"warnings": list(warnings)} if warnings else {})})


async def list_pins(request: Request) -> Response:
    """``GET /_mock/pins?account=&operation=&id=``: those that are not used up; with ``id`` that one, as it was last."""
    store = state_of(request).store
    account, reach, pin_id = await _filters(request)
    pins = await store.pins(account, reach)
    if pin_id is not None:
        pins = [pin for pin in pins if pin.id == pin_id] or [await _retired(request, account, pin_id, pins)]
    return JSONResponse({"pins": [_shape(pin) for pin in pins]})


async def clear_pins(request: Request) -> Response:
    """``DELETE /_mock/pins?account=&operation=&id=``: ``*`` for all accounts."""
    if not request.query_params.get("account"):
        parameters(request, FILTERS)
        raise ApiError(400, "name the account, or * for all", "/query/account")
    store = state_of(request).store
    account, reach, pin_id = await _filters(request)
    if pin_id is not None:
        pins = await store.pins(account, reach)
        if not any(pin.id == pin_id for pin in pins):
            raise _unknown_pin(pin_id, pins)
    await store.remove_pins(account, reach, pin_id)
    return Response(status_code=204)


async def _filters(request: Request) -> tuple[str | None, str, str | None]:
    """The account (None: all), the reach and the id of the pins that are meant. Raises ApiError."""
    state, values = state_of(request), parameters(request, FILTERS)
    account, reach = values.get("account", EVERYBODY), values.get("operation", EVERYTHING)
    if account != EVERYBODY:
        await known_account(state, account, "/query/account", (EVERYBODY,))
    known_reach(state, reach, "/query/operation")
    return None if account == EVERYBODY else account, reach, values.get("id")


async def _retired(request: Request, account: str | None, pin_id: str, pins: list[PinState]) -> PinState:
    pin = await state_of(request).store.retired_pin(account, pin_id)
    if pin is None:
        raise _unknown_pin(pin_id, pins)
    return pin


def _unknown_pin(pin_id: str, pins: list[PinState]) -> ApiError:
    return unknown("pin", pin_id, (pin.id for pin in pins), "/query/id")


def _covered(state: State, reach: str) -> list[OperationSpec]:
    """The operations of a reach, each once; none where there is no such operation or vendor."""
    operations = (operation for contract in state.contracts for operation in contract.operations)
    return [o for o in operations if o.name == o.spelling and covers(reach, o.id)]


async def _read_body(request: Request) -> dict[str, Any]:
    body = await read_object(request, None)
    if "set" in body:
        raise ApiError(400, "is not known here: it is called changes", "/body/set")
    for name in body:
        if name not in PIN_MEMBERS:
            raise unknown("", name, PIN_MEMBERS, join("body", name))
    return body


def _pin(request: Request, account: str, reach: str, operations: list[OperationSpec], body: dict[str, Any]) -> PinState:
    """The pin that a body describes. Raises ApiError."""
    fault = _fault(body, can_break=WIRE in request.scope.get("extensions", {}))
    course = _course(reach, operations, body)
    written = member(body, "answers", list, [] if course is None or fault is not None else ["rules"])
    if len(written) > MAX_ANSWERS or not (written or fault or not operations):
        raise ApiError(400, f"must list from 1 to {MAX_ANSWERS} answers", "/body/answers")
    entries = tuple(_entry(reach, operations, item, f"/body/answers/{index}") for index, item in enumerate(written))
    then = member(body, "then", str, "rules")
    if then not in {"rules", "last"}:
        raise ApiError(400, "must be rules or last", "/body/then")
    values = member(body, "changes", dict, {})
    changes = tuple(_change(operations, entries, text, value) for text, value in values.items())
    _check_apart([pointer for pointer, _ in changes])
    return PinState(
        id=f"p-{secrets.token_hex(6)}",
        account=account,
        reach=reach,
        entries=entries,
        written=tuple(written),
        then=then,
        fault=fault,
        pattern=read_pattern(body),
        changes=changes,
        force=member(body, "force", bool, default=False),
        course=course,
        made_at=state_of(request).sources.now(),
        size=len(msgspec.json.encode(body)),
    )


def _course(reach: str, operations: list[OperationSpec], body: dict[str, Any]) -> str | None:
    """The course that a pin has kept records take. Raises ApiError."""
    course: str | None = member(body, "course", str)
    if course is None:
        return None
    known = dict.fromkeys(name for operation in operations for name in operation.courses)
    if not known:
        raise ApiError(400, f"no answer of {reach} leaves a record that changes in time", "/body/course")
    if course not in known:
        raise unknown(f"course of {reach}", course, known, "/body/course")
    return course


def _check_direction(pin: PinState, scope: Scope, body: dict[str, Any]) -> None:
    """Refuse a fault of replies for a callback, a fault of callbacks where there are none, and answers for either."""
    kind = pin.fault.kind if pin.fault is not None else None
    if not pin.is_of_callbacks:
        if scope.is_outbound:
            detail = f"{kind} spoils replies to clients, and {pin.reach} is a callback, which can be {_CALLBACK_FAULTS}"
            raise ApiError(409, detail, "/body/fault/kind")
        return
    if not scope.callbacks:
        detail = f"{kind} spoils callbacks, and {pin.reach} has none: clients call it"
        raise ApiError(409, detail, "/body/fault/kind")
    for name in OF_REPLIES:
        if body.get(name):
            raise ApiError(409, f"{kind} spoils callbacks, which have no {name}", join("body", name))
    if kind == "wrong_signature" and not any(signature_places(callback) for callback in scope.callbacks):
        raise ApiError(409, f"no callback of {pin.reach} is signed", "/body/fault/kind")


def _is_success(pin: PinState, operations: list[OperationSpec]) -> bool:
    """Whether a pin is for requests without problems only: each of its answers is a success, and none is forced."""
    answers = [answer_of(entry, operation) for entry in pin.entries if entry is not None for operation in operations]
    named = [answer for answer in answers if answer is not None]
    return bool(named) and None not in pin.entries and not pin.force and all(answer.accepted for answer in named)


def _check_effective(pins: list[PinState], pin: PinState, scope: Scope, operations: list[OperationSpec]) -> None:
    """Refuse a pin that could never take effect beside these earlier ones."""
    if pin.is_of_callbacks:
        earlier = callback_obstacle(pins, pin, (callback.id for callback in scope.callbacks))
    else:
        earlier = obstacle(pins, pin, operations)
    if earlier is not None:
        cure = "send replace: true" if earlier.reach == pin.reach else "remove that pin first"
        raise ApiError(
            409,
            f"it could never take effect: the earlier pin {earlier.id} of {earlier.reach} answers all of its requests, "
            f"for ever; {cure}",
        )


def _check_room(pins: list[PinState], pin: PinState, in_all: int) -> None:
    """Refuse a pin beside more than an account, or all accounts together, may have: ``pins``, and ``in_all`` bytes."""
    if len(pins) >= MAX_PINS:
        raise ApiError(409, f"the account has {len(pins)} pins, and may have {MAX_PINS}; remove some first")
    if _size(pins) + pin.size > MAX_PIN_BYTES:
        raise ApiError(409, f"the account's pins may have {MAX_PIN_BYTES} bytes together; remove some first")
    if in_all + pin.size > MAX_ALL_PIN_BYTES:
        raise ApiError(409, f"the pins of all accounts may have {MAX_ALL_PIN_BYTES} bytes together; remove some first")


def _size(pins: Iterable[PinState]) -> int:
    return sum(pin.size for pin in pins)


def _fault(body: dict[str, Any], *, can_break: bool) -> Fault | None:
    """The fault of a pin; ``can_break``: whether this server can break a connection."""
    if "fault" not in body:
        return None
    try:
        fault = read_fault(body["fault"])
    except FaultError as error:
        raise ApiError(400, str(error), f"/body/fault{error.pointer}") from error
    if fault.kind in NEEDS_WIRE and not can_break:
        detail = f"{fault.kind} breaks the connection, which only mockserver's own server can: run `mockserver serve`"
        raise ApiError(409, detail, "/body/fault/kind")
    return fault


def _entry(reach: str, operations: list[OperationSpec], item: Any, at: str) -> PinEntry:
    """One item of answers. A name must be known to at least one operation of the reach."""
    if item == "rules":
        return None
    if isinstance(item, str):
        if not any(answer_of(item, operation) for operation in operations):
            known = (name for operation in operations for name in operation.answers)
            raise unknown(f"answer of {reach}", item, known, at)
        return item
    if not isinstance(item, dict):
        raise ApiError(400, "must be an answer's name, 'rules', or {status, headers, body}", at)
    return _literal(item, at)


def _literal(item: dict[str, Any], at: str) -> Literal:
    for name in item:
        if name not in {"status", "headers", "body"}:
            raise ApiError(400, "is not known here; known: status, headers, body", at + join(name))
    status, headers = integral(item.get("status")), item.get("headers", {})
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ApiError(400, "must be a status from 200 to 599", f"{at}/status")
    if status in EMPTY_STATUSES and item.get("body") is not None:
        raise ApiError(400, f"a response of status {status} has no body", f"{at}/body")
    if not isinstance(headers, dict):
        raise ApiError(400, "must be an object", f"{at}/headers")
    for name, value in headers.items():
        _check_header(name, value, at + join("headers", name))
    return literal(status, headers, item.get("body"))


def _check_header(name: str, value: Any, at: str) -> None:
    token = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not token or name.lower() in {"content-length", "transfer-encoding", "connection"}:
        raise ApiError(400, "is not a header that can be set", at)
    if not isinstance(value, str) or not all(" " <= character <= "~" for character in value):
        raise ApiError(400, "must be a string of printable ASCII", at)


def _change(
    operations: list[OperationSpec], entries: tuple[PinEntry, ...], text: str, value: Any
) -> tuple[Pointer, Any]:
    """One value to be laid over the answers: a header, or a member that the body of each of them has."""
    at = join("body", "changes", text)
    pointer = Pointer.parse(text)
    part, below = pointer.tokens[:1], len(pointer.tokens) - 1
    if not text.startswith("/") or not ((part == ("header",) and below == 1) or (part == ("body",) and below > 0)):
        raise ApiError(400, "must be /header/<name> or a pointer into /body", at)
    if part == ("header",):
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ApiError(400, "must be a string or a number", at)
        _check_header(pointer.tokens[1], str(value), at)
        return pointer, value
    for entry in entries or (None,):
        if entry is None:
            raise ApiError(400, "needs answers by name: who knows what the body of the rules' answer has", at)
        answers = (answer_of(entry, operation) for operation in operations)
        if not all(answer.has_member(Pointer(pointer.tokens[1:])) for answer in answers if answer is not None):
            raise ApiError(400, "is in the body of some of these answers only, or of none", at)
    return pointer, value


def _check_apart(pointers: list[Pointer]) -> None:
    """Refuse a value within another that is changed too: only the contract's sample says what the body has."""
    ordered = sorted(pointers, key=lambda pointer: pointer.tokens)
    for outer, inner in pairwise(ordered):
        if outer.covers(inner):
            raise ApiError(400, f"lies within {outer}, which is changed too", join("body", "changes", str(inner)))


def _shape(pin: PinState) -> dict[str, Any]:
    return {
        "id": pin.id,
        "operation": pin.reach,
        "account": pin.account,
        "answers": list(pin.written),
        "used": pin.used,
        "left": pin.left,
        "then": pin.then,
        "where": dict(pin.pattern.where),
        "when": {str(pointer): schema for pointer, _, schema in pin.pattern.when},
        "changes": {str(pointer): value for pointer, value in pin.changes},
        "force": pin.force,
        "course": pin.course,
        "fault": dict(pin.fault.written) if pin.fault is not None else None,
        "made_at": moment_text(pin.made_at),
    }
