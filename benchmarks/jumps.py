"""Modules of the package that one warm PolyAI send passes, and jumps from one to another: ``--list`` shows the way.

The application is called in this process, without a socket. Its calls and returns are seen by ``sys.setprofile``.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from benchmarks.scenarios import Sample

PACKAGE = "mockserver"
HOMES = (PACKAGE, f"{PACKAGE}.server", f"{PACKAGE}.server.app")  # where create_app may be
WARM_UP = 50  # requests


def main() -> None:
    """Count, and print."""
    from benchmarks.scenarios import send

    parser = argparse.ArgumentParser(prog="benchmarks/jumps.py", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print each module as it is entered")
    options = parser.parse_args()
    way = passage(asyncio.run(seen(new_app(), send())))
    if options.list:
        print("\n".join(way), end="\n\n")
    print(f"{len(set(way))} modules, {len(way) - 1} jumps")


def new_app() -> Any:
    """The application, wherever the package has its ``create_app``."""
    for home in HOMES:
        try:
            create = getattr(import_module(home), "create_app", None)
        except ModuleNotFoundError as missing:
            if missing.name != home:
                raise
            continue
        if create is not None:
            return create()
    raise SystemExit(f"benchmarks: create_app is in none of {', '.join(HOMES)}")


async def seen(app: Any, request: "Sample") -> list[str]:
    """The module of each call and each return of Python code during one request, after others like it."""
    found: list[str] = []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event in {"call", "return"}:
            found.append(frame.f_globals.get("__name__", ""))

    for _ in range(WARM_UP):
        await call(app, request)
    sys.setprofile(watch)
    try:
        await call(app, request)
    finally:
        sys.setprofile(None)
    return found


async def call(app: Any, request: "Sample") -> None:
    """One request as an ASGI server hands it over; an answer other than success ends the program."""
    body = request.body.encode()
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope(request), receive, send)
    if len(statuses) != 1 or statuses[0] >= 300:
        raise SystemExit(f"benchmarks: the request was answered {statuses}")


def scope(request: "Sample") -> dict[str, Any]:
    """A request's ASGI scope."""
    path, _, query = request.path.partition("?")
    headers = {"host": "127.0.0.1", **request.headers, "content-length": str(len(request.body.encode()))}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8080),
        "state": {},
    }


def passage(modules: Sequence[str]) -> list[str]:
    """The package's own among the modules, each as often as it is entered from another of them."""
    ours = (name for name in modules if name == PACKAGE or name.startswith(f"{PACKAGE}."))
    return [name for name, _ in groupby(ours)]


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # what is counted is this checkout
    main()
