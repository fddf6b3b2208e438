"""How many modules a request passes: what counts as a jump, and that the package can be asked."""

import pytest

from benchmarks.jumps import new_app, passage, scope
from benchmarks.scenarios import Sample


@pytest.mark.parametrize(
    ("modules", "way"),
    [
        ([], []),
        (["mockserver.a", "mockserver.a"], ["mockserver.a"]),
        (["mockserver.a", "json", "mockserver.a"], ["mockserver.a"]),
        (["x", "mockserver.a", "mockserver.b", "mockserver.b", "mockserver.a"], [f"mockserver.{m}" for m in "aba"]),
        (["mockservers", "mockserver", "", "mockserver.a"], ["mockserver", "mockserver.a"]),
    ],
)
def test_passage(modules: list[str], way: list[str]) -> None:
    """Only the package's modules count, and only where one follows another."""
    assert passage(modules) == way


def test_scope() -> None:
    """A request's path, query and headers, as ASGI has them."""
    made = scope(Sample("POST", "/a%2Fb?c=d", {"X-One": "1"}, "é"))
    assert (made["path"], made["raw_path"], made["query_string"]) == ("/a/b", b"/a%2Fb", b"c=d")
    assert made["headers"] == [(b"host", b"127.0.0.1"), (b"x-one", b"1"), (b"content-length", b"2")]


def test_the_package_makes_an_application() -> None:
    """``create_app`` is found in one of the places where it may be."""
    assert callable(new_app())
