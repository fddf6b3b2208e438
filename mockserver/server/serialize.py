"""The public shapes of the control API. Members may be added, never renamed."""

import base64
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from mockserver.engine.account import AccountData, credential_members, tokens
from mockserver.engine.bodies import UnreadableError, duplicate_keys, read_form, read_json, read_multipart, read_query
from mockserver.engine.call import RecordedCall, call_id, unpack_headers, unpack_params, unpack_problems
from mockserver.engine.clock import Clock
from mockserver.engine.coding import without_codings
from mockserver.engine.facts import Budget
from mockserver.engine.message import Message
from mockserver.engine.values import timestamp
from mockserver.server.checkpoint import TimeShare
from mockserver.server.masking import CUT, Masker, Quotes, looks_beside_fields
from mockserver.server.packed_bodies import unpacked
from mockserver.server.secret_shapes import PEM_BEGIN, PEM_END
from mockserver.spec.evidence import spelled
from mockserver.spec.model import Contract

MAX_MEMBER_SHOWN = 32 * 1024  # characters of one member of a call, or bytes of a body
MAX_FORM_SEARCHED = 32 * 1024  # bytes of an urlencoded form with more than plain fields, as of its body
MAX_VALUES_SHOWN = 2_000  # members and items of one member of a call

T = TypeVar("T")
R = TypeVar("R")
V = TypeVar("V")


def account_shape(account: AccountData, contracts: tuple[Contract, ...], origin: str, now: float) -> dict[str, Any]:
    """``{id, vendors: {<vendor>: {url, credentials, owned, tokens}}}``; ``origin`` is the server's address."""
    from mockserver.engine.signing import Signer  # noqa: PLC0415 -- a server is ready before it has met a token

    vendors = {}
    signer = Signer()
    for contract in contracts:
        data = account.vendors[contract.vendor]
        members = credential_members(contract)
        vendors[contract.vendor] = {
            "url": origin + contract.base_path,
            "credentials": {name: value for name, value in data.items() if name in members},
            "owned": {name: value for name, value in data.items() if name not in members},
            "tokens": tokens(contract, data, now, signer),
        }
    return {"id": account.id, "vendors": vendors}


async def call_shape(
    call: RecordedCall, masker: Masker, share: TimeShare, message: Message | None = None, *, is_strict: bool = False
) -> dict[str, Any]:
    """A call in its public shape, decoded, masked, and cut where it is long; others get their turn between its parts.

    ``message`` is the one that it sent, or tells of. ``cut`` has the pointers of the members of which not all is shown.
    What is recorded stays whole. ``is_strict``: a secret is masked in all of the request, too, wherever it stands.
    """
    plain = without_codings(call)
    await share.checkpoint()
    quotes = masker.quotes(plain)
    await share.checkpoint()
    show = Shown(masker, quotes if is_strict else None)
    request = await _request(call, plain, show, share)
    quoting = show.quoting(quotes)
    response = await _response(call, quoting, share)
    return {
        "id": call.id,
        "account": call.account or None,
        "vendor": call.vendor or None,
        "operation": call.operation or None,
        "direction": call.label.direction,
        "answer": call.answer or None,
        "accepted": bool(call.accepted),
        "evidence": call.evidence or None,
        "evidence_parts": spelled(call.label.parts) if call.label.parts else None,
        "evidence_reasons": json.loads(call.label.reasons or "{}"),
        "chosen_by": call.chosen_by or None,
        "rule": call.rule or None,
        "pin": call.pin or None,
        "recipient": show.at("/recipient", show.text, call.recipient) or None,
        "recipients": [show.text(number) for number in call.recipients or [call.recipient] if number],
        "message": None if message is None else quoting.at("/message", quoting.value, _message(message)),
        **_callback(call, show),
        "problems": [quoting.at("/problems", quoting.value, one) for one in unpack_problems(call.problems)],
        "request": request,
        "response": response,
        "trace_id": call.trace_id or None,
        "outcome": call.outcome,
        "received_at": moment_text(call.received_at),
        "duration_ms": round(call.duration_ms, 3),
        "notes": quoting.at("/notes", quoting.value, _notes(plain)),
        "cut": show.cut,
    }


