"""The view of calls: live, filtered, whole, hostile texts as text, many at once, over a restart."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import SETTINGS, Open, address
from tests.browser.page import SUBSCRIBER, Client, Seen
from tests.engine.workbench import recorded
from tests.live import PATIENCE, Live, live_server
from tests.twoway.conftest import Receiver, receiver  # noqa: F401 -- a fixture

SOON = 1000  # milliseconds in which a call has to appear
SENT: dict[str, Any] = {
    "account": "default",
    "vendor": "polyai",
    "operation": "polyai.send_sms",
    "answer": "polyai.send_sms/sent",
    "accepted": True,
    "status": 202,
    "method": "POST",
    "path": "/v1/outbound-sms",
    "outcome": "sent",
}
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"


def rows(page: Page) -> Any:
    return page.locator("#calls .row")


def live_page(page: Page) -> Page:
    """The page once it is connected."""
    expect(page.locator("#stream")).to_have_text("live")
    return page


TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""To await in the page: rows are drawn in the frame after a change."""


def fill(live: Live, calls: int) -> None:
    """Calls that nobody sent."""
    journal = live.app.store._journal  # noqa: SLF001 -- thousands of requests would take long
    for number in range(1, calls + 1):
        at = 1_900_000_000 + number / 100
        journal.append(recorded(number=number, recipient=f"+1415555{number % 10_000:04}", received_at=at, **SENT))


def test_a_call_appears_within_a_second(open_page: Open, client: Client) -> None:
    """Without a reload, in its account's list and in that of all."""
    one, everybody = live_page(open_page(account=client.id)), live_page(open_page())
    expect(one.get_by_text("No calls yet.")).to_be_visible()
    client.send("Your code is 4711")
    expect(rows(one)).to_have_count(1, timeout=SOON)
    expect(rows(everybody).filter(has_text=client.id)).to_have_count(1, timeout=SOON)
    expect(rows(one).first).to_contain_text("4711")


def test_two_accounts_never_mix(open_page: Open, client: Client, live: Live) -> None:
    """Neither in lists, nor when new calls come, nor on phones."""
    with Client.made(live.url) as other:
        client.send("mine before")
        other.send("theirs before")
        page = live_page(open_page(account=client.id))
        expect(rows(page)).to_have_count(1)
        other.send("theirs now")
        client.send("mine now")
        expect(rows(page)).to_have_count(2)
        expect(page.get_by_text("theirs")).to_have_count(0)
        page.get_by_label("Account").select_option(other.id)
        expect(rows(page)).to_have_count(2)
        expect(page.get_by_text("mine")).to_have_count(0)


def test_hostile_bodies_are_text(open_page: Open, client: Client) -> None:
    """Markup, marks that turn a line's direction, NULs and a megabyte: shown, and harmless."""
    hostile = [HOSTILE, "abc\u202edcba\u2066x", "a\x00b\x1b[2J", "m" * 1_000_000]
    page = live_page(open_page(account=client.id))
    for text in hostile:
        client.send(text, number=HOSTILE)
    client.session.post(f"{client.url}/<b>/{HOSTILE}", data=b"\x00\xff" * 100, timeout=20)
    for call in client.control("GET", f"calls?account={client.id}")["calls"]:
        page.goto(address(client.url, account=client.id, call=call["id"]))
        expect(page.locator(".detail .facts")).to_contain_text(call["id"])
        for choice in page.locator(".detail .tools button[aria-pressed]").all():
            choice.click()
            assert not {"\u202e", "\u2066", "\x00", "\x1b"} & set(page.inner_text(".detail"))
    page.goto(address(client.url))
    expect(rows(page).filter(has_text="unknown path").first).to_be_visible()
    assert page.locator("main img, main script, main b").count() == 0
    assert "hacked" not in page.title()
    assert "\u202e" not in page.inner_text("body")


