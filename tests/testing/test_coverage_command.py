"""``mockserver coverage merge``: files in, a report out, an exit code for CI."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mockserver.cli import cli
from tests.coverage.documents import answer, document, operation


def invoke(*args: str | Path) -> Result:
    return CliRunner().invoke(cli, ["coverage", "merge", *map(str, args)], prog_name="mockserver")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two runs of one contract: the one was answered, the other throttled."""
    found = []
    for name, counts in (("a", (2, 0)), ("b", (0, 1))):
        answers = {"sent": answer(200, counts[0]), "busy": answer(429, 0, counts[1], evidence="assumed")}
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(document(send=operation(**answers, broken=answer(500)))), "utf-8")
        found.append(file)
    return found


def test_files_are_merged_and_written(files: list[Path], tmp_path: Path) -> None:
    """The report is of all together; the merged document can be merged again."""
    merged = tmp_path / "all.json"
    result = invoke(*files, "--output", merged)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 of 3 answers, 66.7 %: 1 natural, 1 forced" in result.stdout
    answers = json.loads(merged.read_text("utf-8"))["operations"]["acme.send"]["answers"]
    assert (answers["sent"]["natural"], answers["busy"]["forced"]) == (2, 1)
    assert invoke(merged).stdout == result.stdout


@pytest.mark.parametrize(
    ("options", "code", "shown"),
    [
        pytest.param(["--fail-under", "66"], 0, "66.7 %", id="enough"),
        pytest.param(["--fail-under", "67"], 1, "FAILED: 66.7 % is below 67 %", id="too little"),
        pytest.param(["--fail-under", "50", "--evidence", "page"], 0, "1 of 2", id="page"),
        pytest.param(["--exclude", "*/broken", "--fail-under", "100"], 0, "2 of 2", id="without one"),
        pytest.param(["--vendor", "acme"], 0, "2 of 3", id="one vendor"),
        pytest.param(["--require", "acme.send/broken"], 1, "acme.send/broken is required", id="required"),
        pytest.param(["--format", "markdown"], 0, "## Contract coverage: 66.7 %", id="markdown"),
        pytest.param(["--format", "json"], 0, '"percent": 66.67', id="json"),
    ],
)
def test_gates_and_formats(files: list[Path], options: list[str], code: int, shown: str) -> None:
    """The exit code says whether all gates are passed."""
    result = invoke(*files, *options)
    assert result.exit_code == code, result.output
    assert shown in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(["--vendor", "acne"], "there is no vendor 'acne'", id="unknown vendor"),
        pytest.param(["--require", "acme.send/bussy"], "there is no answer", id="unknown answer"),
        pytest.param(["--exclude", "*"], "no answer is left to be counted", id="nothing left"),
        pytest.param(["no-such-file.json"], "no-such-file.json", id="no file"),
        pytest.param(["--fail-under", "101"], "101", id="no percentage"),
    ],
)
def test_mistakes_end_with_2(files: list[Path], options: list[str], message: str) -> None:
    """A mistake in the command is no finding, and told in a line."""
    result = invoke(*files, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(document(contract="other"), "are of different contracts of acme: h1 (1) and other (1)", id="hash"),
        pytest.param([], "is no coverage document", id="shape"),
    ],
)
def test_files_that_cannot_be_counted_together(files: list[Path], tmp_path: Path, content: Any, message: str) -> None:
    """Another contract's figures are refused by name."""
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content), "utf-8")
    result = invoke(*files, other)
    assert result.exit_code == 2
    assert message in result.stderr
    assert str(other) in result.stderr


@pytest.mark.parametrize("raw", [b"\xff\xfe{", b"", b"\x00" * 9, '{"a": "ü"'.encode("utf-16")])
def test_any_bytes_are_told_in_a_line(tmp_path: Path, raw: bytes) -> None:
    """A file of another program, or half of one, is named; exit code 2."""
    file = tmp_path / "cut.json"
    file.write_bytes(raw)
    result = invoke(file)
    assert (result.exit_code, result.stdout) == (2, ""), result.exception
    assert result.stderr.startswith(f"mockserver: {file} ")
    assert result.stderr.count("\n") == 1


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    result = invoke(pipe)
    assert (result.exit_code, result.stderr) == (2, f"mockserver: cannot use {pipe}: it is no regular file\n")
