"""Exported archives are valid by the schema that others hold HTTP Archives against."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft6Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6

from tests.live import PATIENCE, Live
from tests.tools.installing import execute

HAR_SCHEMA = "har-schema@2.0.0"
VENDORS = ("avaamo", "koreai", "opentact", "polyai", "voximplant")


@pytest.fixture(scope="module")
def validator(tools: Path) -> Any:
    """The schema of HAR 1.2, from npm."""
    folder = tools / "har"
    execute("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, HAR_SCHEMA)
    schemas = [json.loads(file.read_text("utf-8")) for file in (folder / "node_modules/har-schema/lib").glob("*.json")]
    resources = [(schema["$id"], Resource.from_contents(schema, default_specification=DRAFT6)) for schema in schemas]
    whole = next(schema for schema in schemas if schema["$id"] == "har.json#")
    return Draft6Validator(whole, registry=Registry().with_resources(resources))


def exported(server: Live) -> Any:
    return requests.get(f"{server.url}/_mock/calls", params={"format": "har"}, timeout=PATIENCE).json()


def test_an_export_is_valid(server: Live, validator: Any) -> None:
    """With calls of every vendor, refused and strange ones, bodies that are no text, and a reply that never came."""
    url = server.url
    for vendor in VENDORS:
        command = requests.get(f"{url}/_mock/accounts/default/curl/{vendor}", timeout=PATIENCE).text
        subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=PATIENCE)
    requests.post(f"{url}/v1/outbound-sms?a=é&a=&b", data=b"\x00\xff\xfe", timeout=PATIENCE)
    requests.put(f"{url}/nowhere/ü", json={"a": "\u202e"}, timeout=PATIENCE)
    pin = {"account": "default", "fault": {"kind": "reset"}}
    requests.put(f"{url}/_mock/pins/polyai.send_sms", json=pin, timeout=PATIENCE)
    command = requests.get(f"{url}/_mock/accounts/default/curl/polyai", timeout=PATIENCE).text
    subprocess.run(["sh", "-c", command], capture_output=True, check=False, timeout=PATIENCE)
    archive = exported(server)
    assert len(archive["log"]["entries"]) >= 8
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(archive)] == []


def test_the_schema_finds_faults(server: Live, validator: Any) -> None:
    """A check that found nothing in a spoilt archive would prove nothing."""
    requests.post(f"{server.url}/nowhere", timeout=PATIENCE)
    archive = exported(server)
    archive["log"]["entries"][0]["request"]["headers"] = [{"name": "only"}]
    assert [error.json_path for error in validator.iter_errors(archive)] != []
