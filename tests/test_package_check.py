"""Another distribution's package of the same name, installed over this one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mockserver
from mockserver.package_check import EXPECTED, ForeignPackageError, require_ours
from tests.cli.running import surroundings
from tests.live import PATIENCE


def test_ours() -> None:
    """The package knows itself."""
    require_ours()
    assert mockserver.DISTRIBUTION == EXPECTED


def test_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other package is refused as an import that cannot be."""
    monkeypatch.setattr(mockserver, "DISTRIBUTION", "mockserver-client")
    with pytest.raises(ForeignPackageError, match="pip uninstall mockserver-client"):
        require_ours()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("__version__ = '7.4'\nfrom .client import MockServerClient\n", id="client"),
        pytest.param("DISTRIBUTION = 'another'\n", id="marked"),
    ],
)
@pytest.mark.parametrize("arguments", [["check"], ["serve", "--port", "0"], ["--version"]], ids=lambda words: words[0])
def test_overlaid(tmp_path: Path, text: str, arguments: list[str]) -> None:
    """Where another package's ``__init__.py`` came last, every command says which file it is and what to do."""
    package = tmp_path / "mockserver"
    shutil.copytree(Path(mockserver.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").write_text(text, "utf-8")
    (package / "client.py").write_text("class MockServerClient: ...\n", "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "mockserver", *arguments],
        cwd=tmp_path,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1), ended.stderr
    assert ended.stderr.startswith(
        f"mockserver: the package 'mockserver' at {package / '__init__.py'} is not {EXPECTED}'s"
    )
    assert f"pip uninstall mockserver-client && pip install --force-reinstall {EXPECTED}" in ended.stderr
