"""What ``--with`` names: services that can be let in, and what says why others cannot."""

import pytest

from mockserver.cli.common import CommandError
from mockserver.cli.namespaces import LocalService
from mockserver.cli.service_relay import read_services


@pytest.mark.parametrize(
    ("texts", "services"),
    [
        (["localhost:5432"], [("localhost", 5432, "127.0.0.1")]),
        (["db_1.local:6379", "DB_1.local:6379"], [("db_1.local", 6379, "127.0.0.1")]),
        (["[::1]:443"], [("::1", 443, "::1")]),
        (["127.0.0.2:80", "127.0.0.1:81"], [("127.0.0.2", 80, "127.0.0.2"), ("127.0.0.1", 81, "127.0.0.1")]),
    ],
)
def test_services(texts: list[str], services: list[tuple[str, int, str]]) -> None:
    """Each once, with where it is listened for inside."""
    found = read_services(texts)
    assert [(*service, service.address) for service in found] == services
    assert all(isinstance(service, LocalService) for service in found)


@pytest.mark.parametrize(
    "text", ["x", "localhost:0", "localhost:70000", "bad name:1", "::1:80", "[x]:1", "a/b:1", ":1"]
)
def test_what_is_no_service(text: str) -> None:
    """It is told with the form that is meant."""
    with pytest.raises(
        CommandError, match=f"^--with is HOST:PORT, as localhost:5432, not {text!r}$".replace("[", r"\[")
    ):
        read_services([text])


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["10.1.2.3:5432"], "--with 10.1.2.3:5432: inside there are this machine's own addresses only"),
        (["[2001:db8::1]:1"], "--with [2001:db8::1]:1: inside there are this machine's own addresses only"),
        (["[1::2::3]:1"], "--with [1::2::3]:1: 1::2::3 is no address"),
        (["localhost:443"], "--with localhost:443: port 443 is the vendors' hosts' inside"),
        (["db:80"], "--with db:80: port 80 is the vendors' hosts' inside"),
        (["a:1", "b:1"], "--with a:1 and --with b:1: both would be 127.0.0.1:1 inside"),
    ],
)
def test_what_cannot_be_let_in(texts: list[str], said: str) -> None:
    """Two at one place, those at the vendors' place, and addresses that are not there."""
    with pytest.raises(CommandError) as error:
        read_services(texts)
    assert error.value.message.startswith(said)
