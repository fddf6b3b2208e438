"""Who may use the control API: on loopback local pages only, elsewhere the bearer of the token."""

import hmac
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from mockserver.server.control.problems import problem
from mockserver.server.settings import Settings, is_loopback

OPEN = "/_mock/health"


class Guard:
    """Refuses what could come from a web page that was led here by DNS rebinding, or from a stranger."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        self._token = settings.admin_token
        self._local = settings.is_loopback

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] != OPEN:
            request = Request(scope)
            refusal = self._refusal(request)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, request: Request) -> Any:
        if self._token is not None:
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            right = hmac.compare_digest(token.strip().encode(), self._token.encode())
            if kind.lower() == "bearer" and right:
                return None
            if not self._local or token:
                detail = "the control API needs Authorization: Bearer <MOCKSERVER_ADMIN_TOKEN>"
                return problem(401, detail, "/header/authorization", {"WWW-Authenticate": "Bearer"})
        elif not self._local:  # a Host header proves nothing: whoever reaches the server writes it
            return problem(403, "beyond loopback, the control API is closed until MOCKSERVER_ADMIN_TOKEN is set")
        if not is_loopback(_hostname(f"//{request.headers.get('host', '')}")):
            return problem(403, "the control API answers only to a loopback Host", "/header/host")
        origin = request.headers.get("origin")
        if origin is not None and not is_loopback(_hostname(origin)):
            return problem(403, "the control API answers only to a loopback Origin", "/header/origin")
        return None


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