async def _request(call: RecordedCall, plain: RecordedCall, show: "Shown", share: TimeShare) -> dict[str, Any]:
    """What a call asked; ``plain`` is the same call without content codings."""
    shape: dict[str, Any] = {
        "method": call.method,
        "path": show.at("/request/path", show.text, call.path),
        "path_params": show.at("/request/path_params", show.value, unpack_params(call.path_params)),
        "query": show.at("/request/query", _query_shown(call, show), call.query.decode("latin-1")),
    }
    await share.checkpoint()
    shape["headers"] = show.at("/request/headers", show.headers, call.headers)
    await share.checkpoint()
    form = _form(plain)
    await share.checkpoint()
    shape["form"] = show.at("/request/form", show.form, _uncut_secrets(plain, form, show))
    value = _json(plain)
    await share.checkpoint()
    shape["json"] = show.at("/request/json", show.value, value)
    await share.checkpoint()
    shape |= _body_as_sent(call, plain, show)
    await share.checkpoint()
    return shape


async def _response(call: RecordedCall, show: "Shown", share: TimeShare) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "status": call.status,
        "headers": show.at("/response/headers", show.headers, call.response_headers),
    }
    value = _parsed(call.response_body)
    await share.checkpoint()
    shape["json"] = show.at("/response/json", show.value, value)
    await share.checkpoint()
    shape |= show.body("/response", call.response_body, "", content_type_of(call.response_headers))
    await share.checkpoint()
    return {**shape, "fault": call.fault or None}


def _query_shown(call: RecordedCall, show: "Shown") -> Callable[[str], str]:
    """How a query is shown; that of a callback is a part of an address, which is no place of secrets."""
    return show.text if call.label.direction == "out" else show.query


def _message(message: Message) -> dict[str, Any]:
    return {"from": message.sender, "to": message.recipient, "text": message.text}


def _callback(call: RecordedCall, show: "Shown") -> dict[str, Any]:
    """What only a call to the client has: where it went, the call that it tells of, which attempt it was."""
    return {
        "url": show.at("/url", show.text, call.url) or None,
        "cause": call_id(call.cause) if call.cause else None,
        "attempt": call.attempt or None,
    }


def clock_shape(clock: Clock, real: float) -> dict[str, Any]:
    """``{now, offset, frozen}``: an account's time, and by how many seconds it is ahead of real time."""
    now = clock.at(real)
    return {"now": timestamp(now), "offset": round(now - real, 3), "frozen": clock.is_frozen}


def budget_shape(operation: str, by: str, budget: Budget) -> dict[str, Any]:
    """``{operation, by, requests, seconds, remaining, wait}``; ``by`` is the value counted by, None for the account."""
    return {
        "operation": operation,
        "by": by or None,
        "requests": budget.limit.requests,
        "seconds": budget.limit.seconds,
        "remaining": budget.remaining,
        "wait": round(max(budget.wait, 0.0), 3),
    }


def moment_text(seconds: float) -> str:
    """Unix seconds as an ISO 8601 time in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def moment(text: str) -> float:
    """The Unix seconds of an ISO 8601 time; without a zone it is UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


