"""Contracts and fixtures that change while they are served: what is right is taken, what is broken is told."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from mockserver.authoring.draft import read_draft
from mockserver.authoring.trial import send
from mockserver.engine.fixture_case import Sent
from mockserver.server.application import Application, create_app
from mockserver.server.settings import Settings
from mockserver.store.accounts import AccountError
from tests.cli.running import invoke

WAIT_SECONDS = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new contract and its fixtures."""
    assert invoke("contract", "new", "acme", "--to", tmp_path).exit_code == 0
    return tmp_path


class Served:
    """An application that watches its files, and what it says."""

    def __init__(self, folder: Path, drafts: tuple[Path, ...] = ()) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.app: Application = create_app(
            Settings(contracts=(folder,), fixtures=(folder / "fixtures",), builtin=False),
            drafts=dict(map(read_draft, drafts)),
        )
        self.app.watch(drafts, read_draft)

    def change(self, old: str, new: str, file: str = "acme.yaml") -> None:
        """Change a file, and look."""
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
        self.look()

    def look(self) -> None:
        asyncio.run(self.app.state.watch.look(self.app.swap, self.said.append))

    def call(self, key: str = "", path: str = "/messages") -> str:
        """The status and the answer of a message; without a key with that of the default account."""
        key = key or self.key()
        body = b'{"to": "+12025550123", "text": "Hello"}'
        headers = [("X-Api-Key", key), ("Content-Type", "application/json")]
        reply = send(self.app, Sent("POST", path, headers, body))
        return f"{reply.status} {reply.headers.get('x-mock-answer', '')}"

    def key(self, account: str = "default") -> str:
        found = asyncio.run(self.app.store.account(account))
        assert found is not None
        key: str = found.vendors["acme"]["api_key"]
        return key

    def calls(self) -> int:
        return asyncio.run(self.app.store.count_after("default", 0))[0]


def test_a_change_is_taken(folder: Path) -> None:
    """Another status is served from the next request on; accounts and calls stay."""
    served = Served(folder)
    key = served.key()
    assert served.call() == "202 acme.send_sms/sent"
    served.look()
    assert served.said == []
    served.change('"202":', '"201":')
    assert served.said == ["contracts are taken as they are on disk now: acme"]
    assert (served.call(), served.key(), served.calls()) == ("201 acme.send_sms/sent", key, 2)
    served.change("/messages:", "/texts:")
    assert (served.call(), served.call(path="/texts")) == ("404 ", "201 acme.send_sms/sent")


def test_a_broken_file(folder: Path) -> None:
    """The contracts before it go on, and why is told once; mended, they are taken."""
    served = Served(folder)
    served.change("sent:", "Sent:")
    served.change("Sent:", "SENT:")
    served.change("SENT: ", "SENT:  ")
    assert served.call() == "202 acme.send_sms/sent"
    first, second = served.said
    assert "an answer's name must be a plain lower-case word, not 'Sent'" in first
    assert first.startswith("what is on disk is not taken, and the contracts before it are served: ")
    assert "'SENT'" in second
    assert served.app.state.mock.watched.error
    served.change("SENT:", "sent:")
    assert (served.said[2:], served.app.state.mock.watched.error) == (
        ["contracts are taken as they are on disk now: acme"],
        "",
    )


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    """It is told as by the check."""
    served = Served(folder)
    (folder / "gone.yaml").symlink_to(folder / "nowhere.yaml")
    served.change('"202":', '"201":')
    assert "gone.yaml:1:1: /: cannot be read" in served.said[0]
    assert served.call() == "202 acme.send_sms/sent"


def test_lists_of_an_account(folder: Path) -> None:
    """Records stay as they are; a member that the contract no longer has goes."""
    file = folder / "acme.yaml"
    lines = "    lines: [{name: a, open: true}, {name: b, open: false}]\n    api_key:"
    file.write_text(file.read_text("utf-8").replace("    api_key:", lines, 1), "utf-8")
    served = Served(folder)
    asyncio.run(served.app.store.add_account("mine", {"acme": {"lines": [{"name": "x", "open": False}] * 3}}))
    served.change("{name: a, open: true}, {name: b, open: false}", "{name: a, note: null}")
    account = asyncio.run(served.app.store.account("mine"))
    assert account is not None
    assert account.vendors["acme"]["lines"] == [{"name": "x", "note": None}] * 3


