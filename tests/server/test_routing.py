"""Routing: by path at the root, under the vendor's name, and by the vendor's host."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Match, Route
from starlette.testclient import TestClient

from mockserver.server import routing
from mockserver.server.routing import MAX_HOST_HEADERS, MAX_HOST_LENGTH, VendorRoute, VendorRouter, vendor_routes
from mockserver.spec.load import load_contracts
from mockserver.spec.model import Contract
from tests.engine.workbench import acme
from tests.properties import examples

PARAMETER = re.compile(r"\{[^{}]+\}")
OTHER = """\
openapi: 3.1.0
info: {title: Other, version: "1"}
servers: [{url: "https://shared.test/other"}]
x-mock: {account: {}}
paths:
  /a/{b}/c:
    parameters: [{name: b, in: path, required: true, schema: {type: string}, example: x}]
    get:
      operationId: get_it
      x-mock: {rules: [{problem: any, answer: refused}]}
      responses: &responses
        "200": {description: Yes., x-mock: {name: done, evidence: {page: a page}}}
        "400": {description: No., x-mock: {name: refused, evidence: {page: a page}}}
    put: {operationId: put_it, x-mock: {same_as: get_it}, responses: *responses}
  /a/known/c:
    get: {operationId: get_known, x-mock: {same_as: get_it}, responses: *responses}
  /a/known/{d}:
    parameters: [{name: d, in: path, required: true, schema: {type: string}, example: x}]
    get: {operationId: get_below, x-mock: {same_as: get_it}, responses: *responses}
  /a/{b}/{e}.json:
    parameters:
      - {name: b, in: path, required: true, schema: {type: string}, example: x}
      - {name: e, in: path, required: true, schema: {type: string}, example: x}
    get: {operationId: get_file, x-mock: {same_as: get_it}, responses: *responses}
