"""Setup: contracts and accounts in place, or a fault with file and line."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockserver.engine.account import AccountData
from mockserver.server.application import create_app
from mockserver.server.build import contracts_of, corrections_of
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors
from tests.evidence import ROOT
from tests.server.acme_customer import SETTINGS


def accounts(settings: Any = SETTINGS) -> dict[str, AccountData]:
    return {account.id: account for account in asyncio.run(create_app(settings).store.accounts())}


def given(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "accounts.yaml"
    file.write_text(text, "utf-8")
    return file


def evidence(tmp_path: Path, text: str) -> Path:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "accounts.yaml").write_text(text, "utf-8")
    return tmp_path


def test_two_accounts_are_built_in() -> None:
    """A vendor without evidence has them too, made up."""
    found = accounts()
    assert list(found) == ["default", "second"]
    assert found["default"].vendors["acme"]["key"] != found["second"].vendors["acme"]["key"]


def test_evidence_gives_the_built_in_accounts(tmp_path: Path) -> None:
    """What the file gives stands, the rest is made up; the first folder that has a file for the vendor wins."""
    folder = evidence(tmp_path, "default: {key: well-known}\n")
    other = tmp_path / "other"
    other.mkdir()
    found = accounts(replace(SETTINGS, fixtures=(other, folder)))
    assert found["default"].vendors["acme"]["key"] == "well-known"
    assert len(found["second"].vendors["acme"]["key"]) == 40


def test_the_real_vendors_are_built_in() -> None:
    """Their contracts and well-known accounts are found wherever the package is, and more can be added."""
    names = [file.stem for file in sorted((ROOT / "contracts").glob("*.yaml"))]
    assert [contract.vendor for contract in contracts_of(replace(SETTINGS, builtin=True))] == [*names, "acme"]
    one, other = (accounts(replace(SETTINGS, builtin=True))["default"] for _ in range(2))
    assert [one.vendors[name] for name in names] == [other.vendors[name] for name in names]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        pytest.param("id: mine\n", ["mine"], id="one"),
        pytest.param("- {id: a, vendors: {acme: {key: k1}}}\n- {id: b}\n", ["a", "b"], id="list"),
    ],
)
def test_given_accounts(tmp_path: Path, text: str, ids: list[str]) -> None:
    """A file of accounts holds one or several, in the control API's shape."""
    found = accounts(replace(SETTINGS, accounts=given(tmp_path, text)))
    assert list(found) == ["default", "second", *ids]


def fault(settings: Any) -> tuple[str, int, int, str, str]:
    with pytest.raises(ContractErrors) as caught:
        create_app(settings)
    (error,) = caught.value.errors
    return error.file, error.line, error.column, error.pointer, error.message


@pytest.mark.parametrize(
    ("text", "line", "pointer", "says"),
    [
        pytest.param("", 1, "", "the file is empty", id="empty"),
        pytest.param("a: ]", 1, "", "not YAML", id="no-yaml"),
        pytest.param("word\n", 1, "", "must be a mapping", id="word"),
        pytest.param("- word\n", 1, "/0", "an account is {id, vendors", id="no-account"),
        pytest.param("id: a\nother: 1\n", 1, "", "an account is {id, vendors", id="unknown-member"),
        pytest.param("- id: a\n- vendors: {}\n", 2, "/1", "needs an 'id'", id="no-id"),
        pytest.param("id: 7\n", 1, "", "needs an 'id'", id="id-no-text"),
        pytest.param("id: a\nvendors: []\n", 1, "", "a mapping 'vendors'", id="vendors-no-mapping"),
        pytest.param("id: a\nvendors:\n  nobody: {}\n", 3, "/vendors/nobody", "known: acme", id="unknown-vendor"),
        pytest.param("id: default\n", 1, "/id", "already", id="taken"),
        pytest.param(
            "- id: a\n  vendors:\n    acme:\n      lines:\n        - {}\n        - number: [1]\n",
            6,
            "/0/vendors/acme/lines/1/number",
            "must be a string or an integer",
            id="deep",
        ),
        pytest.param(
            "id: a\nvendors:\n  acme:\n    clients:\n      - secret: ''\n",
            5,
            "/vendors/acme/clients/0",
            "no token can be signed",
            id="unusable-credential",
        ),
        pytest.param("id: a\nid: b\n", 2, "/id", "duplicate key", id="duplicate-key"),
    ],
)
def test_faults_of_given_accounts(tmp_path: Path, text: str, line: int, pointer: str, says: str) -> None:
    """Each is told with file, line and pointer, and nothing starts."""
    file = given(tmp_path, text)
    found = fault(replace(SETTINGS, accounts=file))
    assert (found[0], found[1], found[3]) == (str(file), line, pointer)
    assert says in found[4]


