"""What is kept of a failed test: its calls in files, and its account with a link on a server that stays."""

import json
import re
from pathlib import Path

import pytest

from mockserver.testing import MockServer
from mockserver.testing.calls import Calls
from mockserver.testing.reports import file_name, write_report
from tests.testing.inner import here, write

pytest_plugins = ["pytester"]

SUITE = """
def test_good(mock_vendors):
    send(mock_vendors.polyai)

def test_bad(mock_vendors):
    send(mock_vendors.polyai)
    send(mock_vendors.polyai, key="wrong-key-of-nobody")
    mock_vendors.polyai.send_sms.assert_accepted(times=2)
"""


def test_reports_and_a_link(pytester: pytest.Pytester, server: MockServer) -> None:
    """A failed test leaves an archive and a text, and its account; a good one neither. No secret is in them."""
    write(pytester, SUITE)
    result = here(pytester, "--mockserver-url", server.url, "--mockserver-report", "reports/inner")
    result.assert_outcomes(passed=1, failed=1)
    folder = pytester.path / "reports/inner"
    assert sorted(file.suffix for file in folder.iterdir()) == [".har", ".txt"]
    har, text = (next(folder.glob(f"*test_bad{kind}")).read_text("utf-8") for kind in (".har", ".txt"))
    answers = [entry["_mockserver"]["answer"] for entry in json.loads(har)["log"]["entries"]]
    assert answers == ["polyai.send_sms/sent", "polyai.send_sms/unauthorized"]
    assert "polyai.send_sms/unauthorized 401" in text
    assert "wrong-key-of-nobody" not in har + text
    link = re.search(rf"see {server.url}/_mock/#account=(\S+)&call=(\S+)", result.stdout.str())
    assert link is not None
    assert server._control.get(f"calls/{link[2]}")["account"] == link[1]  # noqa: SLF001 -- as a page asks
    kept = {account["id"] for account in server._control.get("accounts", format="summary")["accounts"]}  # noqa: SLF001
    assert {name for name in kept if name.startswith("a-")} >= {link[1]}
    server._control.delete(f"accounts/{link[1]}")  # noqa: SLF001


def test_no_link_where_the_server_ends(pytester: pytest.Pytester) -> None:
    """A server of the run's own is gone when somebody reads the output."""
    write(pytester, SUITE)
    result = here(pytester, "-k", "bad")
    assert "/_mock/#" not in result.stdout.str()


def test_a_test_without_calls(tmp_path: Path) -> None:
    """Its files say so."""
    write_report(tmp_path, "tests/test_a.py::test_b[x-y]", Calls())
    assert "received no call" in (tmp_path / "tests-test_a.py-test_b-x-y.txt").read_text("utf-8")
    assert json.loads((tmp_path / "tests-test_a.py-test_b-x-y.har").read_text("utf-8"))["log"]["entries"] == []


@pytest.mark.parametrize("test", ["../../etc/passwd", "a" * 500, "ünï::test[\x00]"])
def test_names(test: str) -> None:
    """Of files, whatever the test is called."""
    name = file_name(test)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}", name)
    assert ".." not in name.split("-")


@pytest.mark.parametrize(
    ("one", "other"), [("t[+1]", "t[ 1]"), ("t[a/b]", "t[a-b]"), ("t[é]", "t[è]"), ("x" * 200 + "t", "y" * 200 + "t")]
)
def test_no_test_takes_the_files_of_another(one: str, other: str) -> None:
    """Ids that differ only in what no file's name may have, or in what is cut."""
    assert file_name(f"a.py::{one}") != file_name(f"a.py::{other}")
