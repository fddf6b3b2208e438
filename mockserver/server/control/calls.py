"""Recorded calls over HTTP: list, show, export, clear."""

from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from mockserver.engine.call import Label, RecordedCall, call_number
from mockserver.server.control.exports import EXPORTS, exported
from mockserver.server.control.listing import CALL_FILTERS, parameters, read_listing, whole
from mockserver.server.control.names import journal_account, known_reach
from mockserver.server.control.requests import ApiError, State, origin, state_of, unknown, write
from mockserver.server.control.shown_calls import shown, summaries
from mockserver.server.control.why import why
from mockserver.spec.reach import covers

LIST_PARAMETERS = (*CALL_FILTERS, "limit", "cursor", "format")
CALL_FORMATS = ("json", "summary", *EXPORTS)
MAX_PAGE_CALLS = 1_000
MAX_EXPORTED_CALLS = 10_000


async def list_calls(request: Request) -> Response:
    """``GET /_mock/calls``: a page of calls, newest first; or an export of all that are asked for, oldest first."""
    values = parameters(request, LIST_PARAMETERS)
    state, form = await state_of(request).as_of_now(), _format(values, CALL_FORMATS)
    listing = await read_listing(state, values)
    is_export = form in EXPORTS
    limit = whole(values, "limit", 1, MAX_PAGE_CALLS) or (MAX_EXPORTED_CALLS if is_export else 100)
    before = whole(values, "cursor", 1, 2**53)
    page = await replace(listing, query=replace(listing.query, limit=limit, before=before)).page(state.store)
    if is_export:
        return exported(state, form, page.calls[::-1], page.evicted, address=origin(request))
    cursor = None if page.next is None else str(page.next)
    shapes = await (summaries if form == "summary" else shown)(state, page.calls)
    return await write({"calls": shapes, "evicted": page.evicted, "next": cursor})


async def show_call(request: Request) -> Response:
    """``GET /_mock/calls/{id}``."""
    state = await state_of(request).as_of_now()
    call = await _call(state, request)
    form = _format(parameters(request, ("format",)), ("json", *EXPORTS))
    if form in EXPORTS:
        return exported(state, form, (call,), 0, address=origin(request))
    return await write((await shown(state, [call]))[0])


async def explain_call(request: Request) -> Response:
    """``GET /_mock/calls/{id}/why``: what chose its answer, and the pins that did not."""
    state = await state_of(request).as_of_now()
    return await write(await why(state, await _call(state, request)))


async def _call(state: State, request: Request) -> RecordedCall:
    number = call_number(request.path_params["id"])
    call = None if number is None else await state.store.call(number)
    if call is None:
        raise ApiError(404, "there is no such call; it may have been evicted or cleared", "/path/id")
    return call


def _format(values: dict[str, str], known: tuple[str, ...]) -> str:
    form = values.get("format", "json")
    if form not in known:
        raise unknown("format", form, known, "/query/format")
    return form


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
