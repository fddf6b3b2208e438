"""The guard: this machine's own pages, or whoever has the token; no web page that was led here."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from tests.server.acme_customer import SETTINGS

TOKEN = "the-token"
EVERYWHERE = replace(SETTINGS, host="0.0.0.0")  # noqa: S104 -- nobody listens
LOCAL = {"Host": "localhost:8080"}


def client_of(settings: Any) -> TestClient:
    return TestClient(create_app(settings), base_url="http://localhost")


@pytest.fixture(scope="module")
def everywhere() -> Iterator[TestClient]:
    with client_of(replace(EVERYWHERE, admin_token=TOKEN)) as client:
        yield client


@pytest.fixture(scope="module")
def local_with_token() -> Iterator[TestClient]:
    with client_of(replace(SETTINGS, admin_token=TOKEN)) as client:
        yield client


def ask(client: TestClient, headers: Any) -> tuple[int, str | None]:
    """Status, and what was wrong."""
    response = client.get("/_mock/calls", headers=headers)
    problem = response.json()
    assert response.status_code == 200 or response.headers["content-type"] == "application/problem+json"
    return response.status_code, problem.get("pointer")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("app.localhost:8080", 200),
        ("127.0.0.1:8080", 200),
        ("127.9.9.9", 200),
        ("[::1]:8080", 200),
        ("evil.test", 403),
        ("evil.test:8080", 403),
        ("127.0.0.1.evil.test", 403),
        ("127.evil.test:8080", 403),
        ("localhost.evil.test", 403),
        ("0.0.0.0:8080", 403),
        ("192.168.1.2:8080", 403),
        ("api.acme.test", 403),
        ("[::1", 403),
        ("", 403),
        ("evil.com@127.0.0.1", 403),
        ("localhost/evil.com", 403),
        ("evil.com\\@localhost", 403),
        ("localhost?x", 403),
        ("localhost#x", 403),
        ("localhost:80:80", 403),
        ("localhost:port", 403),
        ("localhost, evil.com", 403),
        ("user:pw@localhost:8080", 403),
        ("%6cocalhost", 403),
        ("[::1%lo]", 403),
    ],
)
def test_host(acme_client: TestClient, host: str, status: int) -> None:
    """A name that does not mean this machine may have been bent to it by DNS rebinding."""
    assert ask(acme_client, {"Host": host}) == (status, None if status == 200 else "/header/host")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1:8080", 200),
        ("http://[::1]:1", 200),
        ("https://evil.test", 403),
        ("http://localhost.evil.test", 403),
        ("http://localhost@evil.test", 403),
        ("http://127.evil.test", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
        ("chrome-extension://localhost", 403),
        ("file://localhost", 403),
        ("http://localhost/", 403),
        ("http://evil.test@localhost", 403),
        ("http://localhost\\.evil.test", 403),
        ("localhost", 403),
    ],
)
def test_origin(acme_client: TestClient, origin: str, status: int) -> None:
    """A page from elsewhere has no business here, though its browser reached this machine."""
    assert ask(acme_client, {**LOCAL, "Origin": origin}) == (status, None if status == 200 else "/header/origin")


@pytest.mark.parametrize(
    ("site", "status"),
    [("cross-site", 403), ("Cross-Site ", 403), ("same-site", 200), ("same-origin", 200), ("none", 200)],
)
def test_a_page_of_another_site(acme_client: TestClient, site: str, status: int) -> None:
    """A browser says where a request comes from, also where it names no origin: a link, an image, a form."""
    expected = (status, None if status == 200 else "/header/sec-fetch-site")
    assert ask(acme_client, {**LOCAL, "Sec-Fetch-Site": site}) == expected
    reset = acme_client.post("/_mock/accounts/default/reset", headers={**LOCAL, "Sec-Fetch-Site": site})
    assert reset.status_code == (403 if status == 403 else 204)


PAGE = "https://page.example:8443"


@pytest.fixture(scope="module")
def allowing() -> Iterator[TestClient]:
    with client_of(replace(SETTINGS, allow_origin=(PAGE,))) as client:
        yield client


@pytest.fixture(scope="module")
def allowing_with_token() -> Iterator[TestClient]:
    with client_of(replace(EVERYWHERE, admin_token=TOKEN, allow_origin=(PAGE,))) as client:
        yield client


def test_a_page_whose_origin_is_allowed(allowing: TestClient) -> None:
    """It is answered, and its browser is told that it may read the answer, a refusal too."""
    page = {**LOCAL, "Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
    for path, status in (("/_mock/calls", 200), ("/_mock/calls/x", 404), ("/_mock/health", 200)):
        response = allowing.get(path, headers=page)
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (status, PAGE)
        assert response.headers["vary"] == "Origin"
    made = allowing.post("/_mock/accounts", json={}, headers=page)
    assert (made.status_code, made.headers["access-control-expose-headers"]) == (201, "Location")


def test_a_preflight(allowing: TestClient, allowing_with_token: TestClient) -> None:
    """A browser asks before it sends JSON or a token, and sends neither with the question."""
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Private-Network": "true"}
    for client in (allowing, allowing_with_token):
        response = client.options("/_mock/pins/acme.send_sms", headers={**LOCAL, "Origin": PAGE, **asks})
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers["access-control-allow-origin"] == PAGE
        assert "PUT" in response.headers["access-control-allow-methods"]
        assert response.headers["access-control-allow-headers"] == "Authorization, Content-Type"
        assert response.headers["access-control-allow-private-network"] == "true"
        refused = client.options("/_mock/pins/acme.send_sms", headers={**LOCAL, "Origin": "https://x.test", **asks})
        assert refused.status_code == (403 if client is allowing else 401)


def test_an_allowed_origin_needs_the_token_and_the_host_all_the_same(
    allowing: TestClient, allowing_with_token: TestClient
) -> None:
    """It stands for nothing but the page."""
    assert ask(allowing_with_token, {**LOCAL, "Origin": PAGE}) == (401, "/header/authorization")
    assert ask(allowing_with_token, {"Origin": PAGE, "Authorization": f"Bearer {TOKEN}"}) == (200, None)
    assert ask(allowing, {"Host": "evil.test", "Origin": PAGE}) == (403, "/header/host")


def test_other_pages_are_told_how_to_be_allowed(allowing: TestClient, acme_client: TestClient) -> None:
    """No origin is, unless it is named; nobody else gets a header of CORS."""
    for client, origin in ((acme_client, PAGE), (allowing, "https://page.example"), (allowing, f"{PAGE}0")):
        response = client.get("/_mock/calls", headers={**LOCAL, "Origin": origin})
        assert response.status_code == 403
        assert "--allow-origin" in response.json()["detail"]
        assert not [name for name in response.headers if name.startswith("access-control")]
    local = acme_client.get("/_mock/calls", headers={**LOCAL, "Origin": "http://localhost:3000"})
    assert "access-control-allow-origin" not in local.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 201, id="none"),
        pytest.param({"Content-Type": "application/x-www-form-urlencoded"}, 201, id="curl's-own"),
        pytest.param({"Content-Type": "text/plain"}, 415, id="text"),
        pytest.param(
            {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://localhost"}, 415, id="page"
        ),
        pytest.param({"Sec-Fetch-Site": "none"}, 415, id="browser"),
        pytest.param({"Sec-Fetch-Mode": "cors"}, 415, id="another-of-its-headers"),
    ],
)
def test_json_without_its_type(acme_client: TestClient, headers: dict[str, str], status: int) -> None:
    """`curl -d '{…}'` is understood; a page, which can send a form to anybody unasked, is not."""
    response = acme_client.post("/_mock/accounts", content=b'{"test": "x"}', headers={**LOCAL, **headers})
    assert response.status_code == status


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        ("Bearer another-token", 401),
        ("Bearer", 401),
        ("Bearer the-tökén", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("", 401),
    ],
)
def test_elsewhere_the_token_is_asked_for(everywhere: TestClient, authorization: str, status: int) -> None:
    """Bound beyond this machine, nothing but the token counts, whatever Host says."""
    for host in (LOCAL, {"Host": "mock.example"}):
        headers = {**host, "Authorization": authorization.encode("latin-1")}
        assert ask(everywhere, headers) == (status, None if status == 200 else "/header/authorization")
    assert ask(everywhere, LOCAL) == (401, "/header/authorization")
    refused = everywhere.get("/_mock/calls")
    assert refused.headers["www-authenticate"] == "Bearer"


def test_elsewhere_without_a_token_nobody_comes_in() -> None:
    """A Host header proves nothing: whoever reaches the server writes it."""
    with client_of(EVERYWHERE) as client:
        response = client.get("/_mock/calls", headers={**LOCAL, "Authorization": "Bearer None"})
        assert response.status_code == 403
        assert "MOCKSERVER_ADMIN_TOKEN" in response.json()["detail"]
        assert client.post("/base/messages").status_code == 400


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(LOCAL, (200, None), id="local-as-ever"),
        pytest.param({"Host": "evil.test"}, (403, "/header/host"), id="rebound"),
        pytest.param({"Host": "mock.example", "Authorization": f"Bearer {TOKEN}"}, (200, None), id="through-a-proxy"),
        pytest.param({**LOCAL, "Authorization": "Bearer x"}, (401, "/header/authorization"), id="wrong-token"),
        pytest.param({**LOCAL, "Authorization": f"Bearer {TOKEN}", "Origin": "https://x"}, (200, None), id="own-page"),
    ],
)
def test_a_local_server_with_a_token(local_with_token: TestClient, headers: dict[str, str], expected: Any) -> None:
    """The token opens it to other names; a wrong one is refused, and none is as without."""
    assert ask(local_with_token, headers) == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_mock/openapi.json"),
        ("GET", "/_mock/contracts"),
        ("GET", "/_mock/contracts/acme"),
        ("GET", "/_mock/accounts"),
        ("POST", "/_mock/accounts"),
        ("GET", "/_mock/accounts/default"),
        ("DELETE", "/_mock/accounts/default"),
        ("POST", "/_mock/accounts/default/reset"),
        ("GET", "/_mock/calls"),
        ("DELETE", "/_mock/calls?account=*"),
        ("GET", "/_mock/calls/x"),
        ("GET", "/_mock/nothing"),
        ("OPTIONS", "/_mock/calls"),
        ("GET", "/_mock/health/"),
        ("GET", "/_mock"),
    ],
)
def test_everything_is_guarded(everywhere: TestClient, method: str, path: str) -> None:
    """Each path and each method, known or not."""
    assert everywhere.request(method, path).status_code == 401


def test_health_is_open(everywhere: TestClient) -> None:
    """An orchestrator has no token; it learns nothing but that the server is ready."""
    for host in ("localhost", "10.0.0.7:8080"):
        response = everywhere.get("/_mock/health", headers={"Host": host})
        assert (response.status_code, response.json()["status"]) == (200, "ready")


def test_vendors_are_not_guarded(everywhere: TestClient) -> None:
    """The clients under test have the vendors' credentials only."""
    assert everywhere.post("/base/messages", headers={"Origin": "https://page.example"}).status_code == 400
