"""Problem details (RFC 9457): how the control API refuses."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class ControlFault(Exception):  # noqa: N818 -- a request to the control API that cannot be served
    """``pointer`` names the part of the request that is wrong: ``/query/limit``, ``/body/id``."""

    def __init__(self, status: int, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.pointer = pointer


TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    500: "Internal error",
}


def problem(status: int, detail: str, pointer: str | None = None, headers: Any = None) -> Response:
    """An ``application/problem+json`` response."""
    body: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status}
    body["detail"] = detail
    if pointer is not None:
        body["pointer"] = pointer
    return JSONResponse(body, status, headers, media_type="application/problem+json")


async def on_fault(_request: Request, fault: Exception) -> Response:
    """A ControlFault as its response."""
    if not isinstance(fault, ControlFault):
        raise fault
    return problem(fault.status, str(fault), fault.pointer)


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """Starlette's own refusals, in our form, their ``Allow`` sorted."""
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(headers["Allow"].replace(" ", "").split(",")))
    detail = error.detail if error.status_code != 404 else "no such path; GET /_mock/openapi.json lists them"
    return problem(error.status_code, detail, headers=headers)
