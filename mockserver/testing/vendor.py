"""One vendor as an account sees it: where it is, what to authenticate with, what can be called."""

from collections.abc import Iterable, Mapping
from typing import Any

from mockserver.testing.control import segment
from mockserver.testing.journal import Journal
from mockserver.testing.operation import Operation

PARTS = ("url", "unreachable_url", "credentials", "owned", "tokens")


class Vendor:
    """Each operation is an attribute too; one whose name is taken here is reached by ``operations``."""

    def __init__(self, journal: Journal, name: str, data: Mapping[str, Any], operations: Iterable[str]) -> None:
        self.name = name
        self.url: str = data["url"]
        self.unreachable_url: str = data["unreachable_url"]  # refuses every connection
        self.credentials: Mapping[str, Any] = data["credentials"]
        self.owned: Mapping[str, Any] = data["owned"]
        self.operations = {one: Operation(journal, f"{name}.{one}") for one in operations}
        self._journal = journal

    @property
    def tokens(self) -> Mapping[str, str]:
        """Values ready to be sent, freshly signed: ask again rather than keep them."""
        shape = self._journal.control.get(f"accounts/{segment(self._journal.account)}")
        tokens: Mapping[str, str] = shape["vendors"][self.name]["tokens"]
        return tokens

    def get(self, path: str) -> Any:
        """A value by its dotted path: ``url``, ``credentials.api_key``, ``owned.connectors.0.id``.

        Raises LookupError, naming what is there.
        """
        part, *rest = path.split(".")
        if part not in PARTS:
            raise LookupError(f"{self.name} has no {part!r}; known: {', '.join(PARTS)}")
        value, at = getattr(self, part), f"{self.name}.{part}"
        for token in rest:
            value, at = _member(value, token, at), f"{at}.{token}"
        return value

    def __getattr__(self, name: str) -> Operation:
        operations: dict[str, Operation] = self.__dict__.get("operations", {})
        if name in operations:
            return operations[name]
        raise AttributeError(unknown(self.__dict__.get("name"), name, operations))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.operations]

    def __repr__(self) -> str:
        return f"<Vendor {self.name} of account {self._journal.account}>"


def unknown(vendor: str | None, name: str, operations: Iterable[str]) -> str:
    """What is said of an attribute that a vendor does not have."""
    return f"{vendor} has no {name!r}; operations: {', '.join(operations)}; values: {', '.join(PARTS)}"


def _member(value: Any, token: str, at: str) -> Any:
    if isinstance(value, Mapping):
        if token in value:
            return value[token]
        raise LookupError(f"{at} has no {token!r}; known: {', '.join(value) or 'none'}")
    if isinstance(value, list):
        if token.isascii() and token.isdigit() and int(token) < len(value):
            return value[int(token)]
        raise LookupError(f"{at} has {len(value)} items, counted from 0: no {token!r}")
    raise LookupError(f"{at} has nothing below it, so no {token!r}")
