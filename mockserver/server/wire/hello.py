"""The host that a TLS client asks for, read from the first bytes of its hello (RFC 8446, 4.1.2; RFC 6066, 3)."""

HANDSHAKE = 0x16  # the first byte of a record, and so of a TLS connection
_SERVER_NAME = 0
_FIXED = 5 + 4 + 2 + 32  # heads of record and message, version, random


def server_name(hello: bytes) -> str:
    """The host; "" where the client names none, or where it is not among these bytes."""
    try:
        at = _FIXED
        at += 1 + hello[at]  # session
        at += 2 + _number(hello, at)  # cipher suites
        at += 1 + hello[at]  # compressions
        at += 2  # length of all extensions
        while _number(hello, at) != _SERVER_NAME:
            at += 4 + _number(hello, at + 2)
        size = _number(hello, at + 7)
        name = hello[at + 9 : at + 9 + size]
    except IndexError:
        return ""
    text = name.decode("ascii", "replace").lower()
    return text if len(name) == size and text.replace("-", "").replace(".", "").isalnum() and text.isascii() else ""


def _number(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]
