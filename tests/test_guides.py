"""The guides tell the truth: generated parts are current, examples work, links lead somewhere."""

import asyncio
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.settings import Settings
from mockserver.spec.load import load_contracts
from tests import test_evidence
from tests.cli.running import invoke
from tests.evidence import ROOT, Replay
from tests.guides import COMMAND, GUIDES, PACKAGE, blocks, modules, renewed, written_by_hand

TEXTS = {file.relative_to(ROOT).as_posix(): file.read_text("utf-8") for file in GUIDES}
BLOCKS = [(name, *block) for name, text in TEXTS.items() for block in blocks(text)]

every_guide = pytest.mark.parametrize("name", TEXTS)


@every_guide
def test_generated_parts_are_current(name: str) -> None:
    """What a guide takes from the code is what the code says today."""
    assert TEXTS[name] == renewed(TEXTS[name]), f"{name} is out of date; renew it by: {COMMAND}"


def test_the_map_has_every_module_once() -> None:
    """Each module of the package has one line, and each line is of a module that exists."""
    listed = re.findall(r"^ *- \[[\w.]+\]\(([\w/]+\.py)\): \S", modules(), re.MULTILINE)
    files = [file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if file.name != "__init__.py"]
    assert sorted(listed) == sorted(files)
    assert modules() in TEXTS["mockserver/README.md"]


def anchors(text: str) -> set[str]:
    """What a link may point at inside a document: its headings, in lower case and with hyphens."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    """A link to a file or a heading of this repository finds it."""
    text = (ROOT / name).read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), f"{name} links to {link}"
        if heading:
            assert heading in anchors(target.read_text("utf-8")), f"{name} links to {link}"


@every_guide
def test_named_files_exist(name: str) -> None:
    """A path of this repository that a guide names in its text is there."""
    named = re.findall(r"`((?:tests|mockserver|contracts|fixtures|\.ci)/[\w/.-]+)`", written_by_hand(TEXTS[name]))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_example_is_tested() -> None:
    """No block of code stands in a guide without a mark that says how it is tested; plain diagrams need none.

    CONTRIBUTING's commands are those of the checks themselves.
    """
    in_test_readme = "calls|refused|first test|control|compose|replicas|docker|github|schemathesis"
    in_cli = (
        "tls|state|isolation|real|against|walk"  # test_ca.py, test_run.py, tests/processes, test_drift.py, authoring
    )
    tested = re.compile(rf"contract: |file: |example: |shown: |run$|recipe: |ci: |({in_test_readme}|{in_cli})$")
    examples = [block for block in BLOCKS if block[0] != "CONTRIBUTING.md"]
    assert [(name, text) for name, mark, language, text in examples if language and not tested.match(mark)] == []


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example's contract under ``my-contracts`` and its evidence under ``my-fixtures``."""
    folder = tmp_path_factory.mktemp("guides")
    for _, mark, _, text in BLOCKS:
        kind, _, name = mark.partition(": ")
        if kind in {"contract", "file"}:
            file = folder / {"contract": "my-contracts", "file": "my-fixtures"}[kind] / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    return folder


def test_the_example_is_a_contract(folders: Path) -> None:
    """The contract that the guide shows has no error, and is an OpenAPI document to others too."""
    (file,) = (folders / "my-contracts").iterdir()
    (contract,) = load_contracts([file])
    assert list(OpenAPIV31SpecValidator(contract.document).iter_errors()) == []


@pytest.fixture(scope="module")
def example(folders: Path) -> Iterator[tuple[TestClient, dict[str, Replay]]]:
    """A server of the example alone, and its accounts ready for replay."""
    settings = Settings(contracts=(folders / "my-contracts",), fixtures=(folders / "my-fixtures",), builtin=False)
    app = create_app(settings)
    accounts = {account.id: account for account in asyncio.run(app.store.accounts())}
    replays = {contract.vendor: Replay(contract, accounts, time.time) for contract in app.contracts}
    with TestClient(app, base_url="http://localhost") as client:
        yield client, replays


@pytest.mark.parametrize(
    "mark", [mark for _, mark, _, _ in BLOCKS if mark.startswith("file: ") and mark.count("/") == 2]
)
def test_example_exchanges(mark: str, folders: Path, example: tuple[TestClient, dict[str, Replay]]) -> None:
    """The exchanges that the guide shows are replayed against the contract that the other guide shows."""
    test_evidence.test_exchange(folders / "my-fixtures" / mark.removeprefix("file: "), *example)


SHOWN = [(mark, text) for _, mark, _, text in BLOCKS if mark.startswith(("shown: ", "example: "))]


@pytest.mark.parametrize(("mark", "text"), SHOWN, ids=[mark for mark, _ in SHOWN])
def test_excerpts_are_real(mark: str, text: str) -> None:
    """What a guide shows of a file stands in that file, letter for letter; an example is the whole of one."""
    kind, _, path = mark.partition(": ")
    file = (ROOT / path).read_text("utf-8")
    assert file == text if kind == "example" else text in file


@pytest.mark.parametrize("line", [line for _, mark, _, text in BLOCKS if mark == "run" for line in text.splitlines()])
def test_commands_run(line: str, folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of a guide ends well where the example's files are."""
    monkeypatch.chdir(folders)
    program, *arguments = shlex.split(line)
    assert program == "mockserver"
    ended = invoke(*arguments)
    assert ended.exit_code == 0, ended.output
