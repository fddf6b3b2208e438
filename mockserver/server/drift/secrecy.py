"""What must not be written down of calls to real vendors: more than of calls to a mock, since these secrets are real.

By place, as ever, and in headers and addresses by names that are usual for secrets. By value, wherever it stands: each
credential that the user gave this server, and each that a call presents where credentials stand.
"""

import re
from collections.abc import Iterable, Iterator

from mockserver.engine.call import RecordedCall
from mockserver.server.masking import MAX_SEARCHED, MIN_QUOTED, Masker, Quotes
from mockserver.server.packed_bodies import unpacked
from mockserver.server.secret_members import decoded_field
from mockserver.spec.model import Contract

_USUAL = re.compile(
    r"token|secret|passw|credential|signature|session|authorization|key$|(?:^|[-_])(?:auth|bearer|jwt|pwd|sig)$",
    re.IGNORECASE,
)
_ADDRESS_FIELD = re.compile(r"(^|[?&#])([^=&?#\s\"]{1,64}+)=(?!\*\*\*)([^&#\s\"\\]+)")  # of a query or a form


class RealMasker(Masker):
    """Masks calls to real vendors; ``given`` are the credentials that the user gave."""

    def __init__(self, contracts: Iterable[Contract], given: Iterable[str]) -> None:
        contracts = tuple(contracts)
        super().__init__(contracts)
        self._given = [secret for secret in given if len(secret) >= MIN_QUOTED]
        operations = [operation for contract in contracts for operation in contract.operations]
        self._declared = {name.lower() for operation in operations for name in operation.headers}
        self._declared |= {parameter.name.lower() for operation in operations for parameter in operation.parameters}

    def hides_header(self, name: str) -> bool:
        """Whether the whole value of this header is a secret, by its place or by its name."""
        return super().hides_header(name) or self._is_usual(name)

    def text(self, text: str, *, is_cut: bool = False) -> str:
        """A text with tokens and keys in it masked, and in its addresses the fields that are named as secrets are."""
        return super().text(_ADDRESS_FIELD.sub(self._without_field, text), is_cut=is_cut)

    def presents(self, call: RecordedCall) -> Iterator[str]:
        """What stands in a request where credentials stand, or in a field that is named as one."""
        yield from super().presents(call)
        body = unpacked(call).content[:MAX_SEARCHED].decode("utf-8", "replace") if call.reads == "form" else ""
        for text in (call.query.decode("latin-1"), body):
            yield from (decoded_field(found[3]) for found in _ADDRESS_FIELD.finditer(text) if self._is_usual(found[2]))

    def quotes(self, call: RecordedCall) -> Quotes:
        """What finds the secrets that a call presents, and those that the user gave, wherever they stand."""
        return Quotes(self, [*self.presented(call), *self._given])

    def _is_usual(self, name: str) -> bool:
        return name.lower() not in self._declared and _USUAL.search(name) is not None

    def _without_field(self, found: re.Match[str]) -> str:
        if not self._is_usual(found[2]):
            return found[0]
        return f"{found[1]}{found[2]}={self.mask(decoded_field(found[3]))}"
