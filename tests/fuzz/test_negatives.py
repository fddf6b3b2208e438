"""Bad requests derived from the contracts, where schemathesis is blind: none is accepted, none breaks the connection.

A request is bad if the plain document says so; that is judged by jsonschema, not by the validator that the server uses.
"""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

import jsonschema
import pytest

from mockserver.engine.account import AccountData, sample
from mockserver.server.application import Application
from mockserver.spec.model import Contract, OperationSpec
from tests import evidence
from tests.fuzz.fuzzing import ways
from tests.fuzz.plain_openapi import Node, plain_openapi, resolved
from tests.live import PATIENCE, served

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE")
CONTRACTS = list(dict.fromkeys(way.contract for way in ways()))
OPERATIONS = [
    (contract, operation)
    for contract in CONTRACTS
    for operation in contract.operations
    if operation.dispatch is None or operation.dispatch.to  # else it has no good request
]
VALUES: list[Any] = [None, True, 7, -1.5, "", " ", "x", "x" * 5000, "+1415555012٣", "+14155550123\n", [], ["x"], {}]
UNREADABLE = [b"{", b'{"a": NaN}', b"\xff", b'"\\ud800"', b"[" * 5000, b"1" * 5000, b"{} {}", b"\x00"]
LEAST = 40  # bad requests of an operation that takes JSON

Pairs = list[tuple[str, str]]


class Sent(NamedTuple):
    """A request in its parts; the body is bytes, or the pairs of a form."""

    method: str
    path: str
    query: Pairs
    headers: dict[str, str]
    body: bytes = b""


class Bench(NamedTuple):
    """One operation of a live server, its plain description, and a good request to it."""

    connection: http.client.HTTPConnection
    operation: OperationSpec
    plain: Node
    node: Node
    good: Sent

    def send(self, sent: Sent) -> tuple[int, dict[str, str]]:
        """Status and headers; the connection is kept."""
        target = sent.path + (f"?{urlencode(sent.query)}" if sent.query else "")
        self.connection.request(sent.method, target, sent.body or None, sent.headers)
        response = self.connection.getresponse()
        response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}

    def call(self, headers: dict[str, str]) -> Any:
        """The record of a call, asked for on the same connection."""
        self.connection.request("GET", f"/_mock/calls/{headers['x-mock-call']}")
        return json.load(self.connection.getresponse())

    def fits(self, schema: Any, value: Any) -> bool:
        """Whether a value fits a schema of the plain document; an end is an end, not a line's."""
        strict = json.dumps({**schema, "components": self.plain["components"]}).replace('$"', r'\\Z"')
        return jsonschema.Draft202012Validator(json.loads(strict)).is_valid(value)

    def fitting(self, parameter: Node) -> Pairs:
        """A pair for a parameter that the sample leaves out; none if no value here fits, or if it takes a list."""
        schema = resolved(self.plain, parameter["schema"])
        if schema.get("type") == "array":
            return []
        values = [*schema.get("enum", []), 1, "1", "x"]
        return [(parameter["name"], str(value)) for value in values if self.fits(schema, value)][:1]

    def wrong(self, schema: Any) -> list[Any]:
        """Values that do not fit a schema, one too long by a character among them."""
        longest = resolved(self.plain, schema).get("maxLength", 0)
        return [value for value in [*VALUES, "x" * (longest + 1)] if not self.fits(schema, value)]


@pytest.fixture(scope="module")
def connection(app: Application) -> Iterator[http.client.HTTPConnection]:
    with served(app) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        yield connection
        connection.close()


@pytest.fixture(params=OPERATIONS, ids=lambda pair: f"{pair[0].vendor}.{pair[1].spelling}")
def bench(request: pytest.FixtureRequest, connection: http.client.HTTPConnection, default: AccountData) -> Bench:
    contract, operation = request.param
    return bench_of(connection, contract, operation, default)


def bench_of(
    connection: http.client.HTTPConnection, contract: Contract, operation: OperationSpec, account: AccountData
) -> Bench:
    """One operation of a server, judged by its contract's document."""
    data, now = account.vendors[contract.vendor], time.time()
    schemes = tuple(scheme.name for scheme in operation.security[0].schemes) if operation.security else ()
    plain = plain_openapi(contract, contract.document, data, schemes, now, form=False)
    node = plain["paths"][operation.path][operation.method.lower()]
    good = _kept(connection, contract, operation, account) or _good(contract, operation, data, now)
    return Bench(connection, operation, plain, node, good)