class Shown:
    """Shows the values of one call, secrets masked, long ones cut. ``cut`` are the pointers of those that were."""

    def __init__(self, masker: Masker, quotes: Quotes | None = None, cut: list[str] | None = None) -> None:
        self._masker = masker
        self._quotes = quotes
        self._mask_text = masker.text if quotes is None else quotes.text
        self._room = _Room()
        self.cut: list[str] = [] if cut is None else cut

    def quoting(self, quotes: Quotes) -> "Shown":
        """For what may quote the request: the secrets that it presents are masked wherever they stand."""
        return Shown(self._masker, quotes, self.cut)

    def _renew_room(self) -> None:
        self._room = _Room()

    def at(self, pointer: str, show: Callable[[T], R], value: T) -> R:
        """A member, with room of its own; whether it had to be cut is noted."""
        self._renew_room()
        shown = show(value)
        if self._room.is_over:
            self.cut.append(pointer)
        return shown

    def text(self, text: str, *, in_form: bool = False) -> str:
        """A text, without what there is no room for; in a form, it may be JSON with secret members."""
        short = self._room.take(text)
        masked = self._masker.members(short) if in_form else short
        if len(short) == len(text):
            return self._mask_text(masked)
        return self._mask_text(masked, is_cut=True) + CUT

    def value(self, value: Any) -> Any:
        """Plain data: its texts, members and items masked; what there is no room for is left out."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            members = {self.text(name): self._member(name, item) for name, item in self._room.of(value.items())}
            return members if len(members) == len(value) else {**members, CUT: f"{len(value) - len(members)} more"}
        if isinstance(value, list):
            items = self._items(value)
            return items if len(items) == len(value) else [*items, CUT]
        return value if self._quotes is None else self._quotes.number(value)

    def _items(self, values: list[Any]) -> list[Any]:
        """The items of a list, among them those of a PEM block that is given line by line."""
        shown, in_key = [], False
        for item in self._room.of(values):
            is_text = isinstance(item, str)
            in_key = is_text and (in_key or PEM_BEGIN in item)
            shown.append(self._masker.mask(item) if in_key else self.value(item))
            in_key = in_key and PEM_END not in item
        return shown

    def _member(self, name: str, value: Any) -> Any:
        return self._secret(value, self._masker.mask) if self._masker.hides_field(name) else self.value(value)

    def _secret(self, value: Any, mask: Callable[[str], str]) -> Any:
        """What stands in a secret member: its texts, numbers and names are masked, as in the bytes of the body."""
        if isinstance(value, Mapping):
            members = {mask(name): self._secret(item, mask) for name, item in self._room.of(value.items())}
            return members if len(members) == len(value) else {**members, CUT: f"{len(value) - len(members)} more"}
        if isinstance(value, list):
            items = [self._secret(item, mask) for item in self._room.of(value)]
            return items if len(items) == len(value) else [*items, CUT]
        return masked_scalar(value, mask)

    def _field(self, name: str, value: Any) -> tuple[str, Any]:
        """A field of a form, or what is expected of it."""
        is_hidden = self._masker.hides_field(name)
        if not isinstance(value, str):
            shown = self._secret(value, self._masker.mask) if is_hidden else self.value(value)
            return self.text(name, in_form=True), shown
        return self.text(name, in_form=True), self._masker.mask(value) if is_hidden else self.text(value, in_form=True)

    def headers(self, packed: bytes) -> list[list[str]]:
        """Headers as pairs."""
        pairs = unpack_headers(packed)
        shown = [[self.text(name), self.header(name, value)] for name, value in self._room.of(pairs)]
        return shown if len(shown) == len(pairs) else [*shown, [CUT, f"{len(pairs) - len(shown)} more"]]

    def header(self, name: str, value: str) -> str:
        """The value of a header."""
        return self._masker.header(value) if self._masker.hides_header(name) else self.text(value)

    def query(self, text: str) -> str:
        """A query string or an urlencoded form."""
        short = self._room.take(text)
        is_cut = len(short) < len(text)
        shown = self._masker.fields(short, is_cut=is_cut)
        return (shown if self._quotes is None else self._quotes.text(shown)) + (CUT if is_cut else "")

    def form(self, pairs: list[list[str]] | None) -> list[list[str]] | None:
        """The fields of a form as pairs."""
        if pairs is None:
            return None
        self._room.is_over = pairs[-1:] == [[CUT, ""]]
        return [list(self._field(name, value)) for name, value in self._room.of(pairs)]

    def start(self, raw: bytes, content_type: str) -> bytes:
        """How an urlencoded form begins, its secrets masked that are no field's value."""
        text = raw[:MAX_FORM_SEARCHED].decode("utf-8", "surrogateescape")
        return self._masker.beside_fields(text, content_type).encode("utf-8", "surrogateescape")

    def body(self, at: str, raw: bytes, reads: str, content_type: str) -> dict[str, Any]:
        """The bytes of a body, and how many there are."""
        if not raw:
            return {"body_base64": None, "body_bytes": 0}
        is_cut = len(raw) > MAX_MEMBER_SHOWN
        if is_cut:
            self.cut.append(f"{at}/body_base64")
        text = raw[:MAX_MEMBER_SHOWN].decode("utf-8", "surrogateescape")
        masked = self._masker.body(text, reads, content_type, is_cut=is_cut)
        if self._quotes is not None:
            masked = self._quotes.text(masked)
        shown = masked.encode("utf-8", "surrogateescape")
        return {"body_base64": base64.b64encode(shown).decode("ascii"), "body_bytes": len(raw)}


