"""Which hosts the server serves as a proxy, passes on and refuses."""

import pytest

from mockserver.server.settings import Settings
from mockserver.server.wire.limits import no_vendors_host
from mockserver.server.wire.proxy import Authority, Destination, Proxy

HOSTS = ("api.acme.example",)
LISTENING = ("127.0.0.1", 8080)


def place(text: str, settings: Settings | None = None, listening: object = LISTENING) -> Destination:
    to = Authority.read(text)
    assert to is not None
    return Proxy.of(HOSTS, settings or Settings()).destination(to, listening)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("API.Acme.Example.:443", ("api.acme.example", 443)),
        ("[::1]:8080", ("[::1]", 8080)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("a_b-c:65535", ("a_b-c", 65535)),
        *((text, None) for text in ("", ":", "a", "a:", "a:0", "a:65536", "a:x", "::1:80", "[::1]", "a b:1", "a:1:2")),
        *((text, None) for text in ("u@a:1", "ä:1", "a\n:1", "a:1\n", "a:٣", "[a]:1/", ".:1")),
    ],
)
def test_authorities(text: str, expected: tuple[str, int] | None) -> None:
    """A host and a port; without a port only where one is meant."""
    assert Authority.read(text) == expected


def test_a_default_port() -> None:
    """It stands for the one that is not there."""
    assert str(Authority.read("a", 80)) == "a:80"
    assert str(Authority.read("a:81", 80)) == "a:81"


def test_vendors_hosts_are_served() -> None:
    """On any port: a client may tunnel plain HTTP too."""
    assert place("api.acme.example:443") is Destination.HERE
    assert place("api.acme.example:80") is Destination.HERE
    assert place("www.api.acme.example:443") is Destination.NOWHERE
    assert place("acme.example:443") is Destination.NOWHERE


def test_the_server_itself_is_served() -> None:
    """Where it listens, and where its clients know it."""
    for host in ("localhost", "127.0.0.1", "[::1]", "127.0.0.9"):
        assert place(f"{host}:8080") is Destination.HERE
        assert place(f"{host}:8081") is Destination.NOWHERE
    assert place("10.0.0.5:8080", listening=("10.0.0.5", 8080)) is Destination.HERE
    assert place("10.0.0.6:8080", listening=("10.0.0.5", 8080)) is Destination.NOWHERE
    assert place("localhost:8080", listening="/run/a.socket") is Destination.NOWHERE
    known = Settings(public_url="https://vendors/base")
    assert place("vendors:443", known) is Destination.HERE
    assert place("vendors:8080", known) is Destination.NOWHERE


def test_hosts_that_are_let_through() -> None:
    """Those that are named, and no others."""
    settings = Settings(let_through=("Auth.Example", "localhost"))
    assert place("auth.example:443", settings) is Destination.THROUGH
    assert place("x.auth.example:443", settings) is Destination.NOWHERE
    assert place("localhost:5432", settings) is Destination.THROUGH
    assert place("localhost:8080", settings) is Destination.HERE


def test_what_a_refusal_says() -> None:
    """What would help depends on whose host it is."""
    assert no_vendors_host(Authority("other.example", 443)).detail == (
        "other.example is no vendor's host, and nothing leaves this machine; "
        "--let-through other.example or MOCKSERVER_LET_THROUGH passes it on."
    )
    assert no_vendors_host(Authority("[::1]", 5432)).detail == (
        "[::1] is no vendor's host, and nothing leaves this machine; "
        "NO_PROXY=localhost,127.0.0.1,::1 has a client reach local addresses without the proxy."
    )
