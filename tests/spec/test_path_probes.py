"""Paths that no request comes to are told; tests/server/test_hidden_paths.py has that the routes agree."""

import pytest

from mockserver.spec.path_probes import hidden_paths
from tests.spec.writing import SMALL, errors_of

PART = """
  /sms/x{part}:
    get:
      operationId: part
      security: []
      parameters: [{name: part, in: path, required: true, schema: {type: string}}]
      responses:
        "204": {description: Done, x-mock: {name: done, evidence: {assumed: test}}}
        "404": {description: Not, x-mock: {name: refused, evidence: {assumed: test}}}
      x-mock: {rules: [{problem: any, answer: refused}]}
"""
PATHS = {
    ("/m/{id}", "/m/{id}.json"): ["/m/{id}.json"],
    ("/m/{id}.json", "/m/{id}"): ["/m/{id}.json"],
    ("/m/{id}", "/m/{id}.json/parts"): [],
    ("/m/{id}", "/n/{id}.json", "/m/all.json"): [],
    ("/{a}/{b}", "/m/v{b}"): ["/m/v{b}"],
    ("/m/{a}-{b}", "/m/{a}-{b}.json", "/m/x-{b}"): ["/m/{a}-{b}.json", "/m/x-{b}"],
    ("/m/{a}-{b}.json", "/m/{a}-{b}"): [],
    ("/m/{a}.json", "/m/v{b}"): [],
    ("/m/{a}/c", "/m/b/{y}"): [],
}


@pytest.mark.parametrize("paths", PATHS, ids=" ".join)
def test_hidden_paths(paths: tuple[str, ...]) -> None:
    """Of two paths the one whose parameters are whole segments is asked first, else the first of them."""
    assert [path for path, _ in hidden_paths(paths)] == PATHS[paths]


def test_a_hidden_path_is_told() -> None:
    """With the path that takes its requests, where it is written."""
    (error,) = errors_of(SMALL.replace("\npaths:", f"\npaths:{PART.rstrip()}", 1))
    assert error.pointer == "/paths/~1sms~1x{part}"
    assert error.message.startswith("no request comes here, for /sms/{batch} takes them all")
