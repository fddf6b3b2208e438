"""Ids as vendors write them: made of random UUIDs, so that a seeded account has the same ones again."""

import string
from collections.abc import Callable

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # the alphabet of ULIDs: no I, L, O and U
_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
ULID_TIME = 10  # characters of a ULID that tell its time in milliseconds
ULID_CHANCE = 16  # characters of a ULID that are random
DIGITS_PER_LETTER = 3  # hex digits that one of 62 letters and digits is made of: all come up about as often


def random_hex(uuid: Callable[[], str], length: int) -> str:
    """So many random hex digits, in lower case."""
    text = ""
    while len(text) < length:
        whole = uuid().replace("-", "")
        text += whole[:12] + whole[13:16] + whole[17:]
    return text[:length]


def random_token(uuid: Callable[[], str], length: int) -> str:
    """So many random letters and digits."""
    chance = random_hex(uuid, length * DIGITS_PER_LETTER)
    numbers = (int(chance[at : at + DIGITS_PER_LETTER], 16) for at in range(0, len(chance), DIGITS_PER_LETTER))
    return "".join(_LETTERS_AND_DIGITS[number % len(_LETTERS_AND_DIGITS)] for number in numbers)


def ulid(uuid: Callable[[], str], seconds: float) -> str:
    """A ULID of a time in Unix seconds: those of later times are greater."""
    return _in_base_32(int(seconds * 1000), ULID_TIME) + _in_base_32(int(random_hex(uuid, 20), 16), ULID_CHANCE)


def _in_base_32(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, digit = divmod(number, 32)
        text = _CROCKFORD[digit] + text
    return text
