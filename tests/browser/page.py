"""What tests of the page do beside it: customers that call vendors, and whatever a page complains of."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import requests
from playwright.sync_api import Page

from tests.live import PATIENCE

SUBSCRIBER = "+12025550199"


@dataclass
class Seen:
    """Console lines and errors of pages; a connection that ends because a server does is none of theirs."""

    complaints: list[str] = field(default_factory=list)
    expected: str = "net::ERR_"  # in what is no complaint

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self._hear(line.text))

    def _hear(self, line: str) -> None:
        if self.expected not in line:
            self.complaints.append(line)


@dataclass(frozen=True)
class Client:
    """A customer of all vendors, over a socket."""

    url: str
    session: requests.Session
    shape: dict[str, Any]

    @classmethod
    @contextmanager
    def made(cls, url: str, **given: Any) -> Iterator[Self]:
        with requests.Session() as session:
            client = cls(url, session, session.post(f"{url}/_mock/accounts", json=given, timeout=PATIENCE).json())
            yield client

    @property
    def id(self) -> str:
        return str(self.shape["id"])

    def send(self, text: Any = "Hi", number: str = "+14155550123", **headers: str) -> Any:
        """A message through a vendor that takes no replies."""
        polyai = self.shape["vendors"]["polyai"]
        credentials = {
            "X-PolyAi-Auth-Token": polyai["credentials"]["api_key"],
            "X-TOKEN-ID": polyai["owned"]["connectors"][0]["id"],
        }
        body = json.dumps({"user_number": number, "message": text}, ensure_ascii=False).encode()
        return self.session.post(
            f"{self.url}/v1/outbound-sms",
            data=body,
            headers={"Content-Type": "application/json", **credentials, **headers},
            timeout=PATIENCE,
        )

    def parcel(self, text: str = "Hello", number: str = SUBSCRIBER) -> Any:
        """A message through the vendor that takes replies."""
        data = self.shape["vendors"]["parcel"]
        body = {"from": data["owned"]["lines"][0]["number"], "to": number, "text": text}
        headers = {"x-key": data["credentials"]["api_key"]}
        return self.session.post(f"{self.url}/messages", json=body, headers=headers, timeout=PATIENCE)

    def control(self, method: str, path: str, **more: Any) -> Any:
        """The control API's answer."""
        response = self.session.request(method, f"{self.url}/_mock/{path}", timeout=PATIENCE, **more)
        assert response.status_code < 400, response.text
        return response.json() if response.content else None
