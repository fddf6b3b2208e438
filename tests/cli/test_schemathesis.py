"""``mockserver account --format schemathesis``: a file that schemathesis reads. tests/fuzz shows its use."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.running import invoke, odd_account

ODD = 'it\'s "x" $HOME \\ é😀 \t\n'


def test_polyai() -> None:
    """The key by its security scheme, the connector by the header's own name; warnings fail a run."""
    shape = json.loads(invoke("account").stdout)["vendors"]["polyai"]
    file = tomllib.loads(invoke("account", "--format", "schemathesis", "--vendor", "polyai").stdout)
    key = {"api_key": shape["credentials"]["api_key"]}
    assert file["auth"] == {"openapi": {"ApiKey": key, "ConversationKey": key}}
    operation = file["operations"][0]
    assert operation["include-operation-id"] == "send_sms"
    assert operation["parameters"] == {"header.X-TOKEN-ID": shape["owned"]["connectors"][0]["id"]}
    assert file["warnings"] == {"fail-on": True}


def test_values_in_a_body() -> None:
    """A sender that each body needs is given; a phase that tries others may be refused as the contract says."""
    file = tomllib.loads(invoke("account", "--format", "schemathesis", "--vendor", "koreai").stdout)
    operation = file["operations"][0]
    assert operation["parameters"].keys() == {"path.BotId", "body.fromNo"}
    assert "400" in operation["checks"]["positive_data_acceptance"]["expected-statuses"]
    assert file["warnings"] == {"fail-on": ["missing_auth", "missing_test_data"]}


def test_refusals_with_the_status_of_a_success() -> None:
    """Checks that judge by the status are off, for each spelling."""
    file = tomllib.loads(invoke("account", "--format", "schemathesis", "--vendor", "voximplant").stdout)
    assert len(file["operations"]) > 3
    for operation in file["operations"]:
        assert {check["enabled"] for check in operation["checks"].values()} == {False}


def test_what_was_sent_before() -> None:
    """An operation that asks for a message by its id finds none when a run begins; forms beside JSON are not judged."""
    printed = invoke("account", "--format", "schemathesis", "--vendor", "opentact").stdout
    file = tomllib.loads(printed)
    users = file["auth"]["openapi"]["Login"]
    assert users.keys() == {"username", "password"}
    operations = {operation["include-operation-id"]: operation for operation in file["operations"]}
    assert operations["show_sms"]["warnings"] == {"display": ["missing_auth"], "fail-on": True}
    assert "warnings" not in operations["send_sms"]
    assert operations["search_sms"]["checks"]["positive_data_acceptance"] == {"enabled": False}


def test_odd_values(tmp_path: Path) -> None:
    """Any text is read back as it is."""
    accounts = odd_account(tmp_path, [ODD])
    printed = invoke("account", "odd", "--accounts", accounts, "--format", "schemathesis", "--vendor", "koreai")
    assert tomllib.loads(printed.stdout)["operations"][0]["parameters"]["body.fromNo"] == ODD


@pytest.mark.parametrize("form", ["json", "dotenv"])
def test_one_vendor(form: str, tmp_path: Path) -> None:
    """Other formats can be of one vendor too, its files included."""
    printed = invoke("account", "--format", form, "--vendor", "voximplant", "--files", tmp_path).stdout
    assert "voximplant" in printed
    assert "polyai" not in printed
    assert [path.name for path in tmp_path.iterdir()] == ["voximplant"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--format", "schemathesis"], "--format schemathesis is for one vendor: add --vendor VENDOR"),
        pytest.param(["--vendor", "x"], "there is no vendor 'x'; known: avaamo, koreai, opentact, polyai, voximplant"),
    ],
    ids=["none", "unknown"],
)
def test_mistakes(arguments: list[str], said: str) -> None:
    """One line, exit code 2."""
    ended = invoke("account", *arguments)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", f"mockserver: {said}\n")
