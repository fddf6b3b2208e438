"""``mockserver contract import`` and ``new``: what is listed, what is written, and what is refused."""

import json
from pathlib import Path

import pytest
import yaml

from tests.authoring.raw import RAW
from tests.cli.running import invoke

SEND = ("--operation", "POST /messages")


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A vendor's file in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("api.yaml").write_text(RAW, "utf-8")
    return "api.yaml"


def test_listed(spec: str) -> None:
    """Without an operation nothing is written, even where there is only one."""
    ended = invoke("contract", "import", spec)
    assert (ended.exit_code, ended.stdout) == (0, "POST /messages  Send-Message\n")
    assert ended.stderr == "1 operation; choose with --operation 'POST /messages'\n"
    assert list(Path().iterdir()) == [Path("api.yaml")]


@pytest.mark.parametrize("paths", [None, {}, [], {"/a": None}, {"/a": {"get": []}}])
def test_no_operations(spec: str, paths: object) -> None:
    """A file without any is the user's mistake."""
    Path(spec).write_text(json.dumps({"openapi": "3.1.0", "paths": paths}), "utf-8")
    ended = invoke("contract", "import", spec)
    assert (ended.exit_code, ended.stderr) == (
        2,
        "mockserver: api.yaml has no operations: there is no method below its 'paths'\n",
    )


@pytest.mark.parametrize(
    ("recipient", "told"),
    [
        ("to", "--recipient is a place in a request, such as /body/to or /query/to, not 'to'"),
        ("", "--recipient is a place in a request"),
        ("/body/tt", "POST /messages has no /body/tt that can be a number; there is: /body/to, /body/text"),
        ("/query", "POST /messages has no /query that can be a number"),
    ],
)
def test_another_recipient(spec: str, recipient: str, told: str) -> None:
    """One that is not there is refused with what is, and nothing is written."""
    ended = invoke("contract", "import", spec, *SEND, "--recipient", recipient)
    assert ended.exit_code == 2
    assert told in ended.stderr
    assert list(Path().iterdir()) == [Path("api.yaml")]


def test_what_cannot_be_written(spec: str) -> None:
    """Where fixtures cannot be, no contract is left behind; the next try writes both."""
    Path("fixtures").write_text("", "utf-8")
    ended = invoke("contract", "import", spec, "--vendor", "acme", *SEND)
    assert (ended.exit_code, ended.stderr.splitlines()[-1][:29]) == (2, "mockserver: cannot use fixtur")
    assert not Path("acme.yaml").exists()
    Path("fixtures").unlink()
    assert invoke("contract", "import", spec, "--vendor", "acme", *SEND).exit_code == 0
    assert "is there already" in invoke("contract", "import", spec, "--vendor", "acme", *SEND).stderr
    assert invoke("contract", "test", "acme.yaml", "--no-fuzz").exit_code == 0


def test_a_contract_with_a_fault(spec: str) -> None:
    """It is written all the same, so that it can be mended, and the faults are told with its lines."""
    document = yaml.safe_load(RAW)
    document["paths"]["/messages"]["post"]["requestBody"]["content"]["application/json"]["schema"] = {
        "$ref": "#/components/schemas/A0"
    }
    schemas = {f"A{n}": {"properties": {"a": {"$ref": f"#/components/schemas/A{n + 1}"}}} for n in range(150)}
    document["components"] = {"schemas": schemas}
    Path(spec).write_text(json.dumps(document), "utf-8")
    ended = invoke("contract", "import", spec, "--vendor", "acme", *SEND)
    assert (ended.exit_code, ended.stdout.count("schemas refer to schemas too often")) == (1, 1)
    assert "acme.yaml is written, without fixtures; it has to be mended:" in ended.stderr
    assert Path("acme.yaml").exists()
    assert not Path("fixtures").exists()


def test_new(spec: str) -> None:
    """A contract from nothing passes its own test; a name that no vendor has is refused."""
    assert invoke("contract", "new", "acme").exit_code == 0
    assert invoke("contract", "test", "acme.yaml", "--no-fuzz").exit_code == 0
    assert invoke("contract", "new", "a-b", "--to", spec).exit_code == 2
