"""What a browser asks for by itself is answered, and is no call."""

import io
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from tests.engine.workbench import ACME
from tests.server.acme_customer import SETTINGS

PATHS = ["/", "/favicon.ico", "/robots.txt"]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Standard error, for the log."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    return stream


@pytest.fixture
def browser(stream: io.StringIO) -> Iterator[TestClient]:
    with TestClient(create_app(replace(SETTINGS, log="text")), base_url="http://localhost:8080") as client:
        yield client


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attributes if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_front_page(browser: TestClient) -> None:
    """It says what this is, where the vendors are, a command to try, and where to look; its links lead somewhere."""
    response = browser.get("/")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Page(response.text)
    assert "An offline stand-in" in page.text
    assert "acme: Acme, http://localhost:8080/base" in page.text
    assert "mockserver curl acme --url http://localhost:8080" in page.text
    assert {"/_mock/openapi.json", "/_mock/calls"} <= set(page.links)
    assert {browser.get(link).status_code for link in page.links} == {200}


def test_no_scripts_and_no_markup_of_others(browser: TestClient) -> None:
    """Nothing runs on the page, and what a client sends as its Host is text there."""
    response = browser.get("/", headers={"Host": "a<script>alert(1)</script>\"'"})
    assert not {"script", "style", "link", "img", "form"} & set(Page(response.text).tags)
    assert response.headers["content-security-policy"] == "default-src 'none'"
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/favicon.ico", 204), ("/robots.txt", 200)])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_call(stream: io.StringIO, browser: TestClient, method: str, path: str, status: int) -> None:
    """None of it is recorded or logged."""
    response = browser.request(method, path)
    assert response.status_code == status
    assert [name for name in response.headers if name.startswith("x-mock-")] == []
    assert browser.get("/_mock/calls").json()["calls"] == []
    assert stream.getvalue() == ""


def test_no_robots(browser: TestClient) -> None:
    """Nothing here is to be found by a search."""
    assert browser.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods(browser: TestClient, method: str, path: str) -> None:
    """Any other method is a call to a path that no contract has."""
    response = browser.request(method, path)
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert len(browser.get("/_mock/calls").json()["calls"]) == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_vendors_own_host(browser: TestClient, path: str) -> None:
    """What a client asks of a vendor is a call, and none of a vendor's answers is ours."""
    response = browser.get(path, headers={"Host": "api.acme.test", "Accept": "text/html"})
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert len(browser.get("/_mock/calls").json()["calls"]) == 1


def test_a_vendor_that_documents_the_path(tmp_path: Path) -> None:
    """Its contract answers there."""
    text = ACME.read_text("utf-8")
    assert text.count("\n  /ping:\n    post:") == 1
    (tmp_path / "acme.yaml").write_text(text.replace("\n  /ping:\n    post:", "\n  /:\n    get:"), "utf-8")
    app = create_app(replace(SETTINGS, contracts=(tmp_path,)))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/").headers["x-mock-answer"].startswith("acme.ping/")
        assert client.get("/robots.txt").status_code == 200


def test_a_server_for_others(stream: io.StringIO) -> None:
    """Beyond loopback the page says that the control API needs a token, and shows the public address."""
    settings = replace(SETTINGS, host="10.0.0.1", admin_token="secret-token", public_url="https://sms.example")
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        page = Page(client.get("/").text)
        assert "MOCKSERVER_ADMIN_TOKEN" in page.text
        assert "https://sms.example/base" in page.text
        assert "secret-token" not in page.text