@pytest.mark.parametrize(
    ("text", "line", "pointer", "says"),
    [
        pytest.param("- default\n", 1, "", "must be a mapping", id="list"),
        pytest.param(
            "default:\n  lines:\n    - number: '12'\n    - {size: 1}\n",
            4,
            "/default/lines/1/size",
            "known",
            id="member",
        ),
        pytest.param("default: {key: a}\nsecond:\n  key: a\n", 3, "/second/key", "'default' has this", id="clash"),
        pytest.param("default: x\n", 1, "/default", "must be an object", id="no-object"),
        pytest.param("default: {}\nthird: {}\n", 2, "/third", "only default and second are built in", id="third"),
    ],
)
def test_faults_of_evidence(tmp_path: Path, text: str, line: int, pointer: str, says: str) -> None:
    """A vendor's own accounts file is held to the same."""
    found = fault(replace(SETTINGS, fixtures=(evidence(tmp_path, text),)))
    assert (found[0], found[1], found[3]) == (str(tmp_path / "acme" / "accounts.yaml"), line, pointer)
    assert says in found[4]


def test_a_fault_that_no_file_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the contract's own template cannot make two accounts, that is told as well, at the contract."""
    monkeypatch.setattr("mockserver.store.accounts.Maker._uuid", lambda *_: "the same for all")
    (contract,) = contracts_of(SETTINGS)
    file, line, _, pointer, message = fault(SETTINGS)
    assert (file, line > 1, pointer, message) == (contract.file, True, "/x-mock/account", "no free values are left")


@pytest.mark.parametrize("literal", ["key: same", "key: {new: rsa}"])
def test_a_value_that_all_accounts_would_have(tmp_path: Path, literal: str) -> None:
    """By a credential an account is told from others: the line of the template that gives all the same one is told."""
    written = Path(contracts_of(SETTINGS)[0].file).read_text("utf-8")
    text = re.sub(r"^    key: .*$", f"    {literal}", written, count=1, flags=re.MULTILINE)
    (tmp_path / "acme.yaml").write_text(text, "utf-8")
    file, line, _, pointer, message = fault(replace(SETTINGS, contracts=(tmp_path,)))
    assert (file, text.splitlines()[line - 1].strip()) == (str(tmp_path / "acme.yaml"), literal)
    assert (pointer, message.startswith("every account would have")) == ("/x-mock/account/key", True)


def test_a_fault_of_what_the_file_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands at the deepest place that the file shows."""
    monkeypatch.setattr("mockserver.store.accounts.Maker._integer", lambda *_: 1_234_567)
    folder = evidence(tmp_path, "# one\ndefault: {key: a, lines: []}\n")
    found = fault(replace(SETTINGS, fixtures=(folder,)))
    assert found[:4] == (str(folder / "acme" / "accounts.yaml"), 2, 1, "/second")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing or undecodable file, and a missing folder, are named."""
    assert "cannot be read" in fault(replace(SETTINGS, accounts=tmp_path / "none.yaml"))[4]
    (tmp_path / "bad.yaml").write_bytes(b"id: \xff")
    assert "cannot be read" in fault(replace(SETTINGS, accounts=tmp_path / "bad.yaml"))[4]
    for settings in (
        replace(SETTINGS, contracts=(tmp_path / "none",)),
        replace(SETTINGS, fixtures=(tmp_path / "none",)),
    ):
        assert fault(settings)[::4] == (str(tmp_path / "none"), "there is no such folder")


def test_own_corrections_are_told(tmp_path: Path) -> None:
    """A file of a built-in vendor's name replaces its contract, an overlay changes it; another vendor's is neither."""
    for name in ("polyai.yaml", "koreai.overlay.yaml", "acme.yaml"):
        (tmp_path / name).touch()
    settings = Settings(contracts=(tmp_path,))
    told = [
        f"koreai is changed by {tmp_path / 'koreai.overlay.yaml'}",
        f"polyai is replaced by {tmp_path / 'polyai.yaml'}",
    ]
    assert corrections_of(settings) == told
    assert corrections_of(replace(settings, builtin=False)) == []
