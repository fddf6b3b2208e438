"""Routing: by path at the root, under the vendor's name, and by the vendor's host."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.server.routing import Router
from mockserver.spec.load import load_contracts
from tests.engine.workbench import acme

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
        "200": {description: Yes., x-mock: {name: done, source: a page}}
        "400": {description: No., x-mock: {name: refused, source: a page}}
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


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Router:
    file = tmp_path_factory.mktemp("contracts") / "other.yaml"
    file.write_text(OTHER)
    return Router((acme(), *load_contracts([file])))


def found(router: Router, path: str, host: str = "localhost") -> tuple[str, dict[str, str]] | None:
    """Which operation answers there by default, and the path's parameters; ``path`` is as on the wire."""
    hit = router.find(host.encode(), unquote(path), path.encode())
    return None if hit is None else (hit[0].otherwise.spelling, hit[1])


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
def test_by_path(router: Router, path: str, expected: tuple[str, dict[str, str]] | None) -> None:
    """A path is one operation's or nobody's; nothing is redirected to something like it."""
    assert found(router, path) == expected
    assert found(router, path, host="") == expected


@pytest.mark.parametrize("host", ["api.acme.test", "API.ACME.test", "api.acme.test:8080", "shared.test:1"])
def test_by_host(router: Router, host: str) -> None:
    """The vendor's own host, in any case and with any port, has the vendor's paths and no prefix."""
    assert found(router, "/base/messages", host) == ("send_sms", {})
    assert found(router, "/acme/base/messages", host) is None
    assert found(router, "/nothing", host) is None


def test_a_host_that_two_vendors_share(router: Router) -> None:
    """Both are found there; at a host of one alone, the other is not."""
    assert found(router, "/other/a/1/c", "shared.test") == ("get_it", {"b": "1"})
    assert found(router, "/base/messages", "shared.test") == ("send_sms", {})
    assert found(router, "/other/a/1/c", "api.acme.test") is None


def test_methods_of_a_path(router: Router) -> None:
    """The endpoint knows the operation of each method, and lists them sorted; the first answers any other method."""
    hit = router.find(b"", "/other/a/1/c", b"/other/a/1/c")
    assert hit is not None
    assert {method: operation.spelling for method, operation in hit[0].operations.items()} == {
        "GET": "get_it",
        "PUT": "put_it",
    }
    assert (hit[0].allow, hit[0].otherwise.spelling) == (b"GET, PUT", "get_it")


@pytest.mark.parametrize(
    ("path", "first"),
    [
        pytest.param("/base/message", "POST /base/messages (acme.send_sms)", id="a-letter-missing"),
        pytest.param("/other/a/1/d", "GET, PUT /other/a/{b}/c (other.get_it)", id="with-a-parameter"),
    ],
)
def test_nearest(router: Router, path: str, first: str) -> None:
    """At most three operations whose path is most like the one that was asked for."""
    assert router.nearest(path)[0] == first
    assert len(router.nearest(path)) == 3


@given(
    st.text()
    | st.lists(st.sampled_from(["/", "base", "typed", "%", "%2F", "acme", "messages", "..", "5", "\x00"])).map("".join),
    st.text(max_size=20),
)
@settings(deadline=None, max_examples=200, derandomize=True)
def test_no_path_makes_routing_fail(path: str, host: str) -> None:
    """Whatever a client asks for, there is an endpoint or none, and always something near."""
    router = Router((acme(),))
    hit = router.find(host.encode(errors="replace"), path, quote(path, errors="replace").encode())
    assert hit is None or all("/" not in name for name in hit[1])
    assert len(router.nearest(path)) == 3
