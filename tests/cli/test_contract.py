"""``mockserver contract pages``: the pages that contracts were written from, and whether they have changed."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.running import invoke
from tests.evidence import ROOT

STATES = {
    "not-modified": (304, None, "unchanged"),
    "older": (200, "Mon, 02 Nov 2026 08:00:00 GMT", "unchanged"),
    "same-day": (200, "Thu, 26 Nov 2026 22:00:00 GMT", "unchanged"),
    "newer": (200, "Fri, 27 Nov 2026 00:00:01 GMT", "changed, on 2026-11-27"),
    "silent": (200, None, "does not say when it changed"),
    "no-date": (200, "yesterday", "does not say when it changed"),
    "gone": (404, None, "gone, status 404"),
    "broken": (503, None, "cannot be reached, status 503"),
}


class Pages(BaseHTTPRequestHandler):
    """A vendor's documentation; it keeps what it was asked."""

    asked: list[str | None] = []  # noqa: RUF012 -- of all requests; a handler is made for each

    def do_GET(self) -> None:
        self.asked.append(self.headers["If-Modified-Since"])
        status, last_modified, _ = STATES[self.path.strip("/")]
        self.send_response(status)
        if last_modified is not None:
            self.send_header("Last-Modified", last_modified)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def contract_with(folder: Path, *urls: str) -> str:
    """A folder with one contract that was written from these pages on 26 November 2026."""
    listed = "".join(f'    - {{url: "{url}", read: "2026-11-26"}}\n' for url in urls)
    text = (ROOT / "contracts" / "avaamo.yaml").read_text("utf-8")
    start, end = text.index("  pages:\n"), text.index("  known:\n")
    (folder / "pigeon.yaml").write_text(text[:start] + (f"  pages:\n{listed}" if urls else "") + text[end:], "utf-8")
    return str(folder)


@pytest.mark.parametrize("state", STATES)
def test_online(pages: str, tmp_path: Path, state: str) -> None:
    """The exit code is 1 where a page has changed since the day it was read, or is gone."""
    folder = contract_with(tmp_path, f"{pages}/{state}")
    ended = invoke("contract", "pages", "--online", "--no-builtin", "--contracts", folder)
    says = STATES[state][2]
    assert ended.stdout == f"pigeon: {pages}/{state} read on 2026-11-26: {says}\n"
    assert ended.exit_code == (1 if says.startswith(("changed", "gone")) else 0)
    assert Pages.asked[-1] == "Thu, 26 Nov 2026 23:59:59 GMT"


def test_nobody_there(tmp_path: Path) -> None:
    """A page that cannot be asked for is told, and is no finding."""
    folder = contract_with(tmp_path, "http://127.0.0.1:9/page")
    ended = invoke("contract", "pages", "--online", "--no-builtin", "--contracts", folder)
    assert ended.exit_code == 0
    assert ended.stdout.startswith("pigeon: http://127.0.0.1:9/page read on 2026-11-26: cannot be reached, ")


def test_offline() -> None:
    """Without --online nothing is asked: each contract's pages are listed; every built-in one names its own."""
    ended = invoke("contract", "pages")
    vendors = {line.partition(":")[0] for line in ended.stdout.splitlines()}
    assert (ended.exit_code, vendors) == (0, {"avaamo", "koreai", "opentact", "polyai", "voximplant"})
    one = invoke("contract", "pages", "--vendor", "polyai").stdout
    assert "https://docs.poly.ai/api-reference/outbound-sms/endpoint/send-sms read on 2026-11-26" in one
    assert "avaamo" not in one


def test_no_pages(tmp_path: Path) -> None:
    """Contracts that name none have nothing to be checked against."""
    ended = invoke("contract", "pages", "--no-builtin", "--contracts", contract_with(tmp_path))
    assert (ended.exit_code, ended.stderr) == (2, "mockserver: none of these contracts names a page\n")
