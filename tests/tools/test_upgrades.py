"""Clients that offer HTTP/2 in clear text on their own: their bodies arrive, on the first request and the next."""

import json
from pathlib import Path

import pytest

from mockserver.testing import MockServer
from mockserver.testing.account import Account
from tests.live import Live
from tests.tools.installing import execute

BODY = {"user_number": "+14155550123", "message": "See you tomorrow at 2pm."}


@pytest.fixture
def account(server: Live) -> Account:
    return MockServer(server.url).account()


def arguments(account: Account) -> tuple[str, str, str, str]:
    """Address, key, connector and body."""
    polyai = account.polyai
    key, connector = polyai.credentials["api_key"], polyai.owned["connectors"][0]["id"]
    return f"{polyai.url}/v1/outbound-sms", key, connector, json.dumps(BODY)


def test_java(account: Account) -> None:
    """The JDK's HttpClient, twice on a connection, and its HttpURLConnection, as they come, or waiting to be told."""
    program = Path(__file__).with_name("Send.java")
    assert execute("java", program, *arguments(account)).split() == ["202"] * 5 + ["400"]
    account.polyai.send_sms.assert_accepted(times=5, json=BODY)


@pytest.mark.parametrize("way", [(), ("--header", "Transfer-Encoding: chunked")], ids=["length", "chunked"])
def test_curl(account: Account, way: tuple[str, ...]) -> None:
    """``curl --http2``, with two requests on one connection."""
    url, key, connector, body = arguments(account)
    headers = [f"X-PolyAi-Auth-Token: {key}", f"X-TOKEN-ID: {connector}", "Content-Type: application/json", "Expect:"]
    given = [word for header in headers for word in ("--header", header)]
    request = ["--http2", "--silent", "--write-out", "%{http_code} ", *given, *way, "--data", body, url]
    assert execute("curl", *request, "--next", *request).split() == ["202", "202"]
    account.polyai.send_sms.assert_accepted(times=2, json=BODY)