"""


async def answer(*_: Any) -> None:
    raise NotImplementedError


def no_lifespan(_: Any) -> Any:
    raise NotImplementedError


def router_of(*contracts: Contract) -> VendorRouter:
    return VendorRouter(vendor_routes(contracts, answer), answer, {}, no_lifespan)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Contract, ...]:
    file = tmp_path_factory.mktemp("contracts") / "other.yaml"
    file.write_text(OTHER)
    return (acme(), *load_contracts([file]))


@pytest.fixture(scope="module")
def router(both: tuple[Contract, ...]) -> VendorRouter:
    return router_of(*both)


def scope_of(path: str, host: str = "localhost") -> dict[str, Any]:
    """A request; ``path`` is as on the wire."""
    headers = [(b"accept", b"*/*"), (b"host", host.encode(errors="replace"))]
    raw = path.encode(errors="replace")
    return {"type": "http", "path": unquote(path), "raw_path": raw, "headers": headers, "method": "POST"}


def walked(routes: list[BaseRoute], scope: dict[str, Any]) -> tuple[BaseRoute, dict[str, str]] | None:
    """The first route that matches, as Starlette finds it."""
    for route in routes:
        match, child_scope = route.matches(scope)
        if match is Match.FULL:
            return route, child_scope["path_params"]
    return None


def found(router: VendorRouter, path: str, host: str = "localhost") -> tuple[str, dict[str, str]] | None:
    """Which operation answers there by default, and the path's parameters, by index and by asking each route."""
    scope = scope_of(path, host)
    hit = router.find(scope)
    assert hit == walked(router.routes, scope)
    return None if hit is None or hit[0].endpoint.otherwise is None else (hit[0].endpoint.otherwise.spelling, hit[1])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/base/messages", ("send_sms", {}), id="path-of-the-first-server"),
        pytest.param("/messages", ("send_sms", {}), id="path-of-the-second-server"),
        pytest.param("/acme/base/messages", ("send_sms", {}), id="under-the-vendor"),
        pytest.param("/acme/messages", ("send_sms", {}), id="under-the-vendor-bare"),
        pytest.param("/base/typed/5", ("get_typed", {"number": "5"}), id="parameter"),
        pytest.param("/acme/base/typed/5", ("get_typed", {"number": "5"}), id="parameter-under-the-vendor"),
        pytest.param("/base/typed/a%2Fb%20%C3%BC%25", ("get_typed", {"number": "a/b ü%"}), id="encoded-parameter"),
        pytest.param("/base/typed/%FF", ("get_typed", {"number": "\ufffd"}), id="parameter-that-is-no-text"),
        pytest.param("/base/mess%61ges", ("send_sms", {}), id="encoded-letter"),
        pytest.param("/base%2Fmessages", None, id="encoded-slash"),
        pytest.param("/%62ase%2fmessages", None, id="encoded-slash-in-lower-case"),
        pytest.param("/other/a/kn%6Fwn/c", ("get_known", {}), id="encoded-letter-beside-a-parameter"),
        pytest.param("/other/a/1/x%2Ejson", ("get_file", {"b": "1", "e": "x"}), id="encoded-dot-of-a-part"),
        pytest.param("/%6Fther/a/1%2D/c", ("get_it", {"b": "1-"}), id="encoded-where-not-needed"),
        pytest.param("/other/a/1%2fc", None, id="encoded-slash-beside-a-parameter"),
        pytest.param("/base/messages/", None, id="trailing-slash"),
        pytest.param("/base/typed/5/", None, id="trailing-slash-after-a-parameter"),
        pytest.param("/base/typed/", None, id="empty-parameter"),
        pytest.param("/base/typed/5/6", None, id="more"),
        pytest.param("/base//messages", None, id="two-slashes"),
        pytest.param("/Base/messages", None, id="case"),
        pytest.param("/nobody/base/messages", None, id="unknown-vendor"),
        pytest.param("/acme", None, id="vendor-alone"),
        pytest.param("/acme/other/a/1/c", None, id="another-vendors-path-under-it"),
        pytest.param("/other/a/1/c", ("get_it", {"b": "1"}), id="other-vendor"),
        pytest.param("/other/a/1.c", None, id="a-slash-is-a-slash"),
        pytest.param("/other/a/known/c", ("get_known", {}), id="without-a-parameter-first"),
        pytest.param("/other/a/known/x", ("get_below", {"d": "x"}), id="a-name-before-a-parameter"),
        pytest.param("/other/a/1/x.json", ("get_file", {"b": "1", "e": "x"}), id="part-of-a-segment"),
        pytest.param("/other/a/1/.json", None, id="empty-part-of-a-segment"),
        pytest.param("other/a/1/c", None, id="no-slash-before"),
        pytest.param("/other/a/1/c" + "/x" * 5000, None, id="too-many-segments"),
        pytest.param("", None, id="empty"),
        pytest.param("*", None, id="asterisk"),
    ],
)
def test_by_path(router: VendorRouter, path: str, expected: tuple[str, dict[str, str]] | None) -> None:
    """A path is one operation's or nobody's; nothing is redirected to something like it."""
    assert found(router, path) == expected
    assert found(router, path, host="") == expected


@pytest.mark.parametrize("host", ["api.acme.test", "API.ACME.test", "api.acme.test:8080", "shared.test:1"])
def test_by_host(router: VendorRouter, host: str) -> None:
    """The vendor's own host, in any case and with any port, has the vendor's paths and no prefix."""
    assert found(router, "/base/messages", host) == ("send_sms", {})
    assert found(router, "/acme/base/messages", host) is None
    assert found(router, "/nothing", host) is None


def test_a_host_that_two_vendors_share(router: VendorRouter) -> None:
    """Both are found there; at a host of one alone, the other is not."""
    assert found(router, "/other/a/1/c", "shared.test") == ("get_it", {"b": "1"})
    assert found(router, "/base/messages", "shared.test") == ("send_sms", {})
    assert found(router, "/other/a/1/c", "api.acme.test") is None