def masked_scalar(value: Any, mask: Callable[[str], str]) -> Any:
    """A text or a number masked; true, false and null say nothing, nor does what is missing."""
    if isinstance(value, str):
        return mask(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return mask(json.dumps(value)) if is_number else value


class _Room:
    """How much of one member of a call may still be shown."""

    __slots__ = ("_characters", "_values", "is_over")

    def __init__(self) -> None:
        self._characters = MAX_MEMBER_SHOWN
        self._values = MAX_VALUES_SHOWN
        self.is_over = False

    def take(self, text: str) -> str:
        """As much of a text as there is room for."""
        short = text if len(text) <= self._characters else text[: self._characters]
        self._characters -= len(short)
        self.is_over = self.is_over or len(short) < len(text)
        return short

    def of(self, values: Collection[V]) -> Iterator[V]:
        """As many of some values as there is room for."""
        for value in values:
            if self._values <= 0 or self._characters <= 0:
                self.is_over = True
                return
            self._values -= 1
            yield value


def _body_as_sent(call: RecordedCall, plain: RecordedCall, show: Shown) -> dict[str, Any]:
    """The bytes of a request's body as they were sent; of a packed one its content, unless all of it may be shown.

    Packed bytes hold more than is looked at, so they are shown only where all that they hold was. Where they cannot be
    unpacked wholly, only their number is shown.
    """
    content, is_packed, is_whole = unpacked(call, plain.body)
    if not is_whole:
        show.cut.append("/request/body_base64")
        return {"body_base64": None, "body_bytes": len(call.body)}
    content_type = content_type_of(call.headers)
    shown = show.body("/request", content, call.reads, content_type)
    if not is_packed or len(content) > MAX_MEMBER_SHOWN:
        return shown
    is_masked = shown["body_base64"] not in {None, base64.b64encode(content).decode("ascii")}
    return shown if is_masked else show.body("/request", call.body, call.reads, content_type)


def _json(call: RecordedCall) -> Any:
    return _parsed(call.body) if call.reads in {"json", ""} else None


def _parsed(raw: bytes) -> Any:
    try:
        return read_json(raw) if raw else None
    except UnreadableError:
        return None


def _notes(call: RecordedCall) -> list[str]:
    """What a reader of a call should know beside its problems: an answer that is not the contract's, repeated keys."""
    notes: list[str] = json.loads(call.notes or "[]")
    duplicates = duplicate_keys(call.body) if call.reads == "json" and len(call.body) <= MAX_MEMBER_SHOWN else []
    return notes + [f"duplicate key {name!r}: the last counts" for name in duplicates]


def content_type_of(packed: bytes) -> str:
    """What packed headers say of the body; "" where they say nothing."""
    return next((value for name, value in unpack_headers(packed) if name == "content-type"), "")


def _uncut_secrets(call: RecordedCall, form: list[list[str]] | None, show: Shown) -> list[list[str]] | None:
    """A form's fields, with no piece of a secret that its own characters have cut into several.

    A body that is JSON, by mistake, has one field, or more where a secret in it has a "=" or a "&".
    """
    raw = call.body
    if form is None or call.reads != "form" or not looks_beside_fields(raw):
        return form
    fields = [list(pair) for pair in read_query(show.start(raw, content_type_of(call.headers)))]
    return fields if len(raw) <= MAX_FORM_SEARCHED else [*fields, [CUT, ""]]


def _form(call: RecordedCall) -> list[list[str]] | None:
    """The fields of a form as pairs; None if the body is no form."""
    try:
        if call.reads == "form":
            return [list(pair) for pair in read_form(call.body)]
        if call.reads == "multipart":
            content_type = content_type_of(call.headers).encode("latin-1")
            return [list(pair) for pair in read_multipart(call.body, content_type)]
    except UnreadableError:
        return None
    return None
