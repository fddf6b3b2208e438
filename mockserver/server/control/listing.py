"""Which recorded calls are asked for: the parameters that lists, exports and events have in common."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request

from mockserver.engine.account import EVERYBODY
from mockserver.engine.bodies import UnreadableError, read_json
from mockserver.engine.call import RecordedCall
from mockserver.engine.coding import content_of
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.names import journal_account, read_scope
from mockserver.server.control.questions import check_recipient
from mockserver.server.control.requests import ApiError, State, unknown
from mockserver.spec.pointer import join
from mockserver.store.journal import Page, Query
from mockserver.store.store import Store

CALL_FILTERS = (
    "account", "vendor", "operation", "answer", "recipient", "accepted", "direction", "kind", "trace", "contains",
)  # fmt: skip
CALL_KINDS: Mapping[str, Callable[[RecordedCall], bool]] = {
    "any": lambda _call: True,
    "accepted": lambda call: bool(call.accepted) and call.label.direction == "in",
    "refused": lambda call: not call.accepted and call.label.direction == "in" and bool(call.operation),
    "unclaimed": lambda call: not call.account,
    "unknown": lambda call: not call.operation,
    "pinned": lambda call: call.chosen_by == "pin",
    "fault": lambda call: bool(call.fault),
    "callback": lambda call: call.label.direction == "out",
}
"""What became of a call; ``any`` are those of both directions, also of one vendor."""
TRACE_ID = re.compile(r"[0-9a-f]{32}")
MAX_TEXT_ASKED = 1_000  # characters of a text that calls are to contain
MAX_LOOKED_AT = 1_000  # calls that are taken from the journal at a time, to look for a text
MAX_MEMBERS_READ = 1_000  # members and items of a body that writes its texts with escapes


@dataclass(frozen=True, slots=True)
class Listing:
    """``query`` is what the journal finds; of those the calls are meant that ``admits`` admits."""

    query: Query
    contains: str = ""
    kind: str = "any"

    def admits(self, call: RecordedCall) -> bool:
        """Whether a call is of the kind, and the text that is asked for stands in it, in upper or lower case."""
        if not CALL_KINDS[self.kind](call):
            return False
        return not self.contains or any(self.contains in text.casefold() for text in _texts(call))

    async def page(self, store: Store) -> Page:
        """The calls of one page, newest first; others get their turn while calls are looked at."""
        if not self.contains and self.kind == "any":
            return await store.calls(self.query)
        share, found, before = TimeShare(), list[RecordedCall](), self.query.before
        while True:
            page = await store.calls(replace(self.query, limit=MAX_LOOKED_AT, before=before))
            for call in page.calls:
                if self.admits(call):
                    found.append(call)
                    if len(found) == self.query.limit:
                        return Page(tuple(found), page.evicted, call.number)
                await share.checkpoint()
            before = page.next
            if before is None:
                return Page(tuple(found), page.evicted, None)


async def read_listing(state: State, values: Mapping[str, str]) -> Listing:
    """The calls that a query's ``CALL_FILTERS`` ask for. Raises ApiError.

    Of a vendor or an operation these are the calls of clients, and of a callback those that were made to the client;
    of an account both, unless ``direction`` or ``kind`` says which.
    """
    accepted = boolean(values, "accepted")
    scope = read_scope(state, {**values, "accepted": accepted}, "query")
    if "recipient" in values:
        check_recipient(scope, values["recipient"], "/query/recipient")
    if len(values.get("contains", "")) > MAX_TEXT_ASKED:
        raise ApiError(400, f"may have {MAX_TEXT_ASKED} characters", "/query/contains")
    kind = _kind(values)
    query = Query(
        account=await journal_account(state, values.get("account", EVERYBODY), "/query/account", everybody=True),
        vendor=values.get("vendor"),
        operation=values.get("operation"),
        answer=values.get("answer"),
        recipient=values.get("recipient"),
        accepted=accepted,
        direction=scope.direction or ("in" if scope.vendor is not None and "kind" not in values else None),
        trace=_trace(values),
    )
    return Listing(query, values.get("contains", "").casefold(), kind)


def _kind(values: Mapping[str, str]) -> str:
    """The kind that is asked for. Raises ApiError where no call can be of it."""
    kind = values.get("kind", "any")
    if kind not in CALL_KINDS:
        raise unknown("kind", kind, CALL_KINDS, "/query/kind")
    if kind == "unknown" and values.keys() & {"vendor", "operation", "answer"}:
        raise ApiError(400, "a call to an unknown path is of no vendor, operation or answer", "/query/kind")
    return kind


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


def _trace(values: Mapping[str, str]) -> str | None:
    """The trace that is asked for. Raises ApiError where no call can be of it."""
    if "trace" not in values:
        return None
    if not TRACE_ID.fullmatch(values["trace"]):
        raise ApiError(
            400, "must be a trace's id: 32 hexadecimal digits in lower case, as traceparent has it", "/query/trace"
        )
    return values["trace"]


def boolean(values: Mapping[str, str], name: str) -> bool | None:
    if name not in values:
        return None
    if values[name] not in {"true", "false"}:
        raise ApiError(400, "must be true or false", f"/query/{name}")
    return values[name] == "true"


def whole(values: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    if name not in values:
        return None
    text, dot, zeros = values[name].partition(".")  # 60.0 is a whole number, as JSON Schema has it
    if (dot and not zeros) or zeros.strip("0"):
        text = ""
    if not (text.isascii() and text.isdigit() and len(text) < 17 and least <= int(text) <= most):
        raise ApiError(400, f"must be a whole number from {least} to {most}", f"/query/{name}")
    return int(text)


def _texts(call: RecordedCall) -> Iterator[str]:
    """What a call sent and got, as bytes, and as forms and JSON mean it."""
    yield f"{call.id} {call.account} {call.operation} {call.answer} {call.method} {call.path} {call.recipient}"
    yield str(call.status)
    yield call.problems
    yield call.notes
    yield unquote_plus(call.query.decode("latin-1"))
    yield call.response_body.decode("utf-8", "replace")
    body = content_of(call).decode("utf-8", "replace")
    yield body
    if call.reads == "form":
        yield unquote_plus(body)
    elif "\\" in body:
        yield from _members(body)


def _members(body: str) -> Iterator[str]:
    """The names and texts in a JSON body."""
    try:
        waiting: list[Any] = [read_json(body.encode("utf-8", "replace"))]
    except UnreadableError:
        return
    for _ in range(MAX_MEMBERS_READ):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += islice((*value, *value.values()), MAX_MEMBERS_READ)
        elif isinstance(value, list):
            waiting += value[:MAX_MEMBERS_READ]
        else:
            yield str(value)
