"""Calls as an HTTP Archive."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.server.har import har


def call(**changes: Any) -> dict[str, Any]:
    """A call in the control API's shape."""
    request = {
        "method": "POST",
        "path": "/v1/sms",
        "query": "a=1&b=&a=%C3%A9",
        "headers": [["host", "api.acme.example"], ["content-type", "application/json"]],
        "body_base64": base64.b64encode(b'{"to": "+1"}').decode(),
    }
    response = {
        "status": 302,
        "headers": [["Location", "/next"], ["content-type", "text/plain"]],
        "body_base64": base64.b64encode(b"moved").decode(),
        "fault": None,
    }
    given_request, given_response = changes.pop("request", {}), changes.pop("response", {})
    return {
        "id": "c-1",
        "received_at": "2030-01-01T00:00:00.000+00:00",
        "duration_ms": 1.5,
        "request": request | given_request,
        "response": response | given_response,
        "answer": "acme.send/sent",
        **changes,
    }


def entry(**changes: Any) -> dict[str, Any]:
    (found,) = har([call(**changes)])["log"]["entries"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("bots.kore.ai:443", "https://bots.kore.ai:443/"),
        ("[2001:db8::1]:443", "https://[2001:db8::1]:443/"),
        ("bots.kore.ai", "https://bots.kore.ai/"),
        ("", "https://unknown.invalid/"),
        ("http://other.example:8080/a", "http://other.example:8080/a"),
        ("/a", "http://unknown.invalid/a"),
    ],
)
def test_instead_of_a_call(path: str, url: str) -> None:
    """A tunnel, a handshake and a request for another host have an address that can be read, without a Host header."""
    assert entry(request={"path": path, "headers": [], "query": ""})["request"]["url"] == url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("api.acme.example", "https://api.acme.example/v1/sms"),
        ("API.acme.example:443", "https://API.acme.example:443/v1/sms"),
        ("api.acme.example:80", "http://api.acme.example:80/v1/sms"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/v1/sms"),
    ],
)
def test_scheme(host: str, url: str) -> None:
    """An address is the one that the client called: https at a vendor's host, whoever ended its TLS."""
    archive = har([call(request={"headers": [["host", host]], "query": ""})], {"api.acme.example"})
    assert archive["log"]["entries"][0]["request"]["url"] == url


def test_an_entry() -> None:
    """Each member that HAR 1.2 asks for is there."""
    found = entry()
    assert found["startedDateTime"] == "2030-01-01T00:00:00.000+00:00"
    assert found["time"] == 1.5 == sum(found["timings"].values())
    assert found["cache"] == {}
    assert found["_mockserver"] == {"id": "c-1", "answer": "acme.send/sent"}
    assert found["request"] == {
        "method": "POST",
        "url": "http://api.acme.example/v1/sms?a=1&b=&a=%C3%A9",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [
            {"name": "host", "value": "api.acme.example"},
            {"name": "content-type", "value": "application/json"},
        ],
        "queryString": [{"name": "a", "value": "1"}, {"name": "b", "value": ""}, {"name": "a", "value": "é"}],
        "headersSize": -1,
        "bodySize": 12,
        "postData": {"mimeType": "application/json", "params": [], "text": '{"to": "+1"}'},
    }
    assert found["response"] == {
        "status": 302,
        "statusText": "Found",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": "Location", "value": "/next"}, {"name": "content-type", "value": "text/plain"}],
        "content": {"size": 5, "mimeType": "text/plain", "text": "moved"},
        "redirectURL": "/next",
        "headersSize": -1,
        "bodySize": 5,
    }


def test_the_archive() -> None:
    """Oldest first, whatever order they are given in."""
    calls = [call(received_at=f"2030-01-01T00:00:0{n}.000+00:00", id=str(n)) for n in (2, 0, 1)]
    log = har(calls)["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "mockserver")
    assert [one["_mockserver"]["id"] for one in log["entries"]] == ["0", "1", "2"]


@given(st.binary(max_size=50))
def test_bodies(raw: bytes) -> None:
    """Every body comes back whole: text as it is, the rest as base64, which says so."""
    encoded = base64.b64encode(raw).decode() or None
    found = entry(request={"body_base64": encoded}, response={"body_base64": encoded})
    content = found["response"]["content"]
    is_coded = content.get("encoding") == "base64"
    assert (base64.b64decode(content["text"]) if is_coded else content["text"].encode()) == raw
    assert content["size"] == found["request"]["bodySize"] == len(raw)
    assert ("postData" in found["request"]) == bool(raw)
    if raw:
        posted = found["request"]["postData"]
        assert (base64.b64decode(posted["text"]) if "comment" in posted else posted["text"].encode()) == raw


def test_an_unusual_status_and_a_fault() -> None:
    """A status without a phrase, and trouble that was injected."""
    found = entry(response={"status": 299, "fault": "reset", "headers": [], "body_base64": None})["response"]
    assert (found["statusText"], found["comment"], found["content"]["mimeType"]) == ("", "fault: reset", "")


def test_an_address_is_one() -> None:
    """Whatever was in the path, and where nobody named a host; a callback's is its own."""
    strange = {"path": "/\x1b[2J/x\u202e ü", "query": "a[]={1}&b=%20|\x1b", "headers": [["host", "acme.example"]]}
    assert entry(request=strange)["request"]["url"] == (
        "http://acme.example/%1B[2J/x%E2%80%AE%20%C3%BC?a[]=%7B1%7D&b=%20%7C%1B"
    )
    assert entry(request={"headers": []})["request"]["url"].startswith("http://unknown.invalid/v1/sms?")
    assert entry(url="https://client.example/hook")["request"]["url"] == "https://client.example/hook"
