"""Paths of contracts, held against what a request can have."""

import pytest

from mockserver.spec.addresses import as_compared, as_sent, why_no_path


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/v1/messages", ""),
        ("/a/{id}.json", ""),
        ("/é", ""),
        ("/%C3%A9/{id}", ""),
        ("messages", "must start with '/'"),
        ("/#Action=Publish", "ends before #"),
        ("/a?b=c", "ends before ?"),
        ("/v1/{", "written {name}"),
        ("/v1/{}", "written {name}"),
        ("/v1/{a/b}", "written {name}"),
        ("/a%20b", "without escapes: write '/a b'"),
        ("/é/{id}", "as it is sent: write '/%C3%A9/{id}'"),
    ],
)
def test_paths_that_no_request_meets(path: str, why: str) -> None:
    """Each is told with its cause; as it is then written, it is met."""
    assert why in why_no_path(path)
    assert bool(why) == bool(why_no_path(path))
    assert why_no_path(as_compared(path)) == why_no_path(path) or "write" in why_no_path(path)


@pytest.mark.parametrize(
    ("path", "sent"), [("/é", "/%C3%A9"), ("/a b", "/a%20b"), ("/%", "/%25"), ("/%C3%A9/{id}", "/%C3%A9/{id}")]
)
def test_a_path_as_a_client_sends_it(path: str, sent: str) -> None:
    """Without parameters it stands decoded in the contract."""
    assert as_sent(path) == sent