def _kept(
    connection: http.client.HTTPConnection, contract: Contract, operation: OperationSpec, account: AccountData
) -> Sent | None:
    """A request about what was sent before, as a fixture has it; None if the operation's path names nothing."""

    def send(sent: evidence.Sent) -> evidence.Reply:
        connection.request(sent.method, sent.url, sent.content, dict(sent.headers))
        response = connection.getresponse()
        return evidence.Reply(response.status, dict(response.getheaders()), response.read())

    if "{" not in operation.path:
        return None
    for case in map(evidence.load_case, evidence.case_files()):
        request = case["request"]
        is_this = (request["method"], request["path"]) == (operation.method, operation.path)
        if is_this and case.get("before") and case["account"] == "default" and case["response"]["status"] < 400:
            ready = evidence.Replay(contract, {"default": account}, time.time).prepare(case, send)
            headers = {name.lower(): value for name, value in ready.headers}
            path, _, query = ready.url.partition("?")
            if all(scheme.key in headers for scheme in operation.security[0].schemes):
                return Sent(ready.method, path, parse_qsl(query), headers, ready.content)
    return None


def _good(contract: Contract, operation: OperationSpec, data: Any, now: float) -> Sent:
    """A sample; of an operation that dispatches, with the parameters of the first that it dispatches to."""
    ready = sample(operation, data, now)
    path, _, query = ready.path.partition("?")
    pairs = parse_qsl(query)
    for target in list(operation.dispatch.to.values())[:1] if operation.dispatch else ():
        pairs += parse_qsl(sample(target, data, now).path.partition("?")[2])
    return Sent(ready.method, path, pairs, ready.headers, ready.body.encode())


def bad_parameters(bench: Bench) -> Iterator[tuple[str, Sent]]:
    """Each parameter missing, wrong, given twice; those of the query also in a form."""
    good = bench.good
    for parameter in bench.node["parameters"]:
        name, where, required = parameter["name"], parameter["in"], parameter.get("required", False)
        wrong = [str(value) for value in bench.wrong(parameter["schema"]) if isinstance(value, str | float | int)]
        wrong = [text for text in wrong if not bench.fits(parameter["schema"], text)]
        if where == "path":
            for text in filter(None, wrong):
                path = bench.operation.path.replace(f"{{{name}}}", quote(text, safe=""))
                yield f"{name} {text[:9]!r}", good._replace(path=path)
        elif where == "header":
            others = {n: v for n, v in good.headers.items() if n != name.lower()}
            if required:
                yield f"{name} missing", good._replace(headers=others)
            for text in wrong:
                if text.isascii() and text.isprintable():
                    yield f"{name} {text[:9]!r}", good._replace(headers={**others, name: text})
        else:
            rest = [pair for pair in good.query if pair[0] != name]
            given = [pair for pair in good.query if pair[0] == name] or bench.fitting(parameter)
            twice = [(f"{name} twice", rest + given * 2)] if given else []
            lists = [*twice, *((f"{name} {t[:9]!r}", [*rest, (name, t)]) for t in wrong)]
            for what, pairs in [*lists, (f"{name} missing", rest)] if required else lists:
                yield what, good._replace(query=pairs)
                if bench.operation.merges_form:
                    yield f"{what}, in a form", _in_form(good, pairs)


def _in_form(good: Sent, pairs: Pairs) -> Sent:
    headers = {**good.headers, "content-type": "application/x-www-form-urlencoded"}
    return good._replace(query=[], headers=headers, body=urlencode(pairs).encode())


def bad_bodies(bench: Bench) -> Iterator[tuple[str, Sent]]:
    """Bytes that are no JSON, values of the wrong type at each place, members missing, no body."""
    body = bench.node.get("requestBody", {"content": {}})
    schema = body["content"].get("application/json", {}).get("schema")
    if schema is None:
        return
    example = json.loads(bench.good.body)
    values = bench.wrong(schema) + [{n: v for n, v in example.items() if n != name} for name in example]
    for name, member in resolved(bench.plain, schema)["properties"].items():
        values += [{**example, name: value} for value in bench.wrong(member)]
    bodies = [json.dumps(value).encode() for value in values if not bench.fits(schema, value)]
    bodies += [b""] if body.get("required") else []
    yield from ((f"body {raw[-60:]!r}", bench.good._replace(body=raw)) for raw in [*UNREADABLE, *bodies])


