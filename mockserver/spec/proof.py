"""The proof of a contract: what its author may have mistaken is found when it is read, before anybody calls."""

from mockserver.spec.check import check_pointers
from mockserver.spec.credential_probes import check_credentials
from mockserver.spec.model import Contract
from mockserver.spec.near_keys import check_keys
from mockserver.spec.reader import Reader
from mockserver.spec.request_probes import check_requests


def prove_keys(reader: Reader) -> None:
    """Add an error for each key that nothing would read. Comes first: what a misspelt key has is not looked for."""
    check_keys(reader)


def prove(reader: Reader, contract: Contract) -> tuple[str, ...]:
    """Add an error for each part that says what can never be so; returns what the author is told besides."""
    check_pointers(reader, contract)
    check_credentials(reader, contract)
    reader.unread_blocks()
    return tuple(check_requests(reader, contract))
