"""From a vendor's OpenAPI file to a served, tested vendor, by the guide's own commands."""

import shlex
import shutil
from pathlib import Path

import pytest

from tests.authoring.raw import RAW
from tests.cli.running import invoke
from tests.evidence import ROOT
from tests.guides import blocks
from tests.testing.inner import here

pytest_plugins = ["pytester"]


def commands() -> list[list[str]]:
    """The words of each command in the guide."""
    (text,) = (
        text for mark, _, text in blocks((ROOT / "contracts" / "README.md").read_text("utf-8")) if mark == "walk"
    )
    return [shlex.split(line, comments=True) for line in text.splitlines()]


def test_the_walk(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command does what its comment says; `serve` is asked whether it knows its options."""
    monkeypatch.chdir(pytester.path)
    Path("api.json").write_text(RAW, "utf-8")
    kinds = []
    for words in commands():
        kinds.append(" ".join(words[: 3 if words[1] == "contract" else 2]))
        if words[0] == "pytest":
            here(pytester, *words[1:]).assert_outcomes(passed=3)
        elif words[1] == "serve":
            assert invoke(*words[1:], "--help").exit_code == 0
        elif words[1] == "curl":
            assert "/v1/messages" in invoke(*words[1:], "--contracts", "mine").stdout
        else:
            ended = invoke(*words[1:])
            assert ended.exit_code == 0, ended.output
    assert {"mockserver contract import", "mockserver contract test", "mockserver serve"} < set(kinds)
    assert "--watch" in next(words for words in commands() if words[1] == "serve")
    shutil.rmtree("mine")
