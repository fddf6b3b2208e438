"""What the server says of itself: health, description, contracts; and how the control API refuses."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography import x509
from starlette.testclient import TestClient

import mockserver
from mockserver.server.application import create_app
from mockserver.server.control.contracts import description
from mockserver.server.control.requests import on_api_error, on_http_exception
from mockserver.spec.root_schema import schema_text
from mockserver.store.kinds import StoreUnavailableError
from tests.engine.workbench import acme
from tests.server.acme_customer import SETTINGS


def test_health(acme_client: TestClient) -> None:
    """Ready, which version, for whom, by which versions of the contracts."""
    assert acme_client.get("/_mock/health").json() == {
        "status": "ready",
        "version": mockserver.__version__,
        "store": "memory",
        "vendors": ["acme"],
        "contracts": {"acme": "1"},
    }


def test_health_says_where_calls_are_kept(tmp_path: Path) -> None:
    """In a file they outlive the server; which one is not told to whoever asks."""
    app = create_app(replace(SETTINGS, store=str(tmp_path / "calls.db")))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/_mock/health").json()["store"] == "file"
        assert "calls.db" not in client.get("/_mock/health").text


def test_health_of_a_server_that_ends() -> None:
    """Whoever balances load is told to send no more calls."""
    app = create_app(SETTINGS)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/_mock/health").status_code == 200
        app.end_waits()
        stopping = client.get("/_mock/health")
    assert (stopping.status_code, stopping.json()["status"]) == (503, "stopping")


def test_health_of_a_server_that_drains() -> None:
    """It says so while it answers still, and whoever waits for a call goes on waiting."""
    app = create_app(SETTINGS)
    with TestClient(app, base_url="http://localhost") as client:
        app.begin_end()
        stopping = client.get("/_mock/health")
        assert client.get("/_mock/calls").status_code == 200
    assert (stopping.status_code, stopping.json()["status"]) == (503, "stopping")
    assert app.store.is_waited_on


def test_health_without_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls would be refused: another server may be able to answer them."""
    app = create_app(SETTINGS)

    async def refuse() -> None:
        raise StoreUnavailableError("gone")

    with TestClient(app, base_url="http://localhost") as client:
        monkeypatch.setattr(app.store, "check", refuse)
        health = client.get("/_mock/health")
    assert (health.status_code, health.json()["status"]) == (503, "unavailable")
    schema = {**description(), "$ref": "#/components/schemas/Health"}
    jsonschema.Draft202012Validator(schema).validate(health.json())


def test_contracts(acme_client: TestClient) -> None:
    """Each operation with its answers, their evidence, and the recipient that forces them."""
    (found,) = acme_client.get("/_mock/contracts").json()["contracts"]
    schema = {**description(), "$ref": "#/components/schemas/Contract"}
    jsonschema.Draft202012Validator(schema).validate(found)
    assert (found["vendor"], found["title"], found["version"]) == ("acme", "Acme", "1")
    assert found["url"] == "http://localhost/base"
    operations = {operation["spelling"]: operation for operation in found["operations"]}
    assert list(operations) == [operation.spelling for operation in acme().operations]
    send = operations["send_sms"]
    assert (send["id"], send["method"], send["path"]) == ("acme.send_sms", "POST", "/messages")
    answers = {answer["id"].partition("/")[2]: answer for answer in send["answers"]}
    assert answers["too_long"] == {
        "id": "acme.send_sms/too_long",
        "status": 400,
        "accepted": False,
        "evidence": "assumed",
        "evidence_parts": {**dict.fromkeys(("status", "shape", "text", "trigger"), "assumed"), "headers": None},
        "evidence_reasons": dict.fromkeys(("status", "shape", "text", "trigger"), "a guess"),
        "magic": "+15005550414",
    }
    assert (answers["busy"]["status"], answers["busy"]["accepted"], answers["busy"]["magic"]) == (
        200,
        False,
        "+15005550503",
    )
    assert (answers["sent"]["evidence"], answers["sent"]["evidence_reasons"]["status"]) == ("page", "a page")
    assert [answer["magic"] for answer in operations["ping"]["answers"]] == [None, None]


