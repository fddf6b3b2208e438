import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockserver.testing import MockVendors, Vendor


async def take_callback(request: Request) -> Response:
    """The code under test: it takes receipts and replies, as OpenTACT sends them."""
    message = await request.json()
    app.state.delivered |= message["type"] == "smso" and message["delivered"]
    app.state.unsubscribed |= message["type"] == "smsi" and message["message"] == "STOP"
    return Response()


app = Starlette(routes=[Route("/opentact", take_callback, methods=["POST"])])  # or FastAPI, Flask, Django
app.state.delivered = app.state.unsubscribed = False


def send_code(opentact: Vendor, number: str, code: str) -> None:
    """The code under test: it sends a one-time code."""
    body = {"from": opentact.owned["leases"][0]["tn"], "to": number, "text": f"Your code is {code}"}
    headers = {"Authorization": f"Bearer {opentact.tokens['ApiKey']}"}
    requests.post(f"{opentact.url}/sms/o", json=body, headers=headers, timeout=5).raise_for_status()


def test_a_conversation(mock_vendors: MockVendors) -> None:
    opentact, phone = mock_vendors.opentact, mock_vendors.inbox("+12025550199")
    send_code(opentact, phone.number, "4711")
    assert phone.wait_for("code", within=2).code == "4711"
    opentact.assert_delivered(recipient=phone.number, within=2)
    mock_vendors.callbacks.deliver_to(app)  # the receipts; an application with a port gets them by itself
    assert app.state.delivered
    phone.reply("STOP")
    mock_vendors.callbacks.deliver_to(app)
    assert app.state.unsubscribed
    opentact.sms_received.assert_called(json={"message": "STOP"}, times=1)
