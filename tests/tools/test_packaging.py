"""What is built and installed is whole: the wheel alone, in an empty environment."""

import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import mockserver
from tests.evidence import ROOT
from tests.live import PATIENCE
from tests.tools.installing import execute, virtual_environment

SCREENSHOTS = "fixtures/screenshots/"  # for readers of README, not for users of the package
VENDORS = ["avaamo", "koreai", "opentact", "polyai", "voximplant"]


@pytest.fixture(scope="module")
def built(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that is made from it."""
    copy = tmp_path_factory.mktemp("checkout") / "mockserver"
    included = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["sdist"]
    copy.mkdir()
    for name in ["pyproject.toml", *(entry.removeprefix("/") for entry in included["include"])]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    builder = virtual_environment(tools / "build", "build>=1.2")
    execute(builder, "-m", "build", "--outdir", copy.parent / "dist", copy)
    return copy.parent / "dist"


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment where the wheel was installed, away from the checkout."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    constraints = ROOT / "constraints.txt"
    requirements: list[str | Path] = [*built.glob("*.whl"), *(("-c", constraints) if constraints.exists() else ())]
    return virtual_environment(folder, *requirements).parent


def test_wheel(built: Path) -> None:
    """The wheel has the code and every data file, the page's among them, and nothing else: no screenshots."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {str(file.relative_to(ROOT)) for file in (ROOT / "mockserver").rglob("*") if file.is_file()}
    expected = {name for name in expected if "__pycache__" not in name}
    assert {"mockserver/py.typed", "mockserver/store/TEST-ONLY-rsa-key.pem"} <= expected
    for folder in ("contracts", "fixtures"):
        files = {str(file.relative_to(ROOT)) for file in (ROOT / folder).rglob("*") if file.is_file()}
        expected |= {f"mockserver/_{name}" for name in files if not name.startswith(SCREENSHOTS)}
    assert "mockserver/server/page/index.html" in expected
    assert {f"mockserver/_contracts/{vendor}.yaml" for vendor in VENDORS} <= expected
    assert {f"mockserver/_fixtures/{vendor}/accounts.yaml" for vendor in VENDORS} <= expected
    assert names == expected


def test_metadata(built: Path) -> None:
    """Licence and README travel with the wheel; the dependencies are those of pyproject.toml."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode()
    assert f"\nVersion: {mockserver.__version__}\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata
    assert (ROOT / "README.md").read_text("utf-8") in metadata
    assert [name for name in names if name.endswith("/licenses/LICENSE")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    required = [line for line in re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE) if "extra ==" not in line]
    assert len(required) == len(project["dependencies"])


def test_source_distribution(built: Path) -> None:
    """The source distribution has what the tests need, and no leavings of the machine it was made on."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "README.md", "LICENSE", "CONTRIBUTING.md", "contracts/polyai.yaml", "tests/conftest.py"}
    assert needed <= names
    assert [name for name in names if name.startswith(SCREENSHOTS)] == []
    assert [name for name in names if re.search(r"__pycache__|\.venv|\.git/|_cache", name)] == []


def test_commands(installed: Path, tmp_path: Path) -> None:
    """Both ways to start it know the version and the five vendors, whatever the folder."""
    version = f"mockserver, version {mockserver.__version__}\n"
    assert execute(installed / "python", "-m", "mockserver", "--version", cwd=tmp_path) == version
    assert execute(installed / "mockserver", "--version", cwd=tmp_path) == version
    checked = execute(installed / "mockserver", "check", cwd=tmp_path)
    assert re.fullmatch(r"5 contracts, [0-9]+ answers \([a-z0-9 ,]+\)\. No errors\.\n", checked)
    account = json.loads(execute(installed / "mockserver", "account", "second", cwd=tmp_path))
    assert account["vendors"]["polyai"]["credentials"]["api_key"] == "polyai-second-api-key-00000000000000002b"


def test_typed(installed: Path, tmp_path: Path) -> None:
    """The package is imported from the environment, not from this checkout, and says that it is typed."""
    program = "from importlib.resources import files; p = files('mockserver'); print(p, (p / 'py.typed').is_file())"
    folder, typed = execute(installed / "python", "-c", program, cwd=tmp_path).split()
    assert Path(folder).is_relative_to(installed.parent)
    assert typed == "True"


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command: list[str | Path] = [installed / "mockserver", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "is ready on" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.communicate(timeout=PATIENCE)


def test_serves(installed: Path, tmp_path: Path, served: str) -> None:
    """The server starts and answers each vendor's call that ``mockserver curl`` prints."""
    assert requests.get(f"{served}/_mock/health", timeout=PATIENCE).json()["vendors"] == VENDORS
    for vendor in VENDORS:
        line = execute(installed / "mockserver", "curl", vendor, "--url", served, cwd=tmp_path)
        assert f"x-mock-answer: {vendor}.send_sms/sent\n" in execute("bash", "-c", line, cwd=tmp_path)
