"""The host in a TLS client's hello, as the library's own clients write it."""

import ssl

from hypothesis import given
from hypothesis import strategies as st

from mockserver.server.wire.first_bytes import HANDSHAKE, server_name
from tests.server.tls import ByHand

CLIENT = ssl.create_default_context()
HOST = "api.acme.example"


def hello(host: str, client: ssl.SSLContext = CLIENT) -> bytes:
    return ByHand(None, client, host).hello()


def test_what_clients_write() -> None:
    """Of either version of TLS; an address is not named there."""
    older = ssl.create_default_context()
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    for client in (CLIENT, older):
        assert hello(HOST, client)[0] == HANDSHAKE
        assert server_name(hello(HOST, client)) == HOST
        assert server_name(hello("127.0.0.1", client)) == ""


@given(st.integers(0, 600))
def test_a_part_of_a_hello(size: int) -> None:
    """It has the whole host, or none."""
    whole = hello(HOST)
    assert server_name(whole[:size]) in {"", HOST}
    assert server_name(whole) == HOST


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes(data: bytes, at: int) -> None:
    """What comes out is a host or nothing, whatever is written over a hello."""
    whole = hello(HOST)
    name = server_name(whole[:at] + data + whole[at + len(data) :])
    assert name.replace("-", "").replace(".", "").isalnum() or name == ""
    assert name.isascii()
    assert server_name(data) == "" or len(data) > 50