def test_accounts(folder: Path) -> None:
    """What fixtures give is taken; what an account had stays; what a contract newly asks for is made up."""
    served = Served(folder)
    asyncio.run(served.app.store.add_account("mine", {}))
    mine = served.key("mine")
    served.change("api_key: acme-default", "api_key: acme-other", "fixtures/acme/accounts.yaml")
    assert served.said == ["contracts are taken as they are on disk now: acme"]
    assert served.key().startswith("acme-other")
    assert (served.call(), served.call(mine)) == ("202 acme.send_sms/sent",) * 2
    served.change(
        "    api_key: {new: token, length: 32}", "    api_key: {new: token, length: 32}\n    number: {new: integer}"
    )
    account = asyncio.run(served.app.store.account("mine"))
    assert account is not None
    assert (account.vendors["acme"]["api_key"], type(account.vendors["acme"]["number"])) == (mine, int)
    served.change("api_key: acme-second-api-key", f"api_key: {served.key()[:-6]}", "fixtures/acme/accounts.yaml")
    two = served.folder / "fixtures" / "acme" / "accounts.yaml"
    key = served.key()
    two.write_text(f"default: {{api_key: {key}}}\nsecond: {{api_key: {key}}}\n", "utf-8")
    served.look()
    assert f"{two}:2:10: /second/api_key: account 'default' has this value already" in served.said[-1]
    assert (served.call(key), served.call(mine)) == ("202 acme.send_sms/sent",) * 2


def test_vendors_come_and_go(folder: Path) -> None:
    """A new file is a new vendor, and one that is gone is served no more; the other keeps its pins."""
    served = Served(folder)
    contract = served.app.contracts[0]
    text = (folder / "acme.yaml").read_text("utf-8").replace("/messages:", "/other:").replace("acme", "other")
    (folder / "other.yaml").write_text(text, "utf-8")
    served.look()
    assert served.said == ["contracts are taken as they are on disk now: other"]
    assert served.app.contracts[0] is contract
    asyncio.run(served.app.store.add_account("late", {}))
    (folder / "other.yaml").unlink()
    served.look()
    assert served.said[1:] == ["contracts are taken as they are on disk now: other, which is gone"]
    assert (served.call(), served.call(path="/other")) == ("202 acme.send_sms/sent", "404 ")
    asyncio.run(served.app.store.remove_account("late"))


def test_a_shared_path(folder: Path) -> None:
    """A vendor that did not change may be asked for by its name, where another has its path now."""
    served = Served(folder)
    text = (folder / "acme.yaml").read_text("utf-8").replace("acme", "other")
    (folder / "other.yaml").write_text(text, "utf-8")
    served.look()
    assert [contract.base_path for contract in served.app.contracts] == ["/acme", "/other"]
    assert served.call(path="/acme/messages") == "202 acme.send_sms/sent"


def test_drafts(folder: Path) -> None:
    """An unfinished contract is read again as such."""
    draft = folder / "drafts" / "acme.yaml"
    draft.parent.mkdir()
    (folder / "acme.yaml").rename(draft)
    (folder / "keep.yaml").write_text(draft.read_text("utf-8").replace("/messages:", "/keep:"), "utf-8")
    served = Served(folder, (draft,))
    served.change("    - {problem: any, answer: invalid}", "    []", "drafts/acme.yaml")
    assert served.said == ["contracts are taken as they are on disk now: acme"]


def test_routes_of_the_user(folder: Path) -> None:
    """What was added to the application's routes stays."""
    from starlette.responses import PlainTextResponse  # noqa: PLC0415 -- for this test alone
    from starlette.routing import Route  # noqa: PLC0415 -- as above

    served = Served(folder)
    served.app.router.routes.append(Route("/mine", lambda _: PlainTextResponse("mine")))
    served.change('"202":', '"201":')
    assert send(served.app, Sent("GET", "/mine", [], b"")).body == b"mine"
    assert served.call() == "201 acme.send_sms/sent"


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


def test_while_it_serves(folder: Path) -> None:
    """A server looks by itself, and its health tells how often it took something, and what is broken."""
    served = Served(folder)
    with TestClient(served.app) as client:

        def health() -> Any:
            return client.get("/_mock/health").json()

        assert health()["watch"] == {"swaps": 0, "error": None}
        text = (folder / "acme.yaml").read_text("utf-8")
        (folder / "acme.yaml").write_text(text.replace('version: "1"', 'version: "2"'), "utf-8")
        until(lambda: health()["contracts"] == {"acme": "2"})
        (folder / "acme.yaml").write_text("openapi: [", "utf-8")
        until(lambda: health()["watch"]["error"] is not None)
        assert health()["watch"]["swaps"] == 1


def test_nothing_changes_where_accounts_clash(folder: Path) -> None:
    """Contracts whose accounts cannot be are refused as a whole."""
    served = Served(folder)
    given = {"acme": {"default": {"api_key": "one"}, "second": {"api_key": "one"}}}
    with pytest.raises(AccountError, match="has this value already"):
        served.app.swap(served.app.contracts, given, {"acme"})
    assert served.call() == "202 acme.send_sms/sent"
