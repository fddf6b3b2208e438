"""A fixture of a real call: its request with nobody's values but the default account's, its answer as it was."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from mockserver.cli.drift_substitutes import Substitutes, nobodys, settled
from mockserver.server.drift.filled import kind_of
from mockserver.server.drift.recording import RealCall
from mockserver.spec.answer_model import Answer
from mockserver.spec.forms import FORM
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Scheme

SCHEMA_TYPES = {"text": "string", "number": "number", "list": "array"}
MULTIPART, JSON = "multipart/form-data", "application/json"
NOT_WRITTEN = frozenset({"prefer", "content-type", "content-length", "host"})  # headers that stand elsewhere, if at all
LONG_NUMBER = re.compile(r"[0-9]{8,}")  # maybe somebody's, in a text that is not read


class UnwritableError(ValueError):
    """A call of which no fixture can be written; the text says why."""


class FixtureWriter:
    """Writes fixtures of one contract's calls; ``data`` is what the account ``default`` has."""

    def __init__(self, contract: Contract, data: Mapping[str, Any]) -> None:
        self._contract = contract
        self._data = data

    def cases(self, call: RealCall, operation: OperationSpec, answer: Answer) -> Iterator[dict[str, Any]]:
        """The fixtures of a call that got this answer, likely ones first: one of them gets it, if any does.

        Raises UnwritableError.
        """
        cut = [at for at in call.call["cut"] if at.startswith(("/request", "/response"))]
        if cut:
            raise UnwritableError(f"{cut[0]} is too long to be recorded")
        spelling, path = self._spelling(call, operation)
        substitutes = Substitutes(call, spelling, answer, self._data)
        response = _response(call, answer)
        for request in settled(self._request(call, spelling, path, substitutes)):
            yield {
                "about": f"Recorded on {call.date}, the real vendor's answer {answer.name}.",
                "account": None,
                "request": request,
                "answer": answer.id,
                "response": response,
            }

    def _request(self, call: RealCall, operation: OperationSpec, path: str, substitutes: Substitutes) -> dict[str, Any]:
        request = call.call["request"]
        headers = {n: v for n, v in request["headers"] if n in operation.headers and n not in NOT_WRITTEN}
        content_type = dict(request["headers"]).get("content-type", "")
        parts: dict[str, Any] = {
            "path": {name: value for name, value in request["path_params"].items() if f"{{{name}}}" in path},
            "query": parse_qsl(request["query"], keep_blank_values=True),
            "header": headers,
            **_body(request, content_type),
        }
        _hide_recipient(operation, parts, substitutes)
        parts = {name: substitutes.within(_plain(part)) for name, part in parts.items()}
        if "text" in parts:
            parts["text"] = _without_numbers(parts["text"])
        for owned in operation.owned:
            _put(parts, owned.at.tokens, partial(substitutes.of_owned, owned))
        for at in _names(operation):
            example, allowed = _example(operation, at), dict(operation.enumerated).get(at, ())
            _put(parts, at.tokens, partial(substitutes.of_name, at, example, allowed))
        for tokens, schemes in _by_place(operation).items():
            _put(parts, tokens, partial(substitutes.of_schemes, schemes))
        if content_type and _media_type(content_type) != _media_type_of(parts):
            parts["header"]["content-type"] = content_type
        node: dict[str, Any] = {"method": request["method"], "path": path}
        written = {"path_params": parts["path"], "query": parts["query"], "headers": parts["header"]}
        bodies = {name: parts[name] for name in ("json", "form", "multipart", "text") if name in parts}
        return node | {name: part for name, part in written.items() if part} | bodies

    def _spelling(self, call: RealCall, operation: OperationSpec) -> tuple[OperationSpec, str]:
        """The operation as it was called, and its path as the contract writes it. Raises UnwritableError."""
        request = call.call["request"]
        path = request["path"].removeprefix(f"/{call.vendor}")
        spellings = [one for one in self._contract.operations if one.id == operation.id]
        for one in sorted(spellings, key=lambda one: one.method != request["method"]):
            template = self._contract.base_path + one.path
            if _is_of(template, path):
                return one, template
        if request["path_params"]:
            raise UnwritableError(f"the contract has no path like {path}")
        return operation, str(path)


def _is_of(template: str, path: str) -> bool:
    """Whether a path may be one of this template."""
    pattern = "".join(".+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", template))
    return re.fullmatch(pattern, path, re.DOTALL) is not None


def _by_place(operation: OperationSpec) -> dict[tuple[str, str], list[Scheme]]:
    """Where credentials may stand, and of which schemes."""
    found: dict[tuple[str, str], list[Scheme]] = {}
    for scheme in operation.schemes:
        at = ("header", scheme.key.lower()) if scheme.where == "header" else ("query", scheme.key)
        found.setdefault(at, []).append(scheme)
    return found


