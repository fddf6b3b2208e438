"""Callbacks: the requests that a vendor makes, made of the events that they tell of."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from mockserver.engine.call import Label, pack_headers, split_headers
from mockserver.engine.expectation import RequestView
from mockserver.engine.request import Arrival
from mockserver.engine.response import Renderer
from mockserver.engine.values import Context, Make, ValueCompiler
from mockserver.spec.callback_model import CallbackSpec
from mockserver.spec.evidence import ON_ITS_PAGE
from mockserver.spec.forms import form_fields, form_text
from mockserver.spec.functions import SIGNING
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.value_model import Apply, Composed, Join, Shaped, Value


class OutgoingRequest(msgspec.Struct, frozen=True):
    """A request to the client: where to, headers packed, body; ``cause`` is the number of the call it is about.

    ``cause`` is 0 where no call caused it. ``index`` is the place of its message among those of the call, ``recipient``
    who that message goes to.
    """

    callback: CallbackSpec
    account: str
    url: str
    headers: bytes
    body: bytes
    cause: int
    index: int
    recipient: str = ""


class CallbackMaker:
    """Makes the callbacks of some contracts; ``callbacks`` are these by id."""

    def __init__(self, contracts: tuple[Contract, ...], renderer: Renderer, compiler: ValueCompiler) -> None:
        self._renderer = renderer
        self._listening: dict[tuple[str, str], list[CallbackSpec]] = {}
        self._addresses: dict[str, Make] = {}
        self.callbacks = {callback.id: callback for contract in contracts for callback in contract.callbacks}
        for contract in contracts:
            for callback in contract.callbacks:
                self._addresses[callback.id] = compiler.compile(callback.to)
                for event in callback.on:
                    self._listening.setdefault((contract.vendor, event), []).append(callback)

    def make(  # noqa: PLR0913 -- what the event is, and what its callbacks may read
        self, vendor: str, event: str, context: Context, *, account: str, cause: int, index: int, recipient: str
    ) -> list[OutgoingRequest]:
        """The requests that tell of an event; none where the account has no address for them."""
        requests = []
        for callback, url in self.addressed(vendor, event, context):
            rendered = self._renderer.render(callback.request, context.seeing(made={"url": url}))
            request = OutgoingRequest(callback, account, url, rendered.head, rendered.body, cause, index, recipient)
            requests.append(request)
        return requests

    def addressed(self, vendor: str, event: str, context: Context) -> Iterator[tuple[CallbackSpec, str]]:
        """The callbacks that tell of an event, each with where it goes; those without an address are left out."""
        for callback in self._listening.get((vendor, event), ()):
            url = self._addresses[callback.id](context)
            if url is not MISSING and url:
                yield callback, str(url)


def label_of(callback: CallbackSpec, *, status: int, fault: str, notes: str) -> Label:
    """What an attempt at a callback has in common with others: its status is the receiver's, 0 where it sent none."""
    evidence = callback.request.evidence.of_call(ON_ITS_PAGE, chosen=True)
    return Label(
        vendor=callback.vendor,
        operation=callback.id,
        evidence=evidence.grade,
        parts=evidence.letters,
        reasons=json.dumps(evidence.reasons),
        accepted=200 <= status < 300,
        direction="out",
        reads=_reads(callback),
        status=status,
        fault=fault,
        notes=notes,
    )


def _reads(callback: CallbackSpec) -> str:
    """How the body of a callback is read."""
    return "form" if callback.request.is_form else "json"


def signature_places(callback: CallbackSpec) -> tuple[Pointer, ...]:
    """Where a callback carries a signature: ``/header/<name>``, or a member of ``/body``; none if it is not signed."""
    request = callback.request
    places = [Pointer(("header", name.decode("latin-1"))) for name, _, value in request.headers if _signs(value)]
    for at, (value, _, _) in zip(request.places, request.fills, strict=True):
        places += [Pointer(("body", *at.tokens, *below)) for below in _signing_members(value)]
    return tuple(places)


def with_wrong_signature(request: OutgoingRequest) -> OutgoingRequest:
    """The same request with a character of each signature altered."""
    headers, body = split_headers(request.headers), request.body
    for place in signature_places(request.callback):
        part, *tokens = place.tokens
        if part == "header":
            name = tokens[0].encode("latin-1")
            headers = [
                (key, _altered(value.decode("latin-1")).encode("latin-1") if key == name else value)
                for key, value in headers
            ]
        else:
            is_form = request.callback.request.is_form
            document = form_fields(body.decode()) if is_form else json.loads(body)
            value = Pointer(tuple(tokens)).get(document)
            if isinstance(value, str):
                document = _with_value(document, tuple(tokens), _altered(value))
                compact = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
                body = (form_text(document) if is_form else compact).encode()
    length = b"%d" % len(body)
    packed = pack_headers([(name, length if name == b"content-length" else value) for name, value in headers])
    return msgspec.structs.replace(request, headers=packed, body=body)


def _with_value(document: Any, tokens: tuple[str, ...], value: Any) -> Any:
    """A document with another value at a place that it has."""
    if not tokens:
        return value
    holder = Pointer(tokens[:-1]).get(document)
    holder[int(tokens[-1]) if isinstance(holder, list) else tokens[-1]] = value
    return document


def _altered(signature: str) -> str:
    """A text that looks alike and differs in one character, in the second half: a prefix may say how it is signed."""
    at = next((at for at in range(len(signature) // 2, len(signature)) if signature[at].isalnum()), 0)
    return signature[:at] + ("1" if signature[at : at + 1] == "0" else "0") + signature[at + 1 :]


def _signs(value: Value | None) -> bool:
    return value is not None and any(True for _ in _signing_members(value))


def _signing_members(value: Value) -> Iterator[tuple[str, ...]]:
    """Where below a value a signature stands; at the value itself, ``()``."""
    if isinstance(value, Apply) and (value.function in SIGNING or any(map(_signs, value.arguments))):
        yield ()
    elif isinstance(value, Shaped):
        yield from _signing_members(value.value)
    elif isinstance(value, Join) and any(map(_signs, value.parts)):
        yield ()
    elif isinstance(value, Composed):
        members = value.members
        for name, member in members.items() if isinstance(members, Mapping) else enumerate(members):
            yield from ((str(name), *below) for below in _signing_members(member))


def view_of_request(request: OutgoingRequest) -> RequestView:
    """A callback as the patterns of pins see it."""
    parts = urlsplit(request.url)
    query = parts.query.encode("utf-8")
    return RequestView(
        Arrival(request.callback.method, parts.path, {}, query, request.headers, request.body, 0),
        _reads(request.callback),
    )


def view_of_step(view: Mapping[str, Any], list_name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What the callbacks of a step read: the request that left the record, and the record as it is now."""
    return {**view, "owned": {**view["owned"], list_name: record}, "item": record}
