"""The README tells the truth: its examples are tests, its commands run, its settings exist."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from mockserver.engine.choice import MAGIC
from mockserver.server.settings import Settings, variable
from mockserver.spec.load import contract_files, load_contracts
from tests.evidence import ROOT
from tests.live import Live, live_server

README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", README, re.DOTALL)


def block(mark: str) -> str:
    """The code block that follows ``<!-- mark -->``."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found is not None, f"README.md has lost its block {mark!r}"
    return found[1]


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with live_server() as live:
        yield live


@pytest.mark.parametrize(("file", "text"), EXAMPLES, ids=[file for file, _ in EXAMPLES])
def test_examples_are_tests(file: str, text: str) -> None:
    """What the README shows is what the test suite runs, letter for letter."""
    assert (ROOT / file).read_text("utf-8") == text


def test_every_example_is_shown() -> None:
    """No example is run without being shown, and at least one is."""
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/examples").glob("[!_]*.*")}
    assert files == {file for file, _ in EXAMPLES}


@pytest.mark.parametrize("mark", ["ci: serve", "ci: test"])
def test_commands_are_one_line(mark: str) -> None:
    """The two commands need nothing but Python and pip, and are one line each."""
    lines = block(mark).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("python3 -m venv .venv && .venv/bin/pip install ")


@pytest.mark.parametrize("line", block("calls").splitlines())
def test_first_calls_are_accepted(line: str, live: Live) -> None:
    """Each vendor accepts the call that the README makes to it."""
    command = line.replace("http://127.0.0.1:8080", live.url)
    path = f"{ROOT / '.venv' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    if command.startswith("eval"):
        program = f"{shlex.quote(sys.executable)} -m mockserver"
        command = command.replace(".venv/bin/mockserver curl koreai", f"{program} curl koreai --url {live.url}")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env={"PATH": path})
    assert re.match(r"HTTP/1.1 20[02] ", done.stdout), done.stdout
    assert re.search(r"x-mock-answer: \w+\.send_sms/sent", done.stdout)


def test_compose_file() -> None:
    """The compose file builds this image, waits for its health, and hands over credentials that exist."""
    services = yaml.safe_load(block("compose"))["services"]
    assert services["vendors"]["build"] == "."
    assert services["app"]["depends_on"]["vendors"]["condition"] == "service_healthy"
    settings = {variable(field.name) for field in fields(Settings)}
    assert services["vendors"]["environment"].keys() <= settings
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert "HEALTHCHECK" in dockerfile
    assert "EXPOSE 8080" in dockerfile
    accounts = yaml.safe_load((ROOT / "fixtures/polyai/accounts.yaml").read_text("utf-8"))
    given = services["app"]["environment"]
    assert given["POLYAI_API_KEY"] == accounts["default"]["api_key"]
    assert given["POLYAI_CONNECTOR"] == accounts["default"]["connectors"][0]["id"]


def test_github_job(tmp_path: Path) -> None:
    """The job's commands that need no engine run: what it appends to GITHUB_ENV are credentials."""
    steps = yaml.safe_load(block("github"))["jobs"]["test"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True)
    handing = next(script for script in scripts if "GITHUB_ENV" in script)
    command = handing.replace("docker exec vendors mockserver", f"{shlex.quote(sys.executable)} -m mockserver")
    file = tmp_path / "env"
    subprocess.run(["bash", "-c", command], check=True, env={**os.environ, "GITHUB_ENV": str(file)})
    assert "\nPOLYAI_API_KEY=polyai-default-api-key" in f"\n{file.read_text('utf-8')}"


def test_settings_are_all_told() -> None:
    """The README names every setting, and none that does not exist."""
    told = set(re.findall(r"MOCKSERVER_[A-Z_]+[A-Z]", README)) - {"MOCKSERVER_HOST", "MOCKSERVER_PORT"}
    assert told == {variable(field.name) for field in fields(Settings)}


def test_magic_recipients_exist() -> None:
    """Each magic recipient that the README mentions gets an answer."""
    contracts = load_contracts(contract_files([ROOT / "contracts"]))
    known = {magic for contract in contracts for operation in contract.operations for magic in operation.magic}
    told = re.findall(rf"\+{MAGIC}([0-9]{{3}})", README)
    assert told
    assert set(told) <= known
