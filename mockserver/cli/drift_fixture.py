"""A fixture of a real call: its request with the default account's values, its answer as it was."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

import yaml

from mockserver.server.drift.filled import kind_of
from mockserver.server.drift.recording import RealCall
from mockserver.spec.answer_model import Answer
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Basic, Jwt, Scheme

SCHEMA_TYPES = {"text": "string", "number": "number", "list": "array"}
WRONG = "not-a-credential"  # in place of one that was refused: what it was is masked
PLAIN_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


class FixtureWriter:
    """Writes fixtures of one contract's calls; ``data`` is what the account ``default`` has."""

    def __init__(self, contract: Contract, data: Mapping[str, Any]) -> None:
        self._contract = contract
        self._data = data

    def text(self, call: RealCall, operation: OperationSpec, answer: Answer) -> str:
        """The fixture of a call that got this answer, in YAML."""
        request = self._request(call, operation, _kinds(operation, answer))
        fixture = {
            "about": f"Recorded on {call.date}, the real vendor's answer {answer.name}.",
            "account": "default" if _names_account(request) else None,
            "request": request,
            "answer": answer.id,
            "response": _response(call, answer),
        }
        return yaml.safe_dump(fixture, default_flow_style=None, sort_keys=False, allow_unicode=True, width=120)

    def _request(self, call: RealCall, operation: OperationSpec, refused: set[str]) -> dict[str, Any]:
        request = call.call["request"]
        path, parameters = request["path"].removeprefix(f"/{call.vendor}"), dict(request["path_params"])
        for name, value in parameters.items():
            path = path.replace(quote(value, safe=""), "{" + name + "}").replace(value, "{" + name + "}")
        headers = {n: v for n, v in request["headers"] if n in operation.headers and n != "prefer"}
        content_type = dict(request["headers"]).get("content-type", "")
        parts: dict[str, Any] = {
            "path": parameters,
            "query": parse_qsl(request["query"], keep_blank_values=True),
            "header": headers,
            **_body(request, content_type),
        }
        for scheme in operation.schemes:
            self._present(scheme, parts, is_wrong="unauthenticated" in refused)
        for owned in operation.owned:
            owned_path = self._path(owned.claim)
            if owned_path is not None and not refused & {"unknown", "foreign"}:
                _put(parts, owned.at.tokens, {"default": owned_path})
        if operation.recipient is not None:
            _hide_recipient(call, operation, operation.recipient.at, parts)
        node: dict[str, Any] = {"method": request["method"], "path": path}
        node |= {"path_params": parts["path"]} if parts["path"] else {}
        node |= {"query": [list(pair) for pair in parts["query"]]} if parts["query"] else {}
        if content_type.partition(";")[0].strip() not in PLAIN_TYPES and content_type:
            parts["header"]["content-type"] = content_type
        node |= {"headers": parts["header"]} if parts["header"] else {}
        bodies = {name: parts[name] for name in ("json", "form", "multipart", "text") if name in parts}
        return node | bodies

    def _present(self, scheme: Scheme, parts: dict[str, Any], *, is_wrong: bool) -> None:
        """Put a credential of the default account where the call had one."""
        value = WRONG if is_wrong else self._credential(scheme)
        at = ("header", scheme.key.lower()) if scheme.where == "header" else ("query", scheme.key)
        _put(parts, at, value)

    def _credential(self, scheme: Scheme) -> Any:
        accept = scheme.accept
        if isinstance(accept, Basic):
            return WRONG  # no fixture makes one
        reference = {"token": scheme.name} if isinstance(accept, Jwt) else {"default": self._path(accept.claim)}
        return {"join": [f"{scheme.word} ", reference]} if scheme.word else reference

    def _path(self, claim: str) -> str | None:
        """Where the default account has the first value of a claim; None where it has none."""
        return _first(self._data, Pointer.parse(claim).tokens[1:])