def test_one_contract(acme_client: TestClient) -> None:
    """The document as it is, but for its servers: tools that read it send here."""
    found = acme_client.get("/_mock/contracts/acme").json()
    assert found["servers"] == [{"url": "http://localhost/base"}]
    assert {**found, "servers": None} == {**json.loads(json.dumps(acme().document)), "servers": None}
    missing = acme_client.get("/_mock/contracts/nobody")
    assert (missing.status_code, missing.json()["pointer"]) == (404, "/path/vendor")


def test_trust(acme_client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hosts of the contracts, and a CA that can sign for them alone, as PEM and as Java's store."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = acme_client.get("/_mock/trust").json()
    document = paths()["/_mock/trust"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(document).validate(found)
    assert found["hosts"] == ["api.acme.test", "shared.test"]
    extensions = x509.load_pem_x509_certificate(found["ca"].encode()).extensions
    allowed = extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    names = [one.value for one in allowed if isinstance(one, x509.DNSName)]
    assert names == ["api.acme.test", "shared.test", "localhost"]
    assert found["java_store"] is None or len(base64.b64decode(found["java_store"])) > 100
    assert acme_client.get("/_mock/trust").json()["ca"] == found["ca"]


def paths() -> dict[str, Any]:
    return dict(description()["paths"])


def test_the_description_is_whole(acme_client: TestClient) -> None:
    """Every path that it lists exists, with exactly its methods."""
    found = acme_client.get("/_mock/openapi.json").json()
    assert found["servers"] == [{"url": "http://localhost"}]
    assert {**found, "servers": 0} == {**description(), "servers": 0}
    for path, item in paths().items():
        response = acme_client.request("TRACE", path.replace("{", "").replace("}", ""))
        methods = {method.upper() for method in item if method in {"get", "put", "post", "delete", "patch"}}
        assert response.status_code == 405
        assert set(response.headers["allow"].split(", ")) - {"HEAD"} == methods


def test_the_schema_of_contracts_is_served(acme_client: TestClient) -> None:
    """Editors take it from the server: it is what `contract schema` prints."""
    response = acme_client.get("/_mock/contract-schema.json")
    assert (response.text, response.headers["content-type"]) == (schema_text(), "application/schema+json")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        pytest.param("/_mock/accounts", "GET, HEAD, POST", id="two"),
        pytest.param("/_mock/calls", "DELETE, GET, HEAD", id="sorted"),
        pytest.param("/_mock/accounts/default/reset", "POST", id="one"),
    ],
)
def test_another_method(acme_client: TestClient, path: str, allow: str) -> None:
    """It is refused in our form, with all that are allowed."""
    response = acme_client.patch(path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Method not allowed",
        "status": 405,
        "detail": "Method Not Allowed",
    }


@pytest.mark.parametrize("path", ["/_mock/health", "/_mock/accounts/default", "/_mock/calls", "/_mock/openapi.json"])
def test_head(acme_client: TestClient, path: str) -> None:
    """A health check by HEAD is one by GET without the body."""
    assert acme_client.head(path).status_code == acme_client.get(path).status_code == 200
    assert acme_client.head("/_mock/accounts/nobody").status_code == 404


@pytest.mark.parametrize("path", ["/_mock/nothing", "/_mock/calls/", "/_mock/contracts/a/b", "/_mock/Health"])
def test_unknown_paths(acme_client: TestClient, path: str) -> None:
    """They are not found, with a pointer to what there is; no slash is added or taken."""
    response = acme_client.get(path, follow_redirects=False)
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert "/_mock/openapi.json" in response.json()["detail"]
    assert response.json()["title"] == "Not found"


@pytest.mark.anyio
@pytest.mark.parametrize("handler", [on_api_error, on_http_exception])
async def test_other_errors_are_not_dressed_up(handler: Any) -> None:
    """What is no refusal of ours goes on as the error that it is."""
    with pytest.raises(ZeroDivisionError):
        await handler(None, ZeroDivisionError())
