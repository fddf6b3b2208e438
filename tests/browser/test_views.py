"""The other views: phones with replies, vendors, switches, guides, the token; keyboard and screen readers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import NARROW, SETTINGS, WIDE, Open, address
from tests.browser.page import SUBSCRIBER, Client, Seen
from tests.browser.screenshots import FOLDER, MAX_BYTES, take
from tests.evidence import ROOT
from tests.live import Live, live_server
from tests.tools.installing import execute
from tests.twoway.conftest import Receiver, receiver  # noqa: F401 -- a fixture

AXE = "axe-core@4.14.1"
SERIOUS = {"serious", "critical"}
READY = {"calls": ".why", "phones": ".bubble", "vendors": ".vendor", "switches": ".cards", "guides": ".guide h2"}
VIEWS = list(READY)


def test_a_reply_produces_the_callback(open_page: Open, live: Live, receiver: Receiver) -> None:  # noqa: F811
    """The conversation shows what was sent, the reply, and its code; the application gets the callback."""
    with Client.made(live.url, vendors={"parcel": {"inbound_url": receiver.url}}) as client:
        assert client.parcel("Your code is 4711").status_code == 201
        page = open_page(view="phones", account=client.id)
        page.get_by_role("link", name=SUBSCRIBER).click()
        talk = page.get_by_role("region", name="Conversation")
        expect(talk.locator("mark")).to_have_text("4711")
        expect(talk.locator(".bubble.outbound")).to_contain_text("delivered")  # a new state draws the message anew
        talk.get_by_role("button", name="Copy 4711").click()
        expect(talk.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == "4711"
        talk.get_by_label("Reply as the subscriber").fill("STOP <b>now</b>")
        talk.get_by_role("button", name="Send reply").click()
        expect(talk.locator(".bubble.inbound")).to_contain_text("STOP <b>now</b>")
        assert any("STOP <b>now</b>" in str(body) for body in (receiver.wait(1), receiver.bodies))
        expect(talk.locator(".bubble.inbound").get_by_role("link", name="callback")).to_be_visible()
        talk.locator(".bubble.outbound").get_by_role("link", name="call").click()
        expect(page.locator(".detail h2")).to_contain_text("parcel.send_message")


def test_phones_come_by_themselves(open_page: Open, client: Client) -> None:
    """One row a subscriber, the newest message first."""
    page = open_page(view="phones", account=client.id)
    expect(page.get_by_text("No messages yet.")).to_be_visible()
    client.parcel("one", "+12025550101")
    client.parcel("two", "+12025550102")
    client.parcel("three", "+12025550101")
    expect(page.locator(".phone strong")).to_have_text(["+12025550101", "+12025550102"])
    expect(page.locator(".phone").first).to_contain_text("three")


def test_files_that_are_not_served(fresh: Live, open_page: Open) -> None:
    """Where a changed contract is broken, the view of vendors says why; else it says nothing of it."""
    page = open_page(fresh.url, view="vendors")
    expect(page.locator(".vendor").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    watched = fresh.app.state.mock.watched
    watched.is_on, watched.swaps, watched.error = True, 1, "acme.yaml:3:1: /: not YAML"
    page = open_page(fresh.url, view="vendors", account="second")
    expect(page.get_by_role("alert")).to_have_text("What is on disk is not served: acme.yaml:3:1: /: not YAML")


def test_vendors(open_page: Open, client: Client) -> None:
    """Answers and how to get each; a curl that is accepted; a pin for the next call; coverage so far."""
    client.send()
    page = open_page(view="vendors", account=client.id)
    polyai = page.get_by_role("region", name="polyai", exact=True)
    expect(polyai).to_contain_text("1 of ")
    polyai.get_by_role("button", name="Copy a curl that is accepted").click()
    expect(polyai.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    assert client.shape["vendors"]["polyai"]["credentials"]["api_key"] in command
    assert "202 Accepted" in execute("sh", "-c", command)
    polyai.locator("summary", has_text="polyai.send_sms").click()
    expect(polyai.get_by_role("row", name="rate_limited")).to_contain_text("Prefer: example=rate_limited")
    pin = polyai.get_by_role("button", name="Pin for the next call of polyai.send_sms: rate_limited")
    pin.click()
    expect(pin).to_have_text("Pinned")
    assert client.send().status_code == 429


def test_switches(open_page: Open, client: Client) -> None:
    """What is on is seen on every view, made and taken back here, and cleared by one button; calls stay."""
    client.send()
    page = open_page(view="switches", account=client.id)
    page.get_by_label("Operation").select_option("polyai.send_sms")
    page.get_by_label("Answer or fault").select_option("fault reset")
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.locator(".cards")).to_contain_text(["fault reset", "polyai.send_sms"])
    page.get_by_role("checkbox", name="polyai.send_sms").check()
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("button", name="Let it run")).to_be_visible()
    page.get_by_role("link", name="Calls").click()
    mark = page.locator("#chosen .mark")
    expect(mark).to_have_text("1 pin · 1 limit · clock frozen")
    mark.click()
    page.get_by_role("button", name="Clear all switches").click()
    expect(page.get_by_text("nothing is switched on")).to_be_visible()
    expect(mark).to_have_count(0)
    assert len(client.control("GET", f"calls?account={client.id}")["calls"]) == 1


def test_guides(open_page: Open) -> None:
    """Read offline; code as code, tables as tables; links between them stay here."""
    page = open_page(view="guides")
    expect(page.get_by_role("heading", name="Testing with mockserver")).to_be_visible()
    page.locator(".guide").get_by_role("link", name="server guide").first.click()
    expect(page.locator(".guide h2")).to_have_count(1)
    page.get_by_role("link", name="Contracts and their vocabulary").click()
    expect(page.locator(".guide table").first).to_be_visible()
    expect(page.locator(".guide pre").first).to_be_visible()
    assert "```" not in page.inner_text(".guide")


def test_a_token_is_asked_for(open_page: Open, seen: Seen) -> None:
    """Where one is needed: a wrong one is asked for again, the right one is kept in this tab, and nowhere else."""
    seen.expected = "401"
    with live_server(replace(SETTINGS, host="0.0.0.0", admin_token="the-right-token")) as guarded:  # noqa: S104 -- a test
        page = open_page(url=guarded.url)
        for token in ("wrong", "the-right-token"):
            page.get_by_role("textbox", name="Token").fill(token)
            page.get_by_role("button", name="Open", exact=True).click()
        expect(page.get_by_text("No calls yet.")).to_be_visible()
        expect(page.locator("#stream")).to_have_text("live")
        page.reload()
        expect(page.locator("#stream")).to_have_text("live")
        assert page.evaluate("Object.keys(localStorage)") == []
        assert "the-right-token" not in page.url
        page.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The checker's source, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    execute("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, AXE)
    return (folder / "node_modules/axe-core/axe.min.js").read_text("utf-8")


def violations(page: Page, axe: str) -> list[Any]:
    run = "\n; axe.run().then(found => found.violations.map(one => [one.id, one.impact, one.nodes.map(n => n.html)]))"
    found: list[Any] = page.evaluate(axe + run)
    return [one for one in found if one[1] in SERIOUS]


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", WIDE), ("light", NARROW), ("dark", NARROW)])
def test_accessible(  # noqa: PLR0917 -- what it needs, and each case
    browser: Browser, client: Client, axe: str, seen: Seen, scheme: Any, size: tuple[int, int]
) -> None:
    """Axe finds no serious fault: in no view, light or dark, wide or narrow, with and without something to show."""
    client.send("Your code is 4711")
    client.parcel("Your code is 4711")
    call = client.send(number="12").headers["x-mock-call"]
    client.control("PUT", "pins/koreai.send_sms", json={"account": client.id, "fault": {"kind": "reset"}})
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    found = {}
    for view in VIEWS:
        page = context.new_page()
        seen.watch(page)
        more = {"call": call} if view == "calls" else {"phone": f"{client.id}%20{SUBSCRIBER.replace('+', '%2B')}"}
        page.goto(address(client.url, view=view, account=client.id, **more))
        expect(page.locator(f"main > .{view}")).to_be_visible()
        ready = {
            "calls": ".why",
            "phones": ".bubble",
            "vendors": ".vendor",
            "switches": ".cards",
            "guides": ".guide h2",
        }
        expect(page.locator(ready[view]).first).to_be_visible()
        for fold in page.locator("main summary").all()[:6]:
            fold.click()
        found[view] = violations(page, axe)
        page.close()
    context.close()
    assert [one for one in found.items() if one[1]] == []
    assert seen.complaints == []


def test_by_keyboard(open_page: Open, client: Client) -> None:
    """A call is searched, chosen, left and come back to without a pointer."""
    for number in range(3):
        client.send(f"text {number}")
    page = open_page(account=client.id)
    expect(page.locator("#calls .row")).to_have_count(3)
    page.keyboard.press("/")
    expect(page.get_by_label("Find text in calls")).to_be_focused()
    page.get_by_role("listbox", name="Calls").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("listbox", name="Calls").get_by_role("option", selected=True)).to_contain_text("text 1")
    expect(page.locator(".detail h2")).to_have_text("polyai.send_sms/sent")
    page.keyboard.press("End")
    expect(page.get_by_role("listbox", name="Calls").get_by_role("option", selected=True)).to_contain_text("text 0")
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_be_hidden()


def test_narrow(browser: Browser, client: Client) -> None:
    """On a phone nothing is wider than the screen, and one call takes all of it."""
    call = client.send("Hi").headers["x-mock-call"]
    context = browser.new_context(viewport={"width": NARROW[0], "height": NARROW[1]})
    page = context.new_page()
    for view in VIEWS:
        page.goto(address(client.url, view=view, account=client.id, call=call if view == "calls" else ""))
        expect(page.locator(f"main > .{view}")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    page.goto(address(client.url, account=client.id, call=call))
    page.get_by_role("button", name="← Calls").click()
    expect(page.locator("#calls .row")).to_be_visible()
    context.close()


def test_modules_are_sound() -> None:
    """Node reads each of them as a module."""
    folder = Path(__file__).parents[2] / "mockserver/server/page"
    for file in sorted(folder.glob("*.js")):
        execute("sh", "-c", f"node --input-type=module --check < {file}")


def test_pictures_can_be_taken_anew(browser: Browser, tmp_path: Path) -> None:
    """README shows each that there is; none is large; today's page gives the same ones."""
    take(browser, tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert {file.name for file in FOLDER.iterdir()} == names
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in names if f"(fixtures/screenshots/{name})" not in readme] == []
    assert [file.name for file in FOLDER.iterdir() if file.stat().st_size > MAX_BYTES] == []