def _names(operation: OperationSpec) -> list[Pointer]:
    """Where a request names what is maybe the customer's: in its path, and where it names a kept record."""
    owned = {owned.at for owned in operation.owned}
    paths = [Pointer((p.where, p.name)) for p in operation.parameters if p.where == "path"]
    return [at for at in dict.fromkeys([*paths, *(kept.at for kept in operation.kept)]) if at not in owned]


def _hide_recipient(operation: OperationSpec, parts: dict[str, Any], substitutes: Substitutes) -> None:
    """Put the contract's own sample where a real number is, unless that number is what was refused."""
    recipient = operation.recipient
    if recipient is None or substitutes.is_told(recipient.at):
        return
    usual = _example(operation, recipient.at)
    for at in (*recipient.override, recipient.at):
        sample = _example(operation, at)
        sample = usual if sample is MISSING else sample
        if sample is not MISSING:
            _put(parts, at.tokens, partial(_instead, sample))


def _instead(value: Any, _: Any) -> Any:
    return value


def _example(operation: OperationSpec, at: Pointer) -> Any:
    """The value at a place of the request that the contract shows; MISSING where it shows none."""
    for parameter in operation.parameters:
        if at.tokens == (parameter.where, parameter.name):
            return parameter.example
    medias = operation.body.media.values() if operation.body is not None else ()
    shown = (Pointer(at.tokens[1:]).get(media.example) for media in medias if at.tokens[0] == "body")
    return next((value for value in shown if value is not MISSING), MISSING)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _media_type_of(parts: Mapping[str, Any]) -> str:
    """What a fixture's body is sent as, without a word of its own."""
    types = {"json": JSON, "form": FORM, "multipart": MULTIPART}
    return next((types[name] for name in types if name in parts), "")


def _body(request: Mapping[str, Any], content_type: str) -> dict[str, Any]:
    """The body as a fixture writes it. Raises UnwritableError."""
    if request["json"] is not None and content_type:
        return {"json": request["json"]}
    if request["form"] is not None and content_type:
        form = [tuple(pair) for pair in request["form"]]
        return {"multipart" if _media_type(content_type) == MULTIPART else "form": form}
    try:
        text = base64.b64decode(request["body_base64"] or "").decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnwritableError("its body is no text") from error
    return {"text": text} if text else {}


def _without_numbers(text: Any) -> Any:
    """A text that nobody has read, without numbers that may be somebody's."""
    if isinstance(text, dict):
        return {"join": [_without_numbers(part) for part in text["join"]]}
    return LONG_NUMBER.sub(lambda number: nobodys(number[0]), text) if isinstance(text, str) else text


def _plain(part: Any) -> Any:
    """A part of plain lists."""
    return [list(pair) if isinstance(pair, tuple) else pair for pair in part] if isinstance(part, list) else part


def _put(parts: dict[str, Any], tokens: tuple[str, ...], change: Callable[[Any], Any]) -> None:
    """Put another value where a call had one; a form's fields count as the query where that has none."""
    root, *inner = tokens
    lists = [name for name in ("query", "form", "multipart") if root in {"query", "body"} and name in parts]
    for name in lists:
        parts[name] = [[key, change(old) if key == inner[0] else old] for key, old in parts[name]]
    holder = parts.get({"body": "json"}.get(root, root))
    for token in inner[:-1]:
        holder = holder.get(token) if isinstance(holder, dict) else None
    if isinstance(holder, dict) and inner and inner[-1] in holder:
        holder[inner[-1]] = change(holder[inner[-1]])


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
    body = {"json": _without_customer(response["json"], call.owned)}
    for at in answer.places:
        found = at.get(response["json"])
        if found is not MISSING:
            _set(body, ("json", *at.tokens), {"any": {"type": SCHEMA_TYPES.get(kind_of(found), kind_of(found))}})
    return node | body


def _without_customer(value: Any, owned: Mapping[str, str]) -> Any:
    """A body of an answer, in which any text may stand where the customer's own values do."""
    if isinstance(value, dict):
        return {name: _without_customer(item, owned) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_customer(item, owned) for item in value]
    is_customers = isinstance(value, str) and any(own in value for own in owned)
    return {"any": {"type": "string"}} if is_customers else value


def _set(holder: Any, tokens: tuple[str, ...], value: Any) -> None:
    for token in tokens[:-1]:
        holder = holder[int(token)] if isinstance(holder, list) else holder[token]
    holder[int(tokens[-1]) if isinstance(holder, list) else tokens[-1]] = value
