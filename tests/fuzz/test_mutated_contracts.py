"""Contracts with random mutations: nothing but an author's error comes of them."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import contract_files, load_contracts
from mockserver.spec.source import read_yaml
from tests.evidence import ROOT

DOCUMENTS = {
    file.stem: read_yaml(file.name, file.read_text("utf-8")).value for file in contract_files([ROOT / "contracts"])
}
odd_texts = ["", "/", "x", "#/", "/body", "/account", "/owned/x", "[", "http://[", "{", "é\u2028", "\x00"]
odd_schemas = [
    {"type": "integer"},
    {"pattern": "("},
    {"required": [1]},
    {"properties": []},
    {"allOf": {}},
    {"anyOf": [1]},
]
odd_lists = [[], [None], ["x"], [[]], [{}]]
odd_mappings = [{}, {"": {}}, {"$ref": "#/"}, {"$ref": "#/paths"}, {"$ref": 1}, {"x-mock": {}}, {"x-mock": None}]
odd_values = st.sampled_from([None, True, 0, -1, 1.5, 10**30, *odd_texts, *odd_schemas, *odd_lists, *odd_mappings])


def containers(value: Any) -> list[Any]:
    """The containers of a value that are not empty, itself among them."""
    if not isinstance(value, dict | list):
        return []
    items = value.values() if isinstance(value, dict) else value
    inner = [container for item in items for container in containers(item)]
    return [value, *inner] if value else inner


@settings(deadline=None, database=None, derandomize=True, max_examples=300)
@given(st.sampled_from(sorted(DOCUMENTS)), st.data())
def test_mutated_contracts(tmp_path_factory: pytest.TempPathFactory, vendor: str, data: st.DataObject) -> None:
    """Whatever is deleted from a contract or put into it, it is read or its errors are raised; nothing else happens."""
    document = copy.deepcopy(DOCUMENTS[vendor])
    for _ in range(data.draw(st.integers(1, 3))):
        holders = containers(document)
        holder = holders[data.draw(st.integers(0, len(holders) - 1))]
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        if data.draw(st.booleans()):
            other = data.draw(st.integers(0, len(holders) - 1) | st.none())
            holder[key] = copy.deepcopy(data.draw(odd_values) if other is None else holders[other])
        else:
            del holder[key]
        if not document:
            break
    file = tmp_path_factory.getbasetemp() / f"{vendor}.yaml"
    file.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    with contextlib.suppress(ContractErrors):
        assert [contract.vendor for contract in load_contracts([file])] == [vendor]