def _hide_recipient(call: RealCall, operation: OperationSpec, at: Pointer, parts: dict[str, Any]) -> None:
    """Put the contract's own sample where a real number is, unless that number is what was refused."""
    sample = _example(operation, at)
    is_told = any(at.covers(Pointer.parse(problem["at"])) for problem in call.call["problems"])
    if sample is not MISSING and not is_told:
        _put(parts, at.tokens, sample)


def _first(value: Any, tokens: tuple[str, ...]) -> str | None:
    """The pointer of the first value that these tokens name, in whichever item of a list."""
    if isinstance(value, list):
        found = ((number, _first(item, tokens)) for number, item in enumerate(value))
        return next((f"/{number}{path}" for number, path in found if path is not None), None)
    if not tokens:
        return ""
    if not isinstance(value, Mapping) or tokens[0] not in value:
        return None
    path = _first(value[tokens[0]], tokens[1:])
    return None if path is None else f"/{tokens[0]}{path}"


def _example(operation: OperationSpec, at: Pointer) -> Any:
    """The value at a place of the request that the contract shows; MISSING where it shows none."""
    for parameter in operation.parameters:
        if at.tokens == (parameter.where, parameter.name):
            return parameter.example
    medias = operation.body.media.values() if operation.body is not None else ()
    shown = (Pointer(at.tokens[1:]).get(media.example) for media in medias if at.tokens[0] == "body")
    return next((value for value in shown if value is not MISSING), MISSING)


def _names_account(node: Any) -> bool:
    """Whether a request has a value of the default account."""
    if isinstance(node, dict):
        return bool(node.keys() & {"default", "token"}) or any(map(_names_account, node.values()))
    return isinstance(node, list) and any(map(_names_account, node))


def _kinds(operation: OperationSpec, answer: Answer) -> set[str]:
    """The kinds of problem that this answer answers."""
    return {kind for rule in operation.rules if rule.answer is answer for kind in rule.kinds or ()}


def _body(request: Mapping[str, Any], content_type: str) -> dict[str, Any]:
    if request["json"] is not None:
        return {"json": request["json"]}
    if request["form"] is not None:
        return {"multipart" if "multipart" in content_type else "form": [tuple(pair) for pair in request["form"]]}
    return {}


def _put(parts: dict[str, Any], tokens: tuple[str, ...], value: Any) -> None:
    """Put a value where a call had one; a form's fields count as the query where that has none."""
    root, *inner = tokens
    lists = [name for name in ("query", "form", "multipart") if root in {"query", "body"} and name in parts]
    for name in lists:
        parts[name] = [(key, value if key == inner[0] else old) for key, old in parts[name]]
    holder = parts.get({"body": "json"}.get(root, root))
    for token in inner[:-1]:
        holder = holder.get(token) if isinstance(holder, dict) else None
    if isinstance(holder, dict) and inner and inner[-1] in holder:
        holder[inner[-1]] = value


def _response(call: RealCall, answer: Answer) -> dict[str, Any]:
    response = call.call["response"]
    real = dict(response["headers"])
    node: dict[str, Any] = {"status": response["status"]}
    headers = {}
    for raw_name, _, fill in answer.headers:
        name = raw_name.decode("ascii")
        if name in real and name != "content-type":
            headers[name] = real[name] if fill is None else {"any": {"type": "string"}}
    node |= {"headers": headers} if headers else {}
    if response["json"] is None:
        text = base64.b64decode(response["body_base64"] or "").decode("utf-8", "replace")
        return node | ({"text": text} if text else {})
    body = {"json": response["json"]}
    for at in answer.places:
        found = at.get(response["json"])
        if found is not MISSING:
            _set(body, ("json", *at.tokens), {"any": {"type": SCHEMA_TYPES.get(kind_of(found), kind_of(found))}})
    return node | body


def _set(holder: Any, tokens: tuple[str, ...], value: Any) -> None:
    for token in tokens[:-1]:
        holder = holder[int(token)] if isinstance(holder, list) else holder[token]
    holder[int(tokens[-1]) if isinstance(holder, list) else tokens[-1]] = value
