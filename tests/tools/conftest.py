"""What these tests install, and where it goes: MOCKSERVER_TOOLS, to be kept, or a folder of this session."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cli.running import invoke
from tests.live import PATIENCE, Live, live_server
from tests.tools.sdks import Customer, Sdk, node_sdk, python_sdk


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("MOCKSERVER_TOOLS")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("tools")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def python(tools: Path) -> Sdk:
    return python_sdk(tools)


@pytest.fixture(scope="session")
def node(tools: Path) -> Sdk:
    return node_sdk(tools)


@pytest.fixture(scope="session")
def server() -> Iterator[Live]:
    with live_server() as live:
        yield live


@pytest.fixture
def customer(server: Live, tmp_path: Path) -> Customer:
    made = requests.post(f"{server.url}/_mock/accounts", timeout=PATIENCE).json()
    files = invoke("account", made["id"], "--live", "--url", server.url, "--files", tmp_path)
    assert files.exit_code == 0, files.output
    numbers = [record["number"] for record in made["vendors"]["voximplant"]["owned"]["numbers"]]
    return Customer(made["id"], numbers, tmp_path / "voximplant" / "credentials.json")
