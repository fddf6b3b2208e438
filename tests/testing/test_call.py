"""A recorded call as a test reads it."""

import base64
import copy
from datetime import UTC, datetime

import pytest
import requests

from mockserver.testing import Account
from tests.testing.sending import TO, send


def test_every_part_is_read(account: Account) -> None:
    """A refused call has its problem, its answer's evidence, and both bodies."""
    send(account.polyai, "Hi", key="")
    (call,) = account.calls
    assert (call.vendor, call.operation) == ("polyai", "polyai.send_sms")
    assert (call.answer, call.accepted, call.chosen_by) == ("polyai.send_sms/unauthorized", False, "rule")
    assert (call.evidence, call.recipient) == ("assumed", TO)
    assert [str(problem) for problem in call.problems] == ["unauthenticated absent /header/x-polyai-auth-token"]
    assert call.problems[0].message
    assert call.received_at <= datetime.now(UTC)
    assert (call.request.method, call.request.path) == ("POST", "/v1/outbound-sms")
    assert call.request.json == {"message": "Hi", "user_number": TO}
    assert call.request.form is None
    assert call.request.headers["CONTENT-TYPE"] == "application/json"
    assert b'"Hi"' in call.request.body
    assert (call.response.status, call.response.fault) == (401, None)
    assert call.response.json["detail"]
    assert call.response.body == base64.b64decode(call.data["response"]["body_base64"])
    assert repr(call) == f"<Call {call.id} {call}>"
    assert str(call).endswith(
        "polyai.send_sms/unauthorized 401 rule unauthenticated absent /header/x-polyai-auth-token"
    )


def test_a_form_and_a_query_are_mappings(account: Account) -> None:
    """Fields of a form and parameters of a query are read by name."""
    url = f"{account.voximplant.url}/platform_api/SendSmsMessage"
    requests.post(url, params={"a": "1", "b": ""}, data={**account.voximplant.credentials, "x": "y"}, timeout=10)
    call = account.voximplant.send_sms.assert_called_once()
    assert call.request.query == {"a": "1", "b": ""}
    assert call.request.form is not None
    assert call.request.form["x"] == "y"


def test_a_path_that_no_contract_has_is_a_call_too(account: Account) -> None:
    """Where no operation was met, the line shows method and path."""
    headers = {"X-PolyAi-Auth-Token": account.polyai.credentials["api_key"]}
    requests.get(f"{account.polyai.url}/v1/outbound", headers=headers, timeout=10)
    (call,) = account.calls
    assert call.operation is None
    assert str(call).endswith("GET /v1/outbound 404 -")


def test_headers_are_a_mapping(account: Account) -> None:
    """Headers can be listed, counted and printed; one that was not sent is a KeyError."""
    send(account.polyai)
    headers = account.polyai.send_sms.assert_called_once().request.headers
    assert len(headers) == len(list(headers))
    assert "x-token-id" in repr(headers)
    with pytest.raises(KeyError, match=r"headers has no 'X-TOKN-ID'; known: host, .*Did you mean 'x-token-id'"):
        headers["X-TOKN-ID"]


def test_a_call_is_a_value(account: Account) -> None:
    """It can stand in a set, and cannot be changed; a wrong name of a part is told with the nearest."""
    send(account.polyai)
    send(account.polyai)
    first, last = account.calls
    assert {first, last, account.calls.first} == {first, last}
    for part, name in ((first, "answer"), (first, "another"), (first.request, "json"), (first.response, "another")):
        with pytest.raises(AttributeError, match=f"cannot assign to field '{name}'"):
            setattr(part, name, 1)
    with pytest.raises(AttributeError, match=r"^Call has no 'recipent'. Did you mean 'recipient'\?$"):
        _ = first.recipent  # type: ignore[attr-defined]  # the mistake itself
    with pytest.raises(KeyError, match="query has no 'q'; known: none"):
        _ = first.request.query["q"]
    assert copy.deepcopy(first) == first
