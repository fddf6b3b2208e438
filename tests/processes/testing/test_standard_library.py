"""What a user's environment needs beside a server elsewhere: the standard library, and pytest for the plugin."""

import subprocess
import sys
from pathlib import Path

import pytest

from mockserver.testing import MockServer
from tests.evidence import ROOT
from tests.live import PATIENCE

# What pytest itself imports.
OF_PYTEST = ("_pytest", "iniconfig", "packaging", "pluggy", "py", "pygments", "pytest")
REFUSING = """
import sys

class Refused:
    known = sys.stdlib_module_names | {"mockserver", *ALLOWED}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.known:
            raise ModuleNotFoundError(f"refused: {name}", name=name)

sys.meta_path.insert(0, Refused())
for name in ("starlette", "uvicorn", "msgspec", "yaml", "jsonschema_rs", "click"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise AssertionError(f"{name} is not refused")
"""
LIBRARY = """
import json, urllib.request
import mockserver.testing
from mockserver.testing import ControlError, MockServer

def send(vendor, key):
    headers = {"X-PolyAi-Auth-Token": key, "X-TOKEN-ID": vendor.owned["connectors"][0]["id"]}
    body = json.dumps({"user_number": "+14155550123", "message": "Hi"}).encode()
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(f"{vendor.url}/v1/outbound-sms", body, headers)
    return urllib.request.urlopen(request).status

with MockServer(sys.argv[1]).account() as account:
    polyai = account.polyai
    assert send(polyai, polyai.credentials["api_key"]) == 202
    polyai.send_sms.assert_accepted(times=1, body={"message": "Hi"}, recipient="+14155550123")
    try:
        polyai.send_sms.assert_accepted(times=2, body={"message": "Ho"})
    except AssertionError as error:
        assert "Ho" in str(error)
    else:
        raise AssertionError("nothing was compared")
    polyai.send_sms.pin("rate_limited", where={"body": {"message": "Hi"}}, when={"/body/message": {"const": "Hi"}})
"""
PUBLIC = """
import mockserver.testing
for name in mockserver.testing.__all__:
    assert getattr(mockserver.testing, name)
"""
PLUGIN = """
import pytest
options = ["-q", "-p", "no:cacheprovider", "-p", "mockserver.testing.plugin", *sys.argv[1:]]
raise SystemExit(pytest.main(options))
"""
TEST = """
import asyncio, json, urllib.request

def test_it(mock_vendors, async_mock_vendors):
    polyai = mock_vendors.polyai
    headers = {"X-PolyAi-Auth-Token": polyai.credentials["api_key"], "Content-Type": "application/json"}
    headers["X-TOKEN-ID"] = polyai.owned["connectors"][0]["id"]
    body = json.dumps({"user_number": "+14155550123", "message": "Hi"}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{polyai.url}/v1/outbound-sms", body, headers))
    polyai.send_sms.assert_accepted(times=1)
    asyncio.run(async_mock_vendors.polyai.send_sms.assert_accepted(times=1))
"""


def alone(allowed: tuple[str, ...], program: str, *arguments: str, folder: Path) -> None:
    """Run a program where every import but the standard library, this package and what is allowed fails."""
    source = f"ALLOWED = {allowed!r}\n{REFUSING}{program}"
    environment = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "no_proxy": "*"}
    ended = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_library(server: MockServer, tmp_path: Path) -> None:
    """An account, assertions that pass and fail, and a pin: without pytest even."""
    alone((), LIBRARY, server.url, folder=tmp_path)


def test_public_names(tmp_path: Path) -> None:
    """Every name can be had; the fixtures' classes are pytest's."""
    alone(OF_PYTEST, PUBLIC, folder=tmp_path)


@pytest.mark.parametrize("own", [True, False], ids=["a server by command", "a server that runs"])
def test_the_plugin(server: MockServer, tmp_path: Path, own: bool) -> None:
    """Its fixtures, coverage and summary."""
    (tmp_path / "test_app.py").write_text(TEST, "utf-8")
    where = ["--mockserver-command", f"{sys.executable} -m mockserver"] if own else ["--mockserver-url", server.url]
    alone(
        OF_PYTEST, PLUGIN, *where, "--mockserver-cov", "--mockserver-cov-json=cov.json", "test_app.py", folder=tmp_path
    )
    assert (tmp_path / "cov.json").exists()
