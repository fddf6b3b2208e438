"""What the command, as a process, says where its output or input is not what it should be."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import COMMAND, run, surroundings
from tests.live import PATIENCE


def test_undecodable_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file name that is not valid text is printed as well as possible."""
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"\xff.yaml")
    Path(name).touch()
    ended = run("check", name, PYTHONIOENCODING="utf-8:strict")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.startswith("\\udcff.yaml:1:1: /: the file is empty\n")


@pytest.mark.parametrize(
    "arguments", [["account"], ["serve", "--port", "0"], ["check"], ["curl", "polyai"], ["--help"]]
)
@pytest.mark.parametrize(
    ("where", "why"), [("/dev/full", "cannot write: No space left on device"), ("", "standard output is closed")]
)
def test_output_that_cannot_be_written(arguments: list[str], where: str, why: str) -> None:
    """A full disk and a closed standard output are one line, exit code 2: nobody has read what it was to say."""
    shell = '"$@" >"$WHERE"' if where else '"$@" >&-'
    command = ["sh", "-c", shell, "sh", *COMMAND, *arguments]
    surrounding = surroundings(WHERE=where)
    ended = subprocess.run(command, env=surrounding, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stderr) == (2, f"mockserver: {why}\n")


def test_a_reader_that_has_seen_enough() -> None:
    """`mockserver account | head -1` says nothing of the broken pipe."""
    shell = '"$@" | true'
    command = ["sh", "-c", shell, "sh", *COMMAND, "account"]
    ended = subprocess.run(command, env=surroundings(), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.stdout, ended.stderr) == ("", "")


@pytest.mark.parametrize("arguments", [["account", "--accounts"], ["serve", "--accounts"], ["check"]])
def test_a_pipe_is_not_waited_for(tmp_path: Path, arguments: list[str]) -> None:
    """One that nobody writes to would be read for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ended = run(*arguments, pipe)
    assert (ended.returncode, ended.stdout) == (1, f"{pipe}:1:1: /: cannot be read: it is no regular file\n")
