"""Recorded calls for other programs and for people: as HAR, curl, text, assertions of pytest. Secrets are masked."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from starlette.responses import Response, StreamingResponse

from mockserver.engine.call import RecordedCall
from mockserver.server.checkpoint import TimeShare
from mockserver.server.control.requests import State
from mockserver.server.control.shown_calls import shown
from mockserver.server.curl_command import CurlWriter
from mockserver.server.har import har_entry, har_log
from mockserver.server.text_report import assertion, call_text

EXPORTS = ("har", "curl", "text", "pytest")
EXPORT_TYPES = {
    "har": "application/json",
    "curl": "text/x-shellscript",
    "text": "text/plain",
    "pytest": "text/x-python",
}
FILES = {"har": "calls.har", "curl": "calls.sh", "text": "calls.txt", "pytest": "calls.py"}

CallExport = Callable[[State, RecordedCall], Awaitable[str]]


def exported(state: State, form: str, calls: Sequence[RecordedCall], evicted: int, *, address: str) -> Response:
    """These calls as one document, in this order; each is written when its turn comes. ``address`` is the server's."""
    lost = f"{evicted} earlier calls had to make room" if evicted else ""
    before, between, behind = "", "\n\n", "\n"
    if form == "har":
        before, behind = json.dumps(har_log(lost))[: -len("]}}")], "]}}\n"
        between = ","
    elif form == "curl":
        before = _script_head(len(calls), lost)
    elif lost:
        before = f"# {lost}\n\n"
    entries = _entries(state, form, address)
    body = _document(state, calls, entries, (before, between, behind))
    headers = {"Content-Disposition": f'inline; filename="{FILES[form]}"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(body, headers=headers, media_type=EXPORT_TYPES[form])


async def _document(
    state: State, calls: Sequence[RecordedCall], entry: CallExport, frame: tuple[str, str, str]
) -> AsyncIterator[bytes]:
    before, between, behind = frame
    share = TimeShare()
    yield before.encode()
    for number, call in enumerate(calls):
        text = await entry(state, call)
        yield ((between if number else "") + text).encode("utf-8", "backslashreplace")
        await share.checkpoint()
    yield behind.encode()


def _script_head(number: int, lost: str) -> str:
    what = f"# {number} calls that mockserver recorded, oldest first."
    note = "# Credentials are asked of the server when they are used: none stands here, and tokens are signed afresh."
    return "\n".join(filter(None, ("#!/bin/sh", what, note, lost and f"# {lost}"))) + "\n\n"


def _entries(state: State, form: str, address: str) -> CallExport:
    """What writes one call."""
    curl = CurlWriter(state.contracts, state.masker, address, with_token=not state.settings.is_loopback)

    async def as_curl(state: State, call: RecordedCall) -> str:
        return curl.command(call, await state.store.account(call.account))

    async def as_har(state: State, call: RecordedCall) -> str:
        return json.dumps(har_entry((await shown(state, [call]))[0]), ensure_ascii=False)

    async def as_text(state: State, call: RecordedCall) -> str:
        return call_text((await shown(state, [call]))[0])

    async def as_assertion(state: State, call: RecordedCall) -> str:
        return assertion((await shown(state, [call]))[0])

    return {"har": as_har, "curl": as_curl, "text": as_text, "pytest": as_assertion}[form]
