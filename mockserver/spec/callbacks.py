"""The requests that a vendor makes to its customer (OpenAPI ``callbacks`` and ``webhooks``), and inbound messages."""

from collections.abc import Iterable, Iterator
from typing import Any

from mockserver.spec.answers import read_request
from mockserver.spec.callback_model import INBOUND, CallbackSpec, Inbound, OptOut
from mockserver.spec.effects import read_keeps
from mockserver.spec.model import OperationSpec
from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.shared import METHODS
from mockserver.spec.values import read_list, read_value

DEFAULT_TIMEOUT = 10.0  # seconds that a receiver has to answer, where the contract names none


def read_callbacks(reader: Reader, operations: Iterable[OperationSpec]) -> tuple[CallbackSpec, ...]:
    """The callbacks of all operations and the document's webhooks. Each has a name of its own."""
    taken = {operation.spelling for operation in operations}
    events = _events(reader, operations)
    callbacks = []
    for method, node in _nodes(reader):
        name = reader.text(node, "operationId")
        if name in taken:
            reader.error(node, f"a second operation named {name!r}", "operationId")
            continue
        taken.add(name)
        block = reader.x_mock(node, "callback")
        if not block:
            if "x-mock" not in node:
                reader.error(node, "x-mock is missing: say with 'on' and 'to' when the callback is made, and where to")
            continue
        for event in block["on"]:
            if event not in events:
                reader.error(block, f"nothing is called {event!r}; there are: {', '.join(sorted(events))}", "on")
        callbacks.append(_callback(reader, node, block, method, name))
    return tuple(callbacks)


def _callback(reader: Reader, node: dict[str, Any], block: dict[str, Any], method: str, name: str) -> CallbackSpec:
    return CallbackSpec(
        vendor=reader.vendor,
        name=name,
        method=method.upper(),
        on=tuple(block["on"]),
        to=read_value(reader, block["to"]),
        request=read_request(reader, node, block, f"{reader.vendor}.{name}"),
        timeout=block.get("timeout", DEFAULT_TIMEOUT),
        retries=tuple(block.get("retries", ())),
    )


def _nodes(reader: Reader) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each callback's method and node: below operations, then below ``webhooks``."""
    paths = reader.mapping(reader.document, "paths")
    for path in paths:
        item = reader.mapping(paths, path)
        for method in METHODS:
            callbacks = reader.mapping(reader.mapping(item, method), "callbacks") if method in item else {}
            for name in callbacks:
                expressions = reader.mapping(callbacks, name)
                for expression in expressions:
                    yield from _methods(reader, reader.mapping(expressions, expression))
    webhooks = reader.mapping(reader.document, "webhooks")
    for name in webhooks:
        yield from _methods(reader, reader.mapping(webhooks, name))


def _methods(reader: Reader, item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((method, reader.mapping(item, method)) for method in METHODS if method in item)


def _events(reader: Reader, operations: Iterable[OperationSpec]) -> set[str]:
    """What callbacks may wait for: each step of a kept record as ``list/step``, and an inbound message."""
    events = {INBOUND} if "inbound" in reader.x_mock(reader.document, "document") else set()
    for operation in operations:
        for answer in operation.answers.values():
            for keeps in answer.effects.keeps:
                events |= {f"{keeps.list_name}/{step.name}" for course in keeps.courses for step in course.steps}
    return events


def read_inbound(reader: Reader, block: dict[str, Any]) -> Inbound | None:
    """What becomes of a subscriber's message, from the document's x-mock block; None where nothing does."""
    if "inbound" not in block:
        return None
    node = block["inbound"]
    opt_out = node.get("opt_out")
    return Inbound(
        to=Pointer.parse(node["to"]),
        finds=read_list(reader, f"/kept/{node['finds']['list']}", node["finds"]["where"]) if "finds" in node else None,
        keeps=read_keeps(reader, node),
        opt_out=None
        if opt_out is None
        else OptOut(tuple(opt_out["stop"]), tuple(opt_out.get("start", ())), opt_out.get("reply")),
    )
