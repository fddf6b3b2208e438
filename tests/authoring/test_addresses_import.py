"""Servers and paths of a vendor's file, as a contract can have them."""

from pathlib import Path
from typing import Any

import pytest

from mockserver.authoring.addresses_import import AddressImport
from mockserver.authoring.openapi_file import OpenApiFile, SpecOperation

REGION: dict[str, Any] = {"region": {"default": "eu"}}
ACCOUNT: dict[str, Any] = {"account": {"default": "MA1", "enum": ["MA1", "MA2"]}}


@pytest.fixture
def source(tmp_path: Path) -> OpenApiFile:
    (tmp_path / "api.yaml").write_text("{openapi: 3.1.0}", "utf-8")
    return OpenApiFile(tmp_path / "api.yaml")


def read(source: OpenApiFile, servers: Any, *paths: str) -> tuple[AddressImport, list[str | None], str]:
    """The addresses of operations with these paths; the paths, and all that is said."""
    notes: list[str] = []
    addresses = AddressImport(source, "acme_sms", notes)
    operations = [SpecOperation("post", path, {}, {"servers": servers}, source.file) for path in paths]
    addresses.read(operations)
    return addresses, [addresses.path(operation) for operation in operations], "; ".join(notes)


@pytest.mark.parametrize(
    ("servers", "urls", "path", "told"),
    [
        ([{"url": "https://a.test/v1/"}], ["https://a.test/v1"], "/m", ""),
        (
            [{"url": "https://{region}.a.test", "variables": REGION}],
            ["https://eu.a.test"],
            "/m",
            "region is always 'eu'",
        ),
        (
            [{"url": "https://a.test/v1/{account}/x", "variables": ACCOUNT}],
            ["https://a.test/v1"],
            "/{account}/x/m",
            "'MA1'",
        ),
        (
            [{"url": "https://a.test/{v}"}, {"url": "https://b.test"}],
            ["https://a.test"],
            "/{v}/m",
            "left out: https://b",
        ),
        ([{"url": "/v2"}], ["https://api.acme-sms.example/v2"], "/m", "no full address"),
        ([{"url": "https://a.test?x=1"}, {"url": "http://b.test"}], ["http://b.test"], "/m", "is left out"),
        ([{"url": None}, None, {"url": 5}], ["https://api.acme-sms.example"], "/m", "no server is named"),
        (None, ["https://api.acme-sms.example"], "/m", "no server is named"),
    ],
)
def test_servers(source: OpenApiFile, servers: Any, urls: list[str], path: str, told: str) -> None:
    """A variable of a host has its default, and one of a path is a parameter; what no contract can have is told."""
    addresses, paths, notes = read(source, servers, "/m")
    assert ([server["url"] for server in addresses.servers], paths) == (urls, [path])
    assert told in notes


def test_parameters_of_a_server(source: OpenApiFile) -> None:
    """Its default is the example, and its other values are taken, too."""
    addresses, _, _ = read(source, [{"url": "https://a.test/{account}", "variables": ACCOUNT}], "/m")
    schema = {"type": "string", "enum": ["MA1", "MA2"]}
    assert addresses.parameters == [
        {"name": "account", "in": "path", "required": True, "schema": schema, "example": "MA1"}
    ]


@pytest.mark.parametrize(
    ("written", "path", "told"),
    [
        ("/#Action=Publish", "/", "its path is / here"),
        ("/a?b=c", "/a", "its path is /a here"),
        ("messages", "/messages", "a path begins with '/'"),
        ("/a%20b", "/a b", ""),
        ("/é/{id}", "/%C3%A9/{id}", ""),
        ("/v1/{", None, "is left out: no request meets its path"),
        ("/_mock/calls", None, "/_mock is the mock's own"),
    ],
)
def test_paths(source: OpenApiFile, written: str, path: str | None, told: str) -> None:
    """A path is written as requests have it; an operation whose path none can have is left out."""
    _, paths, notes = read(source, [{"url": "https://a.test"}], written)
    assert paths == [path]
    assert told in notes


def test_servers_of_other_operations(source: OpenApiFile) -> None:
    """A contract has servers that hold for all of it: those of the first operation."""
    notes: list[str] = []
    holders = [{"servers": [{"url": "https://a.test"}]}, {"servers": [{"url": "https://b.test"}]}]
    AddressImport(source, "acme", notes).read([SpecOperation("get", "/m", {}, one, source.file) for one in holders])
    assert notes == ["GET /m: its own servers are left out for those of GET /m"]