def test_found_by_text_in_two_actions(open_page: Open, client: Client) -> None:
    """A text is typed, and the call opened: also where only its body has the text, far behind what a row shows."""
    client.send("x" * 20_000 + " the needle")
    client.send("hay")
    page = live_page(open_page(account=client.id))
    page.get_by_label("Find text in calls").fill("the NEEDLE")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".detail .body").first).to_contain_text("xxxx")
    assert "call=" in page.url
    assert "text=" in page.url


def test_filters_are_in_the_address(open_page: Open, client: Client) -> None:
    """Vendor, operation, answer and outcome; whoever opens the address sees the same, and back goes back."""
    client.send()
    client.send(number="12")
    page = live_page(open_page(account=client.id))
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Only this outcome").select_option("refused")
    expect(rows(page)).to_have_count(1)
    again = open_page(url=client.url, account=client.id, outcome="refused", answer="polyai.send_sms/bad_number")
    expect(rows(again)).to_have_count(1)
    again.get_by_label("Only this answer").select_option("")
    again.get_by_label("Only this outcome").select_option("accepted")
    expect(rows(again).first).to_contain_text("202")
    page.go_back()
    expect(rows(page)).to_have_count(2)


def test_why_this_answer(open_page: Open, client: Client) -> None:
    """The rule with its line, the problem at its place, the evidence, the pin that did not apply, both sides."""
    pin = {"account": client.id, "answers": ["rate_limited"], "where": {"json": {"user_number": "+1999"}}}
    client.control("PUT", "pins/polyai.send_sms", json=pin)
    call = client.send(number="12").headers["x-mock-call"]
    page = open_page(account=client.id, call=call)
    why = page.locator(".why")
    expect(why).to_contain_text("polyai.yaml:")
    expect(why).to_contain_text("/body/user_number")
    expect(why).to_contain_text("the request differs from what it is for")
    expect(why.get_by_role("row", name="status")).to_be_visible()
    why.locator("summary").click()
    expect(why.locator(".excerpt .here")).to_contain_text("bad_number")
    expect(page.get_by_role("region", name="Request", exact=True)).to_contain_text("user_number")
    expect(page.get_by_role("region", name="Response", exact=True)).to_contain_text("HTTP 400")


def test_copied_and_answered_next(open_page: Open, client: Client) -> None:
    """As curl and as an assertion; and the next such call is answered as is chosen."""
    call = client.send("Hi").headers["x-mock-call"]
    page = open_page(account=client.id, call=call)
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "/tokens/polyai/ApiKey" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_label("Answer the next such call with").select_option("rate_limited")
    expect(page.get_by_text("Pinned: the next polyai.send_sms gets rate_limited.")).to_be_visible()
    expect(page.locator("#chosen .mark")).to_have_text("1 pin")
    assert client.send("Hi").status_code == 429


def test_nothing_jumps(open_page: Open, client: Client) -> None:
    """Without follow new calls wait; with it, a reader who has scrolled down keeps what is in sight."""
    for number in range(60):
        client.send(f"text {number}")
    page = live_page(open_page(account=client.id, follow="0"))
    expect(page.locator(".count")).to_have_text("60 calls")
    client.send("another")
    expect(page.get_by_role("button", name="Show 1 new")).to_be_visible()
    expect(page.get_by_text("another")).to_have_count(0)
    page.get_by_role("button", name="Show 1 new").click()
    expect(rows(page).first).to_contain_text("another")
    page.get_by_label("Follow").check()
    page.evaluate("document.getElementById('calls').scrollTop = 600")
    page.evaluate(TWO_FRAMES)
    before = rows(page).filter(has_text="text 35").bounding_box()
    for number in range(5):
        client.send(f"newer {number}")
    expect(page.locator(".count")).to_have_text("66 calls")
    page.evaluate(TWO_FRAMES)
    assert rows(page).filter(has_text="text 35").bounding_box() == before


