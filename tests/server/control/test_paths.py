"""The paths of operations, held against others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.server.control.paths import OperationPath, operation_paths
from mockserver.spec.model import Contract
from tests.engine.workbench import acme

ACME: Contract = acme()
SEGMENT = st.text("abc.-", min_size=1, max_size=4)


def path_of(operation: str, start: str) -> OperationPath:
    """An operation's path that begins so."""
    members = [(ACME, one) for one in ACME.operations if one.id == operation]
    return next(path for path in operation_paths(members) if path.text.startswith(start))


def test_every_base_and_every_spelling() -> None:
    """A path for each server's base; what is dispatched to has the path of its dispatcher, too."""
    members = [(ACME, one) for one in ACME.operations if one.id == "acme.ping"]
    assert [path.text for path in operation_paths(members)] == ["/base/rpc", "/rpc", "/base/ping", "/ping"]


@pytest.mark.parametrize(
    ("path", "is_of"),
    [
        ("/base/typed/5", True),
        ("/acme/base/typed/5", True),
        ("/base/typed/a/b", True),  # decoded, of /base/typed/a%2Fb
        ("/base/typed/", False),
        ("/base/typed", False),
        ("/other/base/typed/5", False),
        ("/typed/5", False),
    ],
)
def test_is_of(path: str, is_of: bool) -> None:
    """At the root and below the vendor's name, with a value for each parameter."""
    assert path_of("acme.get_typed", "/base").is_of(path) is is_of
    assert path_of("acme.get_typed", "/base").names == ["number"]


@given(SEGMENT, SEGMENT)
def test_what_a_base_url_lacks_or_has_too_much(before: str, value: str) -> None:
    """The segments in front that a path lacks, or has beyond the operation's; of another path neither is said."""
    path = path_of("acme.get_typed", "/base")
    assert path.lacking(f"/typed/{value}") == "/base"
    assert path.surplus(f"/{before}/base/typed/{value}") == f"/{before}"
    assert path.surplus(f"{f'/{before}' * 20_000}/base/typed/{value}") == f"/{before}" * 20_000
    for other in (f"/base/typed/{value}", "/", "", "*", f"/{before}x/{value}", f"/typed/{value}/{before}"):
        assert path.lacking(other) is None
        assert path.surplus(other) is None


def test_a_parameter_alone_is_no_sign() -> None:
    """Any path ends as one that ends in a parameter: there is nothing that it lacks."""
    assert path_of("acme.get_typed", "/base").lacking("/anything") is None
