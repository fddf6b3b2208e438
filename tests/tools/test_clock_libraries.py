"""freezegun and time-machine themselves: a test under them waits, passes and fails as any other."""

from pathlib import Path

import pytest

from tests.evidence import ROOT
from tests.testing.inner import SENDING
from tests.tools.installing import execute, virtual_environment

TESTS = """
import datetime
import json
import socket
import ssl
from unittest.mock import ANY
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import time_machine
from freezegun import freeze_time
from mockserver.testing import run
from sending import send

FROZEN = [
    freeze_time("2030-01-01"),
    freeze_time("2020-01-01", tick=True),
    freeze_time("2020-01-01", auto_tick_seconds=1000),
    time_machine.travel(datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc), tick=False),
    time_machine.travel(datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), tick=True),
]


@pytest.fixture(params=FROZEN, ids=str, autouse=True)
def clock(request):  # before the server is started
    with request.param as clock:
        yield clock


def test_settle(mock_vendors):
    mock_vendors.polyai.send_sms.assert_accepted(times=0, settle=0.3)
    assert send(mock_vendors.polyai) == 202
    mock_vendors.polyai.send_sms.assert_accepted(times=1, settle=0.3)
    mock_vendors.polyai.send_sms.assert_accepted(times=1, json={"message": ANY}, settle=0.3)


def test_within(mock_vendors):
    with pytest.raises(AssertionError):
        mock_vendors.polyai.send_sms.assert_accepted(times=1, within=0.3)
    with pytest.raises(AssertionError):
        mock_vendors.polyai.send_sms.assert_accepted(times=1, json={"message": ANY}, within=0.3)


def test_back(mock_vendors, clock):
    assert send(mock_vendors.polyai) == 202
    if hasattr(clock, "shift"):
        clock.shift(-100_000)
    elif hasattr(clock, "move_to"):
        clock.move_to("2019-01-01")
    mock_vendors.advance(10)
    assert send(mock_vendors.polyai) == 202
    mock_vendors.polyai.send_sms.assert_accepted(times=2, settle=0.1)


def test_tls(clock, tmp_path, monkeypatch):  # OpenSSL's own clock is C's: it is never moved
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with run() as mock, urlopen(f"{mock.url}/_mock/trust") as answer:
        client = ssl.create_default_context(cadata=json.load(answer)["ca"])
        place = urlsplit(mock.url)
        with socket.create_connection((place.hostname, place.port)) as raw:
            assert client.wrap_socket(raw, server_hostname="localhost").version() == "TLSv1.3"
"""


@pytest.fixture(scope="module")
def clocks_python(tools: Path) -> Path:
    """An environment with this checkout and both libraries."""
    libraries = ("freezegun==1.5.5", "time-machine==3.6.0", "pytest", "requests")
    return virtual_environment(tools / "clocks", ROOT, *libraries)


def test_under_both_libraries(clocks_python: Path, tmp_path: Path) -> None:
    """Whatever the clock of the process does."""
    (tmp_path / "sending.py").write_text(SENDING.read_text("utf-8"), "utf-8")
    (tmp_path / "test_clocks.py").write_text(TESTS, "utf-8")
    printed = execute(clocks_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_clocks.py", cwd=tmp_path)
    assert "20 passed" in printed