def test_ten_thousand_calls(open_page: Open, fresh: Live, seen: Seen) -> None:
    """Listed, scrolled and filtered while fifty a second come; only what is in sight is in the document."""
    fill(fresh, 10_000)
    page = open_page(url=fresh.url)
    expect(page.locator(".count")).to_contain_text("10,000 calls", timeout=30_000)
    assert rows(page).count() < 60
    ending = threading.Event()

    def call() -> None:
        with Client.made(fresh.url, id="busy") as client:
            while not ending.wait(0.02):
                client.send()

    caller = threading.Thread(target=call)
    caller.start()
    try:
        for top in (30_000, 150_000, 299_000, 0):
            page.evaluate(f"document.getElementById('calls').scrollTop = {top}")
            expect(rows(page).first).to_be_visible()
        page.get_by_label("Find text in calls").fill("+14155557777")
        expect(rows(page).filter(has_text="+14155557777").first).to_be_visible()
        page.get_by_label("Find text in calls").fill("")
        expect(rows(page).filter(has_text="busy").first).to_be_visible()
    finally:
        ending.set()
        caller.join()


def test_a_restart_reconnects(open_page: Open, context: BrowserContext) -> None:
    """The page says that the server is away, comes back by itself, and shows what the new server knows."""
    with live_server(SETTINGS) as first, Client.made(first.url, id="mine") as client:
        client.send("before the restart")
        page = live_page(open_page(url=first.url))
        expect(rows(page)).to_have_count(1)
        port = first.port
    expect(page.locator("#stream")).to_have_text("reconnecting…")
    with live_server(replace(SETTINGS, port=port), at=port) as second, Client.made(second.url, id="other") as client:
        live_page(page)
        client.send("after the restart")
        expect(rows(page)).to_have_count(1)
        expect(rows(page).first).to_contain_text("after the restart")


def test_seven_tabs(open_page: Open, client: Client) -> None:
    """A browser has six connections to a host: all tabs live on one stream, also when the one that reads it closes."""
    pages = [live_page(open_page(account=client.id)) for _ in range(7)]
    client.send("to all")
    for page in pages:
        expect(rows(page)).to_have_count(1)
    pages.pop(0).close()
    client.send("to all again")
    for page in pages:
        expect(rows(page)).to_have_count(2)


def test_evictions_are_told(open_page: Open) -> None:
    """A list that is not whole says so."""
    with live_server(replace(SETTINGS, max_journal_calls=3)) as small, Client.made(small.url) as client:
        for _ in range(5):
            client.send()
        page = open_page(url=small.url)
        expect(page.locator(".count")).to_contain_text("3 calls · 2 evicted")
        page.close()


@pytest.mark.parametrize("form", ["har", "json", "curl", "text"])
def test_exported(open_page: Open, client: Client, form: str) -> None:
    """What is listed is saved as a file."""
    client.send()
    page = live_page(open_page(account=client.id))
    assert "polyai" in export(page, form)


def export(page: Page, form: str) -> str:
    """The file that is saved."""
    page.locator("h1").click()  # without a gesture now and then, a browser saves ten files and no more
    with page.expect_download() as saved:
        page.get_by_label("Export what is listed").select_option(form)
    return saved.value.path().read_text("utf-8")


LISTED = {
    "outcome=accepted": 3, "outcome=refused": 2, "outcome=unclaimed": 2, "outcome=unknown": 1, "outcome=pinned": 1,
    "outcome=fault": 1, "outcome=callback": 1, "vendor=parcel": 2, "text=429": 1, "vendor=polyai&outcome=refused": 2,
}  # fmt: skip


def test_exactly_what_is_listed_is_exported(
    open_page: Open,
    fresh: Live,
    receiver: Receiver,  # noqa: F811 -- the fixture
) -> None:
    """Whatever it is filtered by: the archive has the calls of the list and no other."""
    with Client.made(fresh.url, vendors={"parcel": {"inbound_url": receiver.url}}) as client:
        client.send()
        client.parcel()
        reply = {"account": client.id, "vendor": "parcel", "from": SUBSCRIBER, "text": "Thanks"}
        client.control("POST", "inbound", json=reply)
        receiver.wait(1)
        client.control("PUT", "pins/polyai.send_sms", json={"account": client.id, "answers": ["rate_limited"]})
        client.send()
        fault = {"account": client.id, "fault": {"kind": "delay", "seconds": 0}}
        client.control("PUT", "pins/polyai.send_sms", json=fault)
        client.send()
        client.session.post(f"{fresh.url}/v1/outbound-sms", json={}, timeout=PATIENCE)
        client.session.post(f"{fresh.url}/nowhere", json={}, timeout=PATIENCE)
        page = live_page(open_page(url=fresh.url))
        for state, number in LISTED.items():
            page.goto(f"{fresh.url}/_mock/#{state}")
            expect(rows(page), state).to_have_count(number)
            assert len(json.loads(export(page, "har"))["log"]["entries"]) == number, state
            assert len(json.loads(export(page, "json"))["calls"]) == number, state
        page.close()


