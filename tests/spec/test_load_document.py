"""A whole document: what it must have at its top, and the contract that is read from it."""

import pytest

from mockserver.spec.load import read_contract
from mockserver.spec.source import read_yaml
from tests.spec.writing import Case, assert_error, contract, errors_of

SERVER = "  - url: https://eu.acme.test/\n"
SERVERS = "servers:\n  - url: https://api.acme.test\n" + SERVER
ALONE: dict[str, Case] = {
    "openapi as number": ("openapi: 3.1.0", "openapi: 3", "openapi:", "openapi must be 3.1.x"),
    "no openapi": ("openapi: 3.1.0\n", "", "info:", "openapi must be 3.1.x"),
    "no servers": (SERVERS, "", "openapi:", "'servers' is missing: name the vendor's hosts"),
    "empty servers": (SERVERS, "servers: []\n", "openapi:", "'servers' is missing"),
    "server without url": (SERVER, "  - description: eu\n", "description: eu", "'url' is missing"),
    "server with variables": (SERVER, "  - url: 'https://{region}.acme.test'\n", "{region}", "a full address without"),
    "relative server": (SERVER, "  - url: /v1\n", "url: /v1", "a full address without variables"),
    "server of no scheme": (SERVER, "  - url: eu.acme.test\n", "url: eu", "a full address without variables"),
    "server of another scheme": (
        SERVER,
        "  - url: ftp://eu.acme.test\n",
        "url: ftp",
        "a full address without variables",
    ),
    "server of no address": (SERVER, "  - url: 'https://[eu'\n", "[eu", "a full address without variables"),
    "server of port 0": (SERVER, "  - url: 'https://eu:0'\n", "eu:0", "a full address without variables"),
    "server of no port": (SERVER, "  - url: 'https://eu:port'\n", "eu:port", "a full address without variables"),
}
CONSEQUENTIAL: dict[str, Case] = {
    "no x-mock": (
        "x-mock:\n  account:\n",
        "x-mok:\n  account:\n",
        "openapi:",
        "x-mock is missing: say with 'account' what",
    ),
    "no info": ("info:", "x-info:", "openapi:", "'info' is missing"),
    "misspelt info": ("info:", "inof:", "inof:", "did you mean 'info'?"),
    "no paths": ("paths:\n", "pahts:\n", "pahts:", "did you mean 'paths'?"),
}


@pytest.mark.parametrize("case", ALONE.values(), ids=ALONE)
def test_one_error(case: Case) -> None:
    """A mistake at the top of a document is one error, on its own line."""
    assert_error(case)


@pytest.mark.parametrize("case", CONSEQUENTIAL.values(), ids=CONSEQUENTIAL)
def test_error(case: Case) -> None:
    """A mistake that the rest depends on is an error too, beside others."""
    assert_error(case, alone=False)


@pytest.mark.parametrize("text", ["[1, 2]", "text", "5", "null"])
def test_no_mapping(text: str) -> None:
    """A file without a mapping is one error and an empty contract."""
    acme, reader = read_contract(read_yaml("acme.yaml", text), "acme")
    assert [error.message for error in reader.errors] == ["an OpenAPI document must be a mapping"]
    assert (acme.vendor, acme.operations) == ("acme", ())


def test_unreadable_yaml() -> None:
    """A file that is not YAML has one error."""
    (error,) = errors_of("a: [")
    assert error.message.startswith("not YAML: ")


def test_contract() -> None:
    """A contract has what its document says about the vendor."""
    acme = contract()
    assert (acme.vendor, acme.title, acme.version, acme.file) == ("acme", "Acme SMS", "7", "acme.yaml")
    assert acme.servers == ("https://api.acme.test", "https://eu.acme.test")
    assert [operation.id for operation in acme.operations] == ["acme.send_sms", "acme.send_sms", "acme.command"]
    assert acme.account["lines"][1]["open"] is False
    assert acme.files == {"key.json": {"key": "/account/key"}}
    assert acme.claims == {"/account/key": False, "/account/lines/number": True}
    assert acme.document["info"]["title"] == "Acme SMS"
