"""README and the users' guides tell the truth: their examples are tests, their commands run, their settings exist."""

import argparse
import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest
import yaml

from mockserver.cli.serve import serve
from mockserver.engine.recipient import MAGIC
from mockserver.server.settings import Settings, from_environment, variable
from mockserver.spec.load import contract_files, load_contracts
from mockserver.testing import Account, MockServer, Operation, Vendor, fault, plugin
from mockserver.testing.assertions import Assertions
from mockserver.testing.pin import Pinnable
from tests.evidence import ROOT
from tests.live import Live, live_server

README = (ROOT / "README.md").read_text("utf-8")
SERVER = (ROOT / "mockserver/server/README.md").read_text("utf-8")
TESTING = (ROOT / "mockserver/testing/README.md").read_text("utf-8")
UNCHANGED = (ROOT / "mockserver/cli/README.md").read_text("utf-8")
MAX_PROSE_WORDS = 700
BASE = "http://127.0.0.1:8080"


def block(mark: str, text: str = README) -> str:
    """The code block that follows ``<!-- mark -->``."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```\w+\n(.*?)```", text, re.DOTALL)
    assert found is not None, f"the guide has lost its block {mark!r}"
    return found[1]


def shell(command: str, live: Live) -> str:
    """What a command of a guide prints, run as it is written but for the server's address and the program's path."""
    mockserver = f"{shlex.quote(sys.executable)} -m mockserver"
    command = re.sub(r"\.venv/bin/mockserver (curl \w+)", rf"{mockserver} \1 --url {live.url}", command)
    command = command.replace(BASE, live.url)
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout


def test_readme_is_short() -> None:
    """Prose is what is left without code, tables and marks."""
    prose = re.sub(r"^```.*?^```$|^\|.*?$|<!--.*?-->", "", README, flags=re.DOTALL | re.MULTILINE)
    assert len(prose.split()) <= MAX_PROSE_WORDS


def test_limits_stand_in_the_first_screen() -> None:
    """What is assumed and what is never done is said before the first command."""
    first_screen = README.partition("```")[0]
    assert "assumed" in first_screen
    assert "delivers nothing" in first_screen


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with live_server() as live:
        yield live


def test_every_example_is_shown() -> None:
    """No example is run without being shown by a guide, and no other file is called one."""
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests/examples").glob("[!_]*.*")}
    assert files == set(re.findall(r"<!-- example: (\S+) -->", README + SERVER + TESTING + UNCHANGED))


def test_examples_overlook_nothing() -> None:
    """No refusal and no pin of an example is overlooked: they pass where that fails a test."""
    strict = ["--mockserver-refused=fail", "--mockserver-unused=fail", "--strict-markers", "-q"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *strict, "tests/examples"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("mark", ["ci: serve", "ci: test"])
def test_commands_are_one_line(mark: str) -> None:
    """The two commands need nothing but Python and pip, and are one line each."""
    lines = block(mark).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("python3 -m venv .venv && .venv/bin/pip install ")


@pytest.mark.parametrize("line", block("calls").splitlines())
def test_first_calls_are_accepted(line: str, live: Live) -> None:
    """Each vendor accepts the call that the README makes to it, by a program that need not be on the path."""
    printed = shell(line, live)
    assert re.match(r"HTTP/1.1 20[02] ", printed), printed
    assert re.search(r"x-mock-answer: \w+\.send_sms/sent", printed)


def test_the_refused_call(live: Live) -> None:
    """The call that lacks a header is refused, and its headers are those that README shows."""
    printed = shell(block("refused"), live)
    shown = re.findall(r"^x-mock-.*$", README, re.MULTILINE)
    assert len(shown) == 4
    assert set(shown) <= set(printed.splitlines())


def test_the_logged_line() -> None:
    """The log's line of that call is the one that README shows, but for its times."""
    (shown,) = re.findall(r"^[\d:.]+ (polyai\.send_sms/connector_missing .*)$", README, re.MULTILINE)
    written = io.StringIO()
    with contextlib.redirect_stderr(written), live_server(Settings(log="text")) as live:
        shell(block("refused"), live)
    without_times = re.sub(r"[\d.]+ms", "ms", shown)
    assert without_times in re.sub(r"[\d.]+ms", "ms", written.getvalue())


def test_settings_of_schemathesis(live: Live) -> None:
    """The first of the two commands writes a file; a run with it is in the fuzz lane."""
    command = block("schemathesis").splitlines()[0].partition(" > ")[0].removeprefix(".venv/bin/")
    assert "[auth" in shell(f"{shlex.quote(sys.executable)} -m {command}", live)


@pytest.mark.parametrize("line", block("control", SERVER).splitlines())
def test_calls_of_the_control_api(line: str, live: Live) -> None:
    """What the server's guide asks of the control API is done."""
    shell(line.replace("curl ", "curl --silent --show-error --fail ", 1), live)