def test_all_pages_are_exported(open_page: Open, fresh: Live) -> None:
    """The control API gives a thousand calls at a time; the file has all, as an archive and as JSON."""
    fill(fresh, 2500)
    page = live_page(open_page(url=fresh.url))
    expect(page.locator(".count")).to_contain_text("2,500 calls")
    assert len(json.loads(export(page, "json"))["calls"]) == 2500
    assert len(json.loads(export(page, "har"))["log"]["entries"]) == 2500
    page.get_by_label("Find text in calls").fill("1415555")
    page.evaluate("document.getElementById('calls').scrollTop = 0")
    expect(page.locator(".count")).to_contain_text("2,500")


def test_what_cannot_be_shown_is_told(open_page: Open, client: Client, seen: Seen) -> None:
    """An account that is none is no empty list; an export that is refused says why."""
    seen.expected = "Failed to load resource"
    page = open_page(account="nobody-has-this")
    expect(page.locator(".empty").first).to_contain_text("there is no such account: 'nobody-has-this'")
    page.get_by_role("link", name="Phones").click()
    expect(page.locator(".phone-list")).to_contain_text("there is no such account: 'nobody-has-this'")
    page.goto(address(client.url, account=client.id, vendor="nobody"))
    page.get_by_label("Export what is listed").select_option("har")
    expect(page.get_by_role("alert")).to_contain_text("there is no such vendor: 'nobody'")
    page.get_by_label("Account").select_option("*")
    expect(page.get_by_text("No call fits.")).to_be_visible()


def test_a_file_outlives_the_server(open_page: Open, tmp_path: Path) -> None:
    """The page says where calls are kept; over a restart they stay, each once, and so does what is switched on."""
    settings = replace(SETTINGS, store=str(tmp_path / "calls.db"))
    with live_server(settings) as first, Client.made(first.url, id="mine") as client:
        page = live_page(open_page(url=first.url, account="mine"))
        expect(page.locator("#store")).to_have_text("in a file")
        client.send("before the restart")
        expect(rows(page)).to_have_count(1)
        shape, port = client.shape, first.port
    expect(page.locator("#stream")).to_have_text("reconnecting…")
    with live_server(replace(settings, port=port), at=port) as second:
        live_page(page)
        client = Client(second.url, requests.Session(), shape)
        with client.session:
            client.send("after the restart")
            expect(rows(page)).to_have_count(2)
            client.control("PUT", "pins/polyai.send_sms", json={"account": "mine", "answers": ["rate_limited"]})
        expect(page.locator("#chosen .mark")).to_have_text("1 pin")
    expect(page.locator("#stream")).to_have_text("reconnecting…")
    with live_server(replace(settings, port=port), at=port):
        again = live_page(open_page(url=second.url, account="mine", view="phones"))
        expect(again.locator("#chosen .mark")).to_have_text("1 pin")
        expect(again.locator(".phone")).to_contain_text("2 messages")
        expect(rows(page)).to_have_count(2)
        for one in (page, again):
            one.close()


def test_memory_is_told(open_page: Open) -> None:
    """Whoever relies on calls being there tomorrow reads that they will not be."""
    page = live_page(open_page())
    expect(page.locator("#store")).to_have_text("in memory")
    assert "gone when the server ends" in (page.locator("#store").get_attribute("title") or "")
