"""An application around ours, on our own connections: it sees and changes what ours is given and what it answers."""

import json
from typing import Any

import requests

from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from tests.live import PATIENCE, served


class Around:
    """Replaces the body that comes in, and adds a header to what goes out."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def replaced() -> Any:
            message = await receive()
            return {**message, "body": b"[]"} if message["type"] == "http.request" else message

        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-around", b"yes")]}
            await send(message)

        is_vendors = scope["type"] == "http" and not scope["path"].startswith("/_mock")
        await self._app(scope, *((replaced, marked) if is_vendors else (receive, send)))


def test_what_is_around_us_is_not_passed_by() -> None:
    """A vendor's answer goes through it, and so does the request's body, also of a request that came whole."""
    with served(Around(create_app(Settings()))) as port:
        url = f"http://127.0.0.1:{port}"
        known = requests.post(f"{url}/v1/outbound-sms", json={"message": "hello"}, timeout=PATIENCE)
        unknown = requests.post(f"{url}/nowhere", json={"message": "hello"}, timeout=PATIENCE)
        assert [reply.headers.get("x-around") for reply in (known, unknown)] == ["yes", "yes"]
        calls = requests.get(f"{url}/_mock/calls", timeout=PATIENCE).json()["calls"]
        assert [json.dumps(call["request"]["json"]) for call in calls] == ["[]", "[]"]
