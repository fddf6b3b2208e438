"""The control API of one server, over http.client."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, quote, urlencode

from mockserver.spec.addresses import has_password, split_http, usable_token

TOKEN = "MOCKSERVER_ADMIN_TOKEN"  # noqa: S105 -- the variable's name
PATIENCE = 30.0  # seconds for an answer, beside those that the server was asked to wait
STILL = 30.0  # seconds without an event or a comment, after which nobody sends any more


class ControlError(Exception):
    """A server cannot be reached, is none of ours, or refused what was asked; the text says what to do."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Speaks JSON with ``/_mock``. Each request has its own connection, so any thread may use it."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._parts = _split(self.url)
        self._token = _usable(token or os.environ.get(TOKEN))
        self._is_known = False

    def get(self, path: str, **query: str | None) -> Any:
        """What is at a path below ``/_mock``. Raises ControlError."""
        return self._request("GET", _with_query(path, query))

    def wait(self, path: str, query: Mapping[str, str | None], seconds: float) -> Any:
        """The same, where the server was asked to take so many seconds."""
        return self._request("GET", _with_query(path, query), wait=seconds)

    def text(self, path: str, **query: str | None) -> str:
        """What is at a path, as it is. Raises ControlError."""
        return self._raw("GET", _with_query(path, query)).decode("utf-8", "replace")

    def events(self, path: str, **query: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Server-sent events, each its kind and its data, until the server ends. Raises ControlError."""
        self._meet_once()
        connection = self._connection(STILL)
        try:
            connection.request("GET", f"{self._parts.path}/_mock/{_with_query(path, query)}", headers=self._headers())
            response = connection.getresponse()
            if response.status >= 400:
                raise ControlError(self._refusal(f"GET /_mock/{path}", response.status, response.read()))
            yield from _events(response)
        except (OSError, HTTPException) as error:
            raise ControlError(f"the events of {self.url} ended: {error or type(error).__name__}") from error
        finally:
            connection.close()

    def post(self, path: str, body: Mapping[str, Any] | None = None, wait: float = 0) -> Any:
        """The answer to a POST; ``wait``: seconds that the server was asked to take. Raises ControlError."""
        return self._request("POST", path, body, wait)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to a PUT. Raises ControlError."""
        return self._request("PUT", path, body)

    def delete(self, path: str, **query: str | None) -> None:
        """Delete what is at a path. Raises ControlError."""
        self._request("DELETE", _with_query(path, query))

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None, wait: float = 0) -> Any:
        raw = self._raw(method, path, body, wait)
        return json.loads(raw) if raw else None

    def _raw(self, method: str, path: str, body: Mapping[str, Any] | None = None, wait: float = 0) -> bytes:
        self._meet_once()
        status, raw = self._exchange(method, path, body, wait)
        if status >= 400:
            raise ControlError(self._refusal(f"{method} /_mock/{path}", status, raw), status)
        return raw

    def _meet_once(self) -> None:
        if not self._is_known:
            self._meet()

    def _meet(self) -> None:
        """Be sure once that a mockserver answers here."""
        status, raw = self._exchange("GET", "health", None, 0)
        try:
            ready = status in {200, 503} and json.loads(raw)["status"] in {"ready", "unavailable"}  # requests say why
        except (ValueError, LookupError, TypeError):
            ready = False
        if not ready:
            raise ControlError(
                f"{self.url} answers, but not as a mockserver: GET /_mock/health gave {status}. "
                "Is the URL the server's own, without a vendor's path?"
            )
        self._is_known = True

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None, wait: float) -> tuple[int, bytes]:
        headers, content = self._headers(), None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body)
        connection = self._connection(PATIENCE + wait)
        try:
            connection.request(method, f"{self._parts.path}/_mock/{path}", content, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException) as error:
            raise ControlError(
                f"no mockserver answers at {self.url}: {error or type(error).__name__}. "
                "Start one (mockserver serve, or mockserver.testing.run()), or correct the URL."
            ) from error
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        given = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        return {"Accept": "application/json", **given}

    def _connection(self, timeout: float) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        return (HTTPSConnection if self._parts.scheme == "https" else HTTPConnection)(host, port, timeout=timeout)

    def _refusal(self, asked: str, status: int, raw: bytes) -> str:
        if status == 401:
            return f"{self.url} wants its control API's token: give token=…, --mockserver-token or {TOKEN}"
        try:
            problem = json.loads(raw)
            at = f" (at {problem['pointer']})" if problem.get("pointer") else ""
            return f"{asked} was refused with {status}: {problem['detail']}{at}"
        except (ValueError, LookupError, TypeError, AttributeError):
            return f"{asked} was refused with {status}: {raw[:200].decode('utf-8', 'replace')}"


def segment(text: str) -> str:
    """Text as one part of a path."""
    return quote(text, safe="")


def _events(lines: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events that stand in these lines; comments are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not line.strip() and "event" in fields:
            yield fields["event"], json.loads(fields["data"])
            fields = {}


def _with_query(path: str, query: Mapping[str, str | None]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _split(url: str) -> SplitResult:
    parts = split_http(url)
    if parts is None:
        shown = "one with a user or a password" if has_password(url) else repr(url)
        raise ControlError(f"a server's URL looks like http://127.0.0.1:8080, not {shown}")
    return parts


def _usable(token: str | None) -> str | None:
    try:
        return usable_token(token) if token else None
    except ValueError as error:
        raise ControlError(f"the control API's token {error}") from error
