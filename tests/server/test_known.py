"""Methods that a vendor documents and nobody answers here: a 501 in our own words, by path and by name."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from tests.evidence import ROOT
from tests.server.programs import replays_in


def asked(client: TestClient, method: str, path: str, **sent: object) -> tuple[int, str, dict[str, object]]:
    """Status, type and body of the answer, and beside them the call as it is recorded."""
    response = client.request(method, path, **sent)  # type: ignore[arg-type]  # what httpx takes
    return response.status_code, response.headers["content-type"], response.json()


@pytest.mark.parametrize("path", ["/platform_api/GetHistoryReports", "/platform_api/GetHistoryReports/"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_by_path(client: TestClient, method: str, path: str) -> None:
    """Whatever the credentials are; the document names vendor, method, and where it is documented."""
    status, content_type, problem = asked(client, method, path)
    assert (status, content_type) == (501, "application/problem+json")
    assert problem == {
        "type": "about:blank",
        "title": "Not mocked",
        "status": 501,
        "detail": "voximplant documents GetHistoryReports (Management API reference, History); "
        "mockserver does not answer it.",
        "vendor": "voximplant",
        "method": "GetHistoryReports",
        "documented": "Management API reference, History",
    }


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"params": {"cmd": "GetRules"}}, id="query"),
        pytest.param({"data": {"cmd": "GetRules", "account_id": "1"}}, id="form"),
        pytest.param({"files": {"cmd": (None, "GetRules")}}, id="multipart"),
    ],
)
def test_by_command(client: TestClient, sent: dict[str, object]) -> None:
    """The other shape of the same call gets the same."""
    status, _, problem = asked(client, "POST", "/platform_api", **sent)
    assert (status, problem["method"]) == (501, "GetRules")


@pytest.mark.parametrize(
    ("method", "path", "vendor"),
    [
        ("GET", "/rest/profile/messaging", "opentact"),
        ("DELETE", "/opentact/rest/token/abc", "opentact"),
        ("POST", "/api/public/bot/st-1/getMessagesV2", "koreai"),
        ("GET", "/v1/agents/project/telephony/phone-numbers", "polyai"),
        ("GET", "/v1/conversations/1234.json", "avaamo"),
    ],
)
def test_neighbours(client: TestClient, method: str, path: str, vendor: str) -> None:
    """What a vendor documents beside the operation, by method and path."""
    status, _, problem = asked(client, method, path)
    assert (status, problem["vendor"]) == (501, vendor)
    assert str(problem["method"]).startswith(f"{method} /")


def test_how_it_is_recorded(client: TestClient, app: Application) -> None:
    """As a call of the customer whose credential it carries, with the vendor and without an operation or evidence."""
    key = replays_in(app)["opentact"].value({"default": "/keys/0/api_key"})
    response = client.get("/rest/profile/messaging", headers={"Authorization": f"Bearer {key}"})
    call = client.get(f"/_mock/calls/{response.headers['x-mock-call']}").json()
    assert (call["account"], call["vendor"], call["operation"], call["answer"]) == ("default", "opentact", None, None)
    assert (call["chosen_by"], call["evidence"], call["evidence_parts"], call["accepted"]) == (
        "known",
        None,
        None,
        False,
    )
    listed = client.get("/_mock/calls", params={"account": "default", "vendor": "opentact"}).json()["calls"]
    assert call["id"] in {one["id"] for one in listed}


def test_another_method_of_such_a_path(client: TestClient) -> None:
    """Nobody documents it: a 404 as anywhere else, which tells what is documented there."""
    status, _, problem = asked(client, "PATCH", "/rest/order")
    assert (status, problem["nearest"]) == (404, ["POST /rest/order (opentact, not mocked)"])


def test_allow(client: TestClient) -> None:
    """OPTIONS tells the methods that are documented."""
    assert client.options("/rest/profile/messaging").headers["allow"] == "GET, POST"


def test_a_path_with_an_operation_too(tmp_path: Path) -> None:
    """One method is answered, another known, and a third gets the contract's answer with all that are documented."""
    text = (ROOT / "contracts" / "polyai.yaml").read_text("utf-8")
    known = text.replace("  known:\n", "  known:\n    GET /v1/outbound-sms: A list\n")
    (tmp_path / "polyai.yaml").write_text(known, "utf-8")
    app = create_app(Settings(contracts=(tmp_path,), builtin=False))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/v1/outbound-sms").status_code == 501
        assert client.post("/v1/outbound-sms").status_code == 401
        refused = client.put("/v1/outbound-sms")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")


def test_what_is_listed(client: TestClient) -> None:
    """The listing of contracts names them."""
    contracts = {one["vendor"]: one for one in client.get("/_mock/contracts").json()["contracts"]}
    assert {"method": "POST", "path": "/rest/order", "documented": "Order Phone Number"} in contracts["opentact"][
        "known"
    ]