def test_compose_file() -> None:
    """The compose file builds this image, waits for its health, and hands over credentials that exist."""
    services = yaml.safe_load(block("compose", SERVER))["services"]
    assert services["vendors"]["build"] == "."
    assert services["app"]["depends_on"]["vendors"]["condition"] == "service_healthy"
    settings = {variable(field.name) for field in fields(Settings)}
    assert services["vendors"]["environment"].keys() <= settings
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert 'CMD ["python", "-m", "mockserver.cli.healthcheck"]' in dockerfile
    assert "EXPOSE 8080" in dockerfile
    accounts = yaml.safe_load((ROOT / "fixtures/polyai/accounts.yaml").read_text("utf-8"))
    given = services["app"]["environment"]
    assert given["POLYAI_API_KEY"] == accounts["default"]["api_key"]
    assert given["POLYAI_CONNECTOR"] == accounts["default"]["connectors"][0]["id"]


def options_of(words: list[str]) -> dict[str, Any]:
    """What `mockserver serve` understands; a word that it does not know is an error."""
    return serve.make_context("serve", words).params


def test_compose_file_of_several_servers() -> None:
    """Its settings and options exist, its servers share a store, and they have the time to drain."""
    document = yaml.safe_load(block("replicas", SERVER))
    services, volumes = document["services"], document["volumes"]
    vendors, store, proxy = services["vendors"], services["store"], services["proxy"]
    assert vendors["environment"].keys() <= {variable(field.name) for field in fields(Settings)}
    settings = from_environment(
        {name: re.sub(r"\$\{.*?\}", "x", text) for name, text in vendors["environment"].items()}
    )
    assert urlsplit(settings.store).hostname == "store"
    assert settings.admin_token
    assert vendors["deploy"]["replicas"] == 3
    assert vendors["depends_on"]["store"]["condition"] == "service_healthy"
    drain = options_of(vendors["command"])["drain"]
    assert int(vendors["stop_grace_period"].removesuffix("s")) > drain + 2
    assert {volume.partition(":")[0] for volume in store["volumes"]} == volumes.keys()
    assert "/data" in store["volumes"][0]
    configured = document["configs"][proxy["configs"][0]["source"]]["content"]
    assert "option httpchk GET /_mock/health" in configured
    assert re.search(r"server-template vendors 3 vendors:8080$", configured, re.MULTILINE)
    (every,) = re.findall(r"inter (\d+)ms fall 1 ", configured)
    assert int(every) < drain * 1000


def test_docker_run() -> None:
    """Its setting and options exist, and the journal is in a folder that the image's user may write."""
    words = shlex.split(block("docker", SERVER).splitlines()[0])
    place = words.index("mockserver")
    given = dict(pairwise(words[:place]))
    assert given["-e"].partition("=")[0] in {variable(field.name) for field in fields(Settings)}
    folder = given["-v"].partition(":")[2]
    assert Path(options_of(words[place + 1 :])["store"]).parent == Path(folder)
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    (owned,) = re.findall(r"install -d -o mockserver -g mockserver (.*)", dockerfile)
    assert folder in owned.split()
    assert "'.[redis]'" in dockerfile


def test_github_job(tmp_path: Path) -> None:
    """The job's commands that need no engine run: what it appends to GITHUB_ENV are credentials."""
    steps = yaml.safe_load(block("github", SERVER))["jobs"]["test"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True)
    handing = next(script for script in scripts if "GITHUB_ENV" in script)
    command = handing.replace("docker exec vendors mockserver", f"{shlex.quote(sys.executable)} -m mockserver")
    file = tmp_path / "env"
    subprocess.run(["bash", "-c", command], check=True, env={**os.environ, "GITHUB_ENV": str(file)})
    assert "\nPOLYAI_API_KEY=polyai-default-api-key" in f"\n{file.read_text('utf-8')}"


def test_settings_are_explained() -> None:
    """The table of settings says of each what it is for."""
    rows = re.findall(r"^\| `MOCKSERVER_\w+` \| .* \| (.*) \|$", SERVER, re.MULTILINE)
    of_the_process = [parameter for parameter in serve.params if parameter.envvar]
    assert len(rows) == len(fields(Settings)) + len(of_the_process)
    assert all(rows)


class Options:
    """Takes the options of a plugin, as pytest's parser does."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def getgroup(self, *_names: str) -> "Options":
        return self

    def addoption(self, name: str, **how: Any) -> None:
        if how.get("help") is not argparse.SUPPRESS:  # an old name
            self.names.add(name)


def test_options_of_pytest_are_all_told() -> None:
    """The testing guide names every option of the plugin, and none that does not exist."""
    options: Any = Options()
    plugin.pytest_addoption(options)
    assert set(re.findall(r"^\| `(--mockserver-[\w-]+)", TESTING, re.MULTILINE)) == options.names


@pytest.mark.parametrize("module", [Assertions, Pinnable, Operation, Vendor, Account, MockServer])
def test_public_methods_are_all_told(module: type) -> None:
    """The testing guide names every method and value that a test can use."""
    names = {name for name in vars(module) if not name.startswith("_")}
    assert {name for name in names if not re.search(rf"\b{name}\b", TESTING)} == set()


def test_faults_are_all_told() -> None:
    """The testing guide has every kind of fault."""
    assert {kind for kind in get_args(fault.Kind) if f"`{kind}(" not in TESTING} == set()


def test_magic_recipients_exist() -> None:
    """Each magic recipient that the server's guide mentions gets an answer."""
    contracts = load_contracts(contract_files([ROOT / "contracts"]))
    known = {magic for contract in contracts for operation in contract.operations for magic in operation.magic}
    told = re.findall(rf"\+{MAGIC}([0-9]{{3}})", SERVER)
    assert told
    assert set(told) <= known