def bad_types(bench: Bench) -> Iterator[tuple[str, Sent]]:
    """A body of another type than the contract has, or of none."""
    body = bench.operation.body
    if body is None or "*/*" in body.media:
        return
    others = {name: value for name, value in bench.good.headers.items() if name != "content-type"}
    yield "no Content-Type", bench.good._replace(headers=others)
    for media_type in ("text/plain", "application/xml", "application/jsonx", "json", "multipart/form-data; boundary=b"):
        if media_type.partition(";")[0] not in body.media:
            yield media_type, bench.good._replace(headers={**others, "content-type": media_type})


def bad_credentials(bench: Bench) -> Iterator[tuple[str, Sent]]:
    """No credential, and each one empty, too long, or of nobody."""
    schemes = bench.operation.security[0].schemes if bench.operation.security else ()
    for scheme in schemes:
        others = {name: value for name, value in bench.good.headers.items() if name != scheme.key}
        yield f"no {scheme.key}", bench.good._replace(headers=others)
        value = bench.good.headers[scheme.key]
        start = "Bearer " if scheme.bearer else ""
        bare = value.removeprefix(start)
        wrongs = ["", start, f"{start}x", value[:-3], f"{value}x", f"{start}{start}x", f"Basic {bare}", bare[::-1]]
        for wrong in [*wrongs, bare] if scheme.bearer else wrongs:
            yield f"{scheme.key} {wrong!r}", bench.good._replace(headers={**others, scheme.key: wrong})


def test_a_sample_is_accepted(bench: Bench) -> None:
    """The contract's own example, with what the account owns, is what the vendor wants; so it is in a form."""
    forms = [_in_form(bench.good, bench.good.query)] if bench.operation.merges_form else []
    for good in [bench.good, *forms]:
        status, headers = bench.send(good)
        call = bench.call(headers)
        assert (status < 400, call["problems"], call["accepted"]) == (True, [], True)


def test_nothing_bad_is_accepted(bench: Bench) -> None:
    """Each is refused for a problem, and the next request on the connection is served."""
    tried = bad_requests(bench)
    assert needed(bench) <= {what for what, _ in tried}
    assert len(tried) > LEAST or not any(bad_bodies(bench))
    assert complaints(bench, tried) == {}
    assert bench.call(bench.send(bench.good)[1])["accepted"]


def needed(bench: Bench) -> set[str]:
    """What must be among the bad requests: each thing left out that the description asks for."""
    parameters = [parameter for parameter in bench.node["parameters"] if parameter["in"] != "path"]
    schemes = bench.operation.security[0].schemes if bench.operation.security else ()
    missing = {f"{parameter['name']} missing" for parameter in parameters if parameter.get("required", False)}
    return missing | {f"no {scheme.key}" for scheme in schemes}


def bad_requests(bench: Bench) -> list[tuple[str, Sent]]:
    """All of them, each with what is wrong with it."""
    return [*bad_parameters(bench), *bad_bodies(bench), *bad_types(bench), *bad_credentials(bench)]


def complaints(bench: Bench, tried: list[tuple[str, Sent]]) -> dict[str, str]:
    """Which of these requests were not refused as they ought to be, and what they got."""
    found = {}
    for what, sent in tried:
        status, headers = bench.send(sent)
        call = bench.call(headers)
        if call["accepted"] or status >= 500 or call["answer"] != headers.get("x-mock-answer") or not call["problems"]:
            found[what] = f"{status} {call['answer']}"
    return found


def test_other_methods(bench: Bench) -> None:
    """405 with all methods of the path, sorted, and never accepted; OPTIONS says the same and is no call."""
    allowed = sorted(method.upper() for method in bench.plain["paths"][bench.operation.path])
    for method in METHODS:
        if method not in allowed:
            status, headers = bench.send(bench.good._replace(method=method, body=b""))
            assert (status, headers["allow"], bench.call(headers)["accepted"]) == (405, ", ".join(allowed), False)
    status, headers = bench.send(bench.good._replace(method="OPTIONS", body=b""))
    assert (status, headers["allow"], "x-mock-call" in headers) == (204, ", ".join(allowed), False)
