import requests
from dirty_equals import IsStr

from mockserver.testing import MockVendors
from tests.examples.sending import send


def test_what_was_sent(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    send(polyai, "+14155550123", "Hi Jane, your code is 493817")
    call = polyai.send_sms.assert_accepted_once(
        recipient="+1 415 555 0123",  # its digits are compared
        json={"message": IsStr(regex=r"Hi Jane, your code is \d{6}")},  # other members may be anything
        headers={"Content-Type": "application/json"},
        when={"/body/message": {"maxLength": 160}},  # JSON Schema, by pointer
    )
    assert call.request.json["message"].endswith("493817")
    assert call.response.status == 202
    polyai.send_sms.assert_not_called(recipient="+14155550199")
    mock_vendors.assert_accepted(times=1)  # by all vendors together


def test_path_and_query(mock_vendors: MockVendors) -> None:
    avaamo, voximplant = mock_vendors.avaamo, mock_vendors.voximplant
    channel = avaamo.owned["channels"][0]["uuid"]
    requests.post(
        f"{avaamo.url}/sms/{channel}/send.json", json={"first_name": "John", "to_phone": "+14155550123"}, timeout=5
    )
    avaamo.send_sms.assert_accepted_once(path=f"/sms/{channel}/send.json")
    query = {"source": voximplant.owned["numbers"][0]["number"], "destination": "447700900222", "sms_body": "Hi"}
    headers = {"Authorization": f"Bearer {voximplant.tokens['Jwt']}"}
    requests.get(f"{voximplant.url}/platform_api/SendSmsMessage", params=query, headers=headers, timeout=5)
    voximplant.assert_accepted_once(query={"sms_body": "Hi"})


def test_what_was_refused(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    assert send(polyai, number="nobody").status_code == 400
    call = polyai.send_sms.assert_refused(times=1)[0]
    assert (call.problems[0].kind, call.problems[0].at) == ("invalid", "/body/user_number")


def test_calls_and_verdict(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    send(polyai, text="first")
    send(polyai, text="second")
    assert polyai.send_sms.call_count == 2
    assert polyai.calls.first.request.json["message"] == "first"
    assert [call.accepted for call in polyai.calls] == [True, True]
    verdict = polyai.send_sms.verify(at_least=3)  # never raises
    assert not verdict.verified
    assert "expected at least 3" in verdict.message
    polyai.send_sms.reset()  # forgets its calls and removes its pins
    assert not polyai.send_sms.called
