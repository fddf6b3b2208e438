"""What every store is made of, whatever keeps it."""

from dataclasses import dataclass

from mockserver.engine.sources import Sources
from mockserver.spec.model import Contract
from mockserver.store.accounts import Registry


@dataclass(frozen=True, slots=True)
class StoreParts:
    """Contracts, the accounts of the start, where time and ids come from, and bounds.

    ``pace`` is how many seconds a second of a course takes for accounts whose clock nobody has set.
    """

    contracts: tuple[Contract, ...]
    registry: Registry
    sources: Sources
    max_journal_calls: int = 10_000
    max_journal_bytes: int = 64 * 1024 * 1024
    max_accounts: int = 10_000
    pace: float = 1.0
