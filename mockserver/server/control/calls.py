"""Recorded calls over HTTP: list, show, clear."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mockserver.engine.call import Label, RecordedCall, call_number
from mockserver.server.checkpoint import Turns
from mockserver.server.control.names import EVERYBODY, journal_account, known_reach, read_scope
from mockserver.server.control.questions import check_recipient
from mockserver.server.control.requests import ApiError, State, state_of, unknown, write
from mockserver.server.control.sent import message_of
from mockserver.server.serialize import call_shape
from mockserver.spec.pointer import join
from mockserver.spec.reach import covers
from mockserver.store.journal import Query

LIST_PARAMETERS = (
    "account", "vendor", "operation", "answer", "recipient", "accepted", "direction", "trace", "limit", "cursor",
)  # fmt: skip
MAX_PAGE_CALLS = 1000
TRACE_ID = re.compile(r"[0-9a-f]{32}")


async def list_calls(request: Request) -> Response:
    """``GET /_mock/calls``: a page of calls, newest first.

    Of a vendor or an operation these are the calls of clients, and of a callback those that were made to the client;
    of an account both, unless ``direction`` says which.
    """
    values = parameters(request, LIST_PARAMETERS)
    state, accepted = state_of(request), _boolean(values, "accepted")
    account = values.get("account", EVERYBODY)
    scope = read_scope(state, {**values, "accepted": accepted}, "query")
    if "recipient" in values:
        check_recipient(scope, values["recipient"], "/query/recipient")
    query = Query(
        account=await journal_account(state, account, "/query/account", everybody=True),
        vendor=values.get("vendor"),
        operation=values.get("operation"),
        answer=values.get("answer"),
        recipient=values.get("recipient"),
        accepted=accepted,
        direction=scope.direction or ("in" if scope.vendor is not None else None),
        trace=_trace(values),
        limit=whole(values, "limit", 1, MAX_PAGE_CALLS) or 100,
        before=whole(values, "cursor", 1, 2**53),
    )
    page = await state.store.calls(query)
    cursor = None if page.next is None else str(page.next)
    return await write({"calls": await shown(state, page.calls), "evicted": page.evicted, "next": cursor})


async def show_call(request: Request) -> Response:
    """``GET /_mock/calls/{id}``."""
    state = state_of(request)
    number = call_number(request.path_params["id"])
    call = None if number is None else await state.store.call(number)
    if call is None:
        raise ApiError(404, "there is no such call; it may have been evicted or cleared", "/path/id")
    return await write((await shown(state, [call]))[0])


async def clear_calls(request: Request) -> Response:
    """``DELETE /_mock/calls?account=&operation=``: ``*`` for all accounts; an operation, ``vendor.*`` or ``*``.

    The account has to be named, so that no test clears another's calls by accident.
    """
    values = parameters(request, ("account", "operation"))
    account = values.get("account")
    if not account:
        raise ApiError(400, "name the account, or * for all", "/query/account")
    state = state_of(request)
    name = await journal_account(state, account, "/query/account", everybody=True)
    admits = _within(state, values["operation"]) if "operation" in values else None
    await state.store.clear_calls(name, admits)
    return Response(status_code=204)


def _within(state: State, reach: str) -> Callable[[Label], bool]:
    """Whether a call's label is of an operation of this reach. Raises ApiError."""
    known_reach(state, reach, "/query/operation")
    return lambda label: covers(reach, label.operation)


async def shown(state: State, calls: Sequence[RecordedCall]) -> list[dict[str, Any]]:
    """Calls in their public shape, secrets masked; others get their turn meanwhile."""
    turns = Turns()
    shapes = []
    for call in calls:
        owner = await state.store.account(call.account)
        message = None if owner is None else await message_of(state, call, owner)
        shapes.append(await call_shape(call, state.masker, turns, message))
    return shapes


def parameters(request: Request, known: tuple[str, ...]) -> dict[str, str]:
    """The query's parameters without empty ones. Raises ApiError for an unknown or repeated one."""
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise unknown("", name, known, join("query", name))
        if name in values:
            raise ApiError(400, "is given more than once", join("query", name))
        values[name] = value
    return {name: value for name, value in values.items() if value}


def _trace(values: dict[str, str]) -> str | None:
    """The trace that is asked for. Raises ApiError where no call can be of it."""
    if "trace" not in values:
        return None
    if not TRACE_ID.fullmatch(values["trace"]):
        raise ApiError(
            400, "must be a trace's id: 32 hexadecimal digits in lower case, as traceparent has it", "/query/trace"
        )
    return values["trace"]


def _boolean(values: dict[str, str], name: str) -> bool | None:
    if name not in values:
        return None
    if values[name] not in {"true", "false"}:
        raise ApiError(400, "must be true or false", f"/query/{name}")
    return values[name] == "true"


def whole(values: dict[str, str], name: str, least: int, most: int) -> int | None:
    if name not in values:
        return None
    text, dot, zeros = values[name].partition(".")  # 60.0 is a whole number, as JSON Schema has it
    if (dot and not zeros) or zeros.strip("0"):
        text = ""
    if not (text.isascii() and text.isdigit() and len(text) < 17 and least <= int(text) <= most):
        raise ApiError(400, f"must be a whole number from {least} to {most}", f"/query/{name}")
    return int(text)
