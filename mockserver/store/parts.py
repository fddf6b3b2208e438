"""What every store is made of, whatever keeps it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mockserver.engine.sources import Sources
from mockserver.spec.model import Contract
from mockserver.store.accounts import Registry
from mockserver.store.rows import Statement


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


class Backing(Protocol):
    """Where a store is written down as it changes, and read from at its start."""

    @property
    def path(self) -> object:
        """What a user knows it by."""

    def states(self) -> Iterable[tuple[Any, ...]]:
        """The rows of the state, oldest first: kind, account, list, name, value. Raises StoreError."""

    def calls(self) -> Iterable[tuple[Any, ...]]:
        """The calls as CALL_COLUMNS has them, oldest first. Raises StoreError."""

    def last_number(self) -> int | None:
        """The number of the last call; None where there is none. Raises StoreError."""

    def begin(self, statements: Sequence[Statement]) -> None:
        """Write what is different at the start. Raises StoreError."""

    def let_go(self) -> None:
        """Close it before anything else was written."""

    def check(self) -> None:
        """Raise StoreUnavailableError where nothing can be written now."""

    async def write(self, statements: Sequence[Statement]) -> None:
        """Return once all is written. Raises StoreUnavailableError."""

    def post(self, statements: Sequence[Statement]) -> None:
        """Have statements written soon."""

    async def close(self) -> None:
        """Write what is left, and let go."""
