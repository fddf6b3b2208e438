"""An application that talks with people by SMS: the code under test of the two-way example."""

import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockserver.testing import Vendor


class Shop:
    """Sends codes, reads receipts and replies. ``app`` takes the vendor's callbacks."""

    def __init__(self, parcel: Vendor) -> None:
        self._parcel = parcel
        self.states: list[str] = []
        self.left: set[str] = set()
        self.app = Starlette(
            routes=[
                Route("/receipts", self._receipt, methods=["POST"]),
                Route("/replies", self._reply, methods=["POST"]),
            ]
        )

    def send_code(self, number: str, code: str) -> None:
        """Send a one-time code."""
        message = {"from": self._parcel.owned["lines"][0]["number"], "to": number, "text": f"Your code is {code}"}
        headers = {"x-key": self._parcel.credentials["api_key"]}
        requests.post(f"{self._parcel.url}/messages", json=message, headers=headers, timeout=5).raise_for_status()

    async def _receipt(self, request: Request) -> Response:
        self.states.append((await request.json())["state"])
        return Response()

    async def _reply(self, request: Request) -> Response:
        reply = await request.json()
        if reply["text"] == "STOP":
            self.left.add(reply["from"])
        return Response()
