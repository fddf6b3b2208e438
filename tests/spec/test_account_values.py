"""What account pointers name, and the files that are made of it."""

import json
from typing import Any

import pytest

from mockserver.spec.account_values import file_texts, values_at


@pytest.mark.parametrize(
    ("pointer", "values"),
    [
        pytest.param("/account/a", [1], id="member"),
        pytest.param("/account/list/x", [2, 3], id="through-a-list"),
        pytest.param("/account/list/deep/y", [4, 5], id="through-two"),
        pytest.param("/account/none", [], id="nothing"),
        pytest.param("/account/a/b", [], id="below-a-value"),
    ],
)
def test_values_at(pointer: str, values: list[Any]) -> None:
    """Lists are looked through, in order."""
    data = {"a": 1, "list": [{"x": 2, "deep": [{"y": 4}, {"y": 5}]}, {"x": 3}, {}]}
    assert [value for value, _ in values_at(data, pointer)] == values


def test_files() -> None:
    """A file names the first record's values, as JSON; null where there is none."""
    data = {"key": "k", "clients": [{"id": "one"}, {"id": "two"}]}
    members = {"key": "/account/key", "client": "/account/clients/id", "none": "/account/none"}
    texts = file_texts({"a.json": members}, data)
    assert {name: json.loads(text) for name, text in texts.items()} == {
        "a.json": {"key": "k", "client": "one", "none": None}
    }
    assert texts["a.json"].endswith("}\n")
