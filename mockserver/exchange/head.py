"""The headers of a request, read once for all requests that carry the same."""

from functools import lru_cache

import msgspec

from mockserver.exchange.call import unpack_headers
from mockserver.exchange.credential import Credentials, credentials
from mockserver.exchange.tokens import KEPT, LONGEST
from mockserver.spec.contract import Operation


class Head(msgspec.Struct, frozen=True):
    """The values that an operation looks at by lower-case name, and what every request may say of itself.

    ``packed`` is one object for all that are alike: in a journal of a million calls it takes room once.
    """

    packed: bytes
    values: dict[str, str]
    content_type: str
    prefer: str
    credentials: Credentials

    @property
    def essence(self) -> str:
        """The media type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()


def read_head(operation: Operation, packed: bytes) -> Head:
    """The head of packed headers; of a header given twice the last value counts. Saves 3 us of 4."""
    return _remembered(operation, packed) if len(packed) <= LONGEST else _read(operation, packed)


def _read(operation: Operation, packed: bytes) -> Head:
    given = dict(unpack_headers(packed))
    wanted = {name: value.strip() for name, value in given.items() if name in operation.headers}
    schemes = tuple(scheme for scheme in operation.schemes if scheme.where == "header")
    carried = credentials(schemes, {"header": wanted})
    return Head(packed, wanted, given.get("content-type", ""), given.get("prefer", ""), carried)


_remembered = lru_cache(maxsize=KEPT)(_read)
