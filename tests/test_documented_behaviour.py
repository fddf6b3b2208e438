"""What vendors' documents say that takes more than one exchange to show, or an account of one's own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient


def customer(client: TestClient, name: str, **vendors: Any) -> Any:
    """An account with these values."""
    client.delete(f"/_mock/accounts/{name}")
    made = client.post("/_mock/accounts", json={"id": name, "vendors": vendors})
    assert made.status_code == 201, made.text
    return made.json()["vendors"]


def test_polyai_limits_a_project(client: TestClient) -> None:
    """Connectors of an environment have the same numbers, and those of a project one rate limit."""
    numbers = ["+12125550177"]
    connectors = [{"numbers": numbers}, {"numbers": numbers}, {"numbers": numbers, "project": "PROJECT-other"}]
    polyai = customer(client, "projects", polyai={"connectors": connectors})["polyai"]
    client.put("/_mock/accounts/projects/limits", json={"polyai": {"requests": 1, "seconds": 60}})

    def send(connector: int) -> int:
        headers = {
            "X-PolyAi-Auth-Token": polyai["credentials"]["api_key"],
            "X-TOKEN-ID": polyai["owned"]["connectors"][connector]["id"],
        }
        body = {"user_number": "+14155550123", "message": "Hi", "agent_number": numbers[0]}
        return client.post("/v1/outbound-sms", json=body, headers=headers).status_code

    assert [send(connector) for connector in (0, 0, 1, 1, 2, 2)] == [202, 429, 429, 429, 202, 429]
    limits = client.get("/_mock/accounts/projects").json()["limits"]
    assert {limit["by"]: limit["remaining"] for limit in limits} == {
        polyai["owned"]["connectors"][0]["project"]: 0,
        "PROJECT-other": 0,
    }


def test_a_fresh_customer_of_polyai_has_two_connectors_of_an_environment(client: TestClient) -> None:
    """The first and the third, which have project and numbers in common; the second's environment has no numbers."""
    first, second, third = customer(client, "fresh")["polyai"]["owned"]["connectors"]
    assert first["project"] == second["project"] == third["project"]
    assert (first["numbers"], second["numbers"]) == (third["numbers"], [])
    assert len({first["id"], second["id"], third["id"]}) == 3


@pytest.mark.parametrize(
    ("body", "status", "recipient"),
    [
        pytest.param({"emp_id": "77"}, 200, "+16465550177", id="known"),
        pytest.param({"emp_id": 77, "to_phone": "+1 (415) 555-0123"}, 200, "+16465550177", id="by-its-number"),
        pytest.param({"emp_id": "78"}, 403, None, id="known-without-a-number"),
        pytest.param({"emp_id": "not-an-employee"}, 403, None, id="unknown"),
        pytest.param({}, 403, None, id="without-a-parameter"),
        pytest.param({"emp_id": {}, "to_phone": "+1 (415) 555-0123"}, 403, "+14155550123", id="no-text"),
        pytest.param({"emp_id": "1234"}, 403, None, id="of-the-contract-but-not-of-this-account"),
    ],
)
def test_avaamo_handler_decides_by_what_the_account_says(
    client: TestClient, body: Mapping[str, Any], status: int, recipient: str | None
) -> None:
    """Whom the handler of a channel knows is part of the account, and so is the number that it returns."""
    users = [{"emp_id": "77", "uuid": "user-77", "to_phone": "+16465550177"}, {"emp_id": "78", "uuid": "user-78"}]
    channel = {"custom_auth": True, "users": users}
    (made,) = customer(client, "handler", avaamo={"channels": [channel]})["avaamo"]["owned"]["channels"]
    response = client.post(f"/sms/{made['uuid']}/send.json", json=dict(body))
    assert response.status_code == status
    call = client.get(f"/_mock/calls/{response.headers['x-mock-call']}").json()
    assert call["recipient"] == recipient


def test_voximplant_says_that_a_parameter_was_given_twice(client: TestClient) -> None:
    """Two api_keys are explained as that, not as a key that is nobody's."""
    voximplant = customer(client, "twice")["voximplant"]
    credentials = voximplant["credentials"]
    query = [("account_id", credentials["account_id"]), ("api_key", "6973551"), ("api_key", credentials["api_key"])]
    query += [("source", voximplant["owned"]["numbers"][0]["number"]), ("destination", "447443332212")]
    response = client.get(f"/platform_api/SendSmsMessage/?{urlencode([*query, ('sms_body', 'Hi')])}")
    assert response.json() == {"error": {"code": 100, "msg": "Authorization failed"}}
    assert response.headers["x-mock-problem"] == "unauthenticated malformed /query/api_key"
    call = client.get(f"/_mock/calls/{response.headers['x-mock-call']}").json()
    assert (call["account"], call["problems"][0]["message"]) == (
        "twice",
        "the parameter api_key is given more than once",
    )
