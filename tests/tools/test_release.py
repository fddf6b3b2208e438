"""A release is built from its tag, or refused with a reason; of the image only the engine's command is tried."""

import os
import subprocess
from pathlib import Path

import pytest

import mockserver
from tests.evidence import ROOT
from tests.tools.installing import INSTALLING, execute

VERSION = mockserver.__version__
TAG = f"v{VERSION}"
ENGINE = """#!/bin/sh
[ "$1" = info ] && exit
printf '%s\\n' "$@" > words
while [ "$1" != --iidfile ]; do shift; done
printf 'sha256:abc' > "$2"
"""


def git(folder: Path, *words: str) -> str:
    """What git prints, as somebody whom this machine need not know."""
    return execute("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", folder, *words)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout whose last commit is a release's, tagged."""
    folder = tmp_path / "clone"
    execute("git", "clone", "--quiet", ROOT, folder)
    log = folder / "CHANGELOG.md"
    log.write_text(log.read_text("utf-8").replace("## [Unreleased]", f"## [{VERSION}] - 2026-01-01"), "utf-8")
    commit(folder)
    git(folder, "tag", TAG)
    return folder


def commit(folder: Path) -> None:
    git(folder, "commit", "--quiet", "--all", "--allow-empty", "--message", "A release")


def release(clone: Path, *words: str, programs: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The script's end; ``programs`` is a folder that goes before others."""
    path = os.environ["PATH"] if programs is None else f"{programs}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name not in {"PIP_CONSTRAINT", "PATH"}}
    return subprocess.run(
        [clone / ".ci" / "release", *words],
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=INSTALLING,
        check=False,
    )


def test_it_is_built(clone: Path, tmp_path: Path) -> None:
    """Wheel, source distribution and image of the tag, whatever was committed since; and their digests."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "docker").write_text(ENGINE, "utf-8")
    (programs / "docker").chmod(0o755)
    revision = git(clone, "rev-parse", "HEAD").strip()
    (clone / "mockserver" / "__init__.py").write_text("__version__ = 'later'\n", "utf-8")
    commit(clone)
    ended = release(clone, TAG, "--publish", programs=programs)
    assert ended.returncode == 0, ended.stderr
    files = {file.name: file for file in (clone / "dist").iterdir()}
    wheel, sdist = f"sms_vendor_mockserver-{VERSION}-py3-none-any.whl", f"sms_vendor_mockserver-{VERSION}.tar.gz"
    assert set(files) == {wheel, sdist}
    assert "No errors." in ended.stdout
    assert execute("sha256sum", f"dist/{wheel}", f"dist/{sdist}", cwd=clone) in ended.stdout
    assert f"sha256:abc  image sms-vendor-mockserver:{VERSION}\n" in ended.stdout
    assert f"\n  git push origin {TAG}\n  python -m twine upload dist/{wheel} dist/{sdist}\n" in ended.stdout
    words = (clone / "words").read_text("utf-8").splitlines()
    labels = dict(words[place + 1].split("=", 1) for place, word in enumerate(words) if word == "--label")
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.revision"] == revision
    assert [part.partition("=")[0] for part in labels["mockserver.contracts"].split()] == [
        "avaamo",
        "koreai",
        "opentact",
        "polyai",
        "voximplant",
    ]


def test_a_contract_with_an_error(clone: Path) -> None:
    """The tag is not released."""
    contract = clone / "contracts" / "polyai.yaml"
    contract.write_text(contract.read_text("utf-8").replace("openapi: ", "openapy: ", 1), "utf-8")
    commit(clone)
    git(clone, "tag", "--force", TAG)
    ended = release(clone, TAG, "--no-image")
    assert (ended.returncode, (clone / "dist").exists()) == (1, False), ended.stderr
    assert "polyai.yaml:" in ended.stdout


def refused(clone: Path, *words: str) -> str:
    """Why the script ends at once, in one line."""
    ended = release(clone, *words)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1), ended
    assert not (clone / "dist").exists()
    return ended.stderr


def test_it_is_refused(clone: Path) -> None:
    """What is not exactly the tagged commit, and a tag that the commit does not bear out."""
    assert "which tag?" in refused(clone)
    assert "there is no option --pubish" in refused(clone, TAG, "--pubish")
    assert "one tag, please" in refused(clone, TAG, TAG)
    assert "there is no tag v9.9.9" in refused(clone, "--no-image", "v9.9.9")
    git(clone, "tag", "v9.9.9")
    message = f"the tag is v9.9.9, and mockserver.__version__ there is {VERSION}"
    assert message in refused(clone, "--no-image", "v9.9.9")
    (clone / "new").touch()
    assert "changes that are not committed" in refused(clone, "--no-image", TAG)
    (clone / "new").unlink()
    log = clone / "CHANGELOG.md"
    log.write_text(log.read_text("utf-8").replace(f"## [{VERSION}]", "## [Unreleased]"), "utf-8")
    commit(clone)
    git(clone, "tag", "--force", TAG)
    assert f"CHANGELOG.md has no section ## [{VERSION}]" in refused(clone, "--no-image", TAG)
