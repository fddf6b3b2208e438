import httpx
import requests
import responses
import respx

from mockserver.testing import MockVendors
from tests.examples.sending import send


def test_beside_respx(mock_vendors: MockVendors, respx_mock: respx.MockRouter) -> None:
    opentact = mock_vendors.opentact
    respx_mock.route(host="127.0.0.1").pass_through()  # the vendors
    respx_mock.get("https://crm.example/contacts/7").respond(json={"number": "14155550123"})  # all that is no vendor
    number = httpx.get("https://crm.example/contacts/7").json()["number"]
    httpx.post(
        f"{opentact.url}/sms/o",
        json={"from": opentact.owned["leases"][0]["tn"], "to": number, "text": "Hello"},
        headers={"Authorization": f"Bearer {opentact.tokens['ApiKey']}"},
    )
    opentact.send_sms.assert_accepted_once(recipient=f"+{number}")


def test_beside_responses(mock_vendors: MockVendors) -> None:
    polyai = mock_vendors.polyai
    with responses.RequestsMock() as others:
        others.add_passthru(polyai.url)
        others.get("https://crm.example/contacts/7", json={"number": "+14155550123"})
        send(polyai, requests.get("https://crm.example/contacts/7", timeout=5).json()["number"])
    polyai.send_sms.assert_accepted_once(recipient="+14155550123")
