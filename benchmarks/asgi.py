"""What mockserver is measured beside: the least that an ASGI application can be, and one Starlette route."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Read the body, answer 202."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def starlette() -> Starlette:
    """One route that reads the body and answers 202."""

    async def accept(request: Request) -> Response:
        await request.body()
        return Response(status_code=202)

    return Starlette(routes=[Route("/v1/outbound-sms", accept, methods=["POST"])])
