"""Where what these tests install goes: MOCKSERVER_TOOLS, to be kept, or a folder of this session."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("MOCKSERVER_TOOLS")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("tools")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
