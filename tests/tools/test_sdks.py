"""The vendor's own SDKs, unchanged but for where they connect, send through a live server."""

from typing import Any

import requests

from tests.live import PATIENCE, Live
from tests.tools.sdks import Customer, Sdk, send


def recorded(server: Live, customer: Customer) -> Any:
    """The customer's one call."""
    listed = requests.get(f"{server.url}/_mock/calls?account={customer.id}", timeout=PATIENCE).json()["calls"]
    assert len(listed) == 1
    call = listed[0]
    assert (call["operation"], call["recipient"]) == ("voximplant.send_sms", "+447443332212")
    assert (call["request"]["method"], call["request"]["path"]) == ("POST", "/platform_api")
    return call


def test_python(python: Sdk, server: Live, customer: Customer) -> None:
    """The Python SDK gets its dictionary, fragments counted; its form is recorded as it came."""
    text = "Привет, мир! " * 8  # 104 UTF-16 units: two fragments of 67
    answer = send(python, server, customer, customer.numbers[0], text)
    assert answer == {"result": 1, "message_id": answer["message_id"], "fragments_count": 2}
    call = recorded(server, customer)
    assert (call["answer"], call["problems"]) == ("voximplant.send_sms/sent", [])
    assert sorted(call["request"]["form"]) == [
        ["cmd", "SendSmsMessage"],
        ["destination", "447443332212"],
        ["sms_body", text],
        ["source", customer.numbers[0]],
    ]


def test_python_error(python: Sdk, server: Live, customer: Customer) -> None:
    """An API error is raised as the SDK's exception, with the vendor's code and text."""
    answer = send(python, server, customer, customer.numbers[1], "Test message")
    assert answer == {"raised": [386, "SMS disabled for number"]}
    assert recorded(server, customer)["answer"] == "voximplant.send_sms/disabled"


def test_node(node: Sdk, server: Live, customer: Customer) -> None:
    """The Node SDK, whose form is multipart and chunked, gets its object, members spelled its way."""
    answer = send(node, server, customer, customer.numbers[0], "Test message")
    assert answer == {"result": 1, "messageId": answer["messageId"], "fragmentsCount": 1}
    call = recorded(server, customer)
    assert (call["answer"], call["problems"]) == ("voximplant.send_sms/sent", [])
    assert ["transfer-encoding", "chunked"] in call["request"]["headers"]
    assert sorted(call["request"]["form"]) == [
        ["cmd", "SendSmsMessage"],
        ["destination", "447443332212"],
        ["sms_body", "Test message"],
        ["source", customer.numbers[0]],
        ["store_body", "true"],
    ]


def test_node_error(node: Sdk, server: Live, customer: Customer) -> None:
    """An API error is no rejection there, but a member of the answer."""
    answer = send(node, server, customer, customer.numbers[1], "Test message")
    assert answer == {"error": {"code": 386, "msg": "SMS disabled for number"}}
    assert recorded(server, customer)["answer"] == "voximplant.send_sms/disabled"


def test_foreign_number(python: Sdk, server: Live, customer: Customer) -> None:
    """Another account's number cannot be sent from."""
    answer = send(python, server, customer, "447700900111", "Test message")
    assert answer["raised"][0] == 422
    assert recorded(server, customer)["problems"][0]["kind"] == "foreign"
