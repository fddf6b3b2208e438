"""What a file sets before the first call."""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.server.application import Application, create_app
from mockserver.server.state_file import ControlRequest, StateFile, StateFileError, apply_state, ask


@pytest.fixture(scope="module")
def app() -> Iterator[Application]:
    made = create_app()
    yield made
    made.state.mock.unreachable.close()


def applied(app: Application, file: Path, own_account: str | None = None) -> None:
    asyncio.run(apply_state(app, StateFile(file), own_account))


def asked(app: Application, path: str) -> dict[str, Any]:
    status, answer = asyncio.run(ask(app, ControlRequest("GET", path, {})))
    assert status == 200
    return answer


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str, name: str = "state.yaml") -> Path:
        file = tmp_path / name
        file.write_text(text, "utf-8")
        return file

    return write


def test_all_of_it(app: Application, written: Any) -> None:
    """Pins with their faults, limits and clocks of several accounts, in YAML and in JSON."""
    state = {
        "default": {
            "pins": [
                {"operation": "polyai.send_sms", "answers": ["rate_limited"]},
                {"operation": "avaamo.*", "fault": {"kind": "reset", "times": 2}},
            ],
            "limits": {"polyai": {"requests": 3, "seconds": 9}},
            "clock": {"freeze": "2030-01-01T00:00:00Z"},
        },
        "second": {"clock": {"advance": 60}},
    }
    applied(app, written(json.dumps({"accounts": state}), "state.json"))
    account = asked(app, "accounts/default")
    assert account["clock"]["frozen"] is True
    assert account["clock"]["now"].startswith("2030-01-01")
    assert (account["limits"][0]["requests"], account["limits"][0]["seconds"]) == (3, 9)
    assert 59 < asked(app, "accounts/second")["clock"]["offset"] < 61
    status, pins = asyncio.run(ask(app, ControlRequest("GET", "pins", {})))
    assert status == 200
    assert [(pin["operation"], pin["account"]) for pin in pins["pins"]] == [
        ("polyai.send_sms", "default"),
        ("avaamo.*", "default"),
    ]


def test_an_account_of_its_own(app: Application, written: Any) -> None:
    """What stands at the top is that account's."""
    asyncio.run(ask(app, ControlRequest("POST", "accounts", {"id": "own"})))
    applied(app, written("limits: {polyai: true}\naccounts: {second: {limits: {polyai: true}}}\n"), "own")
    assert [len(asked(app, f"accounts/{name}")["limits"]) for name in ("own", "second")] == [1, 1]


LEASE = "accounts: {default: {vendors: {opentact: {leases: [{messaging_profile: {callback_url: %s}}]}}}}\n"


def test_callback_urls(app: Application, written: Any) -> None:
    """Where callbacks go, of a built-in account and of one that is made for it; its other values stay."""
    before = asked(app, "accounts/default")["vendors"]["opentact"]["owned"]["leases"]
    applied(app, written(LEASE % '"http://localhost:9000/hook"'))
    after = asked(app, "accounts/default")["vendors"]["opentact"]["owned"]["leases"]
    assert after[0]["messaging_profile"].pop("callback_url") == "http://localhost:9000/hook"
    assert before[0]["messaging_profile"].pop("callback_url") != "http://localhost:9000/hook"
    assert after == before
    values = "{polyai: {api_key: a-key-of-the-shop-00000000000000000001}}"
    applied(app, written(f"accounts: {{shop: {{vendors: {values}, clock: {{advance: 5}}}}}}\n"))
    shop = asked(app, "accounts/shop")
    assert shop["vendors"]["polyai"]["credentials"]["api_key"] == "a-key-of-the-shop-00000000000000000001"
    assert 4 < shop["clock"]["offset"] < 6


def test_values_at_the_top(written: Any) -> None:
    """Values of a run's own account are there to make it with."""
    assert StateFile(written("vendors: {polyai: {api_key: mine}}")).own_values == {"polyai": {"api_key": "mine"}}
    assert StateFile(written("pins: []")).own_values == {}


@pytest.mark.parametrize(
    ("vendors", "said"),
    [
        ("{polyai: {api_key: another}}", "identifies this account, and stays; an account of another id may have it"),
        ("{polyai: {key: another}}", "is not known here; known: account_id, api_key, connectors"),
        ("{polyai: {connectors: [{}, {}, {}, {}]}}", "must be like the account's own values"),
        ("{polyai: {connectors: {}}}", "must be like the account's own values"),
        ("{polyai: {api_key: [1]}}", "identifies this account"),
        ("{opentact: {leases: [{messaging_profile: {callback_url: {a: 1}}}]}}", "must be a plain value"),
        ("[]", "must be a mapping"),
    ],
)
def test_values_that_cannot_be(app: Application, written: Any, vendors: str, said: str) -> None:
    """A built-in account stays who it is, and in its shape; the mistake has its place."""
    with pytest.raises(StateFileError, match=re.escape(said)) as caught:
        applied(app, written(f"accounts:\n  default:\n    vendors: {vendors}\n"))
    assert re.search(r"state\.yaml:3:\d+: /accounts/default/vendors", str(caught.value))


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("accounts: {", "2:1", "not YAML"),
        ("- 1", "1:1", "must be a mapping"),
        ("pins: []", "1:1", "is not known here; known: accounts"),
        ("accounts:\n  default:\n    pin: []", "3:5", "is not known here; known: vendors, pins, limits, clock"),
        ("accounts: {default: {pins: {}}}", "1:22", "must be a list"),
        ("accounts:\n  default:\n    pins:\n    - answers: [sent]", "4:7", "name the operation that it is for"),
        ("accounts:\n  default:\n    pins:\n    - {operation: polyai.nope}", "4:7", "polyai.nope"),
        (
            "accounts:\n  default:\n    pins:\n    - operation: polyai.send_sms\n      answers: [sent, nope]",
            "5:23",
            "nope",
        ),
        ("accounts:\n  default:\n    limits:\n      polyai: {requests: 0}", "4:16", "must be a whole number from 1"),
        ("accounts:\n  default:\n    clock: {advance: x}", "3:13", "must be a number of seconds"),
        ("accounts:\n  nobody:\n    clock: {advance: 1}", "3:5", "nobody"),
    ],
)
def test_mistakes(app: Application, written: Any, text: str, place: str, said: str) -> None:
    """Each is told in one line, with its place in the file."""
    file = written(text)
    with pytest.raises(StateFileError) as raised:
        applied(app, file)
    assert str(raised.value).startswith(f"{file}:{place}")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_file(app: Application, tmp_path: Path) -> None:
    """A path that is none, a file that is no text, and a pipe that nobody writes to."""
    with pytest.raises(StateFileError, match="nothing cannot be read: No such file"):
        applied(app, tmp_path / "nothing")
    (tmp_path / "raw").write_bytes(b"\xff\xfe")
    with pytest.raises(StateFileError, match="raw cannot be read: the file is not UTF-8 but UTF-16"):
        applied(app, tmp_path / "raw")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StateFileError, match="pipe cannot be read: it is no regular file"):
        applied(app, tmp_path / "pipe")
