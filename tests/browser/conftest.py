"""Debian's chromium, driven by playwright, and a server of the real vendors and of one that takes replies."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from mockserver.server.settings import Settings
from tests.browser.page import Client, Seen
from tests.live import Live, live_server

CHROMIUM = os.environ.get("MOCKSERVER_CHROMIUM", "/usr/bin/chromium")
TWO_WAY = Path(__file__).parents[1] / "twoway"  # a vendor that subscribers can write to
SETTINGS = Settings(contracts=(TWO_WAY,), course_pace=0)
WIDE = (1100, 688)
NARROW = (390, 780)

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    with live_server(SETTINGS) as live:
        yield live


@pytest.fixture
def fresh() -> Iterator[Live]:
    """A server of this test's own, which keeps few calls."""
    with live_server(replace(SETTINGS, max_journal_calls=12_000)) as live:
        yield live


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    """A fresh customer of the server."""
    with Client.made(live.url) as client:
        yield client


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of nobody: nothing is kept from a test before."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def seen() -> Seen:
    """What pages complained of; a test that leaves something here fails."""
    return Seen()


@pytest.fixture
def open_page(live: Live, context: BrowserContext, seen: Seen) -> Iterator[Open]:
    """Opens the page at a state, as its address has it."""

    def open_page(url: str | None = None, **state: str) -> Page:
        page = context.new_page()
        seen.watch(page)
        page.goto(address(url or live.url, **state))
        return page

    yield open_page
    assert seen.complaints == []


def address(url: str, **state: str) -> str:
    """Where the page shows this."""
    return f"{url}/_mock/#{'&'.join(f'{name}={value}' for name, value in state.items())}"
