"""Names that are asked for in namespaces: noted, and answered with: there is none."""

from typing import Any

import pytest

from mockserver.cli.asked_names import NameAnswerer, read_question

HEAD = b"\x12\x34\x01\x00\x00\x01" + bytes(6)
TYPE_A = b"\0\1\0\1"
QUESTION = b"\7Example\3com\0" + TYPE_A


class Transport:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def sendto(self, data: bytes, address: Any) -> None:
        self.sent.append((data, address))


def test_a_name() -> None:
    """It is noted in lower case; the answer has the question, and says that there is no such name."""
    noted: list[str] = []
    transport, answerer = Transport(), NameAnswerer((), noted.append)
    answerer.connection_made(transport)
    answerer.datagram_received(HEAD + QUESTION + b"more", "asker")
    assert noted == ["example.com"]
    assert transport.sent == [(b"\x12\x34\x81\x83\0\1" + bytes(6) + QUESTION, "asker")]


def test_the_name_of_an_address() -> None:
    """It is answered so, too, and nothing is noted: it is no host that was asked for."""
    noted: list[str] = []
    transport, answerer = Transport(), NameAnswerer((), noted.append)
    answerer.connection_made(transport)
    answerer.datagram_received(HEAD + b"\0011\7in-addr\4arpa\0" + TYPE_A, "asker")
    answerer.datagram_received(b"x", "asker")
    assert (noted, len(transport.sent)) == ([], 1)


def test_a_known_name() -> None:
    """It is there, without an address of this kind, and nothing is noted."""
    noted: list[str] = []
    transport, answerer = Transport(), NameAnswerer({"example.com"}, noted.append)
    answerer.connection_made(transport)
    answerer.datagram_received(HEAD + QUESTION, "asker")
    assert (noted, transport.sent[0][0][2:4]) == ([], b"\x81\x80")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (HEAD + b"\3a\nb\1c\0" + TYPE_A, "a?b.c"),
        (HEAD + b"\0" + TYPE_A, None),
        (HEAD + QUESTION[:-1], None),
        (HEAD + b"\xc0\x0c" + TYPE_A, None),
        (b"\x12\x34\x81" + HEAD[3:] + QUESTION, None),
        (b"", None),
    ],
)
def test_what_is_asked(query: bytes, name: str | None) -> None:
    """What is cut, refers elsewhere, is an answer or asks for no name is no question."""
    asked = read_question(query)
    assert (asked and asked[0]) == name
