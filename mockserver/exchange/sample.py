"""A request that an account could send: the contract's own examples, with what the account owns."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.exchange.handout import tokens, values_at
from mockserver.spec.contract import Contract, Operation
from mockserver.spec.pointer import MISSING, Pointer


@dataclass(frozen=True, slots=True)
class Sample:
    """A ready request; ``path`` holds the query string."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


def sample(contract: Contract, operation: Operation, data: Mapping[str, Any], now: float) -> Sample:
    """A request to this operation that the vendor accepts from the owner of ``data``."""
    parts: dict[str, Any] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation.parameters:
        if parameter.example is not MISSING:
            parts[parameter.where][parameter.name] = parameter.example
    media = (
        next((m for m in operation.body.media.values() if m.example is not MISSING), None) if operation.body else None
    )
    if media is not None:
        parts["body"] = json.loads(json.dumps(media.example))
        parts["header"]["content-type"] = "application/json" if media.essence == "*/*" else media.essence
    for owned in operation.owned:
        first = next((value for value, _ in values_at(data, owned.claim)), None)
        if first is not None and (owned.within is None or owned.at.get(parts) is not MISSING):
            _put(parts, owned.at, first)
    ready = tokens(contract, data, now)
    for scheme in operation.security[0].schemes if operation.security else ():
        value = f"Bearer {ready[scheme.name]}" if scheme.bearer else ready[scheme.name]
        parts[scheme.where][scheme.key] = value
    return _written(operation, parts)


def _put(parts: dict[str, Any], at: Pointer, value: Any) -> None:
    holder = parts
    for token in at.tokens[:-1]:
        holder = holder.setdefault(token, {})
    holder[at.tokens[-1]] = value


def _written(operation: Operation, parts: dict[str, Any]) -> Sample:
    path = operation.path
    for name, value in parts["path"].items():
        path = path.replace("{" + name + "}", quote(str(value), safe=""))
    query = urlencode({name: _text(value) for name, value in parts["query"].items()})
    body = json.dumps(parts["body"], ensure_ascii=False) if "body" in parts else ""
    headers = {name: _text(value) for name, value in parts["header"].items()}
    return Sample(operation.method, f"{path}?{query}" if query else path, headers, body)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
