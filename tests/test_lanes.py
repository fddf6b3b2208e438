"""The lanes: what a plain run leaves out, and that unit tests start at once."""

import re
import tomllib
from argparse import Namespace
from typing import Any

import pytest

from tests.conftest import LANES, TESTS, pytest_ignore_collect
from tests.evidence import ROOT


def config(expression: str) -> Any:
    """What pytest knows of ``-m``."""
    return Namespace(option=Namespace(markexpr=expression))


def test_each_lane_is_a_folder_and_a_marker() -> None:
    """No lane is named that does not exist."""
    pytest_options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]
    assert {marker.partition(":")[0] for marker in pytest_options["markers"]} == LANES
    assert [lane for lane in LANES if not list((TESTS / lane).glob("test_*.py"))] == []


def test_a_lane_has_its_tests_in_its_folder() -> None:
    """A test elsewhere that carried a lane's marker would run in every plain run."""
    marks = re.compile(rf"mark\.({'|'.join(sorted(LANES))})\b")
    files = {file: file.relative_to(TESTS) for file in TESTS.rglob("*.py")}
    marked = [(str(path), lane) for file, path in files.items() for lane in marks.findall(file.read_text("utf-8"))]
    assert [(path, lane) for path, lane in marked if not path.startswith(f"{lane}/")] == []


@pytest.mark.parametrize(
    ("expression", "collected"),
    [("", set()), ("fuzz", {"fuzz"}), ("load or (tools)", {"load", "tools"}), ("not tools", {"tools"})],
)
def test_a_plain_run_leaves_lanes_out(expression: str, collected: set[str]) -> None:
    """A lane's folder is collected where ``-m`` names it; every other folder always."""
    folders = {folder.name for folder in TESTS.iterdir() if folder.is_dir()}
    ignored = {folder for folder in folders if pytest_ignore_collect(TESTS / folder, config(expression))}
    assert ignored == LANES - collected
    assert not pytest_ignore_collect(TESTS / "cli" / "load", config(expression))
