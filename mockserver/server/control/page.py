"""The live page: its files, and the guides, from the package wherever that is. None of it is secret, so it is open."""

import hashlib
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mockserver.server.build import contracts_folder
from mockserver.server.control.requests import problem
from mockserver.server.routing import CONTROL
from mockserver.spec.model import Contract

FILE_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
PAGE_INDEX = "index.html"
GUIDE_FILES = {
    "testing": ("Tests in Python", "testing/README.md"),
    "server": ("Running the server", "server/README.md"),
    "clients": ("Unchanged clients", "cli/README.md"),
    "vocabulary": ("Contracts and their vocabulary", "README.md"),
}
"""Titles and files of the guides: of the package, but the vocabulary's, which lies with the contracts."""


def is_browser(request: Request) -> bool:
    """Whether whoever asks shows HTML; a program's ``*/*`` does not say so."""
    return "text/html" in request.headers.get("accept", "")


def page_routes(contracts: Iterable[Contract], control: ASGIApp) -> list[Route]:
    """The page at ``/_mock/`` for browsers, its files, and the guides. Others get what ``control`` answers there."""
    pages = Pages(contracts)
    front = Front(pages, control)
    return [
        Route(CONTROL, front),
        Route(f"{CONTROL}/", front),
        Route(f"{CONTROL}/page/{{name}}", pages.show_file),
        Route(f"{CONTROL}/guides", pages.list_guides),
        Route(f"{CONTROL}/guides/{{name}}", pages.show_guide),
    ]


class Front:
    """``/_mock`` and ``/_mock/``: the page for browsers, for others the control API."""

    def __init__(self, pages: "Pages", control: ASGIApp) -> None:
        self._pages = pages
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        answer: ASGIApp = self._control
        if scope["method"] in {"GET", "HEAD"} and is_browser(request):
            is_folder = scope["path"] != CONTROL  # addresses in the page are relative to it
            answer = self._pages.file(request, PAGE_INDEX) if is_folder else RedirectResponse(f"{CONTROL[1:]}/")
        await answer(scope, receive, send)


class Pages:
    """Each file is read once."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._read: dict[str, bytes | None] = {}
        self._vendors = {contract.vendor: contract.title for contract in contracts}

    async def show_file(self, request: Request) -> Response:
        """``GET /_mock/page/{name}``."""
        return self.file(request, request.path_params["name"])

    async def list_guides(self, _request: Request) -> Response:
        """``GET /_mock/guides``: ``{guides: [{name, title}]}``."""
        named = {name: title for name, (title, _) in GUIDE_FILES.items()} | self._vendors
        found = [{"name": name, "title": title} for name, title in named.items() if self._guide(name) is not None]
        return JSONResponse({"guides": found}, headers=PAGE_HEADERS)

    async def show_guide(self, request: Request) -> Response:
        """``GET /_mock/guides/{name}``: a guide as Markdown."""
        return self._answer(request, self._guide(request.path_params["name"]), "text/markdown")

    def file(self, request: Request, name: str) -> Response:
        """A file of the page."""
        kind = FILE_TYPES.get(name.rpartition(".")[2])
        raw = self._bytes(f"page/{name}", files("mockserver.server") / "page", name) if kind else None
        return self._answer(request, raw, kind or "")

    def _guide(self, name: str) -> bytes | None:
        package = files("mockserver")
        if name in GUIDE_FILES and name != "vocabulary":
            return self._bytes(f"guide/{name}", package, GUIDE_FILES[name][1])
        packed = package / "_contracts"
        folder: Traversable = packed if packed.is_dir() else contracts_folder()
        if name == "vocabulary" or name in self._vendors:
            return self._bytes(f"guide/{name}", folder, GUIDE_FILES[name][1] if name in GUIDE_FILES else f"{name}.md")
        return None

    def _bytes(self, key: str, folder: Traversable, path: str) -> bytes | None:
        """A file below a folder, as it was when it was first asked for; None where there is none."""
        if key not in self._read:
            names = path.split("/")
            file = folder.joinpath(*names)
            is_inside = not any(name in {"", ".", ".."} or "\\" in name for name in names)
            raw = file.read_bytes() if is_inside and file.is_file() else None
            if raw is None:
                return None  # not remembered: anybody may ask for any name
            self._read[key] = raw
        return self._read[key]

    @staticmethod
    def _answer(request: Request, raw: bytes | None, media_type: str) -> Response:
        if raw is None:
            return problem(404, "the page has no such file")
        tag = f'"{hashlib.blake2b(raw, digest_size=8).hexdigest()}"'
        headers: dict[str, Any] = {**PAGE_HEADERS, "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(raw, headers=headers, media_type=media_type)
