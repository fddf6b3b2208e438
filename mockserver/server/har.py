"""Recorded calls as an HTTP Archive (HAR 1.2), which browsers and API clients open."""

import base64
from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from mockserver import __version__

Shape = Mapping[str, Any]
"""A call in the control API's shape, secrets masked."""

_OWN = (
    "id",
    "account",
    "vendor",
    "operation",
    "answer",
    "accepted",
    "evidence",
    "chosen_by",
    "rule",
    "problems",
    "notes",
)
NO_HOST = "unknown.invalid"
ADDRESS_CHARACTERS = "%!#$&'()*+,/:;=?@[]~"  # that stand in an address as they are
UNKNOWN = -1  # how the format says that a size or a time is not known


def har(calls: Iterable[Shape], secure_hosts: Container[str] = ()) -> dict[str, Any]:
    """An archive of these calls, oldest first. What HAR has no word for stands in each entry as ``_mockserver``.

    ``secure_hosts`` are those that clients call by https, wherever TLS ends.
    """
    ordered = sorted(calls, key=lambda call: datetime.fromisoformat(call["received_at"]))
    archive = har_log()
    archive["log"]["entries"] += [har_entry(call, secure_hosts) for call in ordered]
    return archive


def har_log(comment: str = "") -> dict[str, Any]:
    """An archive without entries, which stand at its end."""
    creator = {"name": "mockserver", "version": __version__}
    said = {"comment": comment} if comment else {}
    return {"log": {"version": "1.2", "creator": creator, **said, "entries": []}}


def har_entry(call: Shape, secure_hosts: Container[str] = ()) -> dict[str, Any]:
    """One call."""
    took = call["duration_ms"]
    return {
        "startedDateTime": call["received_at"],
        "time": took,
        "request": _request(call["request"], call.get("url"), secure_hosts),
        "response": _response(call["response"]),
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
        "_mockserver": {name: call[name] for name in _OWN if name in call},
    }


def _request(request: Shape, url: str | None, secure_hosts: Container[str]) -> dict[str, Any]:
    headers, raw = request["headers"], _raw(request["body_base64"])
    shown: dict[str, Any] = {
        "method": request["method"],
        "url": quote(url or _address(request, secure_hosts), safe=ADDRESS_CHARACTERS),
        "httpVersion": "HTTP/1.1",
        "cookies": [],  # they stand in the headers, masked
        "headers": _pairs(headers),
        "queryString": _pairs(parse_qsl(request["query"], keep_blank_values=True)),
        "headersSize": UNKNOWN,
        "bodySize": len(raw),
    }
    if raw:
        text, encoding = _text(raw)
        shown["postData"] = {"mimeType": _value(headers, "content-type"), "params": [], "text": text}
        if encoding:
            shown["postData"]["comment"] = f"text is {encoding}"
    return shown


def _address(request: Shape, secure_hosts: Container[str]) -> str:
    """Where the client asked. One that named no host is of an older protocol, or withheld.

    What came instead of a call has no path: of a tunnel or a handshake it has the host, of another host all of it.
    """
    host, path = _value(request["headers"], "host"), request["path"]
    if not host and not path.startswith("/"):
        return path if "://" in path else f"https://{path or NO_HOST}/"
    scheme = "https" if host.lower().removesuffix(":443") in secure_hosts else "http"
    query = f"?{request['query']}" if request["query"] else ""
    slash = "" if path.startswith("/") else "/"
    return f"{scheme}://{host or NO_HOST}{slash}{path}{query}"


def _response(response: Shape) -> dict[str, Any]:
    headers, raw = response["headers"], _raw(response["body_base64"])
    text, encoding = _text(raw)
    content = {"size": len(raw), "mimeType": _value(headers, "content-type"), "text": text}
    return {
        "status": response["status"],
        "statusText": _phrase(response["status"]),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": {**content, "encoding": encoding} if encoding else content,
        "redirectURL": _value(headers, "location"),
        "headersSize": UNKNOWN,
        "bodySize": len(raw),
        **({"comment": f"fault: {response['fault']}"} if response["fault"] else {}),
    }


def _raw(encoded: str | None) -> bytes:
    return base64.b64decode(encoded or "")


def _text(raw: bytes) -> tuple[str, str]:
    """A body as text, and ``base64`` where it is no text itself."""
    try:
        return raw.decode("utf-8"), ""
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode("ascii"), "base64"


def _pairs(pairs: Iterable[Iterable[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _value(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for header, value in headers if header.lower() == name), "")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