def test_methods_of_a_path(router: VendorRouter) -> None:
    """The endpoint knows the operation of each method, and lists them sorted; the first answers any other method."""
    hit = router.find(scope_of("/other/a/1/c"))
    assert hit is not None
    endpoint = hit[0].endpoint
    assert {method: operation.spelling for method, operation in endpoint.operations.items()} == {
        "GET": "get_it",
        "PUT": "put_it",
    }
    assert endpoint.otherwise is endpoint.operations["GET"]
    assert endpoint.allow == b"GET, PUT"


@pytest.mark.parametrize(
    ("path", "first"),
    [
        pytest.param("/base/message", "POST /base/messages (acme.send_sms)", id="a-letter-missing"),
        pytest.param("/other/a/1/d", "GET, PUT /other/a/{b}/c (other.get_it)", id="with-a-parameter"),
    ],
)
def test_nearest(router: VendorRouter, path: str, first: str) -> None:
    """At most three operations whose path is most like the one that was asked for."""
    assert router.nearest(path)[0] == first
    assert len(router.nearest(path)) == 3


PATHS = st.lists(
    st.sampled_from(
        ["/", "/", "base", "typed", "other", "a", "known", "c", ".json", "%", "%2F", "%61", "acme", "5", "é"]
    )
).map("".join)
HOSTS = st.sampled_from(["localhost", "api.acme.test", "SHARED.test:1", "[::1]:80", ""]) | st.text(max_size=20)


@given(st.text() | PATHS, HOSTS)
@settings(deadline=None, max_examples=examples(400), derandomize=True)
def test_no_path_makes_routing_fail(router: VendorRouter, path: str, host: str) -> None:
    """Whatever a client asks for, the index and the routes agree, and something is always near."""
    hit = found(router, path, host)
    assert hit is None or all("/" not in name for name in hit[1])
    assert len(router.nearest(path)) == 3


@given(st.data())
@settings(deadline=None, max_examples=examples(100), derandomize=True)
def test_routes_that_are_taken_away(both: tuple[Contract, ...], data: st.DataObject) -> None:
    """The index follows the list: what is removed from it, or put before it, counts at once."""
    router = router_of(*both)
    for _ in range(3):
        router.routes.pop(data.draw(st.integers(0, len(router.routes) - 1)))
        for route in list(router.routes):
            assert isinstance(route, VendorRoute)
            found(router, PARAMETER.sub("known", route.path), route.host or "localhost")


