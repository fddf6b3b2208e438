"""The vendor's own SDKs read numbers, histories and the results of A2P messages through their own methods."""

from typing import Any

import pytest
import requests

from tests.live import PATIENCE, Live
from tests.tools.installing import execute
from tests.tools.sdks import Customer, Sdk, call, send

RECIPIENT = "447443332212"


def sender(server: Live, customer: Customer) -> str:
    """The customer's SenderID."""
    shape = requests.get(f"{server.url}/_mock/accounts/{customer.id}", timeout=PATIENCE).json()
    name: str = shape["vendors"]["voximplant"]["owned"]["senders"][0]["name"]
    return name


def test_python_reads(python: Sdk, server: Live, customer: Customer) -> None:
    """Numbers are numbers and dates are dates, as the SDK declares them; a number is enabled by ControlSms."""
    number = customer.numbers[1]
    assert send(python, server, customer, number, "Hi")["raised"][0] == 386
    assert call(python, server, customer, "control_sms", phone_number=number, command="enable") == {"result": 1}
    listed = call(python, server, customer, "get_phone_numbers", phone_number=number)
    (shown,) = listed["result"]
    assert (listed["total_count"], shown["phone_number"], shown["is_sms_enabled"]) == (1, number, True)
    assert (shown["phone_next_renewal"][0], shown["phone_purchase_date"][0]) == ("date", "datetime")
    sent = send(python, server, customer, number, "Hi")
    (row,) = call(python, server, customer, "get_sms_history", direction="OUT")["result"]
    assert (row["message_id"], row["source_number"], row["destination_number"]) == (
        sent["message_id"],
        int(number),
        int(RECIPIENT),
    )
    assert (row["processed_date"][0], "text" in row) == ("date", False)
    account = call(python, server, customer, "get_account_info", return_live_balance=True)
    assert (account["api_address"], account["result"]["created"][0]) == (f"127.0.0.1:{server.port}", "datetime")


def test_python_a2p(python: Sdk, server: Live, customer: Customer) -> None:
    """One message for each recipient that is not refused; each stands in the history with its text."""
    source = sender(server, customer)
    numbers = [RECIPIENT, "15005550385"]
    sms = {"src_number": source, "dst_numbers": numbers, "text": "Sale", "store_body": True}
    answer = call(python, server, customer, "a2p_send_sms", **sms)
    ((sent,), (failed,)) = answer["result"], answer["failed"]
    assert (sent["destination_number"], failed["error_code"], answer["fragments_count"]) == (RECIPIENT, 385, 1)
    (row,) = call(python, server, customer, "a2p_get_sms_history", message_id=sent["message_id"])["result"]
    assert (row["source_number"], row["text"], row["processing_date"][0]) == (source, "Sale", "date")


def test_python_fails_on_the_published_shape(python: Sdk, server: Live, customer: Customer) -> None:
    """The types of the published sample, which a pin asks for, are not those that this SDK can read."""
    send(python, server, customer, customer.numbers[0], "Hi")
    pin = {"account": customer.id, "answers": ["listed_as_published"]}
    pinned = requests.put(f"{server.url}/_mock/pins/voximplant.get_sms_history", json=pin, timeout=PATIENCE)
    assert pinned.ok, pinned.text
    endpoint = f"127.0.0.1:{server.port}"
    with pytest.raises(AssertionError, match="unconverted data remains"):
        execute(*python, endpoint, customer.credentials, "get_sms_history", "{}", timeout=PATIENCE)


def test_node_reads(node: Sdk, server: Live, customer: Customer) -> None:
    """The same through the SDK for Node.js, which has its own names for all members."""
    number: Any = customer.numbers[1]
    assert call(node, server, customer, "SMS.controlSms", phoneNumber=number, command="enable") == {"result": 1}
    (shown,) = call(node, server, customer, "PhoneNumbers.getPhoneNumbers", phoneNumber=number)["result"]
    assert (shown["phoneNumber"], shown["isSmsEnabled"], shown["isSmsSupported"]) == (number, True, True)
    sent = send(node, server, customer, number, "Hi")
    (row,) = call(node, server, customer, "SMS.getSmsHistory", direction="out")["result"]
    assert (row["messageId"], row["sourceNumber"], row["text"]) == (sent["messageId"], int(number), "Hi")
    sms = {"srcNumber": sender(server, customer), "dstNumbers": f"{RECIPIENT};15005550385", "text": "Sale"}
    answer = call(node, server, customer, "SMS.a2PSendSms", **sms)
    assert [one["destinationNumber"] for one in answer["result"]] == [RECIPIENT]
    assert [(one["destinationNumber"], one["errorCode"]) for one in answer["failed"]] == [("15005550385", 385)]
    listed = call(node, server, customer, "SMS.a2PGetSmsHistory", count=10)
    assert (listed["totalCount"], listed["result"][0]["messageId"]) == (1, answer["result"][0]["messageId"])
