"""A customer of the test contract's server, by HTTP alone."""

import base64
from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from mockserver.server.settings import Settings
from tests.engine.workbench import ACME

SETTINGS = Settings(builtin=False, contracts=(ACME.parent,), max_body=5000)


@dataclass(frozen=True)
class Customer:
    """An account, as the control API shows it, and what one does with it."""

    client: TestClient
    shape: dict[str, Any]

    @classmethod
    def made(cls, client: TestClient, account_id: str | None = None, given: dict[str, Any] | None = None) -> "Customer":
        """A fresh account; ``given`` are values of its own."""
        body = {"vendors": {"acme": given or {}}, **({"id": account_id} if account_id else {})}
        response = client.post("/_mock/accounts", json=body)
        assert response.status_code == 201, response.text
        return cls(client, response.json())

    @property
    def id(self) -> str:
        return str(self.shape["id"])

    @property
    def mine(self) -> dict[str, Any]:
        """Credentials and possessions."""
        shape = self.shape["vendors"]["acme"]
        return {**shape["credentials"], **shape["owned"]}

    @property
    def tokens(self) -> dict[str, str]:
        tokens: dict[str, str] = self.shape["vendors"]["acme"]["tokens"]
        return tokens

    @property
    def good(self) -> dict[str, Any]:
        """A body that is accepted."""
        return {"from": self.mine["lines"][0]["number"], "to": "+14155550123"}

    def send(self, path: str = "/base/messages", method: str = "POST", **request: Any) -> Any:
        """A request with the account's key; without ``json`` or ``content``, to send a message."""
        if not request.keys() & {"json", "content", "data", "files"}:
            request["json"] = self.good
        headers = {"X-Key": self.mine["key"], **request.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **request)

    def call(self, response: Any) -> dict[str, Any]:
        """The recorded call of a response."""
        call: dict[str, Any] = self.client.get(f"/_mock/calls/{response.headers['x-mock-call']}").json()
        return call

    def calls(self, **query: Any) -> list[dict[str, Any]]:
        """The account's calls, newest first."""
        found = self.client.get("/_mock/calls", params={"account": self.id, **query}).json()
        calls: list[dict[str, Any]] = found["calls"]
        return calls


def body_of(part: dict[str, Any]) -> bytes:
    """The raw body of a call's request or response, as shown."""
    return base64.b64decode(part["body_base64"] or "")
