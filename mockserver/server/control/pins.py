"""Pins over HTTP: put, list, clear."""

import secrets
from itertools import pairwise
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mockserver.engine.bodies import integral
from mockserver.engine.fault import NEEDS_WIRE, Fault, FaultError, read_fault
from mockserver.engine.pin import Literal, PinState, literal
from mockserver.server.control.calls import parameters
from mockserver.server.control.requests import ApiError, member, read_object, read_pattern, state_of
from mockserver.server.wire.protocol import WIRE
from mockserver.spec.model import BODILESS_STATUSES, Answer, OperationSpec
from mockserver.spec.pointer import Pointer, join

PIN_MEMBERS = ("account", "answers", "then", "where", "when", "set", "force", "fault")
MAX_ANSWERS = 1000  # of one pin


async def put_pin(request: Request) -> Response:
    """``PUT /_mock/pins/{operation}``."""
    state = state_of(request)
    operation = _operation(request)
    body = await read_object(request, PIN_MEMBERS)
    account = member(body, "account", str)
    if account is None:
        raise ApiError(400, "name the account that it is for", "/body/account")
    if await state.store.account(account) is None:
        raise ApiError(404, "there is no such account; GET /_mock/accounts lists them", "/body/account")
    fault = _fault(body, can_break=WIRE in request.scope.get("extensions", {}))
    written = member(body, "answers", list, [])
    if len(written) > MAX_ANSWERS or not (written or fault):
        raise ApiError(400, f"must list from 1 to {MAX_ANSWERS} answers", "/body/answers")
    entries = tuple(_entry(operation, item, f"/body/answers/{index}") for index, item in enumerate(written))
    then = member(body, "then", str, "rules")
    if then not in {"rules", "last"}:
        raise ApiError(400, "must be rules or last", "/body/then")
    overlay = tuple(_overlay(entries, text, value) for text, value in member(body, "set", dict, {}).items())
    _check_apart([pointer for pointer, _ in overlay])
    pin = PinState(
        id=f"p-{secrets.token_hex(6)}",
        account=account,
        operation=operation.id,
        entries=entries,
        written=tuple(written),
        then=then,
        fault=fault,
        pattern=read_pattern(body),
        overlay=overlay,
        force=member(body, "force", bool, default=False),
    )
    await state.store.put_pin(pin)
    return JSONResponse(_shape(pin))


async def list_pins(request: Request) -> Response:
    """``GET /_mock/pins?account=``."""
    account = parameters(request, ("account",)).get("account")
    pins = await state_of(request).store.pins(None if account == "*" else account)
    return JSONResponse({"pins": [_shape(pin) for pin in pins]})


async def clear_pins(request: Request) -> Response:
    """``DELETE /_mock/pins?account=&operation=``: ``*`` for all accounts."""
    values = parameters(request, ("account", "operation"))
    account = values.get("account")
    if account is None:
        raise ApiError(400, "name the account, or * for all", "/query/account")
    store = state_of(request).store
    if account != "*" and await store.account(account) is None:
        raise ApiError(404, "there is no such account; GET /_mock/accounts lists them", "/query/account")
    await store.clear_pins(None if account == "*" else account, values.get("operation"))
    return Response(status_code=204)


def _operation(request: Request) -> OperationSpec:
    name = request.path_params["operation"]
    for contract in state_of(request).contracts:
        for operation in contract.operations:
            if operation.id == name and operation.name == operation.spelling:
                return operation
    raise ApiError(404, "there is no such operation; GET /_mock/contracts lists them", "/path/operation")


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


def _entry(operation: OperationSpec, item: Any, at: str) -> Answer | Literal | None:
    if item == "rules":
        return None
    if isinstance(item, str):
        answer = operation.answers.get(item.removeprefix(f"{operation.id}/"))
        if answer is None:
            raise ApiError(400, f"{operation.id} has no such answer; it has: {', '.join(operation.answers)}", at)
        return answer
    if not isinstance(item, dict):
        raise ApiError(400, "must be an answer's name, 'rules', or {status, headers, body}", at)
    return _literal(operation, item, at)


def _literal(operation: OperationSpec, item: dict[str, Any], at: str) -> Literal:
    for name in item:
        if name not in {"status", "headers", "body"}:
            raise ApiError(400, "is not known here; known: status, headers, body", at + join(name))
    status, headers = integral(item.get("status")), item.get("headers", {})
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ApiError(400, "must be a status from 200 to 599", f"{at}/status")
    if status in BODILESS_STATUSES and item.get("body") is not None:
        raise ApiError(400, f"a response of status {status} has no body", f"{at}/body")
    if not isinstance(headers, dict):
        raise ApiError(400, "must be an object", f"{at}/headers")
    for name, value in headers.items():
        _check_header(name, value, at + join("headers", name))
    return literal(operation, status, headers, item.get("body"))


def _check_header(name: str, value: Any, at: str) -> None:
    token = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not token or name.lower() in {"content-length", "transfer-encoding", "connection"}:
        raise ApiError(400, "is not a header that can be set", at)
    if not isinstance(value, str) or not all(" " <= character <= "~" for character in value):
        raise ApiError(400, "must be a string of printable ASCII", at)


def _overlay(entries: tuple[Answer | Literal | None, ...], text: str, value: Any) -> tuple[Pointer, Any]:
    at = join("body", "set", text)
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
        if not entry.has_member(Pointer(pointer.tokens[1:])):
            raise ApiError(400, "is in the body of some of these answers only, or of none", at)
    return pointer, value


def _check_apart(pointers: list[Pointer]) -> None:
    """Refuse a value within another that is set too: only the contract's sample says what the body has."""
    ordered = sorted(pointers, key=lambda pointer: pointer.tokens)
    for outer, inner in pairwise(ordered):
        if outer.covers(inner):
            raise ApiError(400, f"lies within {outer}, which is set too", join("body", "set", str(inner)))


def _shape(pin: PinState) -> dict[str, Any]:
    return {
        "id": pin.id,
        "operation": pin.operation,
        "account": pin.account,
        "answers": list(pin.written),
        "left": pin.left,
        "then": pin.then,
        "where": dict(pin.pattern.where),
        "when": {str(pointer): schema for pointer, _, schema in pin.pattern.when},
        "set": {str(pointer): value for pointer, value in pin.overlay},
        "force": pin.force,
        "fault": dict(pin.fault.written) if pin.fault is not None else None,
    }
