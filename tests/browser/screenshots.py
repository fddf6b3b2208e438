"""The pictures in fixtures/screenshots: ``python -m tests.browser.screenshots`` takes them anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, NARROW, SETTINGS, WIDE, address
from tests.browser.page import SUBSCRIBER, Client
from tests.evidence import ROOT
from tests.live import live_server

FOLDER = ROOT / "fixtures" / "screenshots"
Scheme = Literal["light", "dark"]
SIZES = {"wide": WIDE, "narrow": NARROW}
MAX_BYTES = 200_000  # of one picture
TEXTS = (
    "Hi Jane, your appointment is confirmed for tomorrow at 2pm. Reply C to confirm.",
    "Your verification code is 481516. It expires in 10 minutes.",
    "Your parcel arrives today between 2 and 4pm. Reply STOP to opt out.",
)


def fill(client: Client) -> str:
    """Calls of every kind; returns the id of a refused one."""
    for number, text in enumerate(TEXTS * 4):
        client.send(text, f"+1415555{100 + number % 5:04}")
    for text in TEXTS:
        client.parcel(text)
        client.parcel(text, "+12025550142")
    reply = {"account": client.id, "vendor": "parcel", "from": SUBSCRIBER, "text": "C, see you then. Thanks!"}
    client.control("POST", "inbound", json=reply)
    client.session.post(f"{client.url}/v1/outbound-sm", json={}, timeout=20)
    pin = {"account": client.id, "answers": ["rate_limited"]}
    client.control("PUT", "pins/polyai.send_sms", json=pin)
    client.send(TEXTS[0])
    client.control("PUT", "pins/polyai.send_sms", json={**pin, "where": {"json": {"user_number": "+14155550199"}}})
    client.control("PUT", "pins/koreai.send_sms", json={"account": client.id, "fault": {"kind": "reset"}})
    client.control("PUT", f"accounts/{client.id}/limits", json={"polyai": True})
    return str(client.send(TEXTS[1], "415-555-0123").headers["x-mock-call"])


@contextmanager
def pages(scheme: Scheme = "light") -> Iterator[Iterator[tuple[str, Page]]]:
    """Each view at each size, by the name of its picture, ready to be taken."""
    with live_server(SETTINGS) as live, Client.made(live.url, id="shop") as client, sync_playwright() as driver:
        refused = fill(client)
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        yield _each(browser, client, refused, scheme)
        browser.close()


def _each(browser: Browser, client: Client, refused: str, scheme: Scheme) -> Iterator[tuple[str, Page]]:
    states = {
        "calls": {"call": refused},
        "phones": {"view": "phones", "phone": f"shop%20{SUBSCRIBER.replace('+', '%2B')}"},
        "vendors": {"view": "vendors"},
        "switches": {"view": "switches"},
    }
    ready = {"calls": ".why", "phones": ".bubble.inbound", "vendors": ".vendor", "switches": ".cards"}
    for size, (width, height) in SIZES.items():
        for view, state in states.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(address(client.url, account="shop", **state))
            page.locator(ready[view]).first.wait_for()
            page.locator("#stream.live").wait_for()
            if view == "vendors":
                page.locator("summary", has_text="polyai.send_sms").click()
                page.locator("summary", has_text="polyai.send_sms").scroll_into_view_if_needed()
            page.mouse.move(0, 0)
            page.wait_for_timeout(300)  # what came last is drawn
            yield f"{view}-{size}", page
            page.close()


def take(folder: Path = FOLDER, scheme: Scheme = "light") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with pages(scheme) as found:
        for name, page in found:
            page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    take()