def test_a_removed_route_is_nobodys(both: tuple[Contract, ...]) -> None:
    """The first route, one between, and the last: each is gone from the next request on."""
    router = router_of(*both)
    for position in (0, len(router.routes) // 2, -1):
        route = router.routes[position]
        assert isinstance(route, VendorRoute)
        scope = scope_of(PARAMETER.sub("x", route.path), route.host or "localhost")
        hit = router.find(scope)
        assert hit is not None
        assert hit[0] is route
        router.routes.remove(route)
        assert router.find(scope) is None


def test_a_route_that_comes_first(both: tuple[Contract, ...]) -> None:
    """A user's own route before a vendor's is asked first; once it is gone, the index has all again."""
    router = router_of(*both)
    scope = scope_of("/base/messages")
    assert router.find(scope) is not None
    router.routes.insert(0, Route("/base/{anything}", answer, methods=["POST"]))
    assert router.find(scope) is None
    assert walked(router.routes, scope) == (router.routes[0], {"anything": "messages"})
    router.routes.pop(0)
    assert router.find(scope) is not None


def test_a_route_of_a_user_among_the_vendors(both: tuple[Contract, ...]) -> None:
    """It hides no route before it; those behind it are found by asking."""
    router = router_of(*both)
    router.routes.insert(-1, Route("/base/{anything}", answer, methods=["POST"]))
    assert found(router, "/base/messages") == ("send_sms", {})
    last = router.routes[-1]
    assert isinstance(last, VendorRoute)
    hit = walked(router.routes, scope_of(PARAMETER.sub("x", last.path)))
    assert hit is not None
    assert hit[0] is last
    assert router.find(scope_of(PARAMETER.sub("x", last.path))) is None


def test_paths_of_ours_are_never_a_vendors(tmp_path: Path) -> None:
    """A vendor whose paths begin with a parameter does not hide the control API."""
    file = tmp_path / "greedy.yaml"
    file.write_text(OTHER.replace('/other"', '"').replace("  /a/{b}/c:", "  /{b}/c:").replace("shared", "greedy"))
    router = router_of(*load_contracts([file]))
    assert found(router, "/x/c") == ("get_it", {"b": "x"})
    assert router.find(scope_of("/_mock/c")) is None
    assert router.find(scope_of("/%5Fmock/c")) is None


@pytest.mark.parametrize("raw", [None, b""])
@pytest.mark.parametrize("value", ["5", "a%2Fb", "ü 100%", "x:@y"])
def test_a_server_that_keeps_no_raw_path(router: VendorRouter, value: str, raw: bytes | None) -> None:
    """The decoded path is encoded again, so that it is not decoded twice."""
    scope = {**scope_of("/"), "path": f"/base/typed/{value}", "raw_path": raw}
    hit = router.find(scope)
    assert hit == walked(router.routes, scope)
    assert hit is not None
    assert hit[1] == {"number": value}


def test_a_raw_path_with_its_query(router: VendorRouter) -> None:
    """The query is no part of the path, though some clients leave it there."""
    scope = {**scope_of("/base/typed/5"), "raw_path": b"/base/typed/5?whole=6"}
    hit = router.find(scope)
    assert hit == walked(router.routes, scope)
    assert hit is not None
    assert hit[1] == {"number": "5"}


def test_many_hosts(router: VendorRouter) -> None:
    """However many spellings of a Host header come, each finds what it finds, and few are remembered."""
    remembered = router._index._by_header  # noqa: SLF001 -- what it takes is seen nowhere else
    for number in range(MAX_HOST_HEADERS + 2):
        assert found(router, "/base/messages", f"localhost:{number}") == ("send_sms", {})
        assert found(router, "/acme/base/messages", f"api.acme.test:{number}") is None
        assert 0 < len(remembered) <= MAX_HOST_HEADERS
    assert b"localhost:%d" % number in remembered, "what came first keeps no room for good"
    for length in (MAX_HOST_LENGTH, MAX_HOST_LENGTH + 1):
        assert found(router, "/base/messages", "h" * length) == ("send_sms", {})
    assert max(map(len, remembered)) == MAX_HOST_LENGTH


def test_the_later_contract_wins(tmp_path: Path) -> None:
    """Of paths that differ in their parameters' names only, and of operations with one path and method."""
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(OTHER)
    second.write_text(OTHER.replace("{b}", "{z}").replace("name: b", "name: z"))
    router = router_of(*load_contracts([first]), *load_contracts([second]))
    assert found(router, "/other/a/1/c") == ("get_it", {"z": "1"})
    hit = router.find(scope_of("/other/a/known/c"))
    assert hit is not None
    assert hit[0].endpoint.operations["GET"].vendor == "second"


def test_only_http_matches(router: VendorRouter) -> None:
    """No vendor speaks WebSocket here."""
    assert walked(router.routes, {**scope_of("/base/messages"), "type": "websocket"}) is None


def test_shown(router: VendorRouter) -> None:
    """A route's text says where it is and what answers there."""
    texts = list(map(repr, router.routes))
    assert "VendorRoute(api.acme.test/base/messages acme.send_sms)" in texts
    assert "VendorRoute(/acme/base/messages acme.send_sms)" in texts


def test_a_path_is_worked_out_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many routes and hosts a request is held against."""
    worked_out: list[bytes] = []
    normalized = routing._normalized  # noqa: SLF001 -- what is counted

    def counting(raw: bytes) -> str:
        worked_out.append(raw)
        return normalized(raw)

    monkeypatch.setattr(routing, "_normalized", counting)
    assert client.get("/%2f%C3%A9%41", headers={"host": "api.voximplant.com"}).status_code == 404
    assert worked_out == [b"/%2f%C3%A9%41"]
