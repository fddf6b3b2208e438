"""Callbacks: the requests that a vendor makes, made of the events that they tell of."""

from collections.abc import Mapping
from typing import Any

import msgspec

from mockserver.engine.call import Label
from mockserver.engine.response import Renderer
from mockserver.engine.values import Context, Make, ValueCompiler
from mockserver.spec.evidence import ON_ITS_PAGE
from mockserver.spec.model import CallbackSpec, Contract
from mockserver.spec.pointer import MISSING


class OutgoingRequest(msgspec.Struct, frozen=True):
    """A request to the client: where to, headers packed, body; ``cause`` is the number of the call it is about.

    ``cause`` is 0 where no call caused it. ``index`` is the place of its message among those of the call.
    """

    callback: CallbackSpec
    account: str
    url: str
    headers: bytes
    body: bytes
    cause: int
    index: int


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
        self, vendor: str, event: str, context: Context, *, account: str, cause: int, index: int
    ) -> list[OutgoingRequest]:
        """The requests that tell of an event; none where the account has no address for them."""
        requests = []
        for callback in self._listening.get((vendor, event), ()):
            url = self._addresses[callback.id](context)
            if url is MISSING or not url:
                continue
            rendered = self._renderer.render(callback.request, context)
            requests.append(OutgoingRequest(callback, account, str(url), rendered.head, rendered.body, cause, index))
        return requests


def label_of(callback: CallbackSpec, *, status: int, fault: str, notes: str) -> Label:
    """What an attempt at a callback has in common with others: its status is the receiver's, 0 where it sent none."""
    evidence = callback.request.evidence.of_call(ON_ITS_PAGE, chosen=True)
    return Label(
        vendor=callback.vendor,
        operation=callback.id,
        evidence=evidence.grade,
        parts=evidence.letters,
        accepted=200 <= status < 300,
        direction="out",
        reads="json",
        status=status,
        fault=fault,
        notes=notes,
    )


def view_of_step(view: Mapping[str, Any], list_name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What the callbacks of a step read: the request that left the record, and the record as it is now."""
    return {**view, "owned": {**view["owned"], list_name: record}, "item": record}
