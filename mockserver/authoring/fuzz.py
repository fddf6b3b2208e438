"""Requests that depart from a contract's own example in one place: each must get an answer that the contract means."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mockserver.authoring.exchange import ReplayReply
from mockserver.engine.account import Sample
from mockserver.engine.fixture_case import Sent
from mockserver.spec.answer_model import Answer
from mockserver.spec.forms import FORM
from mockserver.spec.model import OperationSpec
from mockserver.spec.places import RequestPlaces
from mockserver.spec.pointer import Pointer

MAX_DEPARTURES = 40  # of each operation
LONG_TEXT = 5_000  # characters
ODD_VALUES: tuple[Any, ...] = ("", "é€😀", "0" * LONG_TEXT, 0, -1, 1.5, True, None, [], {}, ["a"], {"a": 1})


@dataclass(frozen=True, slots=True)
class MadeUpRequest:
    """A request that differs from the example, and in what: ``without /body/to``, ``/body/to is 5``."""

    what: str
    sent: Sent


def departures(operation: OperationSpec, example: Sample, base: str, places: RequestPlaces) -> Iterator[MadeUpRequest]:
    """Requests like the example, each wrong or unusual in one place; always the same ones."""
    url, _, query = example.path.partition("?")
    parts: dict[str, Any] = {"query": dict(parse_qsl(query, keep_blank_values=True)), "header": dict(example.headers)}
    media_type = parts["header"].get("content-type", "")
    if example.body:
        parts["body"] = dict(parse_qsl(example.body)) if media_type == FORM else json.loads(example.body)
    every = list(_changes(operation, parts, places))
    random.Random(0).shuffle(every)  # noqa: S311 -- a choice among too many, the same each time
    for at, value in every[:MAX_DEPARTURES]:
        changed = _changed(parts, at, value)
        told = f"without {at}" if value is _ABSENT else f"with {_shown(value)} at {at}"
        yield MadeUpRequest(told, _sent(example.method, base + url, changed, media_type))
    for told, body, kind in (
        ("with a body that is no JSON", b'{"', "application/json"),
        ("with a body of another kind", b"x", "text/plain"),
        ("without a body", b"", media_type),
    ):
        if example.body:
            headers = [(n, str(v)) for n, v in parts["header"].items() if n != "content-type"]
            target = f"{base}{example.path}"
            yield MadeUpRequest(told, Sent(example.method, target, [*headers, ("content-type", kind)], body))
    yield MadeUpRequest("by another method", Sent("TRACE", base + example.path, list(example.headers.items()), b""))


_ABSENT: Any = object()


def _changes(
    operation: OperationSpec, parts: Mapping[str, Any], places: RequestPlaces
) -> Iterator[tuple[Pointer, Any]]:
    """Each place that the example has, or that schemas name, with values for it."""
    found = [Pointer(("query", name)) for name in parts["query"]]
    found += [Pointer((p.where, p.name)) for p in operation.parameters if p.where in {"query", "header"}]
    found += [Pointer((s.where, s.key)) for s in operation.schemes]
    if isinstance(parts.get("body"), dict):
        names = [*parts["body"], *places.names(Pointer(("body",)))]
        found += [Pointer(("body", name)) for name in dict.fromkeys(names)]
    for at in dict.fromkeys(found):
        if at.tokens[0] not in parts:
            continue
        if at.tokens[1] in parts[at.tokens[0]]:
            yield at, _ABSENT
        for value in ODD_VALUES if at.tokens[0] == "body" else ODD_VALUES[:5]:
            is_fit_for_header = at.tokens[0] != "header" or (str(value).isascii() and value != "")
            if is_fit_for_header:
                yield at, value


def _changed(parts: Mapping[str, Any], at: Pointer, value: Any) -> dict[str, Any]:
    changed = deepcopy(dict(parts))
    if value is _ABSENT:
        del changed[at.tokens[0]][at.tokens[1]]
    else:
        changed[at.tokens[0]][at.tokens[1]] = value
    return changed


def _sent(method: str, url: str, parts: Mapping[str, Any], media_type: str) -> Sent:
    query = urlencode({name: str(value) for name, value in parts["query"].items()})
    headers = [(name, str(value)) for name, value in parts["header"].items()]
    body = b""
    if "body" in parts and media_type == FORM:
        body = urlencode({name: str(value) for name, value in parts["body"].items()}).encode()
    elif "body" in parts:
        body = json.dumps(parts["body"]).encode()
    return Sent(method, f"{url}?{query}" if query else url, headers, body)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:20]}… ({len(text)} characters)"


def fuzz(
    operation: OperationSpec, requests: Iterator[MadeUpRequest], send: Callable[[Sent], ReplayReply], reached: set[str]
) -> Iterator[str]:
    """What is wrong with the answers to these requests, each kind once."""
    answers = {answer.id: answer for answer in operation.answers.values()}
    told: set[str] = set()
    for request in requests:
        reply = send(request.sent)
        name = reply.headers.get("x-mock-answer", "")
        reached.add(name)
        for kind in _findings(answers.get(name), reply):
            if kind not in told:
                told.add(kind)
                yield f"{operation.id}: {request.what} {kind}"


def _findings(answer: Answer | None, reply: ReplayReply) -> Iterator[str]:
    problem = reply.headers.get("x-mock-problem", "")
    if answer is None:
        if reply.status >= 500:
            yield f"gets {reply.status}, which the contract has not"
        return
    if problem and answer.accepted:
        rule = reply.headers.get("x-mock-rule", "no rule")
        yield f"is wrong ({problem}), and still accepted as {answer.name} by {rule}"
    if answer.schema is not None and reply.body and not isinstance(answer.sample, str):
        for error in answer.schema.iter_errors(json.loads(reply.body)):
            at = "".join(f"/{token}" for token in error.instance_path)
            yield f"gets {answer.name}, whose body does not fit its schema at {at or '/'}: {error.message[:200]}"
            return
