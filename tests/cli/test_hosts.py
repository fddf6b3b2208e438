"""``mockserver hosts``: the vendors' names, from their contracts."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.server.build import contracts_of
from mockserver.server.certificates import vendor_hosts
from mockserver.server.settings import Settings
from tests.cli.running import invoke
from tests.engine.workbench import ACME

NAMES = vendor_hosts(contracts_of(Settings()))


def test_lines_of_etc_hosts() -> None:
    """A line for each name, here or where one says."""
    assert invoke("hosts").stdout.splitlines() == [f"127.0.0.1 {name}" for name in NAMES]
    assert invoke("hosts", "--address", "10.1.2.3").stdout.splitlines() == [f"10.1.2.3 {name}" for name in NAMES]


@pytest.mark.parametrize("address", ["foo bar", "localhost", "10.1.2", "10.1.2.3\nevil", ""])
def test_what_is_no_address(address: str) -> None:
    """A line with it would lead nowhere."""
    ended = invoke("hosts", "--address", address)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == f"mockserver: --address is an IP address, as /etc/hosts has them, not {address!r}\n"


def test_other_contracts(tmp_path: Path) -> None:
    """Their hosts, and nothing of the built-in ones where these are not served; a folder without any is told."""
    others = Settings(builtin=False, contracts=(ACME.parent,))
    lines = [f"127.0.0.1 {name}" for name in vendor_hosts(contracts_of(others))]
    assert invoke("hosts", "--no-builtin", "--contracts", ACME.parent).stdout.splitlines() == lines
    assert lines
    assert "no contract is here" in invoke("hosts", "--no-builtin", "--contracts", tmp_path).stdout


def test_a_compose_file() -> None:
    """The server has all names on the port that clients call, and the app finds what it is to trust; nothing leaves."""
    document: Any = yaml.safe_load(invoke("hosts", "--compose").stdout)
    vendors, app = document["services"]["vendors"], document["services"]["app"]
    assert vendors["networks"]["default"]["aliases"] == list(NAMES)
    assert vendors["environment"]["MOCKSERVER_SERVE_PORT"] == "443"
    shared = vendors["environment"]["MOCKSERVER_TLS_FILES"]
    assert vendors["volumes"] == [f"tls:{shared}"]
    assert app["volumes"] == [f"tls:{shared}:ro"]
    assert {value.rpartition("/")[0] for value in app["environment"].values()} == {shared}
    assert {value.rpartition("/")[2] for value in app["environment"].values()} == {"ca.pem", "bundle.pem"}
    assert document["networks"]["default"]["internal"] is True
