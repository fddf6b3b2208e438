"""A user's own schemathesis run, by the file that ``mockserver account --format schemathesis`` writes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import invoke
from tests.live import PATIENCE, Live, live_server

VENDORS = ["avaamo", "koreai", "opentact", "polyai", "voximplant"]
A_SETTING = "phases.examples.enabled = true"  # the default: a part of the file must have one
REPEATABLE = 'seed = 20261121\n[cache]\nenabled = false\n[generation]\ndatabase = "none"\nmax-examples = 10\n'


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live_server() as live:
        yield live


def settings_of(vendor: str) -> str:
    written = invoke("account", "--format", "schemathesis", "--vendor", vendor)
    assert written.exit_code == 0, written.output
    return written.stdout


def run(server: Live, vendor: str, settings: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """``st run`` over the contract as the server shows it."""
    top, mark, rest = settings.partition("\n\n")  # a table of TOML goes on until the next
    file = folder / "schemathesis.toml"
    file.write_text(f"{top}\n{REPEATABLE}{mark}{rest}", "utf-8")
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(file), "run", "--no-color"]
    return subprocess.run(
        [*program, f"{server.url}/_mock/contracts/{vendor}"],
        cwd=folder,
        env={**os.environ, "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_it_passes(server: Live, tmp_path: Path, vendor: str) -> None:
    """Nothing is wrong with the mock, and warnings that nothing was tried would fail the run."""
    ended = run(server, vendor, settings_of(vendor), tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(re.findall(r"([0-9]+) passed", ended.stdout)[-1]) > 100


def test_every_warning_fails_it() -> None:
    """For PolyAI, whose bodies need no value of the customer's."""
    assert "warnings = { fail-on = true }" in settings_of("polyai")


@pytest.mark.parametrize(
    ("left_out", "instead", "said"),
    [
        pytest.param(r"(?<=\n)parameters = .*", A_SETTING, "Missing test data", id="owned"),
        pytest.param(r"\[auth.*\n.*", "", "Authentication failed", id="credentials"),
    ],
)
def test_it_proves_something(server: Live, tmp_path: Path, left_out: str, instead: str, said: str) -> None:
    """Without the credentials, or the values that the customer owns, the run fails."""
    settings, count = re.subn(left_out, instead, settings_of("polyai"))
    assert count
    ended = run(server, "polyai", settings, tmp_path)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert said in ended.stdout
