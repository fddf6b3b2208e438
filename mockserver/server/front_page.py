"""What a browser asks of any server: ``/``, ``/favicon.ico``, ``/robots.txt``. None of it is a call to a vendor."""

from collections.abc import Callable, Iterable, Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mockserver import __version__
from mockserver.server.control.page import is_browser
from mockserver.server.control.requests import State, origin_of
from mockserver.server.routing import CONTROL

POLICY = {"content-security-policy": "default-src 'none'", "x-content-type-options": "nosniff"}


def pages(state: Callable[[], State]) -> Mapping[str, ASGIApp]:
    """The pages by path, for GET and HEAD."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if is_browser(Request(scope)):
            await RedirectResponse(f"{CONTROL}/", headers={"vary": "accept"})(scope, receive, send)
            return
        mock = state()
        page = HTMLResponse(front_page(mock, origin_of(mock.settings, Request(scope))), headers=POLICY)
        await page(scope, receive, send)

    return {
        "/": front,
        "/favicon.ico": Response(status_code=204),
        "/robots.txt": PlainTextResponse("User-agent: *\nDisallow: /\n"),
    }


def front_page(mock: State, base: str) -> str:
    """What this is, where each vendor is, and where to look; ``base`` is where the client reaches the server."""
    vendors = [(c.vendor, c.title, base + c.base_path) for c in mock.contracts]
    example = vendors[0][0] if vendors else "VENDOR"
    body = [
        "<h1>mockserver</h1>",
        _paragraph(
            f"Version {__version__}. An offline stand-in for conversational-SMS vendors: it answers and refuses as they"
            " would, sends nothing, and remembers every call."
        ),
        "<h2>Vendors</h2>",
        _list(f"{escape(vendor)}: {escape(title)}, <code>{escape(url)}</code>" for vendor, title, url in vendors),
        _paragraph("A client changes its base URL, and nothing else. In a terminal, a ready call:"),
        f"<pre>mockserver curl {escape(example)} --url {escape(base)}</pre>",
        "<h2>Where to look</h2>",
        _list(
            f'<a href="/_mock/{path}">/_mock/{path}</a>: {what}'
            for path, what in (
                ("calls", "what was called, newest first"),
                ("contracts", "every operation and answer, and how to get it"),
                ("accounts", "who can call, with credentials"),
                ("openapi.json", "this server's own API: accounts, calls, pins, clocks, coverage"),
            )
        ),
    ]
    if not mock.settings.is_loopback:
        body.append(_paragraph("Below /_mock a bearer token is asked for: MOCKSERVER_ADMIN_TOKEN."))
    body.append(_paragraph("The guide is README.md of the project; each command explains itself with --help."))
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mockserver</title></head><body>'
    return "\n".join([head, *body, "</body></html>\n"])


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _list(items: Iterable[str]) -> str:
    return "\n".join(["<ul>", *(f"<li>{item}</li>" for item in items), "</ul>"])
