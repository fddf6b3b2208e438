"""The page's files and the guides: served to browsers, with a strict policy, wherever the package lies."""

import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.control.page import PAGE_POLICY
from tests.evidence import ROOT
from tests.live import PATIENCE
from tests.server.acme_customer import SETTINGS

PAGE = ROOT / "mockserver/server/page"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_the_page(acme_client: TestClient) -> None:
    """From ``/`` and ``/_mock``, too; all addresses in it are relative to its folder."""
    for path in ("/", "/_mock"):
        response = acme_client.get(path, headers=BROWSER, follow_redirects=False)
        assert (response.status_code, response.headers["location"].removeprefix("http://localhost")) in {
            (307, "/_mock/"),
            (307, "_mock/"),
        }
    response = acme_client.get("/_mock/", headers=BROWSER)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY
    for link in re.findall(r'(?:src|href)="([^"#]+)"', response.text):
        assert not link.startswith(("/", "http"))
        assert acme_client.get(f"/_mock/{link}").status_code == 200


def test_others_get_no_page(acme_client: TestClient) -> None:
    """A program that asks for anything is told that there is no such path."""
    for path in ("/_mock", "/_mock/"):
        assert acme_client.get(path).status_code == 404
        assert acme_client.post(path, headers=BROWSER).status_code == 404
    assert acme_client.get("/").headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("file", sorted(PAGE.iterdir()), ids=lambda file: file.name)
def test_files(acme_client: TestClient, file: Path) -> None:
    """Each with its type and a tag, by which a browser that has it need not take it again."""
    kinds = {"js": "text/javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}
    response = acme_client.get(f"/_mock/page/{file.name}")
    assert response.content == file.read_bytes()
    assert response.headers["content-type"].startswith(kinds[file.suffix[1:]])
    assert response.headers["x-content-type-options"] == "nosniff"
    again = acme_client.get(f"/_mock/page/{file.name}", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fapp.py", "..%5Capplication.py", "app.py", "%2e%2e", "x.exe"])
def test_no_other_file(acme_client: TestClient, name: str) -> None:
    """Nothing beside the page's own files, and nothing of a kind that it has not."""
    assert acme_client.get(f"/_mock/page/{name}").status_code == 404


def test_guides(client: TestClient) -> None:
    """All that are listed are there, the vendors' among them, as Markdown; others are not."""
    listed = client.get("/_mock/guides").json()["guides"]
    assert {"testing", "server", "vocabulary", "polyai"} <= {guide["name"] for guide in listed}
    for guide in listed:
        response = client.get(f"/_mock/guides/{guide['name']}")
        assert response.text.startswith("# ")
        assert response.headers["content-type"].startswith("text/markdown")
    assert client.get("/_mock/guides/nothing").status_code == 404


def test_a_vendor_without_a_guide(acme_client: TestClient) -> None:
    """Is not listed."""
    assert "acme" not in {guide["name"] for guide in acme_client.get("/_mock/guides").json()["guides"]}


def test_open_where_a_token_is_asked_for() -> None:
    """The page and the guides are no secret; all that they ask for is."""
    settings = replace(SETTINGS, host="10.0.0.1", admin_token="the-token")
    with TestClient(create_app(settings), base_url="http://10.0.0.1") as client:
        assert client.get("/_mock/", headers=BROWSER).status_code == 200
        assert client.get("/_mock/page/app.js").status_code == 200
        assert client.get("/_mock/guides/testing").status_code == 200
        assert client.get("/_mock/events").status_code == 401
        assert client.get("/_mock/accounts?format=summary").status_code == 401


def test_no_markup_is_made_of_text() -> None:
    """No script of the page knows a way to make markup of a text, or a style of one."""
    ways = r"(inner|outer|Adjacent)HTML|document\.write|DOMParser|srcdoc|eval\(|new Function|setAttribute\(\"style"
    assert [file.name for file in PAGE.glob("*.js") if re.search(ways, file.read_text("utf-8"))] == []


ZIPPED = """
import sys
sys.path.insert(0, sys.argv[1])
import mockserver
assert mockserver.__file__.startswith(sys.argv[1]), mockserver.__file__
from mockserver.server.control.page import Pages
from starlette.requests import Request
request = Request({"type": "http", "method": "GET", "headers": []})
print(Pages(()).file(request, "index.html").status_code)
"""


def test_from_a_zip(tmp_path: Path) -> None:
    """The files are found where the package is no folder."""
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (ROOT / "mockserver").rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                file.write(path, path.relative_to(ROOT))
    command = [sys.executable, "-I", "-c", ZIPPED, str(archive)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.stdout, ended.stderr) == ("200\n", "")
