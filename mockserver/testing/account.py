"""One customer of the vendors: what a test works with, and what keeps it apart from the others."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from mockserver.testing.assertions import Assertions
from mockserver.testing.call import Call
from mockserver.testing.control import ControlError, segment
from mockserver.testing.journal import Journal
from mockserver.testing.vendor import Vendor


@dataclass(frozen=True, slots=True)
class Made:
    """An account as the server made it; ``operations`` by vendor. ``before_delete`` is called with its id."""

    journal: Journal
    shape: Mapping[str, Any]
    operations: Mapping[str, tuple[str, ...]]
    before_delete: Callable[[str], None] | None = None


class Account(Assertions):
    """Each vendor is an attribute too; one whose name is taken here is reached by ``vendors``.

    Its assertions are about all vendors' calls. Leaving its ``with`` block deletes it.
    """

    def __init__(self, made: Made) -> None:
        super().__init__(made.journal, {})
        self.id: str = made.shape["id"]
        self.vendors = {
            name: Vendor(made.journal, name, data, made.operations.get(name, ()))
            for name, data in made.shape["vendors"].items()
        }
        self._before_delete = made.before_delete
        self._path = f"accounts/{segment(self.id)}"

    def reset(self) -> None:
        """Forget its calls, pins, limits and clock; its credentials stay."""
        self._journal.control.post(f"{self._path}/reset")

    def advance(self, seconds: float) -> None:
        """Put its clock so many seconds on: tokens, rate limits and times in answers follow."""
        self._journal.control.post(f"{self._path}/clock", {"advance": seconds})

    def freeze(self, at: str | None = None) -> None:
        """Stop its clock, now or at a time (ISO 8601)."""
        self._journal.control.post(f"{self._path}/clock", {"freeze": True if at is None else at})

    def unfreeze(self) -> None:
        """Let its clock go on from where it stands."""
        self._journal.control.post(f"{self._path}/clock", {"freeze": False})

    def limit(self, name: str, requests: int | None = None, seconds: float | None = None) -> None:
        """Switch the documented rate limit of a vendor or operation on, with numbers of the test's own if given."""
        own = {"requests": requests, "seconds": seconds}
        given = {key: value for key, value in own.items() if value is not None}
        self._journal.control.put(f"{self._path}/limits", {name: given or True})

    def unlimit(self, name: str) -> None:
        """Switch a rate limit off."""
        self._journal.control.put(f"{self._path}/limits", {name: False})

    @property
    def limits(self) -> list[Mapping[str, Any]]:
        """What is left: ``[{operation, by, requests, seconds, remaining, wait}]``."""
        found: list[Mapping[str, Any]] = self._journal.control.get(self._path)["limits"]
        return found

    def delete(self) -> None:
        """Forget the account; nothing happens where it is gone already."""
        if self._before_delete is not None:
            self._before_delete(self.id)
        try:
            self._journal.control.delete(self._path)
        except ControlError as error:
            if error.status != 404:
                raise

    def get(self, path: str) -> Any:
        """A value by its dotted path, the vendor first: ``<vendor>.owned.connectors.0.id``. Raises LookupError."""
        vendor, dot, rest = path.partition(".")
        if vendor not in self.vendors:
            raise LookupError(f"there is no vendor {vendor!r}; known: {', '.join(self.vendors)}")
        if not dot:
            raise LookupError(f"{vendor} alone is no value; add .url, .credentials, .owned or .tokens")
        return self.vendors[vendor].get(rest)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Environment variables from the dotted paths of their values, what is no text as JSON. Raises LookupError."""
        values = {name: self.get(path) for name, path in variables.items()}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}

    def recorded_calls(self) -> list[Call]:
        """Calls, oldest first; unlike ``calls``, they do not count as read."""
        return self._journal.all()

    def has_seen(self, call: Call) -> bool:
        """Whether a passed assertion matched this call, or it was read."""
        return call.id in self._journal.seen

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.delete()

    def __getattr__(self, name: str) -> Vendor:
        vendors: dict[str, Vendor] = self.__dict__.get("vendors", {})
        if name in vendors:
            return vendors[name]
        raise AttributeError(f"an account has no {name!r}; its vendors: {', '.join(vendors)}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.vendors]

    def __repr__(self) -> str:
        return f"<Account {self.id}>"
